/**
 * From a float graph to dynamic fixed point (docs/dynamic-quantization.md): weights are quantized now, activations when the layer has run.
 * Calibration samples only say how loud inputs usually are: they set the default scale of the input and keep biases within accumulators.
 */
import { assert, defined } from '../../common/errors.ts';
import {
  DYNAMIC_SUM_LIMIT,
  LEVELS_16,
  LEVELS_8,
  runScale,
  scaleForValues,
  type DynamicForm,
  type DynamicScheme,
} from '../../firmware-gen/ir/dynamic.ts';
import type { Graph, Op, Tensor, TensorId } from '../../firmware-gen/ir/graph.ts';
import { roundHalfAwayFromZero } from '../../firmware-gen/ir/quantized-math.ts';
import { NOMINAL, expandDynamic } from '../../firmware-gen/passes/dynamic.ts';
import { calibrate, type ActivationRanges } from './calibrate.ts';
import { equalizeLayers } from './equalize.ts';
import { foldBatchNorm } from './fold-batch-norm.ts';
import { withoutNegligibleChannels } from './negligible-channels.ts';
import { int16Format, int8Format, SCALE_MIN } from './number-format.ts';
import { requireFloat, requireUsable } from './static.ts';
import { constantOf, floatsOf, isWeighted, outputChannelAxis, type WeightedOp } from './weights.ts';

export interface DynamicOptions {
  readonly scheme: DynamicScheme;
  readonly form: DynamicForm;
  readonly granularity: 'channel' | 'tensor';
  readonly equalization: boolean;
  /** Bits, 8 unless given; weights of 16 need activations of 16, which have form full alone. */
  readonly weights?: 8 | 16;
  readonly activations?: 8 | 16;
}

export interface DynamicResult {
  /** The float graph as it was quantized, op by op; without channels that nothing can move. */
  readonly float: Graph;
  readonly quantized: Graph;
}

/** Share of the accumulator that weights may take; biases have the rest. */
const WEIGHT_SHARE = 0.75;
/** Least scale of weights per sum of their magnitudes: with it the largest inputs fit. */
export const WEIGHTS_STEP = 255 / (WEIGHT_SHARE * DYNAMIC_SUM_LIMIT);
/** Largest bias, in accumulator steps, for an input QUIET times softer than calibrated. */
const BIAS_MAX = 2 ** 20;
const QUIET = 16;
/** Bits of the largest stored bias. */
const BIAS_BITS = 29;

/** @throws UserError for a graph that is not float, ops without a dynamic form, and calibration data that cannot set ranges */
export function quantizeDynamic(
  graph: Graph,
  samples: readonly Float32Array[],
  options: DynamicOptions,
): DynamicResult {
  const format = options.activations === 16 ? int16Format : int8Format;
  assert(format === int16Format || options.weights !== 16, 'weights of 16 bits have activations of 16 bits');
  requireFloat(graph);
  requireUsable(graph, samples);
  const { graph: folded } = withoutNegligibleChannels(foldBatchNorm(graph));
  const float = options.equalization ? equalizeLayers(folded).graph : folded;
  const ranges = calibrate(
    float,
    samples.map((sample) => [sample]),
  );
  const constants = new Map<TensorId, Tensor>();
  for (const op of float.ops) {
    if (!isWeighted(op)) continue;
    for (const tensor of layerConstants(float, op, ranges, options)) constants.set(tensor.id, tensor);
  }
  const fixed = new Map(float.ops.map((op) => [op.outputs[0], format.fixedOutput[op.kind]]));
  const nominal: Graph = {
    ...float,
    tensors: float.tensors.map((tensor): Tensor => {
      const constant = constants.get(tensor.id);
      if (constant) return constant;
      // Constants elsewhere are refused by expandDynamic, by op.
      return tensor.data ? tensor : { ...tensor, dtype: format.dtype, quantization: fixed.get(tensor.id) ?? NOMINAL };
    }),
    ops: float.ops.map((op): Op => (op.kind === 'PAD' ? { ...op, padValue: 0 } : op)),
    notes: [],
  };
  const { min, max } = defined(ranges.get(defined(float.inputs[0], 'input')), 'range of the input');
  const input = scaleForValues(
    options.scheme,
    [min, max],
    SCALE_MIN,
    options.activations === 16 ? LEVELS_16 : LEVELS_8,
  );
  const { scheme, form } = options;
  return { float, quantized: expandDynamic(nominal, { schemaVersion: 1, scheme, form, input: { ...input } }) };
}

