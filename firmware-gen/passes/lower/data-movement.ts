/** CONCATENATION, SPLIT, PAD, STRIDED_SLICE, TRANSPOSE and RESIZE_NEAREST_NEIGHBOR of any element type: kernels of tl_data_movement.h. */
import { assert, defined } from '../../../common/errors.ts';
import type { DType, Graph, Op, Tensor } from '../../ir/graph.ts';
import { bytesPerElement, elementCount } from '../../ir/graph.ts';
import { roundHalfAwayFromZero } from '../../ir/quantized-math.ts';
import type { CValue, KernelCall } from '../../ir/schedule.ts';
import { array, constant, inputTensor, int, kernelCall, outputTensor, struct, tensorArg } from './call.ts';
import type { LowerOp } from './lower-op.ts';
import type { StridedView } from './strided-view.ts';
import { denseStrides, mergeView, padLeading } from './strided-view.ts';

const HEADER = 'tl_data_movement.h';
/** TL_MAX_MOVE_DIMS. */
const DIMS_MAX = 6;
const INT16_MAX = 32767;

function normalizedAxis(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis;
}

/** Bytes of a tensor from `axis` inwards. */
function blockBytes(tensor: Tensor, axis: number): number {
  return elementCount(tensor.shape.slice(axis)) * bytesPerElement(tensor.dtype);
}

export const lowerConcatenation: LowerOp = (op, graph) => {
  if (op.kind !== 'CONCATENATION' || op.activation !== 'NONE') return null;
  const output = outputTensor(op, graph);
  const inputs = op.inputs.map((_, position) => inputTensor(op, graph, position));
  if (inputs.some((input) => input.dtype !== output.dtype)) return null;
  const axis = normalizedAxis(op.axis, output.shape.length);
  return kernelCall(op, graph, {
    function: 'tl_concatenation',
    header: HEADER,
    args: [
      { kind: 'tensors', tensors: inputs.map((input) => input.id) },
      constant({
        ctype: 'int32_t',
        name: `op${op.index}_block_bytes`,
        values: Int32Array.from(inputs, (input) => blockBytes(input, axis)),
        comment: 'Bytes per input from the axis of concatenation inwards.',
      }),
      int(inputs.length),
      int(elementCount(output.shape.slice(0, axis))),
      tensorArg(output),
    ],
  });
};

export const lowerSplit: LowerOp = (op, graph) => {
  if (op.kind !== 'SPLIT') return null;
  const input = inputTensor(op, graph);
  const outputs = op.outputs.map((_, position) => outputTensor(op, graph, position));
  const axis = normalizedAxis(op.axis, input.shape.length);
  const block = blockBytes(defined(outputs[0], `SPLIT op ${op.index}: output`), axis);
  assert(
    outputs.every((output) => output.dtype === input.dtype && blockBytes(output, axis) === block),
    `SPLIT op ${op.index} makes unequal parts`,
  );
  return kernelCall(op, graph, {
    function: 'tl_split',
    header: HEADER,
    args: [
      tensorArg(input),
      int(elementCount(input.shape.slice(0, axis))),
      int(block),
      int(outputs.length),
      { kind: 'tensors', tensors: outputs.map((output) => output.id) },
    ],
  });
};

/** A call of tl_strided_copy, or null when more dimensions are left after merging than it walks. */
function stridedCopy(op: Op, graph: Graph, view: StridedView): KernelCall | null {
  const [input, output] = [inputTensor(op, graph), outputTensor(op, graph)];
  if (input.dtype !== output.dtype) return null;
  const bytes = bytesPerElement(input.dtype);
  const merged = mergeView(view);
  let { extent, stride } = merged;
  let unitBytes = bytes;
  if (stride.at(-1) === 1) {
    unitBytes *= defined(extent.at(-1), 'extent');
    [extent, stride] = [extent.slice(0, -1), stride.slice(0, -1)];
  }
  if (extent.length > DIMS_MAX) return null;
  const params = struct('tl_strided_copy_params', 'params', {
    extent: array(padLeading(extent, DIMS_MAX, 1)),
    stride_bytes: array(
      padLeading(
        stride.map((step) => step * bytes),
        DIMS_MAX,
        0,
      ),
    ),
    input_offset: merged.offset * bytes,
    unit_bytes: unitBytes,
  });
  return kernelCall(op, graph, {
    function: 'tl_strided_copy',
    header: HEADER,
    args: [params, tensorArg(input), tensorArg(output)],
  });
}

export const lowerStridedSlice: LowerOp = (op, graph) => {
  if (op.kind !== 'STRIDED_SLICE') return null;
  const dense = denseStrides(inputTensor(op, graph).shape);
  const offset = op.begin.reduce((sum, begin, axis) => sum + begin * defined(dense[axis], 'stride'), 0);
  const stride = op.step.map((step, axis) => step * defined(dense[axis], 'stride'));
  return stridedCopy(op, graph, { extent: op.outputExtent, stride, offset });
};

