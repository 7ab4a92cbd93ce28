/**
 * Bias correction (Nagel et al., arXiv 1906.04721, section 4.2): rounding a filter shifts a layer's mean output by sum((wq - w) * E[x]);
 * that shift is taken out of the bias. E[x] per input channel comes from the calibration set; zero padding at the borders is not counted.
 */
import { defined } from '../../common/errors.ts';
import { tensorOf, type Graph, type Op, type Tensor, type TensorId } from '../../firmware-gen/ir/graph.ts';
import { observe, type CalibrationSamples } from './calibrate.ts';
import { constantOf, floatsOf, outputChannelAxis, type WeightedOp } from './weights.ts';

/** Mean of every activation per channel (last dimension). */
export type ChannelMeans = ReadonlyMap<TensorId, Float64Array>;

export function channelMeans(graph: Graph, samples: CalibrationSamples): ChannelMeans {
  const sums = new Map<TensorId, { readonly sum: Float64Array; count: number }>();
  observe(graph, samples, (id, values) => {
    const channels = tensorOf(graph, id).shape.at(-1) ?? 1;
    const entry = sums.get(id) ?? { sum: new Float64Array(channels), count: 0 };
    sums.set(id, entry);
    for (let i = 0; i < values.length; i += 1) entry.sum[i % channels]! += values[i]!;
    entry.count += values.length / channels;
  });
  return new Map([...sums].map(([id, { sum, count }]) => [id, sum.map((value) => value / count)]));
}

/** New bias of `op`, float32. @param rounded the filter's values after quantization, real. */
export function correctedBias(graph: Graph, op: WeightedOp, rounded: Float32Array, means: ChannelMeans): Float32Array {
  const filter = constantOf(graph, op, 1);
  const mean = defined(means.get(op.inputs[0]!), `mean input of op ${op.index}`);
  const values = floatsOf(filter);
  const bias = floatsOf(constantOf(graph, op, 2));
  const channelOf = outputChannels(op, filter);
  const inputOf = inputChannels(graph, op, filter, mean.length);
  for (const [i, value] of values.entries()) {
    bias[channelOf(i)]! -= (rounded[i]! - value) * mean[inputOf(i)]!;
  }
  return bias;
}

function outputChannels(op: WeightedOp, { shape }: Tensor): (i: number) => number {
  const axis = outputChannelAxis(op);
  const inner = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  return (i) => Math.floor(i / inner) % shape[axis]!;
}

/** Which input channel the i-th weight meets. */
function inputChannels(graph: Graph, op: Op, { shape }: Tensor, channels: number): (i: number) => number {
  const last = shape.at(-1) ?? 1;
  if (op.kind === 'DEPTHWISE_CONV_2D') return (i) => Math.floor((i % last) / op.depthMultiplier);
  if (op.kind === 'FULLY_CONNECTED') return (i) => (i % last) % channels;
  // Grouped convolution: filters of group g see channels g * last up.
  const filters = shape[0] ?? 1;
  const perFilter = shape.slice(1).reduce((a, b) => a * b, 1);
  const groups = (tensorOf(graph, op.inputs[0]!).shape.at(-1) ?? last) / last;
  return (i) => Math.floor((Math.floor(i / perFilter) * groups) / filters) * last + (i % last);
}
