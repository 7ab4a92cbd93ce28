/** Rewrites of constant and activation tensors along one axis. */
import { assert } from '../../common/errors.ts';
import type { Quantization, Tensor } from '../ir/graph.ts';
import { bytesPerElement, elementCount } from '../ir/graph.ts';

/** The tensor without some slices of one axis, data and per-slice quantization with it. */
export function dropSlices(tensor: Tensor, axis: number, dropped: ReadonlySet<number>): Tensor {
  const extent = tensor.shape[axis];
  assert(extent !== undefined && dropped.size < extent, `${tensor.name}: axis ${axis} keeps at least one slice`);
  const shape = tensor.shape.map((size, i) => (i === axis ? extent - dropped.size : size));
  const quantization = tensor.quantization && dropScales(tensor.quantization, axis, dropped);
  if (tensor.data === null) return { ...tensor, shape, quantization };
  const inner = elementCount(tensor.shape.slice(axis + 1)) * bytesPerElement(tensor.dtype);
  const data = new Uint8Array(elementCount(shape) * bytesPerElement(tensor.dtype));
  let to = 0;
  for (let slice = 0; slice * inner < tensor.data.length; slice++) {
    if (dropped.has(slice % extent)) continue;
    data.set(tensor.data.subarray(slice * inner, (slice + 1) * inner), to);
    to += inner;
  }
  assert(to === data.length, `${tensor.name}: slices fill the new tensor`);
  return { ...tensor, shape, quantization, data };
}

function dropScales(quantization: Quantization, axis: number, dropped: ReadonlySet<number>): Quantization {
  const isPerSlice = quantization.scale.length > 1 && quantization.axis === axis;
  if (!isPerSlice) return quantization;
  const keep = (_: number, slice: number): boolean => !dropped.has(slice);
  return { ...quantization, scale: quantization.scale.filter(keep), zeroPoint: quantization.zeroPoint.filter(keep) };
}

/** A bias with one more term per channel; int32 wraps as the kernels' accumulators do. */
export function addToBias(bias: Tensor, terms: readonly number[]): Tensor {
  const isInteger = bias.dtype === 'int32';
  assert((isInteger || bias.dtype === 'float32') && bias.data !== null, `${bias.name} is a constant bias`);
  const data = bias.data.slice();
  const view = new DataView(data.buffer);
  for (const [channel, term] of terms.entries()) {
    const at = 4 * channel;
    if (isInteger) view.setInt32(at, (view.getInt32(at, true) + term) | 0, true);
    else view.setFloat32(at, view.getFloat32(at, true) + term, true);
  }
  return { ...bias, data };
}
