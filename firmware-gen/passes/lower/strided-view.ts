/**
 * Walks over a tensor at constant strides, for tl_strided_copy: dimensions that continue each other are merged, so that the C loops are few
 * and long.
 */

/** Index (i0, i1, ..) reads element offset + sum of i_k * stride[k]; strides may be negative. */
export interface StridedView {
  readonly extent: readonly number[];
  readonly stride: readonly number[];
  readonly offset: number;
}

/** Row-major strides in elements. */
export function denseStrides(shape: readonly number[]): number[] {
  const strides: number[] = [];
  let stride = 1;
  for (const extent of [...shape].reverse()) {
    strides.unshift(stride);
    stride *= extent;
  }
  return strides;
}

/** The same walk with dimensions of extent 1 dropped and neighbours merged where the outer continues the inner. */
export function mergeView(view: StridedView): StridedView {
  const dims: { extent: number; stride: number }[] = [];
  view.extent.forEach((extent, d) => {
    if (extent === 1) return;
    const stride = view.stride[d] ?? 0;
    const outer = dims.at(-1);
    if (outer && outer.stride === stride * extent) dims[dims.length - 1] = { extent: outer.extent * extent, stride };
    else dims.push({ extent, stride });
  });
  return { extent: dims.map((dim) => dim.extent), stride: dims.map((dim) => dim.stride), offset: view.offset };
}

/** `values` behind as many `fill` as make `length` of them: the C structs hold a fixed number of dimensions, outermost first. */
export function padLeading(values: readonly number[], length: number, fill: number): number[] {
  return [...Array.from({ length: length - values.length }, () => fill), ...values];
}
