/**
 * Single precision exactly as the FPv4-SP does it: four rounding modes, flush-to-zero, default NaN, cumulative flags (DDI 0403E A2.5,
 * the FP* pseudocode of its appendix). The exact value is formed as a big integer times a power of two and rounded once.
 * soft-float-fast.ts answers the everyday cases without it.
 */
import type { FpFunction } from './ir.ts';
import {
  ALTERNATIVE_HALF,
  bitLength,
  exactOf,
  fpscrBit,
  HALF,
  INFINITY_BITS,
  isInfinite,
  isNan,
  isSignalling,
  isZero,
  QUIET,
  roundAt,
  roundNumber,
  signOf,
  SINGLE,
  squareRootFloor,
  toBits,
  toNumber,
  type Exact,
  type Format,
} from './float-bits.ts';
import { fastResult } from './soft-float-fast.ts';

const DEFAULT_NAN = 0x7fc0_0000;

export class SoftFloat {
  /** Control bits are read here and flags set here. */
  fpscr = 0;

  /** Operands and result are bit patterns of singles, halves or integers, as the function says. */
  apply(fn: FpFunction, a: number, b: number, c: number): number {
    const fast = fastResult(fn, a, b, c, this.fpscr);
    if (fast !== null) {
      if (fast.inexact) this.raise(fpscrBit.inexact);
      return fast.bits;
    }
    switch (fn) {
      case 'add':
        return this.add(this.flush(a), this.flush(b));
      case 'subtract': {
        const [x, y] = [this.flush(a), this.flush(b)];
        // A NaN keeps its own sign.
        return this.propagate([x, y]) ?? this.add(x, y ^ 0x8000_0000);
      }
      case 'multiply':
        return this.multiply(this.flush(a), this.flush(b));
      case 'divide':
        return this.divide(this.flush(a), this.flush(b));
      case 'squareRoot':
        return this.squareRoot(this.flush(a));
      case 'fusedMultiplyAdd':
        return this.fused(this.flush(a), this.flush(b), this.flush(c));
      case 'fromSigned':
        return this.fromInteger(BigInt(a | 0), 0, this.mode());
      case 'fromUnsigned':
        return this.fromInteger(BigInt(a >>> 0), 0, this.mode());
      case 'toSigned':
        return this.toInteger(this.flush(a), 0, 32, true, this.mode());
      case 'toUnsigned':
        return this.toInteger(this.flush(a), 0, 32, false, this.mode());
      case 'toSignedTruncating':
        return this.toInteger(this.flush(a), 0, 32, true, 3);
      case 'toUnsignedTruncating':
        return this.toInteger(this.flush(a), 0, 32, false, 3);
      case 'toFixed':
        return this.toInteger(this.flush(a), b & 0xff, ((b >> 8) & 0xff) * 8, (b & 0x1_0000) === 0, 3);
      case 'fromFixed':
        return this.fromFixed(a, b);
      case 'toHalf':
        return this.toHalf(this.flush(a));
      case 'fromHalf':
        return this.fromHalf(a & 0xffff);
      case 'compare':
        return this.compare(this.flush(a), this.flush(b), c !== 0);
    }
  }

  private raise(flags: number): void {
    this.fpscr |= flags;
  }

  /** 0 nearest even, 1 towards plus infinity, 2 towards minus infinity, 3 towards zero. */
  private mode(): number {
    return (this.fpscr >>> 22) & 3;
  }

  private flush(bits: number): number {
    if ((this.fpscr & fpscrBit.flushToZero) === 0 || (bits & INFINITY_BITS) !== 0 || isZero(bits)) return bits;
    this.raise(fpscrBit.inputDenormal);
    return signOf(bits);
  }

  private invalid(): number {
    this.raise(fpscrBit.invalid);
    return DEFAULT_NAN;
  }

  /** The NaN among the operands that becomes the result: the first signalling one, else the first. */
  private propagate(operands: readonly number[]): number | null {
    const found = operands.find(isSignalling) ?? operands.find(isNan);
    if (found === undefined) return null;
    if (isSignalling(found)) this.raise(fpscrBit.invalid);
    return (this.fpscr & fpscrBit.defaultNan) !== 0 ? DEFAULT_NAN : found | QUIET;
  }

  private add(a: number, b: number): number {
    const nan = this.propagate([a, b]);
    if (nan !== null) return nan;
    if (isInfinite(a)) return isInfinite(b) && a !== b ? this.invalid() : a;
    if (isInfinite(b)) return b;
    return this.sum(exactOf(a), exactOf(b));
  }

