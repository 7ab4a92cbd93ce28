/**
 * Offline packing for the fast depthwise kernels: weights of 4 channels side by side, tap after tap, and {bias, multiplier, addend, shift}
 * per channel. Layouts: kernels/include/tl_convolution.h. Ranges are proven here, channel by channel.
 */
import { assert, defined } from '../../../common/errors.ts';
import type { QuantizedMultiplier } from '../../ir/quantized-math.ts';
import { foldedBias, largestSum, rescalingOf } from './pack-weights.ts';

/** Channels per block. */
const BLOCK = 4;

/** One depthwise layer with one output channel per input channel. */
export interface DepthwiseLayer {
  /** [taps, channels]. */
  readonly weights: Int8Array;
  /** A multiple of 4. */
  readonly channels: number;
  readonly taps: number;
  readonly bias: Int32Array | null;
  readonly inputOffset: number;
  readonly outputOffset: number;
  /** One per channel. */
  readonly multipliers: readonly QuantizedMultiplier[];
}

export interface PackedDepthwise {
  /** [channels / 4, taps, 4]. */
  readonly weights: Int8Array;
  /** Per channel {bias, multiplier, addend, shift}; the bias without the input offset. */
  readonly constants: Int32Array;
}

/** Null when a channel leaves the kernels' ranges. */
export function packDepthwise(layer: DepthwiseLayer): PackedDepthwise | null {
  assert(layer.channels % BLOCK === 0, `${layer.channels} channels do not fill blocks of ${BLOCK}`);
  const { weights, channels, taps } = layer;
  const constants = new Int32Array(BLOCK * channels);
  for (let channel = 0; channel < channels; channel += 1) {
    const row = Int8Array.from({ length: taps }, (_, tap) => weights[tap * channels + channel] as number);
    const magnitude = largestWindowSum(row, layer.bias?.[channel] ?? 0, layer.inputOffset);
    const multiplier = defined(layer.multipliers[channel], `multiplier of channel ${channel}`);
    const entry = rescalingOf(multiplier, layer.outputOffset, magnitude);
    if (!entry) return null;
    constants.set([layer.bias?.[channel] ?? 0, entry.multiplier, entry.addend, entry.shift], BLOCK * channel);
  }
  const packed = new Int8Array(weights.length);
  for (let channel = 0; channel < channels; channel += 1) {
    const block = Math.floor(channel / BLOCK);
    for (let tap = 0; tap < taps; tap += 1) {
      packed[BLOCK * (block * taps + tap) + (channel % BLOCK)] = weights[tap * channels + channel] as number;
    }
  }
  return { weights: packed, constants };
}

/** Largest magnitude of a sum over any part of the window: at the border taps are left out, and with them their zero point. */
function largestWindowSum(row: Int8Array, bias: number, inputOffset: number): number {
  const [folded] = foldedBias({
    weights: row,
    channels: 1,
    length: row.length,
    bias: Int32Array.of(bias),
    inputOffset,
  });
  return largestSum(row, folded as number);
}
