/**
 * Rounding and bias correction in execution order, against what the float network gives: a layer's weights are rounded for the inputs that the
 * quantized layers before really hand over, so that they make up for part of those layers' error (as GPFQ, Lybrand and Saab, arXiv 2010.15979,
 * does for a path of weights). Minimised is the variance of the difference of outputs, d' = wq . xq - w . x, by adaptive-rounding.ts's flips;
 * its mean goes into the bias.
 */
import { assert, defined } from '../../common/errors.ts';
import { tensorOf, type Graph, type Op, type Tensor, type TensorId } from '../../firmware-gen/ir/graph.ts';
import { createReference } from '../../firmware-gen/reference/index.ts';
import { inputBytes, realValues } from '../data/model-input.ts';
import { createRandom } from '../random.ts';
import { INPUTS_MAX, clampWeight, refine, rowsOf, type Moments } from './adaptive-rounding.ts';
import type { ActivationRanges } from './calibrate.ts';
import { drawPositions, patches } from './patches.ts';
import { dequantizedFilter, quantizeBias, quantizeGraph, type QuantizeOptions } from './quantize-graph.ts';
import { constantOf, floatsOf, isWeighted, withFloats, type WeightedOp } from './weights.ts';

/** Positions per layer and sample: there are four times as many unknowns as in H alone. */
const POSITIONS_MAX = 48;

/** What both networks made of every sample so far, by tensor. */
interface State {
  readonly float: Map<TensorId, readonly Uint8Array[]>;
  readonly quantized: Map<TensorId, readonly Uint8Array[]>;
}

/** As quantizeGraph, with weights and biases chosen layer by layer on `samples`. */
export function quantizeSequentially(
  graph: Graph,
  ranges: ActivationRanges,
  samples: readonly Float32Array[],
  options: QuantizeOptions,
): Graph {
  const start = quantizeGraph(graph, ranges, options);
  const tensors = [...start.tensors];
  const input = defined(graph.inputs[0], 'input');
  const state: State = {
    float: new Map([[input, samples.map((sample) => new Uint8Array(sample.slice().buffer))]]),
    quantized: new Map([[input, samples.map((sample) => inputBytes(tensorOf(start, input), sample))]]),
  };
  const random = createRandom(1);
  for (const [i, op] of graph.ops.entries()) {
    if (isWeighted(op)) {
      const now = { ...start, tensors };
      for (const tensor of layerConstants(graph, now, op, state, options, (count) => random.integer(count)))
        tensors[tensor.id] = tensor;
    }
    execute(graph, op, state.float);
    execute({ ...start, tensors }, start.ops[i]!, state.quantized);
    forget(graph, i, state);
  }
  return { ...start, tensors };
}

/** Runs one op on every sample. */
function execute(graph: Graph, op: Op, values: State['float']): void {
  const used = new Set([...op.inputs, ...op.outputs]);
  const inputs = op.inputs.filter((id): id is TensorId => id !== null && tensorOf(graph, id).data === null);
  const none = { shape: [0], data: null };
  const reference = createReference({
    ...graph,
    tensors: graph.tensors.map((tensor) => (used.has(tensor.id) ? tensor : { ...tensor, ...none })),
    ops: [op],
    inputs,
    outputs: op.outputs,
  });
  const fed = inputs.map((id) => defined(values.get(id), `values of tensor ${id}`));
  const results = defined(fed[0], 'input').map((_, sample) => reference.runOutputs(fed.map((all) => all[sample]!)));
  for (const [k, id] of op.outputs.entries())
    values.set(
      id,
      results.map((outputs) => outputs[k]!),
    );
}

/** Drops what no later op reads. */
function forget(graph: Graph, done: number, state: State): void {
  const later = new Set(graph.ops.slice(done + 1).flatMap(({ inputs }) => inputs));
  for (const values of [state.float, state.quantized])
    for (const id of values.keys()) if (!later.has(id)) values.delete(id);
}

/** First and second moments of what a layer meets: float, x, and quantized, xq. */
interface LayerMoments extends Moments {
  readonly crosses: readonly Float64Array[];
  /** Means of xq and x, as the positions of a patch. */
  readonly means: Float64Array;
  readonly floatMeans: Float64Array;
}

