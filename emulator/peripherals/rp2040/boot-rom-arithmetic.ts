/** What the boot ROM's tables of float and double functions calculate, by their place in the tables (RP2040 data sheet 2.8.3.2), and how long it takes. */

const words = new DataView(new ArrayBuffer(8));
const LOW = 0xffff_ffffn;

const float = (bits: number): number => {
  words.setUint32(0, (bits & 0x7f80_0000) === 0 ? bits & 0x8000_0000 : bits);
  return words.getFloat32(0);
};
const floatBits = (value: number): number => {
  words.setFloat32(0, value);
  const bits = words.getUint32(0);
  return (bits & 0x7f80_0000) === 0 ? (bits & 0x8000_0000) >>> 0 : bits;
};
const double = (low: number, high: number): number => {
  const isDenormal = (high & 0x7ff0_0000) === 0;
  words.setUint32(0, isDenormal ? high & 0x8000_0000 : high);
  words.setUint32(4, isDenormal ? 0 : low);
  return words.getFloat64(0);
};

type Pair = readonly [number, number];

const doubleBits = (value: number): Pair => {
  words.setFloat64(0, value);
  const high = words.getUint32(0);
  return (high & 0x7ff0_0000) === 0 ? [0, (high & 0x8000_0000) >>> 0] : [words.getUint32(4), high];
};
const pairOf = (value: bigint): Pair => [Number(value & LOW), Number((value >> 32n) & LOW)];
const signed64 = (low: number, high: number): bigint => (BigInt(high | 0) << 32n) | BigInt(low >>> 0);
const unsigned64 = (low: number, high: number): bigint => (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);

/** Towards minus infinity, into the range. */
const clamped = (value: number, bits: 32 | 64, isSigned: boolean): Pair => {
  const low = isSigned ? -(1n << BigInt(bits - 1)) : 0n;
  const high = isSigned ? (1n << BigInt(bits - 1)) - 1n : (1n << BigInt(bits)) - 1n;
  if (Number.isNaN(value)) return [0, 0];
  if (!Number.isFinite(value)) return pairOf(value < 0 ? low : high);
  const whole = BigInt(Math.floor(value));
  return pairOf(whole < low ? low : whole > high ? high : whole);
};

/** A number type of the tables: how arguments come and results go. */
interface Format {
  /** Registers that an argument takes. */
  readonly size: 1 | 2;
  readonly read: (words: readonly number[], argument: number) => number;
  readonly write: (value: number) => Pair;
}

const formats: readonly [Format, Format] = [
  { size: 1, read: (r, n) => float(r[n]!), write: (value) => [floatBits(value), 0] },
  { size: 2, read: (r, n) => double(r[2 * n]!, r[2 * n + 1]!), write: doubleBits },
];
/** Fixed-point arguments of 64 bits come in r0 and r1, how many bits are behind the point in r2. */
type Operation = (format: Format, r: readonly number[]) => Pair;

const unary =
  (calculate: (x: number) => number): Operation =>
  (format, r) =>
    format.write(calculate(format.read(r, 0)));
const binary =
  (calculate: (x: number, y: number) => number): Operation =>
  (format, r) =>
    format.write(calculate(format.read(r, 0), format.read(r, 1)));
const toInteger =
  (bits: 32 | 64, isSigned: boolean, isFixed: boolean): Operation =>
  (format, r) =>
    clamped(format.read(r, 0) * 2 ** (isFixed ? r[format.size]! | 0 : 0), bits, isSigned);
const from32 =
  (isSigned: boolean, isFixed: boolean): Operation =>
  (format, r) =>
    format.write((isSigned ? r[0]! | 0 : r[0]!) / 2 ** (isFixed ? r[1]! | 0 : 0));
const from64 =
  (isSigned: boolean, isFixed: boolean): Operation =>
  (format, r) => {
    const value = (isSigned ? signed64 : unsigned64)(r[0]!, r[1]!);
    const scaled = format.size === 1 ? nearestFloat(value) : Number(value);
    return format.write(scaled / 2 ** (isFixed ? r[2]! | 0 : 0));
  };

/** Rounded once: bits that a double cannot hold are kept as a sticky one. */
function nearestFloat(value: bigint): number {
  const magnitude = value < 0n ? -value : value;
  const excess = BigInt(Math.max(0, magnitude.toString(2).length - 50));
  const kept = magnitude >> excess;
  const sticky = kept << excess === magnitude ? 0n : 1n;
  const result = Number((kept << 1n) | sticky) * 2 ** (Number(excess) - 1);
  return Math.fround(value < 0n ? -result : result);
}

const compare: Operation = (format, r) => {
  const [x, y] = [format.read(r, 0), format.read(r, 1)];
  return [x < y ? 0xffff_ffff : x > y ? 1 : 0, 0];
};

/** The single-precision one gives the cosine as well, in r1. */
const sine: Operation = (format, r) => {
  const x = format.read(r, 0);
  return format.size === 1 ? [floatBits(Math.sin(x)), floatBits(Math.cos(x))] : doubleBits(Math.sin(x));
};

/** In the order of the tables; null: not modelled. Cycles: float, double. */
const table: readonly (readonly [Operation, number, number] | null)[] = [
  [binary((x, y) => x + y), 71, 91],
  [binary((x, y) => x - y), 74, 95],
  [binary((x, y) => x * y), 58, 155],
  [binary((x, y) => x / y), 71, 183],
  null,
  null,
  [unary(Math.sqrt), 63, 169],
  [toInteger(32, true, false), 40, 75],
  [toInteger(32, true, true), 39, 74],
  [toInteger(32, false, false), 39, 63],
  [toInteger(32, false, true), 38, 62],
  [from32(true, false), 55, 69],
  [from32(true, true), 53, 68],
  [from32(false, false), 54, 64],
  [from32(false, true), 52, 62],
  [unary(Math.cos), 587, 1617],
  [sine, 577, 1618],
  [unary(Math.tan), 653, 1891],
  null,
  [unary(Math.exp), 524, 804],
  [unary(Math.log), 789, 428],
  [compare, 25, 39],
  [binary(Math.atan2), 599, 2168],
  [from64(true, false), 54, 55],
  [from64(true, true), 53, 56],
  [from64(false, false), 50, 53],
  [from64(false, true), 52, 55],
  [toInteger(64, true, false), 54, 64],
  [toInteger(64, true, true), 53, 63],
  [toInteger(64, false, false), 42, 53],
  [toInteger(64, false, true), 41, 52],
  [(format, r) => (format.size === 1 ? doubleBits(float(r[0]!)) : [floatBits(double(r[0]!, r[1]!)), 0]), 15, 23],
];

const TABLE_ENTRIES = 32;

/** r0 and r1 after the function, or null where it is not modelled. @param service 0 to 31 of the float table, 32 to 63 of the double table */
export function arithmetic(service: number, arguments_: readonly number[]): Pair | null {
  const entry = table[service % TABLE_ENTRIES];
  const format = formats[service < TABLE_ENTRIES ? 0 : 1];
  return entry === null || entry === undefined ? null : entry[0](format, arguments_);
}

/** The data sheet's averages for the ROM of versions 2 and 3. Assumed: taken down from memory but for double2ufix64 and double2float. */
export function cyclesOf(service: number): number {
  return table[service % TABLE_ENTRIES]?.[service < TABLE_ENTRIES ? 1 : 2] ?? 0;
}
