/** AVERAGE_POOL_2D, MAX_POOL_2D and MEAN of int8 tensors: kernels of tl_pooling.h. */
import { defined } from '../../../common/errors.ts';
import { meanMultiplier, paddingBefore } from '../../ir/op-params.ts';
import { dimsOf, inputTensor, kernelCall, outputTensor, tensorArg, struct } from './call.ts';
import type { LowerOp } from './lower-op.ts';
import { activationMember, perTensor } from './per-tensor.ts';

const HEADER = 'tl_pooling.h';

export const lowerPoolS8: LowerOp = (op, graph) => {
  if (op.kind !== 'AVERAGE_POOL_2D' && op.kind !== 'MAX_POOL_2D') return null;
  const [input, output] = [inputTensor(op, graph, 0), outputTensor(op, graph)];
  if (input.dtype !== 'int8' || output.dtype !== 'int8' || input.shape.length !== 4) return null;
  const before = (axis: 1 | 2, filter: number, stride: number): number =>
    paddingBefore(
      op.padding,
      defined(input.shape[axis], 'extent'),
      filter,
      defined(output.shape[axis], 'extent'),
      stride,
      1,
    );
  const params = struct('tl_pool_params', 'params', {
    filter: struct('tl_tile', 'filter', { h: op.filterH, w: op.filterW }),
    stride: struct('tl_tile', 'stride', { h: op.strideH, w: op.strideW }),
    padding: struct('tl_tile', 'padding', {
      h: before(1, op.filterH, op.strideH),
      w: before(2, op.filterW, op.strideW),
    }),
    activation: activationMember(op.activation, output),
  });
  return kernelCall(op, graph, {
    function: op.kind === 'AVERAGE_POOL_2D' ? 'tl_avgpool_s8' : 'tl_max_pool_s8',
    header: HEADER,
    args: [params, dimsOf(input, 'input_dims'), tensorArg(input), dimsOf(output, 'output_dims'), tensorArg(output)],
  });
};

/** Extents of a tensor seen as [outer, reduced_0, middle, reduced_1, inner] (tl_mean_params). */
export interface MeanForm {
  readonly outer: number;
  readonly reduced_0: number;
  readonly middle: number;
  readonly reduced_1: number;
  readonly inner: number;
}

/** Merges neighbouring axes of one sort; null when kept and reduced ones alternate more often than the kernel's form does. */
export function meanForm(shape: readonly number[], axes: readonly number[]): MeanForm | null {
  const form: [number, number, number, number, number] = [1, 1, 1, 1, 1];
  // From the innermost dimension outwards: slots 4, 2, 0 are kept, 3 and 1 reduced. An extent of 1 fits any slot.
  let slot = 4;
  for (let axis = shape.length - 1; axis >= 0; axis -= 1) {
    const extent = defined(shape[axis], 'extent');
    if (extent === 1) continue;
    const isReduced = axes.includes(axis) || axes.includes(axis - shape.length);
    if ((slot % 2 === 1) !== isReduced) slot -= 1;
    if (slot < 0) return null;
    form[slot] = defined(form[slot], 'slot') * extent;
  }
  const [outer, reduced0, middle, reduced1, inner] = form;
  return { outer, reduced_0: reduced0, middle, reduced_1: reduced1, inner };
}

export const lowerMeanS8: LowerOp = (op, graph) => {
  if (op.kind !== 'MEAN') return null;
  const [input, output] = [inputTensor(op, graph, 0), outputTensor(op, graph)];
  if (input.dtype !== 'int8' || output.dtype !== 'int8') return null;
  const form = meanForm(input.shape, op.axes);
  if (!form) return null;
  const [from, to] = [perTensor(input), perTensor(output)];
  const count = form.reduced_0 * form.reduced_1;
  const { multiplier, shift } = meanMultiplier(from.scale, to.scale, count);
  const params = struct('tl_mean_params', 'params', {
    ...form,
    input_offset: 0 - from.zeroPoint * count,
    output_multiplier: multiplier,
    output_shift: shift,
    output_offset: to.zeroPoint,
  });
  return kernelCall(op, graph, {
    function: 'tl_mean_s8',
    header: HEADER,
    args: [params, tensorArg(input), tensorArg(output)],
  });
};