export const lowerTranspose: LowerOp = (op, graph) => {
  if (op.kind !== 'TRANSPOSE') return null;
  const { shape } = inputTensor(op, graph);
  const dense = denseStrides(shape);
  const from = op.perm.map((axis) => normalizedAxis(axis, shape.length));
  return stridedCopy(op, graph, {
    extent: from.map((axis) => defined(shape[axis], 'extent')),
    stride: from.map((axis) => defined(dense[axis], 'stride')),
    offset: 0,
  });
};

interface PadDimension {
  extent: number;
  before: number;
  after: number;
}

/** Padding of a shape with unpadded dimensions merged into the one outside them; extents and paddings in elements. */
function mergePadding(
  shape: readonly number[],
  paddings: readonly (readonly [number, number])[],
  innermostFactor: number,
): PadDimension[] {
  const dimensions: PadDimension[] = [];
  const push = (extent: number, [before, after]: readonly [number, number]): void => {
    const outer = dimensions.at(-1);
    if (before === 0 && after === 0 && outer) {
      outer.extent *= extent;
      outer.before *= extent;
      outer.after *= extent;
    } else {
      dimensions.push({ extent, before, after });
    }
  };
  shape.forEach((extent, axis) => {
    push(extent, paddings[axis] ?? [0, 0]);
  });
  push(innermostFactor, [0, 0]);
  return dimensions;
}

/** Little-endian bytes of a stored value. */
function valueBytes(value: number, dtype: DType): number[] {
  const view = new DataView(new ArrayBuffer(8));
  if (dtype === 'float32') view.setFloat32(0, value, true);
  else if (dtype === 'int64') view.setBigInt64(0, BigInt(value), true);
  else view.setInt32(0, value, true);
  return [...new Uint8Array(view.buffer, 0, bytesPerElement(dtype))];
}

export const lowerPad: LowerOp = (op, graph) => {
  if (op.kind !== 'PAD') return null;
  const [input, output] = [inputTensor(op, graph), outputTensor(op, graph)];
  if (input.dtype !== output.dtype) return null;
  const value = valueBytes(op.padValue, output.dtype);
  // A value of equal bytes (zero, above all) is written by memset: the tensor is then padded as one of bytes.
  const isUniform = value.every((byte) => byte === value[0]);
  const dimensions = mergePadding(input.shape, op.paddings, isUniform ? value.length : 1);
  if (dimensions.length > DIMS_MAX) return null;
  const member = (pick: (dimension: PadDimension) => number, fill: number): CValue =>
    array(padLeading(dimensions.map(pick), DIMS_MAX, fill));
  const params = struct('tl_pad_params', 'params', {
    extent: member((dimension) => dimension.extent, 1),
    before: member((dimension) => dimension.before, 0),
    after: member((dimension) => dimension.after, 0),
    unit_bytes: isUniform ? 1 : value.length,
    value: array(isUniform ? value.slice(0, 1) : value),
  });
  return kernelCall(op, graph, {
    function: 'tl_pad',
    header: HEADER,
    args: [params, tensorArg(input), tensorArg(output)],
  });
};

/** Source index of every output index along one axis; each step is rounded to float32 as in TFLite's GetNearestNeighbor. */
export function nearestIndices(
  inputExtent: number,
  outputExtent: number,
  alignCorners: boolean,
  halfPixelCenters: boolean,
): Int16Array {
  const f = Math.fround;
  const scale = alignCorners && outputExtent > 1 ? (inputExtent - 1) / (outputExtent - 1) : inputExtent / outputExtent;
  return Int16Array.from({ length: outputExtent }, (_, index) => {
    const position = f(f(index + (halfPixelCenters ? 0.5 : 0)) * f(scale));
    const nearest = alignCorners ? roundHalfAwayFromZero(position) : Math.floor(position);
    return Math.max(0, Math.min(nearest, inputExtent - 1));
  });
}

export const lowerResizeNearestNeighbor: LowerOp = (op, graph) => {
  if (op.kind !== 'RESIZE_NEAREST_NEIGHBOR') return null;
  const [input, output] = [inputTensor(op, graph), outputTensor(op, graph)];
  if (input.dtype !== output.dtype || input.shape.length !== 4) return null;
  const [batches, inputH, inputW, channels] = input.shape as readonly [number, number, number, number];
  const [, outputH, outputW] = output.shape as readonly [number, number, number, number];
  if (Math.max(inputH, inputW) > INT16_MAX) return null;
  const table = (name: string, from: number, to: number): CValue =>
    constant({
      ctype: 'int16_t',
      name: `op${op.index}_${name}`,
      values: nearestIndices(from, to, op.alignCorners, op.halfPixelCenters),
      comment: `Source of each output ${name === 'source_rows' ? 'row' : 'column'}.`,
    });
  const params = struct('tl_resize_params', 'params', {
    batches,
    input_h: inputH,
    input_w: inputW,
    output_h: outputH,
    output_w: outputW,
    pixel_bytes: channels * bytesPerElement(input.dtype),
  });
  return kernelCall(op, graph, {
    function: 'tl_resize_nearest_neighbor',
    header: HEADER,
    args: [
      params,
      table('source_rows', inputH, outputH),
      table('source_columns', inputW, outputW),
      tensorArg(input),
      tensorArg(output),
    ],
  });
};
