/** FPSCR's bits; bit patterns of singles and halves, exact values, and rounding of them at a given place. */

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
export const INFINITY_BITS = 0x7f80_0000;
export const QUIET = 0x0040_0000;

export interface Format {
  readonly fractionBits: number;
  readonly exponentMin: number;
  readonly exponentMax: number;
}
export const SINGLE: Format = { fractionBits: 23, exponentMin: -126, exponentMax: 127 };
export const HALF: Format = { fractionBits: 10, exponentMin: -14, exponentMax: 15 };
export const ALTERNATIVE_HALF: Format = { ...HALF, exponentMax: 16 };

/** A finite value: (-1)^negative * mantissa * 2^exponent. */
export interface Exact {
  readonly negative: boolean;
  readonly mantissa: bigint;
  readonly exponent: number;
  /** Something below the last bit of the mantissa is not zero. */
  readonly sticky?: boolean;
}

export const isNan = (bits: number): boolean => (bits & 0x7fff_ffff) > INFINITY_BITS;
export const isSignalling = (bits: number): boolean => isNan(bits) && (bits & QUIET) === 0;
export const isInfinite = (bits: number): boolean => (bits & 0x7fff_ffff) === INFINITY_BITS;
export const isZero = (bits: number): boolean => (bits & 0x7fff_ffff) === 0;
export const signOf = (bits: number): number => bits & 0x8000_0000;

const words = new Int32Array(1);
const singles = new Float32Array(words.buffer);

export function toNumber(bits: number): number {
  words[0] = bits;
  return singles[0] ?? 0;
}

export function toBits(value: number): number {
  singles[0] = value;
  return words[0] ?? 0;
}

export function exactOf(bits: number): Exact {
  const field = (bits >>> 23) & 0xff;
  const fraction = bits & 0x7f_ffff;
  return {
    negative: bits < 0,
    mantissa: BigInt(field === 0 ? fraction : fraction | 0x80_0000),
    exponent: (field === 0 ? 1 : field) - 150,
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

export function roundNumber(value: number, mode: number): number {
  switch (mode) {
    case 0: {
      const floor = Math.floor(value);
      const rest = value - floor;
      if (rest < 0.5 || (rest === 0.5 && floor % 2 === 0)) return floor;
      return floor + 1;
    }
    case 1:
      return Math.ceil(value);
    case 2:
      return Math.floor(value);
    default:
      return Math.trunc(value);
  }
}
