/** Row-major index arithmetic shared by broadcasting, reduction and data movement; all maps are computed once per op. */
import { elementCount } from '../ir/graph.ts';

/** Row-major strides, in elements. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length).fill(1);
  for (let axis = shape.length - 2; axis >= 0; axis--) {
    strides[axis] = (strides[axis + 1] as number) * (shape[axis + 1] as number);
  }
  return strides;
}

/**
 * For every element of `shape` in row-major order: origin + sum over axes of coordinate * step[axis]. Steps may be 0 (broadcast) or negative
 * (reversal).
 */
export function affineMap(shape: readonly number[], origin: number, steps: readonly number[]): Int32Array {
  const map = new Int32Array(elementCount(shape));
  const coordinate = new Array<number>(shape.length).fill(0);
  let at = origin;
  for (let i = 0; i < map.length; i++) {
    map[i] = at;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const extent = shape[axis] as number;
      const step = steps[axis] as number;
      at += step;
      coordinate[axis] = (coordinate[axis] as number) + 1;
      if ((coordinate[axis] as number) < extent) break;
      coordinate[axis] = 0;
      at -= step * extent;
    }
  }
  return map;
}

/** NumPy broadcasting: index into a tensor of `shape` for every element of `outputShape` (right-aligned). */
export function broadcastMap(shape: readonly number[], outputShape: readonly number[]): Int32Array {
  const lead = outputShape.length - shape.length;
  const strides = stridesOf(shape);
  const steps = outputShape.map((_, axis) => {
    const extent = shape[axis - lead];
    return extent === undefined || extent === 1 ? 0 : (strides[axis - lead] as number);
  });
  return affineMap(outputShape, 0, steps);
}
