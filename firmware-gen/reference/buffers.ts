/**
 * Typed views for the reference kernels. Every tensor owns an 8-byte aligned buffer; constants are copied there once, so a FlatBuffer's odd
 * offsets do not matter. The reference assumes a little-endian host (all that Node runs on).
 */
import { assert, defined } from '../../common/errors.ts';
import type { DType, Graph, Op, Tensor, TensorId } from '../ir/graph.ts';
import { tensorBytes, tensorOf } from '../ir/graph.ts';

export type Values = Int8Array | Uint8Array | Int16Array | Int32Array | Float32Array | BigInt64Array;
/** Integer activations and constants up to 32 bits. */
export type IntValues = Int8Array | Uint8Array | Int16Array | Int32Array;

const VIEW_OF: Readonly<Record<DType, (buffer: ArrayBuffer) => Values>> = {
  int8: (buffer) => new Int8Array(buffer),
  uint8: (buffer) => new Uint8Array(buffer),
  bool: (buffer) => new Uint8Array(buffer),
  int16: (buffer) => new Int16Array(buffer),
  int32: (buffer) => new Int32Array(buffer),
  int64: (buffer) => new BigInt64Array(buffer),
  float32: (buffer) => new Float32Array(buffer),
};

/** Views of all tensors of one graph, by TensorId. */
export interface Buffers {
  readonly graph: Graph;
  readonly views: readonly Values[];
}

export function allocateBuffers(graph: Graph): Buffers {
  const views = graph.tensors.map((tensor) => {
    const buffer = new ArrayBuffer(tensorBytes(tensor));
    if (tensor.data) {
      assert(tensor.data.length === buffer.byteLength, `constant ${tensor.name} has ${tensor.data.length} bytes`);
      new Uint8Array(buffer).set(tensor.data);
    }
    return VIEW_OF[tensor.dtype](buffer);
  });
  return { graph, views };
}

/** A copy of the tensor's little-endian bytes. */
export function bytesOf(buffers: Buffers, id: TensorId): Uint8Array {
  const view = viewOf(buffers, id);
  return new Uint8Array(view.buffer.slice(0));
}

export function viewOf(buffers: Buffers, id: TensorId): Values {
  return defined(buffers.views[id], `view of tensor ${id}`);
}

/** A tensor with its view: what a kernel works on. */
export interface Operand<V extends Values = Values> {
  readonly tensor: Tensor;
  readonly view: V;
}

function operand(buffers: Buffers, id: TensorId): Operand {
  return { tensor: tensorOf(buffers.graph, id), view: viewOf(buffers, id) };
}

export function inputOf(buffers: Buffers, op: Op, position: number): Operand {
  return operand(buffers, defined(op.inputs[position], `${op.kind} op ${op.index}: input ${position}`));
}

export function optionalInputOf(buffers: Buffers, op: Op, position: number): Operand | null {
  const id = op.inputs[position];
  return id === undefined || id === null ? null : operand(buffers, id);
}

export function outputOf(buffers: Buffers, op: Op, position = 0): Operand {
  return operand(buffers, defined(op.outputs[position], `${op.kind} op ${op.index}: output ${position}`));
}

type ViewConstructor<V extends Values> = new (length: number) => V;

/** Narrows an operand to a view type the kernel was chosen for. */
export function as<V extends Values>(value: Operand, type: ViewConstructor<V>): V {
  assert(value.view instanceof type, `tensor ${value.tensor.name} is ${value.tensor.dtype}, not ${type.name}`);
  return value.view;
}

/** Filter beside int16 activations. */
export function int16Weights(filter: Operand): Int8Array | Int16Array {
  return filter.tensor.dtype === 'int16' ? as(filter, Int16Array) : as(filter, Int8Array);
}

/** An integer view of at most 32 bits. */
export function asInts(value: Operand): IntValues {
  const { view } = value;
  assert(
    !(view instanceof Float32Array) && !(view instanceof BigInt64Array),
    `tensor ${value.tensor.name} is not integer`,
  );
  return view;
}

/** The per-tensor scale, as the float32 TFLite stores. */
export function scaleOf(value: Operand): number {
  return Math.fround(defined(value.tensor.quantization?.scale[0], `scale of tensor ${value.tensor.name}`));
}

export function scalesOf(value: Operand): readonly number[] {
  return defined(value.tensor.quantization, `quantization of tensor ${value.tensor.name}`).scale;
}

export function zeroPointOf(value: Operand): number {
  return value.tensor.quantization?.zeroPoint[0] ?? 0;
}

/** Extent of dimension `axis`; a missing leading dimension counts as 1. */
export function extentOf(value: Operand, axis: number): number {
  return value.tensor.shape[axis] ?? 1;
}
