/**
 * The trained network as a float Graph, batch normalisation folded into the convolutions before it:
 * w' = w * gamma / sqrt(variance + epsilon), b' = beta - mean * gamma / sqrt(variance + epsilon).
 */
import { defined } from '../../common/errors.ts';
import { verify } from '../../firmware-gen/ir/verify.ts';
import type { Activation, Graph, Op, Tensor, TensorId } from '../../firmware-gen/ir/graph.ts';
import { NORMALISATION_EPSILON, layerNames, type NetworkSpec, type TrainedWeights } from './network.ts';

export type OpBody = Op extends infer One
  ? One extends Op
    ? Omit<One, 'index' | 'inputs' | 'outputs'>
    : never
  : never;

/** Collects tensors and ops; each op's output becomes the next one's input by its id. */
export class GraphBuilder {
  readonly tensors: Tensor[] = [];
  readonly ops: Op[] = [];

  activation(name: string, shape: readonly number[]): TensorId {
    return this.add(name, shape, null);
  }

  constant(name: string, shape: readonly number[], values: Float32Array): TensorId {
    return this.add(name, shape, new Uint8Array(values.slice().buffer));
  }

  op(name: string, body: OpBody, inputs: readonly TensorId[], shape: readonly number[]): TensorId {
    const output = this.activation(name, shape);
    this.ops.push({ ...body, index: this.ops.length, inputs, outputs: [output] });
    return output;
  }

  shapeOf(id: TensorId): readonly number[] {
    return defined(this.tensors[id], `tensor ${id}`).shape;
  }

  private add(name: string, shape: readonly number[], data: Uint8Array | null): TensorId {
    const id = this.tensors.length as TensorId;
    this.tensors.push({ id, name, dtype: 'float32', shape, quantization: null, data });
    return id;
  }
}

/** Input [1, frames, 1, channels], output [1, classes] probabilities. `weights`: by layer name, tfjs layouts (HWIO, HWC1, [in, out]). */
export function networkGraph(name: string, spec: NetworkSpec, weights: TrainedWeights): Graph {
  const graph = new GraphBuilder();
  const input = graph.activation('input', [1, spec.frames, 1, spec.channels]);
  let x = convolution(graph, weights, layerNames.stem, input, spec.kernel, spec.stem.filters, spec.stem.stride, 'RELU');
  for (const [i, block] of spec.blocks.entries()) {
    const shortcut = x;
    x = depthwise(graph, weights, layerNames.depthwise(i), x, spec.kernel, block.stride);
    const activation = block.shortcut ? 'NONE' : 'RELU';
    x = convolution(graph, weights, layerNames.pointwise(i), x, 1, block.filters, 1, activation);
    if (!block.shortcut) continue;
    const sum: OpBody = { kind: 'ADD', activation: 'RELU' };
    x = graph.op(`block${i}_sum`, sum, [shortcut, x], graph.shapeOf(x));
  }
  const features = graph.shapeOf(x)[3]!;
  x = graph.op('mean', { kind: 'MEAN', axes: [1, 2], keepDims: false }, [x], [1, features]);
  x = dense(graph, weights, x, features, spec.classes);
  x = graph.op('probabilities', { kind: 'SOFTMAX', beta: 1 }, [x], [1, spec.classes]);
  const { tensors, ops } = graph;
  const result: Graph = { name, tensors, ops, inputs: [input], outputs: [x], notes: [] };
  verify(result);
  return result;
}

function layerWeights(weights: TrainedWeights, name: string, count: number): readonly Float32Array[] {
  const found = defined(weights.get(name), `trained layer ${name}`);
  if (found.length !== count) throw new Error(`internal: layer ${name} has ${found.length} weights, ${count} expected`);
  return found;
}

/** Factor on the weights and bias of each output channel. */
function foldedNormalisation(weights: TrainedWeights, layer: string): { factor: Float32Array; bias: Float32Array } {
  const [gamma, beta, mean, variance] = layerWeights(weights, layerNames.normalisation(layer), 4);
  const factor = gamma!.map((value, c) => value / Math.sqrt(variance![c]! + NORMALISATION_EPSILON));
  return { factor, bias: beta!.map((value, c) => value - mean![c]! * factor[c]!) };
}

function window(strideH: number, activation: Activation) {
  return { padding: 'SAME', strideH, strideW: 1, dilationH: 1, dilationW: 1, activation } as const;
}

function convolution(
  graph: GraphBuilder,
  weights: TrainedWeights,
  name: string,
  input: TensorId,
  taps: number,
  filters: number,
  stride: number,
  activation: Activation,
): TensorId {
  const [, frames, , channels] = graph.shapeOf(input);
  const [kernel] = layerWeights(weights, name, 1);
  const { factor, bias } = foldedNormalisation(weights, name);
  const rows = taps * channels!;
  // HWIO to OHWI.
  const filter = Float32Array.from({ length: filters * rows }, (_, i) => {
    const [o, row] = [Math.floor(i / rows), i % rows];
    return kernel![row * filters + o]! * factor[o]!;
  });
  const operands = [
    input,
    graph.constant(`${name}_filter`, [filters, taps, 1, channels!], filter),
    graph.constant(`${name}_bias`, [filters], bias),
  ];
  const shape = [1, Math.ceil(frames! / stride), 1, filters];
  return graph.op(name, { kind: 'CONV_2D', ...window(stride, activation) }, operands, shape);
}

function depthwise(
  graph: GraphBuilder,
  weights: TrainedWeights,
  name: string,
  input: TensorId,
  taps: number,
  stride: number,
): TensorId {
  const [, frames, , channels] = graph.shapeOf(input);
  const [kernel] = layerWeights(weights, name, 1);
  const { factor, bias } = foldedNormalisation(weights, name);
  const filter = kernel!.map((value, i) => value * factor[i % channels!]!);
  const operands = [
    input,
    graph.constant(`${name}_filter`, [1, taps, 1, channels!], filter),
    graph.constant(`${name}_bias`, [channels!], bias),
  ];
  const body: OpBody = { kind: 'DEPTHWISE_CONV_2D', depthMultiplier: 1, ...window(stride, 'RELU') };
  return graph.op(name, body, operands, [1, Math.ceil(frames! / stride), 1, channels!]);
}

function dense(
  graph: GraphBuilder,
  weights: TrainedWeights,
  input: TensorId,
  features: number,
  units: number,
): TensorId {
  const name = layerNames.logits;
  const [kernel, bias] = layerWeights(weights, name, 2);
  const filter = Float32Array.from({ length: units * features }, (_, i) => {
    const [unit, feature] = [Math.floor(i / features), i % features];
    return kernel![feature * units + unit]!;
  });
  const operands = [
    input,
    graph.constant(`${name}_filter`, [units, features], filter),
    graph.constant(`${name}_bias`, [units], bias!),
  ];
  const body: OpBody = { kind: 'FULLY_CONNECTED', activation: 'NONE', keepNumDims: false };
  return graph.op(name, body, operands, [1, units]);
}
