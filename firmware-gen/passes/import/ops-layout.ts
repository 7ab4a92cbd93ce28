/** Import of the ops that rearrange or reduce along axes: their side tensors (shape, axes, paddings, begin/end, perm) become attributes. */
import { elementCount, tensorBytes, type Op, type TensorId } from '../../ir/graph.ts';
import { shapeText } from '../../ir/rule.ts';
import { RANK_MAX } from '../../ir/verify.ts';
import type { OpSource } from './op-source.ts';

interface Operands {
  readonly index: number;
  readonly inputs: readonly TensorId[];
  readonly outputs: readonly TensorId[];
}

/** The op's first input and its outputs; the side inputs stay out of the IR. */
function dataOperands(op: OpSource, dataInput = 0): Operands {
  return { index: op.index, inputs: [op.input(dataInput)], outputs: op.outputs() };
}

/** Target shape from a constant tensor or, in older files, the options; one entry may be -1. */
export function importReshape(op: OpSource): Op {
  op.requireInputs(1, 2);
  const target = op.inputIndex(1) === null ? op.options('ReshapeOptions').newShape : op.constantInts(1, 'shape');
  const output = op.outputShape();
  if (!target) throw op.fail('has neither a shape input nor new_shape');
  if (target.length > RANK_MAX) throw op.fail(`shape ${shapeText(target)} has too many dimensions`);
  const elements = elementCount(op.inputShape(0));
  const known = elementCount(target.filter((extent) => extent !== -1));
  if (target.filter((extent) => extent === -1).length > 1)
    throw op.fail(`shape ${shapeText(target)} has more than one -1`);
  const resolved = target.map((extent) => (extent === -1 ? elements / known : extent));
  if (resolved.join() !== output.join()) {
    throw op.fail(
      `shape ${shapeText(target)} on ${elements} elements does not give the output shape ${shapeText(output)}`,
    );
  }
  return { kind: 'RESHAPE', ...dataOperands(op) };
}

export function importSqueeze(op: OpSource): Op {
  op.requireInputs(1);
  const shape = op.inputShape(0);
  const listed = op.options('SqueezeOptions').squeezeDims ?? [];
  if (listed.length > RANK_MAX) throw op.fail(`squeeze_dims ${shapeText(listed)} has too many entries`);
  const axes = listed.map((axis) => op.axis(axis, shape.length));
  const expected = shape.filter((extent, i) => (axes.length === 0 ? extent !== 1 : !axes.includes(i)));
  const output = op.outputShape();
  if (expected.join() !== output.join()) {
    throw op.fail(
      `squeezing ${shapeText(axes)} of ${shapeText(shape)} does not give the output shape ${shapeText(output)}`,
    );
  }
  return { kind: 'SQUEEZE', ...dataOperands(op) };
}

export function importExpandDims(op: OpSource): Op {
  op.checkEmptyOptions('ExpandDimsOptions');
  op.requireInputs(2);
  const shape = op.inputShape(0);
  const axes = op.constantInts(1, 'axis');
  const axis = axes[0];
  if (axes.length !== 1 || axis === undefined) throw op.fail(`axis has ${axes.length} values, 1 expected`);
  const expected = [...shape];
  expected.splice(op.axis(axis, shape.length + 1), 0, 1);
  const output = op.outputShape();
  if (expected.join() !== output.join()) {
    throw op.fail(`axis ${axis} on ${shapeText(shape)} does not give the output shape ${shapeText(output)}`);
  }
  return { kind: 'EXPAND_DIMS', ...dataOperands(op) };
}

export function importTranspose(op: OpSource): Op {
  op.checkEmptyOptions('TransposeOptions');
  op.requireInputs(2);
  const rank = op.inputShape(0).length;
  const perm = op.constantInts(1, 'perm').map((axis) => op.axis(axis, rank));
  return { kind: 'TRANSPOSE', ...dataOperands(op), perm };
}

export function importMean(op: OpSource): Op {
  op.requireInputs(2);
  const rank = op.inputShape(0).length;
  const axes = op.constantInts(1, 'axes').map((axis) => op.axis(axis, rank));
  const distinct = [...new Set(axes)].sort((a, b) => a - b);
  return { kind: 'MEAN', ...dataOperands(op), axes: distinct, keepDims: op.options('ReducerOptions').keepDims };
}

