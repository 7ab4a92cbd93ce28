/**
 * The functions of the floating-point unit on bit patterns, single and double precision. soft-float-fast.ts and soft-double-fast.ts answer
 * the everyday cases, exact-float.ts all others.
 */
import type { FpFunction } from './ir.ts';
import { ExactFloat } from './exact-float.ts';
import { DOUBLE, fpscrBit, roundingMode, SINGLE, type Format } from './float-bits.ts';
import { fastDouble } from './soft-double-fast.ts';
import { fastResult } from './soft-float-fast.ts';

/** Second operand of roundToIntegral and toIntegerBy: a roundingMode or that of FPSCR, and whether INEXACT is raised or the integer unsigned. */
export const BY_FPSCR = 7;
export const MODIFIED = 8;

/** Three operands and the result of applyDouble. */
const DOUBLES = 4;
const RESULT = 3;
/** Of the result in SoftFloat.words. */
export const RESULT_WORD = 2 * RESULT;

export class SoftFloat extends ExactFloat {
  /** Low and high words of the operands of applyDouble, and of its result behind them. */
  readonly words: Int32Array;
  private readonly doubles: Float64Array;
  private readonly bits: BigUint64Array;

  /** @param buffer where the operands of applyDouble lie, from `offset`, 32 bytes */
  constructor(buffer: ArrayBuffer = new ArrayBuffer(DOUBLES * 8), offset = 0) {
    super();
    this.words = new Int32Array(buffer, offset, DOUBLES * 2);
    this.doubles = new Float64Array(buffer, offset, DOUBLES);
    this.bits = new BigUint64Array(buffer, offset, DOUBLES);
  }

  /** Operands and result are bit patterns of singles, halves or integers, as the function says. */
  apply(fn: FpFunction, a: number, b: number, c: number): number {
    const fast = fastResult(fn, a, b, c, this.fpscr);
    if (fast !== null) {
      if (fast.inexact) this.raise(fpscrBit.inexact);
      return fast.bits;
    }
    const [x, y, z] = [BigInt(a >>> 0), BigInt(b >>> 0), BigInt(c >>> 0)];
    return Number(BigInt.asIntN(32, this.exactly(fn, x, y, z, SINGLE)));
  }

  /** The same with doubles, whose operands and result are in `words`; what is not a double there is in the low word. */
  applyDouble(fn: FpFunction): void {
    const fast = fastDouble(fn, this.doubles, this.words, this.fpscr);
    if (fast !== null) {
      if (fast.inexact) this.raise(fpscrBit.inexact);
      return;
    }
    const { bits } = this;
    bits[RESULT] = this.exactly(fn, bits[0] ?? 0n, bits[1] ?? 0n, bits[2] ?? 0n, DOUBLE);
  }

  private exactly(fn: FpFunction, a: bigint, b: bigint, c: bigint, f: Format): bigint {
    switch (fn) {
      case 'add':
        return this.add(this.flush(a, f), this.flush(b, f), f);
      case 'subtract':
        return this.subtract(this.flush(a, f), this.flush(b, f), f);
      case 'multiply':
        return this.multiply(this.flush(a, f), this.flush(b, f), f);
      case 'divide':
        return this.divide(this.flush(a, f), this.flush(b, f), f);
      case 'squareRoot':
        return this.squareRoot(this.flush(a, f), f);
      case 'fusedMultiplyAdd':
        return this.fused(this.flush(a, f), this.flush(b, f), this.flush(c, f), f);
      case 'maximum':
      case 'minimum':
        return this.extremum(this.flush(a, f), this.flush(b, f), fn === 'maximum', f);
      case 'compare':
        return this.compare(this.flush(a, f), this.flush(b, f), c !== 0n, f);
      default:
        return this.converted(fn, a, Number(b), f);
    }
  }

  private converted(fn: FpFunction, a: bigint, b: number, f: Format): bigint {
    switch (fn) {
      case 'roundToIntegral':
        return this.roundToIntegral(this.flush(a, f), this.modeOf(b), (b & MODIFIED) !== 0, f);
      case 'fromSigned':
        return this.fromInteger(BigInt.asIntN(32, a), 0, this.mode(), f);
      case 'fromUnsigned':
        return this.fromInteger(a, 0, this.mode(), f);
      case 'toSigned':
      case 'toSignedTruncating':
        return this.toWord(a, fn === 'toSigned' ? BY_FPSCR : roundingMode.towardsZero, f);
      case 'toUnsigned':
      case 'toUnsignedTruncating':
        return this.toWord(a, (fn === 'toUnsigned' ? BY_FPSCR : roundingMode.towardsZero) | MODIFIED, f);
      case 'toIntegerBy':
        return this.toWord(a, b, f);
      case 'toFixed': {
        const [bits, signed] = [((b >> 8) & 0xff) * 8, (b & 0x1_0000) === 0];
        return BigInt(this.toInteger(this.flush(a, f), b & 0xff, bits, signed, roundingMode.towardsZero, f));
      }
      case 'fromFixed': {
        const bits = ((b >> 8) & 0xff) * 8;
        const value = (b & 0x1_0000) !== 0 ? BigInt.asUintN(bits, a) : BigInt.asIntN(bits, a);
        // Always to nearest, whatever FPSCR says.
        return this.fromInteger(value, b & 0xff, roundingMode.nearestEven, f);
      }
      case 'toHalf':
        return this.convert(this.flush(a, f), f, this.half());
      case 'fromHalf':
        return this.convert(a & 0xffffn, this.half(), f);
      case 'toSingle':
        return this.convert(this.flush(a, DOUBLE), DOUBLE, SINGLE);
      default:
        return this.convert(this.flush(a, SINGLE), SINGLE, DOUBLE);
    }
  }

  private toWord(a: bigint, how: number, f: Format): bigint {
    return BigInt(this.toInteger(this.flush(a, f), 0, 32, (how & MODIFIED) === 0, this.modeOf(how), f));
  }

  private modeOf(operand: number): number {
    return (operand & 7) === BY_FPSCR ? this.mode() : operand & 7;
  }
}
