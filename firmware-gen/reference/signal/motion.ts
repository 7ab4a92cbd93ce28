/** Unit vectors and standardisation of sensor windows: the twins of kernels/include/tl_motion.h, bit for bit. */
import { assert } from '../../../common/errors.ts';
import {
  chooseRequantizer,
  leastRange,
  outputScale,
  requantizeUnits,
  type DynamicScheme,
  type RunScale,
} from '../../ir/dynamic.ts';
import type { StandardiseChannel } from '../../ir/system.ts';
import {
  multiplyByQuantizedMultiplier,
  quantizeMultiplier,
  type QuantizedMultiplier,
} from '../../ir/quantized-math.ts';

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

/** (value - mean) * step as a channel. @param mean in counts @param step of the result per count, below 256 */
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
  const units = standardisedUnits(window, channels, stride, offset);
  return Int8Array.from(units, (value) => Math.min(127, Math.max(-128, value + zeroPoint)));
}

export interface DynamicWindow {
  readonly values: Int8Array;
  readonly scale: RunScale;
}

/** By the window's own range. @param unit what channels give, no count above 2^24 of them @param least finest scale that the encoder takes */
export function standardiseDynamic(
  window: ArrayLike<number>,
  channels: readonly StandardiseChannel[],
  unit: QuantizedMultiplier,
  { scheme, least }: { readonly scheme: DynamicScheme; readonly least: RunScale | null },
): DynamicWindow {
  const units = standardisedUnits(window, channels, channels.length, 0);
  let [low, high] = [0, 0];
  for (const value of units) {
    if (scheme === 'q') high |= value ^ (value >> 31);
    else [low, high] = [Math.min(low, value), Math.max(high, value)];
  }
  const scale = { ...unit, zeroPoint: 0 };
  const by = chooseRequantizer(scheme, low, high, leastRange(scheme, least, scale));
  return { values: Int8Array.from(units, (value) => requantizeUnits(by, value)), scale: outputScale(by, scale) };
}

/** [frames, channels] */
function standardisedUnits(
  window: ArrayLike<number>,
  channels: readonly StandardiseChannel[],
  stride: number,
  offset: number,
): Int32Array {
  const frames = window.length / stride;
  const output = new Int32Array(frames * channels.length);
  for (let i = 0; i < frames; i += 1) {
    for (const [c, channel] of channels.entries()) {
      const value = (window[i * stride + offset + c]! + channel.offset) * 256;
      output[i * channels.length + c] = multiplyByQuantizedMultiplier(value, channel.multiplier, channel.shift);
    }
  }
  return output;
}
