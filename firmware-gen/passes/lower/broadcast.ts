/**
 * NumPy broadcasting as kernels/include/tl_broadcast.h wants it: extents of the output and element strides of both inputs, with
 * neighbouring dimensions merged that both inputs walk the same way. Equal shapes become one dimension.
 */
import { assert, defined } from '../../../common/errors.ts';
import type { CValue } from '../../ir/schedule.ts';
import { array, struct } from './call.ts';

/** TL_MAX_BROADCAST_DIMS. */
const DIMS_MAX = 6;

interface Dimension {
  extent: number;
  /** Elements; 0 repeats. */
  readonly stride1: number;
  readonly stride2: number;
}

/** Row-major strides of `shape` right-aligned to `rank` dimensions, 0 where it repeats. */
function broadcastStrides(shape: readonly number[], rank: number): number[] {
  const strides = new Array<number>(rank).fill(0);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const extent = defined(shape[axis], 'extent');
    if (extent > 1) strides[axis + rank - shape.length] = stride;
    stride *= extent;
  }
  return strides;
}

function mergedDimensions(
  shape1: readonly number[],
  shape2: readonly number[],
  output: readonly number[],
): Dimension[] {
  const strides1 = broadcastStrides(shape1, output.length);
  const strides2 = broadcastStrides(shape2, output.length);
  const merged: Dimension[] = [];
  for (const [axis, extent] of output.entries()) {
    if (extent === 1) continue;
    const [stride1, stride2] = [defined(strides1[axis], 'stride'), defined(strides2[axis], 'stride')];
    const outer = merged.at(-1);
    if (outer && outer.stride1 === stride1 * extent && outer.stride2 === stride2 * extent) {
      merged[merged.length - 1] = { extent: outer.extent * extent, stride1, stride2 };
    } else {
      merged.push({ extent, stride1, stride2 });
    }
  }
  return merged;
}

/** The `tl_broadcast` argument, or null if more dimensions are left than the kernels walk. */
export function broadcastShapeArgument(
  shape1: readonly number[],
  shape2: readonly number[],
  output: readonly number[],
): CValue | null {
  const merged = mergedDimensions(shape1, shape2, output);
  if (merged.length > DIMS_MAX) return null;
  const lead = new Array<number>(DIMS_MAX - merged.length);
  const last = merged.at(-1);
  assert(!last || (last.stride1 <= 1 && last.stride2 <= 1), 'innermost broadcast strides are 0 or 1');
  return struct('tl_broadcast', 'shape', {
    extent: array([...lead.fill(1), ...merged.map((dimension) => dimension.extent)]),
    stride_1: array([...lead.fill(0), ...merged.map((dimension) => dimension.stride1)]),
    stride_2: array([...lead.fill(0), ...merged.map((dimension) => dimension.stride2)]),
  });
}