/** Filter and bias of one layer. */
function layerConstants(
  graph: Graph,
  op: WeightedOp,
  ranges: ActivationRanges,
  options: DynamicOptions,
): readonly [Tensor, Tensor] {
  const { granularity, scheme, activations } = options;
  const bits = options.weights ?? 8;
  const weightMax = bits === 16 ? 32767 : 127;
  const [filter, bias] = [constantOf(graph, op, 1), constantOf(graph, op, 2)];
  const [weights, biases] = [floatsOf(filter), floatsOf(bias)];
  const axis = outputChannelAxis(op);
  const channels = biases.length;
  const inner = filter.shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  const channelOf = (i: number): number => Math.floor(i / inner) % channels;
  const { min, max } = defined(ranges.get(defined(op.inputs[0], 'input')), 'range of the input');
  const quietest = Math.max((Math.max(max, 0) - Math.min(min, 0)) / 255 / QUIET, SCALE_MIN);
  const [peak, total] = [new Float64Array(channels), new Float64Array(channels)];
  for (const [i, weight] of weights.entries()) {
    const c = channelOf(i);
    peak[c] = Math.max(peak[c]!, Math.abs(weight));
    total[c] = total[c]! + Math.abs(weight);
  }
  const wanted = Array.from({ length: channels }, (_, c) => {
    const least = Math.max(peak[c]! / weightMax, SCALE_MIN);
    // Sums of int16 activations are shifted to fit.
    if (activations === 16) return least;
    const weightsFit = WEIGHTS_STEP * total[c]!;
    return Math.max(least, weightsFit, Math.abs(biases[c]!) / (quietest * BIAS_MAX));
  });
  const scales = granularity === 'channel' ? wanted.map(roundedUp) : [tensorScale(Math.max(...wanted), scheme)];
  const scaleOf = (c: number): number => scales[scales.length === 1 ? 0 : c]!;
  const rounded = Array.from(weights, (weight, i) =>
    Math.min(weightMax, Math.max(-weightMax, roundHalfAwayFromZero(weight / scaleOf(channelOf(i))))),
  );
  const integers = bits === 16 ? Int16Array.from(rounded) : Int8Array.from(rounded);
  const steps = biases.map((value, c) => value / scaleOf(c));
  const largest = steps.reduce((top, value) => Math.max(top, Math.abs(value)), 0);
  const exponent = largest === 0 ? 0 : Math.min(60, BIAS_BITS - 1 - Math.floor(Math.log2(largest)));
  const fixedSteps = steps.map((value) => roundHalfAwayFromZero(value * 2 ** exponent));
  // int64 is what 16-bit filters go with in a file (firmware-gen/ir/op-rules.ts).
  const stored = bits === 16 ? BigInt64Array.from(fixedSteps, BigInt) : Int32Array.from(fixedSteps);
  const zeros = scales.map(() => 0);
  return [
    {
      ...filter,
      dtype: bits === 16 ? 'int16' : 'int8',
      quantization: { scale: scales, zeroPoint: zeros, axis: scales.length === 1 ? 0 : axis },
      data: new Uint8Array(integers.buffer),
    },
    {
      ...bias,
      dtype: bits === 16 ? 'int64' : 'int32',
      quantization: { scale: scales.map((scale) => scale * 2 ** -exponent), zeroPoint: zeros, axis: 0 },
      data: new Uint8Array(stored.buffer),
    },
  ];
}

/** float32 at or above `scale`, which is what a file holds. */
function roundedUp(scale: number): number {
  const nearest = Math.fround(scale);
  return nearest >= scale ? nearest : Math.fround(nearest * (1 + 2 ** -22));
}

/** One scale for the filter: in the Q scheme a power of two, so that the layer needs no multipliers. */
function tensorScale(scale: number, scheme: DynamicScheme): number {
  if (scheme === 'asym') return roundedUp(scale);
  const { multiplier, shift } = runScale(scale, 0, true);
  return multiplier * 2 ** (shift - 31);
}
