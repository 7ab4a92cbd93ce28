/**
 * Functions of one 8-bit value as a table of 256: LOGISTIC, TANH, RELU, RELU6, LEAKY_RELU, HARD_SWISH and 8-bit QUANTIZE. The reference
 * kernel itself fills the table, so the C code is exact by construction: tl_lut_s8 of tl_activation.h.
 */
import { defined } from '../../../common/errors.ts';
import type { Graph, Op, Tensor, TensorId } from '../../ir/graph.ts';
import { elementCount } from '../../ir/graph.ts';
import { runReference } from '../../reference/index.ts';
import { constant, inputTensor, int, kernelCall, outputTensor, tensorArg } from './call.ts';
import type { LowerOp } from './lower-op.ts';

const TABLE_KINDS: ReadonlySet<Op['kind']> = new Set([
  'LOGISTIC',
  'TANH',
  'RELU',
  'RELU6',
  'LEAKY_RELU',
  'HARD_SWISH',
  'QUANTIZE',
]);

function isByte(tensor: Tensor): boolean {
  return tensor.dtype === 'int8' || tensor.dtype === 'uint8';
}

/** The op's result for every input byte 0..255 (an int8 value v is byte v & 255), as stored bytes. */
function tableOf(op: Op, input: Tensor, output: Tensor): Int8Array {
  const [inputId, outputId] = [0 as TensorId, 1 as TensorId];
  const shape = [256];
  const graph: Graph = {
    name: 'table',
    tensors: [
      { ...input, id: inputId, shape, data: null },
      { ...output, id: outputId, shape, data: null },
    ],
    ops: [{ ...op, inputs: [inputId], outputs: [outputId] }],
    inputs: [inputId],
    outputs: [outputId],
    notes: [],
  };
  const { outputs } = runReference(graph, [Uint8Array.from({ length: 256 }, (_, byte) => byte)]);
  return Int8Array.from(defined(outputs[0], 'table'));
}

export const lowerLutS8: LowerOp = (op, graph) => {
  if (!TABLE_KINDS.has(op.kind)) return null;
  const [input, output] = [inputTensor(op, graph), outputTensor(op, graph)];
  if (!isByte(input) || !isByte(output)) return null;
  const table = constant({
    ctype: 'int8_t',
    name: `op${op.index}_table`,
    values: tableOf(op, input, output),
    comment: `${op.kind} of every input byte, indexed by the byte as unsigned.`,
  });
  return kernelCall(op, graph, {
    function: 'tl_lut_s8',
    header: 'tl_activation.h',
    args: [table, tensorArg(input), tensorArg(output), int(elementCount(output.shape))],
    inPlaceInputs: [input],
  });
};
