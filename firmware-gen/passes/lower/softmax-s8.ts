/** SOFTMAX of int8 tensors: the kernel of tl_softmax.h. */
import { elementCount } from '../../ir/graph.ts';
import { softmaxParams } from '../../ir/op-params.ts';
import { inputTensor, int, kernelCall, outputTensor, tensorArg, struct } from './call.ts';
import type { LowerOp } from './lower-op.ts';
import { perTensor } from './per-tensor.ts';

/** TL_SOFTMAX_DEPTH_MAX. */
const DEPTH_MAX = 4095;

export const lowerSoftmaxS8: LowerOp = (op, graph) => {
  if (op.kind !== 'SOFTMAX') return null;
  const [input, output] = [inputTensor(op, graph, 0), outputTensor(op, graph)];
  const depth = input.shape.at(-1) ?? 1;
  if (input.dtype !== 'int8' || output.dtype !== 'int8' || depth > DEPTH_MAX) return null;
  const { multiplier, leftShift, diffMin } = softmaxParams(perTensor(input).scale, op.beta);
  const params = struct('tl_softmax_params', 'params', {
    input_multiplier: multiplier,
    input_left_shift: leftShift,
    diff_min: diffMin,
  });
  const rows = elementCount(input.shape) / depth;
  return kernelCall(op, graph, {
    function: 'tl_softmax_s8',
    header: 'tl_softmax.h',
    args: [params, tensorArg(input), tensorArg(output), int(rows), int(depth)],
    inPlaceInputs: [input],
  });
};
