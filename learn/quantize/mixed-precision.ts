/**
 * int8 and int16x8 in one graph: every op has its bits, and what another number of bits made is converted by a QUANTIZE before it is read, once
 * per tensor. An op gains from 16 bits only what its neighbours hand over and take: a tensor is fine only between ops of 16 bits.
 */
import { assert, defined } from '../../common/errors.ts';
import { tensorOf, type Graph, type Op, type OpKind, type Tensor, type TensorId } from '../../firmware-gen/ir/graph.ts';
import { compact } from '../../firmware-gen/passes/compact.ts';
import { verify } from '../../firmware-gen/ir/verify.ts';

export type Bits = 8 | 16;
/** By position in the float graph's ops. */
export type Precision = readonly Bits[];
/** One float graph quantized twice: op for op, tensor for tensor. */
export type Forms = Readonly<Record<Bits, Graph>>;

/** No arithmetic of their own to gain from: they have the bits of what they read. */
const FOLLOWING: ReadonlySet<OpKind> = new Set([
  ...(['AVERAGE_POOL_2D', 'MAX_POOL_2D', 'CONCATENATION', 'PAD', 'RESHAPE', 'SQUEEZE', 'EXPAND_DIMS'] as const),
  ...(['STRIDED_SLICE', 'TRANSPOSE', 'SPLIT', 'RESIZE_NEAREST_NEIGHBOR'] as const),
]);

/** Whether TFLite has int16 kernels for it. */
export const hasInt16Form = ({ kind }: Op): boolean => kind !== 'HARD_SWISH';

/** Positions of ops whose bits can be chosen. */
export function choosableOps({ ops }: Graph): number[] {
  return ops.flatMap((op, i) => (FOLLOWING.has(op.kind) || !hasInt16Form(op) ? [] : [i]));
}

/** `wanted` by position where it says something, else `fallback`; ops that cannot choose follow their first input or are int8. */
export function fullPrecision(graph: Graph, wanted: ReadonlyMap<number, Bits>, fallback: Bits): Precision {
  const bits: Bits[] = [];
  const written = new Map<TensorId, Bits>();
  for (const [i, op] of graph.ops.entries()) {
    const follows = FOLLOWING.has(op.kind) ? written.get(op.inputs[0]!) : undefined;
    bits.push(hasInt16Form(op) ? (wanted.get(i) ?? follows ?? fallback) : 8);
    for (const id of op.outputs) written.set(id, bits[i]!);
  }
  return bits;
}

/** Bits in which every activation is made. */
export function writers({ ops, inputs }: Graph, precision: Precision): ReadonlyMap<TensorId, Bits> {
  const written = new Map<TensorId, Bits>();
  for (const id of inputs) written.set(id, precision[ops.findIndex((op) => op.inputs.includes(id))] ?? 8);
  for (const [i, op] of ops.entries()) for (const id of op.outputs) written.set(id, precision[i]!);
  return written;
}

/** The graph's inputs have the bits of the first op that reads them, its outputs those of the op that writes them. */
export function mixForms(forms: Forms, precision: Precision): Graph {
  const base = forms[8];
  assert(base.ops.length === precision.length && forms[16].ops.length === precision.length, 'forms of one graph');
  const written = writers(base, precision);
  const tensors = base.tensors.map((tensor) => tensorOf(forms[written.get(tensor.id) ?? 8], tensor.id));
  const add = (tensor: Tensor): TensorId =>
    (tensors.push({ ...tensor, id: tensors.length as TensorId }) - 1) as TensorId;
  const ops: Op[] = [];
  const place = (op: Op): void => void ops.push({ ...op, index: ops.length });
  const constants = new Map<string, TensorId>();
  for (const [i, bits] of precision.entries()) {
    const op = defined(forms[bits].ops[i], 'op');
    const inputs = op.inputs.map((id) => {
      if (id === null || ((written.get(id) ?? bits) === bits && tensorOf(base, id).data === null)) return id;
      const own = tensorOf(forms[bits], id);
      if (own.data !== null && bits === 8) return id;
      const key = `${id} ${bits}`;
      const known = constants.get(key);
      if (known !== undefined) return known;
      const copy = add(own.data === null ? { ...own, name: `${own.name}/int${bits}` } : own);
      constants.set(key, copy);
      if (own.data === null) place({ kind: 'QUANTIZE', index: 0, inputs: [id], outputs: [copy] });
      return copy;
    });
    place({ ...op, inputs });
  }
  const mixed = compact({ ...base, tensors, ops });
  verify(mixed);
  return mixed;
}

/** Number of values that QUANTIZE converts in a mix: its cycles are in proportion. */
export function convertedElements(graph: Graph, precision: Precision): number {
  const written = writers(graph, precision);
  const converted = new Set<TensorId>();
  for (const [i, op] of graph.ops.entries())
    for (const id of op.inputs)
      if (id !== null && (written.get(id) ?? precision[i]) !== precision[i]) converted.add(id);
  return [...converted].reduce((sum, id) => sum + tensorOf(graph, id).shape.reduce((a, b) => a * b, 1), 0);
}
