/**
 * The IR's invariants, checked on the whole graph between passes. A violation is a bug of ours (plain Error, exit 70): whatever a file
 * can get wrong was refused at import with the same rules.
 */
import { tensorBytes, type Graph, type Op, type Quantization, type Tensor, type TensorId } from './graph.ts';
import { checkOp } from './op-rules.ts';
import { RuleViolation, rule, shapeText } from './rule.ts';

/** TFLite has no op on more dimensions; it also bounds the work of shape rules. */
export const RANK_MAX = 8;
/** Offsets into one tensor are int32 in C. */
const TENSOR_BYTES_MAX = 2 ** 31 - 1;

/** Throws Error naming the op or tensor and the broken rule. */
export function verify(graph: Graph): void {
  for (const [i, tensor] of graph.tensors.entries()) {
    attempt(graph, `tensor ${i} "${tensor.name}"`, () => {
      rule(tensor.id === i, `has id ${tensor.id}`);
      checkTensor(tensor);
    });
  }
  attempt(graph, 'graph', () => checkOrder(graph));
  for (const op of graph.ops) attempt(graph, opText(op), () => checkOp(op, graph));
}

/** `op 3 CONV_2D`, as every message names an op. */
function opText(op: Op): string {
  return `op ${op.index} ${op.kind}`;
}

function attempt(graph: Graph, subject: string, check: () => void): void {
  try {
    check();
  } catch (error) {
    if (!(error instanceof RuleViolation)) throw error;
    throw new Error(`internal: graph ${graph.name}: ${subject}: ${error.message}`);
  }
}

/** Throws RuleViolation: dimensions, size, data length and quantization of one tensor on its own. */
export function checkTensor(tensor: Tensor): void {
  const { shape, data, quantization } = tensor;
  rule(shape.length <= RANK_MAX, `has ${shape.length} dimensions, at most ${RANK_MAX} are supported`);
  for (const extent of shape) {
    const problem = extent < 0 ? 'is not known (dynamic shapes are not supported)' : 'is not a positive integer';
    rule(Number.isInteger(extent) && extent >= 1, `dimension ${extent} of shape ${shapeText(shape)} ${problem}`);
  }
  const bytes = tensorBytes(tensor);
  rule(bytes <= TENSOR_BYTES_MAX, `shape ${shapeText(shape)} takes ${bytes} bytes, at most 2^31-1 are supported`);
  rule(
    data === null || data.length === bytes,
    `has ${data?.length ?? 0} bytes of data, shape ${shapeText(shape)} takes ${bytes}`,
  );
  if (quantization) checkQuantization(tensor, quantization);
}

const ZERO_POINT_RANGE = { int8: [-128, 127], uint8: [0, 255], int16: [-32768, 32767] } as const;

function checkQuantization(tensor: Tensor, { scale, zeroPoint, axis }: Quantization): void {
  rule(tensor.dtype !== 'float32' && tensor.dtype !== 'bool', `is ${tensor.dtype} and quantized`);
  rule(scale.length >= 1, 'is quantized without a scale');
  rule(scale.length === zeroPoint.length, `has ${scale.length} scales and ${zeroPoint.length} zero points`);
  const extent = tensor.shape[axis];
  const fits = scale.length === 1 || extent === scale.length;
  rule(fits, `has ${scale.length} scales along dimension ${axis} of shape ${shapeText(tensor.shape)}`);
  for (const value of scale)
    rule(Number.isFinite(value) && value > 0, `has scale ${value}, a positive number expected`);
  const [min, max] =
    tensor.dtype === 'int8' || tensor.dtype === 'uint8' || tensor.dtype === 'int16'
      ? ZERO_POINT_RANGE[tensor.dtype]
      : [0, 0];
  for (const value of zeroPoint)
    rule(value >= min && value <= max, `has zero point ${value}, ${min}..${max} expected for ${tensor.dtype}`);
}

/** Throws RuleViolation: every activation is produced exactly once and before it is read; inputs and outputs are what they say. */
export function checkOrder(graph: Graph): void {
  const known = (id: TensorId): Tensor => {
    const tensor = graph.tensors[id];
    rule(tensor !== undefined, `tensor ${id} does not exist`);
    return tensor;
  };
  const written = new Set<TensorId>();
  for (const id of graph.inputs) {
    const { name, data } = known(id);
    rule(data === null, `graph input "${name}" has constant data`);
    rule(!written.has(id), `graph input "${name}" is listed twice`);
    written.add(id);
  }
  for (const id of graph.dynamics?.states ?? []) written.add(id);
  for (const op of graph.ops) {
    for (const id of op.inputs) {
      if (id === null) continue;
      const { name, data } = known(id);
      rule(data !== null || written.has(id), `${opText(op)} reads "${name}" before anything writes it`);
    }
    for (const id of op.outputs) {
      const { name, data } = known(id);
      rule(data === null, `${opText(op)} writes "${name}", which has constant data`);
      rule(!written.has(id), `${opText(op)} writes "${name}", which is written already`);
      written.add(id);
    }
  }
  rule(
    graph.inputs.length >= 1 && graph.outputs.length >= 1,
    `has ${graph.inputs.length} inputs and ${graph.outputs.length} outputs`,
  );
  for (const id of graph.outputs) rule(written.has(id), `graph output "${known(id).name}" is never written`);
}
