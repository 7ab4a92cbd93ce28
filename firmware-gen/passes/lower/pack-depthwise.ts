/**
 * Offline packing for the fast depthwise kernels: weights of 4 channels side by side, tap after tap, and {bias, multiplier, addend, shift}
 * per channel. Layouts: kernels/include/tl_convolution.h. Ranges are proven here, channel by channel.
 */
import { assert, defined } from '../../../common/errors.ts';
import type { QuantizedMultiplier } from '../../ir/quantized-math.ts';
import { constantOutput, constantRescaling, foldedBias, magnitudeOf, rescalingOf, sumRange } from './pack-weights.ts';

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

export interface PreparedDepthwise extends DepthwiseLayer {
  /** Per channel {bias, multiplier, addend, shift}. */
  readonly constants: Int32Array;
}

/**
 * The layer with its constants, their bias with the input offset folded in or without it. Channels that can give one value only lose their
 * weights. Null when a channel leaves the kernels' ranges.
 */
export function prepareDepthwise(layer: DepthwiseLayer, isBiasFolded: boolean): PreparedDepthwise | null {
  assert(layer.channels % BLOCK === 0, `${layer.channels} channels do not fill blocks of ${BLOCK}`);
  const { channels, taps, inputOffset, outputOffset } = layer;
  const weights = Int8Array.from(layer.weights);
  const constants = new Int32Array(4 * channels);
  for (let channel = 0; channel < channels; channel += 1) {
    const row = Int8Array.from({ length: taps }, (_, tap) => weights[tap * channels + channel] as number);
    const bias = layer.bias?.[channel] ?? 0;
    const single = { weights: row, channels: 1, length: taps, bias: Int32Array.of(bias), inputOffset };
    const folded = foldedBias(single)[0] as number;
    // Taps left out at the border count as the zero point, which is an int8 value like any other.
    const range = sumRange(row, folded);
    const multiplier = defined(layer.multipliers[channel], `multiplier of channel ${channel}`);
    const constant = constantOutput(range, multiplier, outputOffset);
    if (constant !== null) for (let tap = 0; tap < taps; tap += 1) weights[tap * channels + channel] = 0;
    const entry =
      constant === null ? rescalingOf(multiplier, outputOffset, magnitudeOf(range)) : constantRescaling(constant);
    if (!entry) return null;
    const chosen = constant !== null ? 0 : isBiasFolded ? folded : bias;
    constants.set([chosen, entry.multiplier, entry.addend, entry.shift], 4 * channel);
  }
  return { ...layer, weights, constants };
}

/** [channels / 4, taps, 4]: what tl_depthwise_conv_s8 reads. */
export function packDepthwiseBlocks({
  weights,
  channels,
  taps,
}: Pick<DepthwiseLayer, 'weights' | 'channels' | 'taps'>): Int8Array {
  const packed = new Int8Array(weights.length);
  for (let channel = 0; channel < channels; channel += 1) {
    const block = Math.floor(channel / BLOCK);
    for (let tap = 0; tap < taps; tap += 1) {
      packed[BLOCK * (block * taps + tap) + (channel % BLOCK)] = weights[tap * channels + channel] as number;
    }
  }
  return packed;
}

/**
 * What tl_depthwise_conv_3x3_s8 reads: per channel, for the three positions along the run, {w0, w1, w1, w2} across it. The run is the
 * width, or the height when the output is higher than wide.
 */
export function packDepthwise3x3(
  { weights, channels }: Pick<DepthwiseLayer, 'weights' | 'channels'>,
  isUpright: boolean,
): Int8Array {
  const packed = new Int8Array(12 * channels);
  for (let channel = 0; channel < channels; channel += 1) {
    for (let along = 0; along < 3; along += 1) {
      const tap = (across: number): number =>
        weights[(isUpright ? 3 * along + across : 3 * across + along) * channels + channel] as number;
      packed.set([tap(0), tap(1), tap(1), tap(2)], 12 * channel + 4 * along);
    }
  }
  return packed;
}
