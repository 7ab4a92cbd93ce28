/** FPSCR's bits; bit patterns of halves, singles and doubles, exact values, and rounding of them at a given place. */

export const fpscrBit = {
  invalid: 1,
  divideByZero: 2,
  overflow: 4,
  underflow: 8,
  inexact: 16,
  inputDenormal: 128,
  flushToZero: 1 << 24,
  defaultNan: 1 << 25,
  alternativeHalf: 1 << 26,
} as const;

/** N Z C V, AHP, DN, FZ, RMode and the six cumulative flags. */
export const FPSCR_MASK = 0xf7c0_009f | 0;

/** Rounding as FPSCR.RMode numbers it, and to nearest with ties away from zero (VRINTA, VCVTA). */
export const roundingMode = { nearestEven: 0, upwards: 1, downwards: 2, towardsZero: 3, nearestAway: 4 } as const;

/** An interchange format of IEEE 754; the bit patterns as big integers. */
export interface Format {
  readonly fractionBits: number;
  /** Of normal numbers. */
  readonly exponentMin: number;
  readonly exponentMax: number;
  readonly sign: bigint;
  readonly infinity: bigint;
  /** The bit that a quiet NaN has. */
  readonly quiet: bigint;
}

function makeFormat(bits: number, fractionBits: number): Format {
  const exponentMax = 2 ** (bits - fractionBits - 2) - 1;
  const sign = 1n << BigInt(bits - 1);
  const infinity = sign - (1n << BigInt(fractionBits));
  return {
    fractionBits,
    exponentMin: 1 - exponentMax,
    exponentMax,
    sign,
    infinity,
    quiet: 1n << BigInt(fractionBits - 1),
  };
}

export const HALF = makeFormat(16, 10);
export const SINGLE = makeFormat(32, 23);
export const DOUBLE = makeFormat(64, 52);
/** FPSCR.AHP: neither infinities nor NaNs, but one exponent more. */
export const ALTERNATIVE_HALF: Format = { ...HALF, exponentMax: HALF.exponentMax + 1 };

/** A finite value: (-1)^negative * mantissa * 2^exponent. */
export interface Exact {
  readonly negative: boolean;
  readonly mantissa: bigint;
  readonly exponent: number;
  /** Something below the last bit of the mantissa is not zero. */
  readonly sticky?: boolean;
}

const magnitude = (bits: bigint, { sign }: Format): bigint => bits & (sign - 1n);
export const isNan = (bits: bigint, f: Format): boolean => magnitude(bits, f) > f.infinity;
export const isSignalling = (bits: bigint, f: Format): boolean => isNan(bits, f) && (bits & f.quiet) === 0n;
export const isInfinite = (bits: bigint, f: Format): boolean => magnitude(bits, f) === f.infinity;
export const isZero = (bits: bigint, f: Format): boolean => magnitude(bits, f) === 0n;
export const isDenormal = (bits: bigint, f: Format): boolean => (bits & f.infinity) === 0n && !isZero(bits, f);
export const signOf = (bits: bigint, { sign }: Format): bigint => bits & sign;
export const fractionOf = (bits: bigint, { fractionBits }: Format): bigint =>
  bits & ((1n << BigInt(fractionBits)) - 1n);

const words = new BigUint64Array(1);
const doubles = new Float64Array(words.buffer);
const singles = new Float32Array(words.buffer);

/** The number a single or double stands for. */
export function toNumber(bits: bigint, f: Format): number {
  words[0] = bits;
  return (f === DOUBLE ? doubles[0] : singles[0]) ?? 0;
}

/** The single or double that is this number, which must be one. */
export function fromNumber(value: number, f: Format): bigint {
  words[0] = 0n;
  if (f === DOUBLE) doubles[0] = value;
  else singles[0] = value;
  return words[0];
}

export function exactOf(bits: bigint, f: Format): Exact {
  const { fractionBits, exponentMin } = f;
  const field = Number(magnitude(bits, f) >> BigInt(fractionBits));
  const fraction = fractionOf(bits, f);
  return {
    negative: (bits & f.sign) !== 0n,
    mantissa: field === 0 ? fraction : fraction | (1n << BigInt(fractionBits)),
    exponent: Math.max(field, 1) - 1 + exponentMin - fractionBits,
  };
}

export const bitLength = (value: bigint): number => value.toString(2).length;

export function squareRootFloor(value: bigint): bigint {
  let root = BigInt(Math.floor(Math.sqrt(Number(value))));
  while (root * root > value) root--;
  while ((root + 1n) * (root + 1n) <= value) root++;
  return root;
}

export function roundAt(value: Exact, quantum: number, mode: number): { kept: bigint; inexact: boolean } {
  const sticky = value.sticky === true;
  const shift = quantum - value.exponent;
  if (shift <= 0) return { kept: value.mantissa << BigInt(-shift), inexact: sticky };
  const kept = value.mantissa >> BigInt(shift);
  const rest = value.mantissa & ((1n << BigInt(shift)) - 1n);
  const inexact = rest !== 0n || sticky;
  const middle = 1n << BigInt(shift - 1);
  const aboveMiddle = rest > middle || (rest === middle && sticky);
  const nearestUp = aboveMiddle || (rest === middle && (kept & 1n) === 1n);
  const up = mode === 0 ? nearestUp : inexact && ((mode === 1 && !value.negative) || (mode === 2 && value.negative));
  return { kept: up ? kept + 1n : kept, inexact };
}

/** To an integer. @param mode of roundingMode */
export function roundNumber(value: number, mode: number): number {
  switch (mode) {
    case roundingMode.nearestEven:
    case roundingMode.nearestAway: {
      const floor = Math.floor(Math.abs(value));
      const rest = Math.abs(value) - floor;
      const up = rest > 0.5 || (rest === 0.5 && (mode === roundingMode.nearestAway || floor % 2 !== 0));
      return Math.sign(value) * (up ? floor + 1 : floor);
    }
    case roundingMode.upwards:
      return Math.ceil(value);
    case roundingMode.downwards:
      return Math.floor(value);
    default:
      return Math.trunc(value);
  }
}
