/**
 * Ops that compute nothing: every output element is one input element or a constant. Each is a list of (source, index map) pairs fixed at
 * preparation. Source of the semantics: reference/{pad.h,transpose.h,strided_slice.h,concatenation.h,resize_nearest_neighbor.h}, split.cc.
 */
import { assert } from '../../common/errors.ts';
import type { Op } from '../ir/graph.ts';
import { elementCount } from '../ir/graph.ts';
import { roundHalfAwayFromZero } from '../ir/quantized-math.ts';
import type { Buffers, Operand, Values } from './buffers.ts';
import { extentOf, inputOf, outputOf } from './buffers.ts';
import { affineMap, stridesOf } from './index-map.ts';

const f = Math.fround;

type KindOf<K extends Op['kind']> = Op & { readonly kind: K };

/** out[i] = in[map[i]]; both views have one element type. */
function gather(input: Values, output: Values, map: Int32Array): () => void {
  assert(input.constructor === output.constructor && map.length === output.length, 'gather between equal types');
  const [x, y] = [input as Int32Array, output as Int32Array];
  return () => {
    for (let i = 0; i < map.length; i++) y[i] = x[map[i] as number] as number;
  };
}

/** RESHAPE, SQUEEZE, EXPAND_DIMS: the same bytes under another shape. */
export function prepareCopy(op: Op, buffers: Buffers): () => void {
  const input = inputOf(buffers, op, 0).view;
  const output = outputOf(buffers, op).view;
  assert(input.byteLength === output.byteLength, `${op.kind} op ${op.index} changes the number of bytes`);
  const [from, to] = [new Uint8Array(input.buffer), new Uint8Array(output.buffer)];
  return () => to.set(from);
}

export function prepareTranspose(op: KindOf<'TRANSPOSE'>, buffers: Buffers): () => void {
  const [input, output] = [inputOf(buffers, op, 0), outputOf(buffers, op)];
  const strides = stridesOf(input.tensor.shape);
  const steps = op.perm.map((axis) => strides[axis] as number);
  return gather(input.view, output.view, affineMap(output.tensor.shape, 0, steps));
}

export function prepareStridedSlice(op: KindOf<'STRIDED_SLICE'>, buffers: Buffers): () => void {
  const [input, output] = [inputOf(buffers, op, 0), outputOf(buffers, op)];
  const strides = stridesOf(input.tensor.shape);
  const origin = op.begin.reduce((sum, begin, axis) => sum + begin * (strides[axis] as number), 0);
  const steps = op.step.map((step, axis) => step * (strides[axis] as number));
  return gather(input.view, output.view, affineMap(op.outputExtent, origin, steps));
}

/** padValue is a stored value: the zero point stands for the real zero. */
export function preparePad(op: KindOf<'PAD'>, buffers: Buffers): () => void {
  const [input, output] = [inputOf(buffers, op, 0), outputOf(buffers, op)];
  assert(!(output.view instanceof BigInt64Array), `PAD op ${op.index} on int64`);
  const strides = stridesOf(output.tensor.shape);
  const origin = op.paddings.reduce((sum, [before], axis) => sum + before * (strides[axis] as number), 0);
  const target = affineMap(input.tensor.shape, origin, strides);
  const [x, y] = [input.view as Int32Array, output.view as Int32Array];
  return () => {
    y.fill(op.padValue);
    for (let i = 0; i < target.length; i++) y[target[i] as number] = x[i] as number;
  };
}

/** Stored values are copied as they are: TFLM requires equal quantization of all inputs and the output. */
export function prepareConcatenation(op: KindOf<'CONCATENATION'>, buffers: Buffers): () => void {
  const output = outputOf(buffers, op);
  let offset = 0;
  const copies = op.inputs.map((_, position) => {
    const input = inputOf(buffers, op, position);
    const copy = copySlab(input, output, op.axis, offset, 'into');
    offset += extentOf(input, normalized(op.axis, input));
    return copy;
  });
  return () => {
    for (const copy of copies) copy();
  };
}

export function prepareSplit(op: KindOf<'SPLIT'>, buffers: Buffers): () => void {
  const input = inputOf(buffers, op, 0);
  let offset = 0;
  const copies = op.outputs.map((_, position) => {
    const output = outputOf(buffers, op, position);
    const copy = copySlab(output, input, op.axis, offset, 'from');
    offset += extentOf(output, normalized(op.axis, output));
    return copy;
  });
  return () => {
    for (const copy of copies) copy();
  };
}

function normalized(axis: number, value: Operand): number {
  return axis < 0 ? axis + value.tensor.shape.length : axis;
}

/** Copies a part into (or out of) a whole that is longer along `axis`, at `offset`. */
function copySlab(part: Operand, whole: Operand, axis: number, offset: number, way: 'into' | 'from'): () => void {
  const at = normalized(axis, part);
  const { shape } = part.tensor;
  const bytes = part.view.BYTES_PER_ELEMENT;
  const inner = elementCount(shape.slice(at + 1)) * bytes;
  const outer = elementCount(shape.slice(0, at));
  const run = (shape[at] as number) * inner;
  const pitch = extentOf(whole, at) * inner;
  const [partBytes, wholeBytes] = [new Uint8Array(part.view.buffer), new Uint8Array(whole.view.buffer)];
  return () => {
    for (let i = 0; i < outer; i++) {
      const start = i * pitch + offset * inner;
      if (way === 'into') wholeBytes.set(partBytes.subarray(i * run, (i + 1) * run), start);
      else partBytes.set(wholeBytes.subarray(start, start + run), i * run);
    }
  };
}

/** Source index along one axis; the scale is a float32 quotient as in TFLite. */
function nearest(
  at: number,
  inputExtent: number,
  outputExtent: number,
  alignCorners: boolean,
  halfPixel: boolean,
): number {
  const scale =
    alignCorners && outputExtent > 1 ? f((inputExtent - 1) / (outputExtent - 1)) : f(inputExtent / outputExtent);
  const position = f(f(at + (halfPixel ? 0.5 : 0)) * scale);
  const index = Math.min(alignCorners ? roundHalfAwayFromZero(position) : Math.floor(position), inputExtent - 1);
  return halfPixel ? Math.max(0, index) : index;
}

export function prepareResizeNearest(op: KindOf<'RESIZE_NEAREST_NEIGHBOR'>, buffers: Buffers): () => void {
  const [input, output] = [inputOf(buffers, op, 0), outputOf(buffers, op)];
  const [inputH, inputW, depth] = [extentOf(input, 1), extentOf(input, 2), extentOf(input, 3)];
  const [batches, outputH, outputW] = [extentOf(output, 0), extentOf(output, 1), extentOf(output, 2)];
  const map = new Int32Array(output.view.length);
  let i = 0;
  for (let batch = 0; batch < batches; batch++) {
    for (let y = 0; y < outputH; y++) {
      const inY = nearest(y, inputH, outputH, op.alignCorners, op.halfPixelCenters);
      for (let x = 0; x < outputW; x++) {
        const inX = nearest(x, inputW, outputW, op.alignCorners, op.halfPixelCenters);
        const first = ((batch * inputH + inY) * inputW + inX) * depth;
        for (let c = 0; c < depth; c++) map[i++] = first + c;
      }
    }
  }
  return gather(input.view, output.view, map);
}
