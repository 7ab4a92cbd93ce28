/**
 * Offline packing for the fast int8 matrix kernels: blocks of 4 output channels, two channels to a halfword, constants beside them. The
 * layouts are written down in kernels/include/tl_convolution.h; this file also proves, layer by layer, the ranges they rely on.
 */
import { assert, defined } from '../../../common/errors.ts';
import type { QuantizedMultiplier } from '../../ir/quantized-math.ts';
import { multiplyByQuantizedMultiplier } from '../../ir/quantized-math.ts';

/** Channels per block. */
const BLOCK = 4;
const INT8_MIN = -128;
const INT8_MAX = 127;
/** 256 * sum + (a sum) must be exact modulo 2^32, so sums stay below 2^23 in magnitude. */
const SUM_LIMIT = 2 ** 23;
const INT32_LIMIT = 2 ** 31;

/** Which element of a row of weights stands at each place of a column; places without one (weight 0) are null. */
export type ColumnPlaces = readonly (number | null)[];

/** Of every four elements 0, 2, 1, 3, as SXTB16 delivers them, filled up to a multiple of `multiple` (4 or 8). */
export function quadPlaces(length: number, multiple: number): ColumnPlaces {
  const quads = Array.from({ length: roundUp(length, multiple) / 4 }, (_, quad) => 4 * quad);
  const order = quads.flatMap((first) => [first, first + 2, first + 1, first + 3]);
  return order.map((element) => (element < length ? element : null));
}

/** `rows` rows in natural order, each filled up to whole pairs, all of them to a multiple of 8. */
export function pairedRowPlaces(rows: number, rowLength: number): ColumnPlaces {
  const padded = roundUp(rowLength, 2);
  return Array.from({ length: roundUp(rows * padded, 8) }, (_, place) => {
    const [row, column] = [Math.floor(place / padded), place % padded];
    return row < rows && column < rowLength ? row * rowLength + column : null;
  });
}

function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple;
}

/** One matrix layer: `channels` rows of `length` weights. */
export interface MatrixLayer {
  readonly weights: Int8Array;
  readonly channels: number;
  readonly length: number;
  /** One per channel, or null. */
  readonly bias: Int32Array | null;
  readonly inputOffset: number;
  readonly outputOffset: number;
  /** One per channel. */
  readonly multipliers: readonly QuantizedMultiplier[];
}

/** Rescaling of one channel as the kernels take it: (round(2 * sum * multiplier / 2^32) - (sum < 0) + addend) >> shift. */
export interface Rescaling {
  readonly multiplier: number;
  readonly addend: number;
  /** 1..31, to the right. */
  readonly shift: number;
}

export interface PackedMatrix {
  readonly weights: Int8Array;
  /** Per channel, input offset folded in, modulo 2^32. */
  readonly bias: Int32Array;
  readonly rescaling: readonly Rescaling[];
}

/** Null when some channel leaves the ranges of the packed kernels; the general kernel takes such a layer. */
export function packMatrix(layer: MatrixLayer, places: ColumnPlaces): PackedMatrix | null {
  const bias = foldedBias(layer);
  const weights = Int8Array.from(layer.weights);
  const rescaling: Rescaling[] = [];
  for (let channel = 0; channel < layer.channels; channel += 1) {
    const row = weights.subarray(channel * layer.length, (channel + 1) * layer.length);
    const range = sumRange(row, bias[channel] as number);
    const multiplier = defined(layer.multipliers[channel], `multiplier of channel ${channel}`);
    const constant = constantOutput(range, multiplier, layer.outputOffset);
    if (constant !== null) {
      row.fill(0);
      bias[channel] = 0;
      rescaling.push(constantRescaling(constant));
      continue;
    }
    const entry = rescalingOf(multiplier, layer.outputOffset, magnitudeOf(range));
    if (row.includes(INT8_MIN) || magnitudeOf(range) >= SUM_LIMIT || !entry) return null;
    rescaling.push(entry);
  }
  return { weights: packBlocks({ ...layer, weights }, places), bias, rescaling };
}

/** The only int8 value a channel can give, or null. Training leaves many channels without weights, and with biases beyond all ranges. */
export function constantOutput(range: SumRange, quantized: QuantizedMultiplier, outputOffset: number): number | null {
  const { low, high } = range;
  // Only then is rescaling monotonic: no wrapping left shift, no wrapping sum.
  if (low !== high && (quantized.shift > 0 || magnitudeOf(range) >= INT32_LIMIT)) return null;
  const [least, most] = [low, high].map((sum) => {
    const scaled = multiplyByQuantizedMultiplier(sum | 0, quantized.multiplier, quantized.shift);
    return Math.min(Math.max((scaled + outputOffset) | 0, INT8_MIN), INT8_MAX);
  }) as [number, number];
  return least === most ? least : null;
}

