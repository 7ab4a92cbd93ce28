/** Import of the ops with weights and of the pools. Weights of float graphs may be stored as int8 (hybrid): they become float32 here. */
import type { Op, TensorId } from '../../ir/graph.ts';
import { codeOf, TENSOR_TYPES } from '../../tflite/enums.ts';
import type { OpSource } from './op-source.ts';

interface WeightedOperands {
  readonly index: number;
  readonly inputs: readonly (TensorId | null)[];
  readonly outputs: readonly TensorId[];
}

export function importConv2d(op: OpSource): Op {
  const options = op.options('Conv2DOptions');
  checkBiasType(op, options.quantizedBiasType);
  return {
    kind: 'CONV_2D',
    ...weightedOperands(op),
    ...windowOf(op, options),
    dilationH: options.dilationHFactor,
    dilationW: options.dilationWFactor,
  };
}

export function importDepthwiseConv2d(op: OpSource): Op {
  const options = op.options('DepthwiseConv2DOptions');
  return {
    kind: 'DEPTHWISE_CONV_2D',
    ...weightedOperands(op),
    ...windowOf(op, options),
    dilationH: options.dilationHFactor,
    dilationW: options.dilationWFactor,
    depthMultiplier: options.depthMultiplier,
  };
}

export function importFullyConnected(op: OpSource): Op {
  const options = op.options('FullyConnectedOptions');
  if (options.weightsFormat !== 0)
    throw op.fail(`weights format #${options.weightsFormat} is not supported, DEFAULT (0) is`);
  checkBiasType(op, options.quantizedBiasType);
  return {
    kind: 'FULLY_CONNECTED',
    ...weightedOperands(op),
    activation: op.activation(options.fusedActivationFunction),
    keepNumDims: options.keepNumDims,
  };
}

export function importPool2d(kind: 'AVERAGE_POOL_2D' | 'MAX_POOL_2D', op: OpSource): Op {
  const options = op.options('Pool2DOptions');
  op.requireInputs(1);
  return {
    kind,
    index: op.index,
    inputs: [op.input(0)],
    outputs: op.outputs(),
    ...windowOf(op, options),
    filterH: options.filterHeight,
    filterW: options.filterWidth,
  };
}

interface WindowOptions {
  readonly padding: number;
  readonly strideH: number;
  readonly strideW: number;
  readonly fusedActivationFunction: number;
}

function windowOf(op: OpSource, options: WindowOptions) {
  return {
    padding: op.padding(options.padding),
    strideH: options.strideH,
    strideW: options.strideW,
    activation: op.activation(options.fusedActivationFunction),
  };
}

/** input, filter, bias; a hybrid filter is replaced by its float32 values and noted. */
function weightedOperands(op: OpSource): WeightedOperands {
  op.requireInputs(2, 3);
  const input = op.input(0);
  const filterIndex = op.requiredIndex(1);
  const filterType = op.tensors.typeName(filterIndex);
  const isHybrid =
    op.tensors.get(input).dtype === 'float32' && filterType !== 'FLOAT32' && op.tensors.data(filterIndex) !== null;
  if (!isHybrid) return { index: op.index, inputs: [input, op.input(1), op.optionalInput(2)], outputs: op.outputs() };
  if (filterType !== 'INT8')
    throw op.fail(`float32 input with constant ${filterType} filter is not supported, FLOAT32 or INT8 is`);
  const zeroPoint = op.tensors.get(filterIndex).quantization?.zeroPoint.find((zero) => zero !== 0);
  if (zeroPoint !== undefined)
    throw op.fail(`filter has zero point ${zeroPoint}, only symmetric filters (0) are supported`);
  op.tensors.noteHybrid(`${op.index} ${op.name}`);
  const filter = op.tensors.dequantized(filterIndex);
  return { index: op.index, inputs: [input, filter, op.optionalInput(2)], outputs: op.outputs() };
}

/** quantized_bias_type chooses the accumulator; TFLite writes 0 (FLOAT32) for "as the bias tensor says". */
function checkBiasType(op: OpSource, code: number): void {
  if (code === codeOf(TENSOR_TYPES, 'FLOAT32')) return;
  const stated = TENSOR_TYPES[code] ?? `#${code}`;
  const index = op.inputIndex(2);
  const actual = index === null ? 'absent' : op.tensors.typeName(index);
  if (stated !== actual) throw op.fail(`quantized_bias_type is ${stated} but the bias is ${actual}`);
}