  private sum(x: Exact, y: Exact): number {
    const exponent = Math.min(x.exponent, y.exponent);
    const scaled = (value: Exact): bigint => {
      const magnitude = value.mantissa << BigInt(value.exponent - exponent);
      return value.negative ? -magnitude : magnitude;
    };
    const total = scaled(x) + scaled(y);
    if (total === 0n) {
      const bothNegative = x.negative && y.negative;
      const differ = x.negative !== y.negative;
      return bothNegative || (differ && this.mode() === 2) ? 0x8000_0000 | 0 : 0;
    }
    return this.round({ negative: total < 0n, mantissa: total < 0n ? -total : total, exponent }, SINGLE, this.mode());
  }

  private multiply(a: number, b: number): number {
    const nan = this.propagate([a, b]);
    if (nan !== null) return nan;
    const sign = signOf(a ^ b);
    if (isInfinite(a) || isInfinite(b)) return isZero(a) || isZero(b) ? this.invalid() : sign | INFINITY_BITS;
    return this.round(this.product(a, b), SINGLE, this.mode());
  }

  private product(a: number, b: number): Exact {
    const [x, y] = [exactOf(a), exactOf(b)];
    return {
      negative: x.negative !== y.negative,
      mantissa: x.mantissa * y.mantissa,
      exponent: x.exponent + y.exponent,
    };
  }

  private divide(a: number, b: number): number {
    const nan = this.propagate([a, b]);
    if (nan !== null) return nan;
    const sign = signOf(a ^ b);
    if (isInfinite(a)) return isInfinite(b) ? this.invalid() : sign | INFINITY_BITS;
    if (isInfinite(b)) return sign;
    if (isZero(b)) {
      if (isZero(a)) return this.invalid();
      this.raise(fpscrBit.divideByZero);
      return sign | INFINITY_BITS;
    }
    const [x, y] = [exactOf(a), exactOf(b)];
    const numerator = x.mantissa << 64n;
    return this.round(
      {
        negative: sign !== 0,
        mantissa: numerator / y.mantissa,
        exponent: x.exponent - y.exponent - 64,
        sticky: numerator % y.mantissa !== 0n,
      },
      SINGLE,
      this.mode(),
    );
  }

  private squareRoot(a: number): number {
    const nan = this.propagate([a]);
    if (nan !== null) return nan;
    if (isZero(a)) return a;
    if (a < 0) return this.invalid();
    if (isInfinite(a)) return a;
    const x = exactOf(a);
    // At least 50 bits under the root give 25 bits of it; the exponent must be even.
    let shift = 52 - bitLength(x.mantissa);
    if (((x.exponent - shift) & 1) !== 0) shift--;
    const radicand = x.mantissa << BigInt(shift);
    const root = squareRootFloor(radicand);
    return this.round(
      { negative: false, mantissa: root, exponent: (x.exponent - shift) / 2, sticky: root * root !== radicand },
      SINGLE,
      this.mode(),
    );
  }

  /** a * b + c with one rounding. */
  private fused(a: number, b: number, c: number): number {
    const undefinedProduct = (isInfinite(a) && isZero(b)) || (isZero(a) && isInfinite(b));
    // Infinity times zero is invalid even if a quiet NaN is to be added.
    if (isNan(c) && !isSignalling(c) && undefinedProduct) return this.invalid();
    const nan = this.propagate([c, a, b]);
    if (nan !== null) return nan;
    if (undefinedProduct) return this.invalid();
    if (isInfinite(a) || isInfinite(b)) {
      const product = signOf(a ^ b) | INFINITY_BITS;
      return isInfinite(c) && c !== product ? this.invalid() : product;
    }
    if (isInfinite(c)) return c;
    return this.sum(this.product(a, b), exactOf(c));
  }

  private fromInteger(value: bigint, fractionBits: number, mode: number): number {
    if (value === 0n) return 0;
    const negative = value < 0n;
    return this.round({ negative, mantissa: negative ? -value : value, exponent: -fractionBits }, SINGLE, mode);
  }

  /** Always to nearest, whatever FPSCR says. */
  private fromFixed(a: number, form: number): number {
    const unsigned = (form & 0x1_0000) !== 0;
    const bits = ((form >> 8) & 0xff) * 8;
    const value = unsigned ? BigInt.asUintN(bits, BigInt(a)) : BigInt.asIntN(bits, BigInt(a));
    return this.fromInteger(value, form & 0xff, 0);
  }