/** Rescaling of a sum of 0 to `value`. */
export function constantRescaling(value: number): Rescaling {
  return { multiplier: 2 ** 30, addend: 2 * value, shift: 1 };
}

/** bias + inputOffset * sum(weights): padded places hold the zero point, so every window has all its taps. */
export function foldedBias(layer: Omit<MatrixLayer, 'multipliers' | 'outputOffset'>): Int32Array {
  return Int32Array.from({ length: layer.channels }, (_, channel) => {
    const row = layer.weights.subarray(channel * layer.length, (channel + 1) * layer.length);
    const sum = row.reduce((total, weight) => total + weight, 0);
    return Math.imul(sum, layer.inputOffset) + (layer.bias?.[channel] ?? 0);
  });
}

/** Least and largest sum, before it wraps. */
export interface SumRange {
  readonly low: number;
  readonly high: number;
}

/** bias + sum(weight * value) over all int8 values. */
export function sumRange(row: Int8Array, bias: number): SumRange {
  let [low, high] = [bias, bias];
  for (const weight of row) {
    high += weight * (weight > 0 ? INT8_MAX : INT8_MIN);
    low += weight * (weight > 0 ? INT8_MIN : INT8_MAX);
  }
  return { low, high };
}

export function magnitudeOf({ low, high }: SumRange): number {
  return Math.max(Math.abs(low), Math.abs(high));
}

/**
 * The kernels subtract 1 from negative sums instead of negative quotients. These differ in sign only for sum = -1 and multiplier 2^30, where the
 * quotient is 0 and both forms give the same. Null when the layer scales by a half or more, or when the zero point leaves int32.
 */
export function rescalingOf(quantized: QuantizedMultiplier, outputOffset: number, magnitude: number): Rescaling | null {
  const { multiplier, shift: leftShift } = quantized;
  const shift = -leftShift;
  if (shift < 1 || shift > 31) return null;
  const addend = 2 ** (shift - 1) + outputOffset * 2 ** shift;
  const quotient = Math.ceil((magnitude * multiplier) / 2 ** 31) + 1;
  if (2 * magnitude >= INT32_LIMIT || Math.abs(addend) + quotient + 1 >= INT32_LIMIT) return null;
  return { multiplier, addend, shift };
}

/** Weights in blocks of 4 channels (tl_convolution.h). */
export function packBlocks(
  layer: Pick<MatrixLayer, 'weights' | 'channels' | 'length'>,
  places: ColumnPlaces,
): Int8Array {
  const blocks = Math.ceil(layer.channels / BLOCK);
  const packed = new Int16Array(blocks * places.length * 2);
  const weightAt = (channel: number, element: number | null): number =>
    channel < layer.channels && element !== null ? (layer.weights[channel * layer.length + element] as number) : 0;
  let next = 0;
  for (let block = 0; block < blocks; block += 1) {
    for (let place = 0; place < places.length; place += 2) {
      for (const channel of [BLOCK * block, BLOCK * block + 2]) {
        for (const element of places.slice(place, place + 2)) {
          packed[next++] = 256 * weightAt(channel + 1, element) + weightAt(channel, element);
        }
      }
    }
  }
  assert(next === packed.length, 'packed weights fill their array');
  return littleEndianBytes(packed);
}

function littleEndianBytes(halfwords: Int16Array): Int8Array {
  const bytes = new Int8Array(2 * halfwords.length);
  const view = new DataView(bytes.buffer);
  halfwords.forEach((value, i) => {
    view.setInt16(2 * i, value, true);
  });
  return bytes;
}

/** {bias_0, 256 * bias_1 + bias_0, bias_2, 256 * bias_3 + bias_2} per block, as tl_fully_connected_s8 reads them. */
export function packedBias(packed: PackedMatrix): Int32Array {
  const blocks = Math.ceil(packed.bias.length / BLOCK);
  const values = new Int32Array(BLOCK * blocks);
  for (let even = 0; even < values.length; even += 2) {
    const first = packed.bias[even] ?? 0;
    values[even] = first;
    values[even + 1] = 256 * (packed.bias[even + 1] ?? 0) + first;
  }
  return values;
}

/** Packed biases of a block, then {multiplier, addend, shift} of its channels; channels that fill up the last block are zero. */
export function packedConstants(packed: PackedMatrix): Int32Array {
  const biases = packedBias(packed);
  const values = new Int32Array(4 * biases.length);
  for (let channel = 0; channel < biases.length; channel += 1) {
    const block = Math.floor(channel / BLOCK);
    values[16 * block + (channel % BLOCK)] = biases[channel] as number;
    const entry = packed.rescaling[channel] ?? { multiplier: 0, addend: 0, shift: 0 };
    values.set([entry.multiplier, entry.addend, entry.shift], 16 * block + BLOCK + 3 * (channel % BLOCK));
  }
  return values;
}
