/**
 * Rounding of weights by what it does to the layer's output, after AdaRound (Nagel et al., arXiv 2004.10568): up or down is chosen per
 * weight to minimise E|(wq - w) . x|^2 = d' H d, H = E[x x'] over calibration inputs. Instead of its relaxation by gradient descent this
 * flips one weight at a time, greedily, while the error falls (coordinate descent). Convolutions see a share of their output positions.
 */
import { tensorOf, type Graph, type TensorId } from '../../firmware-gen/ir/graph.ts';
import { createRandom } from '../random.ts';
import { observe, type CalibrationSamples } from './calibrate.ts';
import { drawPositions, patches } from './patches.ts';
import type { RoundFilter } from './quantize-graph.ts';
import { constantOf, isWeighted, type WeightedOp } from './weights.ts';

/** Positions per layer and sample that enter H: more changes little, and H costs their number times the filter's size squared. */
const POSITIONS_MAX = 24;
/** Filters with more inputs than this round to nearest: H would take gigabytes. */
export const INPUTS_MAX = 1024;
const PASSES = 4;

/** Second moments of one layer's inputs: H, row-major [inputs, inputs], one per group of weights that see the same inputs. */
export interface Moments {
  readonly inputs: number;
  readonly matrices: readonly Float64Array[];
  readonly crosses?: readonly Float64Array[];
}

/** Runs the samples once through `graph` (float). */
export function adaptiveRounding(graph: Graph, samples: CalibrationSamples): RoundFilter {
  const moments = collect(graph, samples);
  return (op, values, scaleOf) => {
    const found = moments.get(op.outputs[0]!);
    const rounded = Int8Array.from(values, (value, i) => clampWeight(Math.round(value / scaleOf(i))));
    if (!found) return rounded;
    for (const row of rowsOf(graph, op, found)) refine(rounded, values, scaleOf, row);
    return rounded;
  };
}

export const clampWeight = (q: number): number => Math.min(127, Math.max(-127, q));

/** Where the weights of one output lie, and which inputs they meet. */
export interface Row {
  readonly offset: number;
  readonly stride: number;
  readonly inputs: number;
  readonly matrix: Float64Array;
  /** E[xq x'] where the quantized layer meets other inputs, xq, than the float one; else H. */
  readonly cross?: Float64Array;
}

export function rowsOf(graph: Graph, op: WeightedOp, { inputs, matrices, crosses }: Moments): Row[] {
  const { shape } = constantOf(graph, op, 1);
  const outputs = op.kind === 'DEPTHWISE_CONV_2D' ? shape[3]! : shape[0]!;
  const isDepthwise = op.kind === 'DEPTHWISE_CONV_2D';
  return Array.from({ length: outputs }, (_, c) => {
    const group = isDepthwise ? Math.floor(c / op.depthMultiplier) : 0;
    return {
      offset: isDepthwise ? c : c * inputs,
      stride: isDepthwise ? outputs : 1,
      inputs,
      matrix: matrices[group]!,
      ...(crosses ? { cross: crosses[group]! } : {}),
    };
  });
}

/** Flips single weights to their other neighbour while that lowers d' H d. */
export function refine(
  rounded: Int8Array,
  values: Float32Array,
  scaleOf: (i: number) => number,
  { offset, stride, inputs, matrix, cross = matrix }: Row,
): void {
  const at = (k: number): number => offset + k * stride;
  const error = Float64Array.from({ length: inputs }, (_, k) => rounded[at(k)]! * scaleOf(at(k)) - values[at(k)]!);
  const gradient = new Float64Array(inputs);
  for (let k = 0; k < inputs; k += 1)
    for (let j = 0; j < inputs; j += 1) {
      const value = values[at(j)]!;
      gradient[k]! += matrix[k * inputs + j]! * (error[j]! + value) - cross[k * inputs + j]! * value;
    }
  for (let pass = 0; pass < PASSES; pass += 1) {
    let flips = 0;
    for (let k = 0; k < inputs; k += 1) {
      const scale = scaleOf(at(k));
      const step = error[k]! > 0 ? -1 : 1;
      const next = clampWeight(rounded[at(k)]! + step);
      const change = (next - rounded[at(k)]!) * scale;
      // (d + e)' H (d + e) - d' H d = 2 e g + e^2 H[k][k]; a weight stays next to its real value.
      const gain = 2 * change * gradient[k]! + change * change * matrix[k * inputs + k]!;
      if (change === 0 || gain >= 0 || Math.abs(error[k]! + change) >= scale) continue;
      rounded[at(k)] = next;
      error[k]! += change;
      for (let j = 0; j < inputs; j += 1) gradient[j]! += matrix[k * inputs + j]! * change;
      flips += 1;
    }
    if (flips === 0) break;
  }
}

function collect(graph: Graph, samples: CalibrationSamples): Map<TensorId, Moments> {
  const layers = graph.ops.filter(isWeighted);
  const found = new Map<TensorId, Moments>();
  for (const op of layers) {
    const moments = emptyMoments(graph, op);
    if (moments) found.set(op.outputs[0]!, moments);
  }
  const random = createRandom(1);
  observe(graph, samples, (id, values) => {
    for (const op of layers) {
      const moments = op.inputs[0] === id ? found.get(op.outputs[0]!) : undefined;
      if (moments) addSample(graph, op, values, moments, (count) => random.integer(count));
    }
  });
  return found;
}

function emptyMoments(graph: Graph, op: WeightedOp): Moments | null {
  const { shape } = constantOf(graph, op, 1);
  const channels = tensorOf(graph, op.inputs[0]!).shape.at(-1) ?? 1;
  const isDepthwise = op.kind === 'DEPTHWISE_CONV_2D';
  if (op.kind === 'CONV_2D' && shape[3] !== channels) return null;
  const inputs = isDepthwise ? shape[1]! * shape[2]! : shape.slice(1).reduce((a, b) => a * b, 1);
  if (inputs > INPUTS_MAX) return null;
  const matrices = Array.from({ length: isDepthwise ? channels : 1 }, () => new Float64Array(inputs * inputs));
  return { inputs, matrices };
}

function addSample(
  graph: Graph,
  op: WeightedOp,
  values: Float32Array,
  { inputs, matrices }: Moments,
  draw: (count: number) => number,
): void {
  const isDepthwise = op.kind === 'DEPTHWISE_CONV_2D';
  for (const patch of patches(graph, op, values, drawPositions(graph, op, POSITIONS_MAX, draw))) {
    const channels = matrices.length;
    for (const [c, matrix] of matrices.entries()) {
      const x = isDepthwise ? Float64Array.from({ length: inputs }, (_, k) => patch[k * channels + c]!) : patch;
      for (let k = 0; k < inputs; k += 1) {
        if (x[k] === 0) continue;
        for (let j = 0; j < inputs; j += 1) matrix[k * inputs + j]! += x[k]! * x[j]!;
      }
    }
  }
}