/** PAD and PADV2. Without a pad value TFLite writes the real zero: the zero point of a quantized tensor. */
export function importPad(op: OpSource): Op {
  op.checkEmptyOptions(op.name === 'PADV2' ? 'PadV2Options' : 'PadOptions');
  op.requireInputs(2, op.name === 'PADV2' ? 3 : 2);
  const rank = op.inputShape(0).length;
  const flat = op.constantInts(1, 'paddings');
  if (flat.length !== 2 * rank)
    throw op.fail(`paddings has ${flat.length} values, ${2 * rank} expected for ${rank} dimensions`);
  const paddings = Array.from({ length: rank }, (_, i) => [flat[2 * i] ?? 0, flat[2 * i + 1] ?? 0] as const);
  const padValue = op.inputIndex(2) === null ? zeroPointOf(op) : constantPadValue(op);
  return { kind: 'PAD', ...dataOperands(op), paddings, padValue };
}

function zeroPointOf(op: OpSource): number {
  return op.tensors.get(op.input(0)).quantization?.zeroPoint[0] ?? 0;
}

function constantPadValue(op: OpSource): number {
  const value = op.tensors.get(op.input(2));
  const input = op.tensors.get(op.input(0));
  if (!value.data || elementCount(value.shape) !== 1) throw op.fail('pad value is not one constant');
  if (value.dtype !== input.dtype) throw op.fail(`pad value is ${value.dtype}, the input ${input.dtype}`);
  const sameScale = value.quantization?.scale[0] === input.quantization?.scale[0];
  const sameZero = value.quantization?.zeroPoint[0] === input.quantization?.zeroPoint[0];
  if (!sameScale || !sameZero) throw op.fail('pad value and input differ in quantization');
  const view = new DataView(value.data.buffer, value.data.byteOffset, tensorBytes(value));
  if (value.dtype === 'int8') return view.getInt8(0);
  if (value.dtype === 'int16') return view.getInt16(0, true);
  if (value.dtype === 'float32') return view.getFloat32(0, true);
  throw op.fail(`pad value of type ${value.dtype} is not supported`);
}

/** The file lists the axis first, the data second. */
export function importSplit(op: OpSource): Op {
  op.requireInputs(2);
  const axes = op.constantInts(0, 'axis');
  const axis = axes[0];
  if (axes.length !== 1 || axis === undefined) throw op.fail(`axis has ${axes.length} values, 1 expected`);
  const { numSplits } = op.options('SplitOptions');
  if (numSplits !== op.outputIndices.length)
    throw op.fail(`num_splits is ${numSplits}, there are ${op.outputIndices.length} outputs`);
  return { kind: 'SPLIT', ...dataOperands(op, 1), axis: op.axis(axis, op.inputShape(1).length) };
}

export function importConcatenation(op: OpSource): Op {
  const options = op.options('ConcatenationOptions');
  const activation = op.activation(options.fusedActivationFunction);
  // TFLite refuses it too (concatenation.cc).
  if (activation !== 'NONE') throw op.fail(`fused activation ${activation} is not supported`);
  const inputs = Array.from({ length: op.inputCount }, (_, i) => op.input(i));
  const axis = op.axis(options.axis, op.inputShape(0).length);
  return { kind: 'CONCATENATION', index: op.index, inputs, outputs: op.outputs(), axis, activation };
}

export function importResizeNearestNeighbor(op: OpSource): Op {
  op.requireInputs(2);
  const options = op.options('ResizeNearestNeighborOptions');
  const size = op.constantInts(1, 'size');
  const output = op.outputShape();
  if (size.length !== 2 || size[0] !== output[1] || size[1] !== output[2]) {
    throw op.fail(`size ${shapeText(size)} does not give the output shape ${shapeText(output)}`);
  }
  const { alignCorners, halfPixelCenters } = options;
  if (alignCorners && halfPixelCenters) throw op.fail('align_corners and half_pixel_centers are both set');
  return { kind: 'RESIZE_NEAREST_NEIGHBOR', ...dataOperands(op), alignCorners, halfPixelCenters };
}