  private toInteger(a: number, fractionBits: number, bits: number, signed: boolean, mode: number): number {
    if (isNan(a)) {
      this.raise(fpscrBit.invalid);
      return 0;
    }
    // Exact: a single scaled by a power of two is a double.
    const value = toNumber(a) * 2 ** fractionBits;
    const minimum = signed ? -(2 ** (bits - 1)) : 0;
    const maximum = signed ? 2 ** (bits - 1) - 1 : 2 ** bits - 1;
    const rounded = roundNumber(value, mode);
    if (rounded < minimum || rounded > maximum) {
      this.raise(fpscrBit.invalid);
      return (rounded < minimum ? minimum : maximum) | 0;
    }
    if (rounded !== value) this.raise(fpscrBit.inexact);
    return rounded | 0;
  }

  private compare(a: number, b: number, quietIsInvalid: boolean): number {
    if (isNan(a) || isNan(b)) {
      if (quietIsInvalid || isSignalling(a) || isSignalling(b)) this.raise(fpscrBit.invalid);
      return 0x3000_0000;
    }
    const [x, y] = [toNumber(a), toNumber(b)];
    if (x === y) return 0x6000_0000;
    return x < y ? 0x8000_0000 | 0 : 0x2000_0000;
  }

  private toHalf(a: number): number {
    const sign = signOf(a) >>> 16;
    const alternative = (this.fpscr & fpscrBit.alternativeHalf) !== 0;
    if (isNan(a)) {
      if (isSignalling(a) || alternative) this.raise(fpscrBit.invalid);
      if (alternative) return sign;
      return (this.fpscr & fpscrBit.defaultNan) !== 0 ? 0x7e00 : sign | 0x7e00 | ((a >> 13) & 0x1ff);
    }
    if (isInfinite(a)) {
      if (!alternative) return sign | 0x7c00;
      this.raise(fpscrBit.invalid);
      return sign | 0x7fff;
    }
    if (isZero(a)) return sign;
    return this.round(exactOf(a), alternative ? ALTERNATIVE_HALF : HALF, this.mode()) & 0xffff;
  }

  private fromHalf(half: number): number {
    const sign = (half & 0x8000) << 16;
    const field = (half >> 10) & 0x1f;
    const fraction = half & 0x3ff;
    if (field === 31 && (this.fpscr & fpscrBit.alternativeHalf) === 0) {
      if (fraction === 0) return sign | INFINITY_BITS;
      return this.propagate([sign | INFINITY_BITS | (fraction << 13)]) ?? 0;
    }
    if (field === 0) {
      return sign | toBits(fraction * 2 ** -24);
    }
    return sign | ((field + 112) << 23) | (fraction << 13);
  }

  /** FPRound: flags included. */
  private round(value: Exact, format: Format, mode: number): number {
    const { fractionBits, exponentMin, exponentMax } = format;
    const width = format === SINGLE ? 31 : 15;
    const sign = value.negative ? 2 ** width : 0;
    if (value.mantissa === 0n) return sign | 0;
    const exponent = value.exponent + bitLength(value.mantissa) - 1;
    const isTiny = exponent < exponentMin;
    if (isTiny && format === SINGLE && (this.fpscr & fpscrBit.flushToZero) !== 0) {
      this.raise(fpscrBit.underflow);
      return sign | 0;
    }
    const quantum = Math.max(exponent, exponentMin) - fractionBits;
    const { kept, inexact } = roundAt(value, quantum, mode);
    if (isTiny && inexact) this.raise(fpscrBit.underflow);
    // The hidden bit adds itself to the exponent field, and so does a carry out of the rounding.
    const field = isTiny ? 0 : exponent - exponentMin;
    const bits = Number(kept) + field * 2 ** fractionBits;
    const infinity = (exponentMax - exponentMin + 2) * 2 ** fractionBits;
    if (bits >= infinity) {
      if (format === ALTERNATIVE_HALF) {
        this.raise(fpscrBit.invalid);
        return sign | 0x7fff;
      }
      this.raise(fpscrBit.overflow | fpscrBit.inexact);
      const towardsInfinity = mode === 0 || (mode === 1 && !value.negative) || (mode === 2 && value.negative);
      return sign | (towardsInfinity ? infinity : infinity - 1) | 0;
    }
    if (inexact) this.raise(fpscrBit.inexact);
    return sign | bits | 0;
  }
}
