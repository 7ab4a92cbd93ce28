/**
 * Floating point of every format exactly as FPv4 and FPv5 do it: rounding modes, flush-to-zero, default NaN, cumulative flags (DDI 0403E
 * A2.5, the FP* pseudocode of its appendix). The exact value is formed as a big integer times a power of two and rounded once.
 */
import {
  ALTERNATIVE_HALF,
  bitLength,
  exactOf,
  fpscrBit,
  fractionOf,
  fromNumber,
  HALF,
  isDenormal,
  isInfinite,
  isNan,
  isSignalling,
  isZero,
  roundAt,
  roundNumber,
  signOf,
  SINGLE,
  squareRootFloor,
  toNumber,
  type Exact,
  type Format,
} from './float-bits.ts';

/** NZCV of a comparison in bits 31:28. */
const comparison = { unordered: 0x3000_0000n, equal: 0x6000_0000n, less: 0x8000_0000n, greater: 0x2000_0000n } as const;
/** More bits than any quotient keeps, whatever its operands. */
const QUOTIENT_BITS = 128;

export class ExactFloat {
  /** Control bits are read here and flags set here. */
  fpscr = 0;

  protected raise(flags: number): void {
    this.fpscr |= flags;
  }

  protected has(flag: number): boolean {
    return (this.fpscr & flag) !== 0;
  }

  /** FPSCR.RMode: 0 nearest even, 1 towards plus infinity, 2 towards minus infinity, 3 towards zero. */
  protected mode(): number {
    return (this.fpscr >>> 22) & 3;
  }

  /** An operand as FPUnpack sees it: denormals are zero with FZ. Halves are never flushed. */
  protected flush(bits: bigint, f: Format): bigint {
    if (!this.has(fpscrBit.flushToZero) || !isDenormal(bits, f)) return bits;
    this.raise(fpscrBit.inputDenormal);
    return signOf(bits, f);
  }

  private invalid(f: Format): bigint {
    this.raise(fpscrBit.invalid);
    return f.infinity | f.quiet;
  }

  /** The NaN among the operands that becomes the result: the first signalling one, else the first. */
  private propagate(operands: readonly bigint[], f: Format): bigint | null {
    const found = operands.find((bits) => isSignalling(bits, f)) ?? operands.find((bits) => isNan(bits, f));
    if (found === undefined) return null;
    if (isSignalling(found, f)) this.raise(fpscrBit.invalid);
    return this.has(fpscrBit.defaultNan) ? f.infinity | f.quiet : found | f.quiet;
  }

  protected add(a: bigint, b: bigint, f: Format): bigint {
    const nan = this.propagate([a, b], f);
    if (nan !== null) return nan;
    if (isInfinite(a, f)) return isInfinite(b, f) && a !== b ? this.invalid(f) : a;
    if (isInfinite(b, f)) return b;
    return this.sum(exactOf(a, f), exactOf(b, f), f);
  }

  protected subtract(a: bigint, b: bigint, f: Format): bigint {
    // A NaN keeps its own sign.
    return this.propagate([a, b], f) ?? this.add(a, b ^ f.sign, f);
  }

  private sum(x: Exact, y: Exact, f: Format): bigint {
    const exponent = Math.min(x.exponent, y.exponent);
    const scaled = (value: Exact): bigint => {
      const size = value.mantissa << BigInt(value.exponent - exponent);
      return value.negative ? -size : size;
    };
    const total = scaled(x) + scaled(y);
    if (total === 0n) {
      const bothNegative = x.negative && y.negative;
      const differ = x.negative !== y.negative;
      return bothNegative || (differ && this.mode() === 2) ? f.sign : 0n;
    }
    return this.round({ negative: total < 0n, mantissa: total < 0n ? -total : total, exponent }, f, this.mode());
  }

  protected multiply(a: bigint, b: bigint, f: Format): bigint {
    const nan = this.propagate([a, b], f);
    if (nan !== null) return nan;
    if (isInfinite(a, f) || isInfinite(b, f))
      return isZero(a, f) || isZero(b, f) ? this.invalid(f) : signOf(a ^ b, f) | f.infinity;
    return this.round(this.product(a, b, f), f, this.mode());
  }

  private product(a: bigint, b: bigint, f: Format): Exact {
    const [x, y] = [exactOf(a, f), exactOf(b, f)];
    return {
      negative: x.negative !== y.negative,
      mantissa: x.mantissa * y.mantissa,
      exponent: x.exponent + y.exponent,
    };
  }

