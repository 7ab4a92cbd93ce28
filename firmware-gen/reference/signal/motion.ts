/** Unit vectors and standardisation of sensor windows: the twins of kernels/include/tl_motion.h, bit for bit. */
import { assert } from '../../../common/errors.ts';
import type { StandardiseChannel } from '../../ir/system.ts';
import { multiplyByQuantizedMultiplier, quantizeMultiplier } from '../../ir/quantized-math.ts';

/** v / ||v|| as Q15 of the first three values of every frame; the zero vector stays zero. @param stride values per frame @returns [frames, 3] */
export function unitVectors(window: ArrayLike<number>, stride: number, offset = 0): Int16Array {
  const frames = window.length / stride;
  const output = new Int16Array(3 * frames);
  for (let i = 0; i < frames; i += 1) {
    const vector = [0, 1, 2].map((c) => window[i * stride + offset + c]!);
    let squares = vector.reduce((sum, value) => sum + value * value, 0);
    let scale = 1;
    for (; squares !== 0 && squares < 2 ** 30; squares *= 4) scale *= 2;
    const norm = Math.floor(Math.sqrt(squares));
    for (const [c, value] of vector.entries()) {
      const quotient = norm === 0 ? 0 : Math.floor((Math.abs(value) * scale * 32767 + (norm >> 1)) / norm);
      output[3 * i + c] = value < 0 ? -quotient : quotient;
    }
  }
  return output;
}

/** (value - mean) * step as a channel. @param mean in counts @param step of the int8 input per count, below 1 */
export function standardiseChannel(mean: number, step: number): StandardiseChannel {
  const { multiplier, shift } = quantizeMultiplier(step / 256);
  assert(shift <= 0 && Math.abs(mean) <= 32768, `standardisation by ${step} about ${mean}`);
  return { offset: -Math.round(mean) || 0, multiplier, shift };
}

/** @param window frames of `stride` values, the channels at `offset` @returns [frames, channels] */
export function standardiseInt8(
  window: ArrayLike<number>,
  channels: readonly StandardiseChannel[],
  zeroPoint: number,
  stride = channels.length,
  offset = 0,
): Int8Array {
  const frames = window.length / stride;
  const output = new Int8Array(frames * channels.length);
  for (let i = 0; i < frames; i += 1) {
    for (const [c, channel] of channels.entries()) {
      const value = (window[i * stride + offset + c]! + channel.offset) * 256;
      const scaled = multiplyByQuantizedMultiplier(value, channel.multiplier, channel.shift);
      output[i * channels.length + c] = Math.min(127, Math.max(-128, scaled + zeroPoint));
    }
  }
  return output;
}
