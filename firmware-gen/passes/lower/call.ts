/** Building blocks of lowerings: C values, the tensors of an op, and a call that lists what it reads and writes. */
import { assert, defined } from '../../../common/errors.ts';
import type { Graph, Op, Tensor, TensorId } from '../../ir/graph.ts';
import { tensorOf } from '../../ir/graph.ts';
import type { CConstant, CValue, KernelCall } from '../../ir/schedule.ts';

export function int(value: number): CValue {
  assert(Number.isInteger(value), `C integer argument ${value}`);
  return { kind: 'int', value };
}

export function float(value: number): CValue {
  return { kind: 'float', value };
}

export function tensorArg(tensor: Tensor): CValue {
  return { kind: 'tensor', tensor: tensor.id };
}

/** An integer member array of a struct. */
export function array(values: readonly number[]): CValue {
  return { kind: 'array', values: values.map(int) };
}

export function constant(value: CConstant): CValue {
  return { kind: 'constant', constant: value };
}

/** A static const struct, fields in the order of the C declaration; plain numbers are integers. */
export function struct(ctype: string, name: string, fields: Readonly<Record<string, number | CValue>>): CValue {
  return {
    kind: 'struct',
    ctype,
    name,
    fields: Object.entries(fields).map(([field, value]) => ({
      name: field,
      value: typeof value === 'number' ? int(value) : value,
    })),
  };
}

/** C: tl_dims of an NHWC tensor. */
export function dimsOf(tensor: Tensor, name: string): CValue {
  assert(tensor.shape.length === 4, `tensor ${tensor.name} is not NHWC`);
  const [n, h, w, c] = tensor.shape as readonly [number, number, number, number];
  return struct('tl_dims', name, { n, h, w, c });
}

export function inputTensor(op: Op, graph: Graph, position = 0): Tensor {
  return tensorOf(graph, defined(op.inputs[position], `${op.kind} op ${op.index}: input ${position}`));
}

export function outputTensor(op: Op, graph: Graph, position = 0): Tensor {
  return tensorOf(graph, defined(op.outputs[position], `${op.kind} op ${op.index}: output ${position}`));
}

/** Per-tensor quantization of an activation. */
export function scaleAndZeroPoint(tensor: Tensor): { scale: number; zeroPoint: number } {
  const { scale, zeroPoint } = defined(tensor.quantization, `quantization of tensor ${tensor.name}`);
  return { scale: defined(scale[0], `scale of tensor ${tensor.name}`), zeroPoint: zeroPoint[0] ?? 0 };
}

export interface CallSpec {
  readonly function: string;
  readonly header: string;
  readonly args: readonly CValue[];
  readonly scratchBytes?: number;
  /** Inputs over which the (first) output may be written; constants among them are left out. */
  readonly inPlaceInputs?: readonly Tensor[];
}

/** A call that reads all activations among the op's inputs and writes all its outputs. */
export function kernelCall(op: Op, graph: Graph, spec: CallSpec): KernelCall {
  const activations = op.inputs.filter((id): id is TensorId => id !== null && tensorOf(graph, id).data === null);
  const output = defined(op.outputs[0], `${op.kind} op ${op.index}: output`);
  const overwritable = (spec.inPlaceInputs ?? []).filter((tensor) => tensor.data === null).map((tensor) => tensor.id);
  return {
    opIndex: op.index,
    fusedOpIndices: [],
    function: spec.function,
    header: spec.header,
    args: spec.args,
    reads: [...new Set(activations)],
    writes: op.outputs,
    scratchBytes: spec.scratchBytes ?? 0,
    inPlace: [...new Set(overwritable)].map((input) => ({ input, output })),
  };
}