function layerConstants(
  graph: Graph,
  now: Graph,
  op: WeightedOp,
  state: State,
  { format, granularity }: QuantizeOptions,
  draw: (count: number) => number,
): Tensor[] {
  const moments = momentsOf(graph, now, op, state, draw);
  if (moments === null) return [];
  const [filter, bias] = [constantOf(graph, op, 1), constantOf(graph, op, 2)];
  const known = constantOf(now, op, 1);
  const { scale, axis } = defined(known.quantization, 'filter scale');
  const inner = filter.shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  const scaleOf = (i: number): number => scale[scale.length === 1 ? 0 : Math.floor(i / inner) % scale.length]!;
  assert(granularity === 'channel' || scale.length === 1, 'scales as asked for');
  const values = floatsOf(filter);
  const rounded = Int8Array.from(values, (value, i) => clampWeight(Math.round(value / scaleOf(i))));
  const rows = rowsOf(graph, op, moments);
  for (const row of rows) refine(rounded, values, scaleOf, row);
  const own: Tensor = { ...known, data: new Uint8Array(rounded.buffer) };
  const real = dequantizedFilter(own);
  const biases = floatsOf(bias);
  const { inputs, means, floatMeans } = moments;
  const groups = moments.matrices.length;
  for (const [c, { offset, stride }] of rows.entries()) {
    const group = groups === 1 ? 0 : Math.floor((c * groups) / rows.length);
    for (let k = 0; k < inputs; k += 1) {
      const [at, place] = [offset + k * stride, k * groups + group];
      biases[c]! += values[at]! * floatMeans[place]! - real[at]! * means[place]!;
    }
  }
  const inputScale = defined(tensorOf(now, op.inputs[0]!).quantization, 'scale of the input');
  return [own, quantizeBias(withFloats(bias, biases), inputScale, defined(own.quantization, 'scale'), format)];
}

/** Null for layers whose moments would not fit; they keep their rounding to nearest. */
function momentsOf(
  graph: Graph,
  now: Graph,
  op: WeightedOp,
  state: State,
  draw: (count: number) => number,
): LayerMoments | null {
  const { shape } = constantOf(graph, op, 1);
  const id = op.inputs[0]!;
  const channels = tensorOf(graph, id).shape.at(-1) ?? 1;
  const isDepthwise = op.kind === 'DEPTHWISE_CONV_2D';
  if (op.kind === 'CONV_2D' && shape[3] !== channels) return null;
  const inputs = isDepthwise ? shape[1]! * shape[2]! : shape.slice(1).reduce((a, b) => a * b, 1);
  if (inputs > INPUTS_MAX) return null;
  const groups = isDepthwise ? channels : 1;
  const empty = (): Float64Array[] => Array.from({ length: groups }, () => new Float64Array(inputs * inputs));
  const moments = { inputs, matrices: empty(), crosses: empty() };
  const [means, floatMeans] = [new Float64Array(inputs * groups), new Float64Array(inputs * groups)];
  let count = 0;
  const tensor = tensorOf(now, id);
  const [float, quantized] = [defined(state.float.get(id), 'values'), defined(state.quantized.get(id), 'values')];
  for (const [s, bytes] of float.entries()) {
    const positions = drawPositions(graph, op, POSITIONS_MAX, draw);
    const expected = patches(graph, op, new Float32Array(bytes.slice().buffer), positions);
    for (const xq of patches(graph, op, realValues(tensor, quantized[s]!), positions)) {
      const x = defined(expected.next().value as Float64Array | undefined, 'patch');
      for (const [i, value] of xq.entries()) means[i]! += value;
      for (const [i, value] of x.entries()) floatMeans[i]! += value;
      addProducts(moments, xq, x);
      count += 1;
    }
  }
  for (const list of [means, floatMeans]) for (const i of list.keys()) list[i]! /= count;
  centre(moments, means, floatMeans, count);
  return { ...moments, means, floatMeans };
}

type Products = Pick<LayerMoments, 'inputs' | 'matrices' | 'crosses'>;

function addProducts({ inputs, matrices, crosses }: Products, xq: Float64Array, x: Float64Array): void {
  const groups = matrices.length;
  for (let g = 0; g < groups; g += 1) {
    const [matrix, cross] = [matrices[g]!, crosses[g]!];
    for (let k = 0; k < inputs; k += 1) {
      const value = xq[k * groups + g]!;
      if (value === 0) continue;
      for (let j = 0; j < inputs; j += 1) {
        matrix[k * inputs + j]! += value * xq[j * groups + g]!;
        cross[k * inputs + j]! += value * x[j * groups + g]!;
      }
    }
  }
}

/**
 * Sums of products to covariances, with a ridge of as many samples as there are unknowns: from few positions it keeps weights near their values.
 */
function centre(
  { inputs, matrices, crosses }: Products,
  means: Float64Array,
  floatMeans: Float64Array,
  count: number,
): void {
  const groups = matrices.length;
  for (let g = 0; g < groups; g += 1) {
    for (let k = 0; k < inputs; k += 1) {
      const mean = means[k * groups + g]!;
      for (let j = 0; j < inputs; j += 1) {
        const at = k * inputs + j;
        matrices[g]![at] = matrices[g]![at]! / count - mean * means[j * groups + g]!;
        crosses[g]![at] = crosses[g]![at]! / count - mean * floatMeans[j * groups + g]!;
      }
    }
    let trace = 0;
    for (let k = 0; k < inputs; k += 1) trace += matrices[g]![k * inputs + k]!;
    // trace / inputs * inputs / count
    for (let k = 0; k < inputs; k += 1)
      for (const list of [matrices[g]!, crosses[g]!]) list[k * inputs + k]! += trace / count;
  }
}
