/** Which operators are imported, and how: one entry per builtin name. Elementwise kinds are short enough to stand here. */
import type { Op } from '../../ir/graph.ts';
import type { BuiltinOperatorName } from '../../tflite/enums.ts';
import type { OptionsName } from '../../tflite/schema.ts';
import type { OpSource } from './op-source.ts';
import {
  importConcatenation,
  importExpandDims,
  importMean,
  importPad,
  importReshape,
  importResizeNearestNeighbor,
  importSplit,
  importSqueeze,
  importTranspose,
} from './ops-layout.ts';
import { importConv2d, importDepthwiseConv2d, importFullyConnected, importPool2d } from './ops-windowed.ts';
import { importStridedSlice } from './strided-slice.ts';

type OpImporter = (op: OpSource) => Op;

type UnaryKind = 'LOGISTIC' | 'TANH' | 'RELU' | 'RELU6' | 'HARD_SWISH' | 'QUANTIZE' | 'DEQUANTIZE';

/** `options` is the (empty) table such an operator may carry. */
function importUnary(kind: UnaryKind, options: OptionsName | null, op: OpSource): Op {
  op.checkEmptyOptions(options);
  op.requireInputs(1);
  return { kind, index: op.index, inputs: [op.input(0)], outputs: op.outputs() };
}

function binaryOperands(op: OpSource) {
  op.requireInputs(2);
  return { index: op.index, inputs: [op.input(0), op.input(1)], outputs: op.outputs() };
}

/** pot_scale_int16 is not read: TFLite Micro has one int16 path, for any scale. */
function importArithmetic(kind: 'ADD' | 'SUB' | 'MUL', op: OpSource): Op {
  const options = op.options(kind === 'ADD' ? 'AddOptions' : kind === 'SUB' ? 'SubOptions' : 'MulOptions');
  return { kind, ...binaryOperands(op), activation: op.activation(options.fusedActivationFunction) };
}

function importExtremum(kind: 'MAXIMUM' | 'MINIMUM', op: OpSource): Op {
  op.checkEmptyOptions('MaximumMinimumOptions');
  return { kind, ...binaryOperands(op) };
}

function importSoftmax(op: OpSource): Op {
  op.requireInputs(1);
  const { beta } = op.options('SoftmaxOptions');
  if (!Number.isFinite(beta) || beta <= 0) throw op.fail(`beta is ${beta}, a positive number expected`);
  return { kind: 'SOFTMAX', index: op.index, inputs: [op.input(0)], outputs: op.outputs(), beta };
}

function importLeakyRelu(op: OpSource): Op {
  op.requireInputs(1);
  const { alpha } = op.options('LeakyReluOptions');
  if (!Number.isFinite(alpha)) throw op.fail(`alpha is ${alpha}, a finite number expected`);
  return { kind: 'LEAKY_RELU', index: op.index, inputs: [op.input(0)], outputs: op.outputs(), alpha };
}

export const OP_IMPORTERS: Readonly<Partial<Record<BuiltinOperatorName, OpImporter>>> = {
  CONV_2D: importConv2d,
  DEPTHWISE_CONV_2D: importDepthwiseConv2d,
  FULLY_CONNECTED: importFullyConnected,
  AVERAGE_POOL_2D: (op) => importPool2d('AVERAGE_POOL_2D', op),
  MAX_POOL_2D: (op) => importPool2d('MAX_POOL_2D', op),
  MEAN: importMean,
  ADD: (op) => importArithmetic('ADD', op),
  SUB: (op) => importArithmetic('SUB', op),
  MUL: (op) => importArithmetic('MUL', op),
  MAXIMUM: (op) => importExtremum('MAXIMUM', op),
  MINIMUM: (op) => importExtremum('MINIMUM', op),
  CONCATENATION: importConcatenation,
  PAD: importPad,
  PADV2: importPad,
  RESHAPE: importReshape,
  SQUEEZE: importSqueeze,
  EXPAND_DIMS: importExpandDims,
  STRIDED_SLICE: importStridedSlice,
  TRANSPOSE: importTranspose,
  SOFTMAX: importSoftmax,
  LOGISTIC: (op) => importUnary('LOGISTIC', null, op),
  TANH: (op) => importUnary('TANH', null, op),
  RELU: (op) => importUnary('RELU', null, op),
  RELU6: (op) => importUnary('RELU6', null, op),
  LEAKY_RELU: importLeakyRelu,
  HARD_SWISH: (op) => importUnary('HARD_SWISH', 'HardSwishOptions', op),
  RESIZE_NEAREST_NEIGHBOR: importResizeNearestNeighbor,
  SPLIT: importSplit,
  QUANTIZE: (op) => importUnary('QUANTIZE', 'QuantizeOptions', op),
  DEQUANTIZE: (op) => importUnary('DEQUANTIZE', 'DequantizeOptions', op),
};