  protected divide(a: bigint, b: bigint, f: Format): bigint {
    const nan = this.propagate([a, b], f);
    if (nan !== null) return nan;
    const sign = signOf(a ^ b, f);
    if (isInfinite(a, f)) return isInfinite(b, f) ? this.invalid(f) : sign | f.infinity;
    if (isInfinite(b, f)) return sign;
    if (isZero(b, f)) {
      if (isZero(a, f)) return this.invalid(f);
      this.raise(fpscrBit.divideByZero);
      return sign | f.infinity;
    }
    const [x, y] = [exactOf(a, f), exactOf(b, f)];
    const numerator = x.mantissa << BigInt(QUOTIENT_BITS);
    return this.round(
      {
        negative: sign !== 0n,
        mantissa: numerator / y.mantissa,
        exponent: x.exponent - y.exponent - QUOTIENT_BITS,
        sticky: numerator % y.mantissa !== 0n,
      },
      f,
      this.mode(),
    );
  }

  protected squareRoot(a: bigint, f: Format): bigint {
    const nan = this.propagate([a], f);
    if (nan !== null) return nan;
    if (isZero(a, f)) return a;
    if (signOf(a, f) !== 0n) return this.invalid(f);
    if (isInfinite(a, f)) return a;
    const x = exactOf(a, f);
    // Twice the bits under the root that are wanted of it, and two to round with; the exponent must be even.
    let shift = 2 * f.fractionBits + 6 - bitLength(x.mantissa);
    if (((x.exponent - shift) & 1) !== 0) shift--;
    const radicand = x.mantissa << BigInt(shift);
    const root = squareRootFloor(radicand);
    return this.round(
      { negative: false, mantissa: root, exponent: (x.exponent - shift) / 2, sticky: root * root !== radicand },
      f,
      this.mode(),
    );
  }

  /** a * b + c with one rounding. */
  protected fused(a: bigint, b: bigint, c: bigint, f: Format): bigint {
    const undefinedProduct = (isInfinite(a, f) && isZero(b, f)) || (isZero(a, f) && isInfinite(b, f));
    // Infinity times zero is invalid even if a quiet NaN is to be added.
    if (isNan(c, f) && !isSignalling(c, f) && undefinedProduct) return this.invalid(f);
    const nan = this.propagate([c, a, b], f);
    if (nan !== null) return nan;
    if (undefinedProduct) return this.invalid(f);
    if (isInfinite(a, f) || isInfinite(b, f)) {
      const product = signOf(a ^ b, f) | f.infinity;
      return isInfinite(c, f) && c !== product ? this.invalid(f) : product;
    }
    if (isInfinite(c, f)) return c;
    return this.sum(this.product(a, b, f), exactOf(c, f), f);
  }

  /** FPMaxNum, FPMinNum: a quiet NaN loses against a number. */
  protected extremum(a: bigint, b: bigint, wantsMaximum: boolean, f: Format): bigint {
    const isQuiet = (bits: bigint): boolean => isNan(bits, f) && !isSignalling(bits, f);
    const loser = wantsMaximum ? f.sign | f.infinity : f.infinity;
    const x = isQuiet(a) && !isQuiet(b) ? loser : a;
    const y = isQuiet(b) && !isQuiet(a) ? loser : b;
    const nan = this.propagate([x, y], f);
    if (nan !== null) return nan;
    // +0 is above -0.
    if (isZero(x, f) && isZero(y, f)) return wantsMaximum ? x & y : x | y;
    return toNumber(x, f) > toNumber(y, f) === wantsMaximum ? x : y;
  }

  protected compare(a: bigint, b: bigint, quietIsInvalid: boolean, f: Format): bigint {
    if (isNan(a, f) || isNan(b, f)) {
      if (quietIsInvalid || isSignalling(a, f) || isSignalling(b, f)) this.raise(fpscrBit.invalid);
      return comparison.unordered;
    }
    const [x, y] = [toNumber(a, f), toNumber(b, f)];
    if (x === y) return comparison.equal;
    return x < y ? comparison.less : comparison.greater;
  }

  /** VRINT: to an integer of the same format; a zero keeps the operand's sign. @param exact raises INEXACT (VRINTX) */
  protected roundToIntegral(a: bigint, mode: number, exact: boolean, f: Format): bigint {
    const nan = this.propagate([a], f);
    if (nan !== null) return nan;
    if (isInfinite(a, f) || isZero(a, f)) return a;
    const value = toNumber(a, f);
    const rounded = roundNumber(value, mode);
    if (exact && rounded !== value) this.raise(fpscrBit.inexact);
    return rounded === 0 ? signOf(a, f) : fromNumber(rounded, f);
  }

