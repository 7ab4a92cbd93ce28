/** Graphs of one op for kernel tests, with seeded data, so that a failing case can be run again. */
import { defined } from '../../common/errors.ts';
import type { DType, Graph, Op, Quantization, Tensor, TensorId } from '../../firmware-gen/ir/graph.ts';
import { elementCount } from '../../firmware-gen/ir/graph.ts';
import type { Random } from './op-cases.ts';
import type { GraphCase } from './run-graph.ts';

export interface TensorSpec {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly quantization?: Quantization;
  /** Constant values; absent for an activation. */
  readonly values?: ArrayBufferView;
}

export function perTensor(scale: number, zeroPoint = 0): Quantization {
  return { scale: [Math.fround(scale)], zeroPoint: [zeroPoint], axis: 0 };
}

export function bytesOf(values: ArrayBufferView): Uint8Array {
  return new Uint8Array(values.buffer.slice(values.byteOffset, values.byteOffset + values.byteLength));
}

/** Everything of an op but where it stands and what it touches. */
export type OpAttributes = Op extends infer T
  ? T extends Op
    ? Omit<T, 'index' | 'inputs' | 'outputs'>
    : never
  : never;

/** A graph of one op. Inputs without values are graph inputs, in order; null is an absent optional input. */
export function singleOp(
  name: string,
  attributes: OpAttributes,
  inputs: readonly (TensorSpec | null)[],
  outputs: readonly TensorSpec[],
): Graph {
  const specs = [...inputs.filter((spec) => spec !== null), ...outputs];
  const idOf = (spec: TensorSpec): TensorId => specs.indexOf(spec) as TensorId;
  const tensors = specs.map((spec, index): Tensor => {
    const data = spec.values ? bytesOf(spec.values) : null;
    return {
      id: index as TensorId,
      name: `${name}_${index}`,
      dtype: spec.dtype,
      shape: spec.shape,
      quantization: spec.quantization ?? null,
      data,
    };
  });
  const op = {
    ...attributes,
    index: 0,
    inputs: inputs.map((spec) => (spec === null ? null : idOf(spec))),
    outputs: outputs.map(idOf),
  } as Op;
  const graphInputs = tensors.filter(
    (tensor, index) => index < tensors.length - outputs.length && tensor.data === null,
  );
  return {
    name,
    tensors,
    ops: [op],
    inputs: graphInputs.map((tensor) => tensor.id),
    outputs: op.outputs,
    notes: [],
  };
}

export function floats(random: Random, shape: readonly number[], magnitude = 1): Float32Array {
  return Float32Array.from({ length: elementCount(shape) }, () => (random.real() * 2 - 1) * magnitude);
}

/** Case of a single-op graph; `values` are the graph inputs in order. */
export function caseOf(graph: Graph, ...values: readonly ArrayBufferView[]): GraphCase {
  return { graph, inputs: graph.inputs.map((_, position) => bytesOf(defined(values[position], `input ${position}`))) };
}

/** Extent of a window op's output. */
export function outputExtent(
  padding: 'SAME' | 'VALID',
  input: number,
  filter: number,
  stride: number,
  dilation = 1,
): number {
  return padding === 'SAME' ? Math.ceil(input / stride) : Math.ceil((input - (filter - 1) * dilation) / stride);
}
