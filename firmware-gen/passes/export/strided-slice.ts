/** STRIDED_SLICE: first index, step and count per dimension written as begin, end, strides and the two masks that are needed. */
import type { Op, Tensor } from '../../ir/graph.ts';
import { tableDefaults } from '../../tflite/schema.ts';
import type { ExportedOp } from '../export.ts';
import { droppedAxes } from './axes.ts';

type StridedSlice = Extract<Op, { readonly kind: 'STRIDED_SLICE' }>;

/** `list` makes a one-dimensional int32 side tensor. */
export function exportStridedSlice(
  op: StridedSlice,
  input: Tensor,
  output: Tensor,
  list: (what: string, values: readonly number[]) => number,
): ExportedOp {
  const { begin, step, outputExtent } = op;
  const last = begin.map((first, i) => first + step[i]! * (outputExtent[i]! - 1));
  const end = last.map((index, i) => index + Math.sign(step[i]!));
  // Walking down to index 0 ends at -1, which TFLite would read as "the last one": the mask says "to the edge".
  const endMask = end.reduce((mask, index, i) => (index < 0 ? mask | (1 << i) : mask), 0);
  const shrinkAxisMask = droppedAxes(outputExtent, output.shape).reduce((mask, axis) => mask | (1 << axis), 0);
  const operands = [list('begin', begin), list('end', end), list('strides', step)];
  return {
    builtin: 'STRIDED_SLICE',
    inputs: [input.id, ...operands],
    options: {
      type: 'StridedSliceOptions',
      value: { ...tableDefaults('StridedSliceOptions'), endMask, shrinkAxisMask },
    },
  };
}