  protected fromInteger(value: bigint, fractionBits: number, mode: number, f: Format): bigint {
    if (value === 0n) return 0n;
    const negative = value < 0n;
    return this.round({ negative, mantissa: negative ? -value : value, exponent: -fractionBits }, f, mode);
  }

  /** To an integer of `bits` bits with `fractionBits` of them behind the point; out of range is invalid and saturates. */
  protected toInteger(a: bigint, fractionBits: number, bits: number, signed: boolean, mode: number, f: Format): number {
    if (isNan(a, f)) {
      this.raise(fpscrBit.invalid);
      return 0;
    }
    // Exact, or infinite: scaling by a power of two only changes the exponent.
    const value = toNumber(a, f) * 2 ** fractionBits;
    const minimum = signed ? -(2 ** (bits - 1)) : 0;
    const maximum = signed ? 2 ** (bits - 1) - 1 : 2 ** bits - 1;
    const rounded = roundNumber(value, mode);
    if (rounded < minimum || rounded > maximum) {
      this.raise(fpscrBit.invalid);
      return rounded < minimum ? minimum : maximum;
    }
    if (rounded !== value) this.raise(fpscrBit.inexact);
    return rounded;
  }

  /** From one format to another; the operand is unpacked already. */
  protected convert(a: bigint, from: Format, to: Format): bigint {
    const sign = signOf(a, from) === 0n ? 0n : to.sign;
    const lacksSpecials = to === ALTERNATIVE_HALF;
    if (from !== ALTERNATIVE_HALF && isNan(a, from)) {
      if (isSignalling(a, from) || lacksSpecials) this.raise(fpscrBit.invalid);
      if (lacksSpecials) return sign;
      if (this.has(fpscrBit.defaultNan)) return to.infinity | to.quiet;
      const widening = BigInt(to.fractionBits - from.fractionBits);
      const payload = fractionOf(a, from);
      return sign | to.infinity | to.quiet | (widening > 0n ? payload << widening : payload >> -widening);
    }
    if (from !== ALTERNATIVE_HALF && isInfinite(a, from)) {
      if (!lacksSpecials) return sign | to.infinity;
      this.raise(fpscrBit.invalid);
      return sign | (to.sign - 1n);
    }
    return isZero(a, from) ? sign : this.round(exactOf(a, from), to, this.mode());
  }

  /** The format of halves that FPSCR.AHP asks for. */
  protected half(): Format {
    return this.has(fpscrBit.alternativeHalf) ? ALTERNATIVE_HALF : HALF;
  }

  /** FPRound: flags included. */
  private round(value: Exact, f: Format, mode: number): bigint {
    const { fractionBits, exponentMin, exponentMax } = f;
    const sign = value.negative ? f.sign : 0n;
    if (value.mantissa === 0n) return sign;
    const exponent = value.exponent + bitLength(value.mantissa) - 1;
    const isTiny = exponent < exponentMin;
    if (isTiny && fractionBits >= SINGLE.fractionBits && this.has(fpscrBit.flushToZero)) {
      this.raise(fpscrBit.underflow);
      return sign;
    }
    const quantum = Math.max(exponent, exponentMin) - fractionBits;
    const { kept, inexact } = roundAt(value, quantum, mode);
    if (isTiny && inexact) this.raise(fpscrBit.underflow);
    // The hidden bit adds itself to the exponent field, and so does a carry out of the rounding.
    const field = isTiny ? 0 : exponent - exponentMin;
    const bits = kept + (BigInt(field) << BigInt(fractionBits));
    const limit = BigInt(exponentMax - exponentMin + 2) << BigInt(fractionBits);
    if (bits >= limit) {
      if (f === ALTERNATIVE_HALF) {
        this.raise(fpscrBit.invalid);
        return sign | (f.sign - 1n);
      }
      this.raise(fpscrBit.overflow | fpscrBit.inexact);
      const towardsInfinity = mode === 0 || (mode === 1 && !value.negative) || (mode === 2 && value.negative);
      return sign | (towardsInfinity ? limit : limit - 1n);
    }
    if (inexact) this.raise(fpscrBit.inexact);
    return sign | bits;
  }
}
