/** float32 lowerings: kernels of tl_float.h. Constants go to the kernels as TFLite stores them; nothing is packed or folded. */
import type { Activation, Graph, Op, Padding, Tensor } from '../../ir/graph.ts';
import { elementCount, tensorOf } from '../../ir/graph.ts';
import { paddingBefore } from '../../ir/op-params.ts';
import { activationRangeFloat } from '../../ir/quantized-math.ts';
import type { CValue } from '../../ir/schedule.ts';
import { broadcastShapeArgument } from './broadcast.ts';
import { dimsOf, float, inputTensor, int, kernelCall, outputTensor, struct, tensorArg } from './call.ts';
import type { LowerOp } from './lower-op.ts';
import { meanForm } from './pooling-s8.ts';

const HEADER = 'tl_float.h';

type Extents4 = readonly [number, number, number, number];

/** True when every input and output of the op is float32. */
function isFloat(op: Op, graph: Graph): boolean {
  const ids = [...op.inputs, ...op.outputs].filter((id) => id !== null);
  return ids.every((id) => tensorOf(graph, id).dtype === 'float32');
}

function optionalInput(op: Op, graph: Graph, position: number): CValue {
  const id = op.inputs[position];
  return id === undefined || id === null ? { kind: 'null' } : tensorArg(tensorOf(graph, id));
}

function tile(name: string, h: number, w: number): CValue {
  return struct('tl_tile', name, { h, w });
}

function activationStruct(activation: Activation, name: string): CValue {
  const { min, max } = activationRangeFloat(activation);
  return struct('tl_activation_f32', name, { min: float(min), max: float(max) });
}

interface WindowOp {
  readonly padding: Padding;
  readonly strideH: number;
  readonly strideW: number;
}

function paddingTile(
  op: WindowOp,
  input: Tensor,
  output: Tensor,
  filter: readonly [number, number],
  dilation: readonly [number, number],
): CValue {
  const [, inputH, inputW] = input.shape as Extents4;
  const [, outputH, outputW] = output.shape as Extents4;
  return tile(
    'padding',
    paddingBefore(op.padding, inputH, filter[0], outputH, op.strideH, dilation[0]),
    paddingBefore(op.padding, inputW, filter[1], outputW, op.strideW, dilation[1]),
  );
}

export const lowerConvF32: LowerOp = (op, graph) => {
  if (op.kind !== 'CONV_2D' && op.kind !== 'DEPTHWISE_CONV_2D') return null;
  if (!isFloat(op, graph)) return null;
  const [input, filter, output] = [inputTensor(op, graph, 0), inputTensor(op, graph, 1), outputTensor(op, graph)];
  const [, filterH, filterW] = filter.shape as Extents4;
  const params = struct('tl_conv_params_f32', 'params', {
    stride: tile('stride', op.strideH, op.strideW),
    padding: paddingTile(op, input, output, [filterH, filterW], [op.dilationH, op.dilationW]),
    dilation: tile('dilation', op.dilationH, op.dilationW),
    activation: activationStruct(op.activation, 'activation'),
  });
  return kernelCall(op, graph, {
    function: op.kind === 'CONV_2D' ? 'tl_convolve_f32' : 'tl_depthwise_conv_f32',
    header: HEADER,
    args: [
      params,
      dimsOf(input, 'input_dims'),
      tensorArg(input),
      dimsOf(filter, 'filter_dims'),
      tensorArg(filter),
      optionalInput(op, graph, 2),
      dimsOf(output, 'output_dims'),
      tensorArg(output),
    ],
  });
};

export const lowerFullyConnectedF32: LowerOp = (op, graph) => {
  if (op.kind !== 'FULLY_CONNECTED' || !isFloat(op, graph)) return null;
  const [input, filter, output] = [inputTensor(op, graph, 0), inputTensor(op, graph, 1), outputTensor(op, graph)];
  const [units, inputs] = filter.shape.slice(-2) as [number, number];
  return kernelCall(op, graph, {
    function: 'tl_fully_connected_f32',
    header: HEADER,
    args: [
      activationStruct(op.activation, 'activation'),
      int(elementCount(output.shape) / units),
      int(inputs),
      tensorArg(input),
      tensorArg(filter),
      optionalInput(op, graph, 2),
      int(units),
      tensorArg(output),
    ],
  });
};

export const lowerPoolF32: LowerOp = (op, graph) => {
  if (op.kind !== 'AVERAGE_POOL_2D' && op.kind !== 'MAX_POOL_2D') return null;
  if (!isFloat(op, graph)) return null;
  const [input, output] = [inputTensor(op, graph, 0), outputTensor(op, graph)];
  const params = struct('tl_pool_params_f32', 'params', {
    filter: tile('filter', op.filterH, op.filterW),
    stride: tile('stride', op.strideH, op.strideW),
    padding: paddingTile(op, input, output, [op.filterH, op.filterW], [1, 1]),
    activation: activationStruct(op.activation, 'activation'),
  });
  return kernelCall(op, graph, {
    function: op.kind === 'AVERAGE_POOL_2D' ? 'tl_avgpool_f32' : 'tl_max_pool_f32',
    header: HEADER,
    args: [params, dimsOf(input, 'input_dims'), tensorArg(input), dimsOf(output, 'output_dims'), tensorArg(output)],
  });
};

export const lowerMeanF32: LowerOp = (op, graph) => {
  if (op.kind !== 'MEAN' || !isFloat(op, graph)) return null;
  const [input, output] = [inputTensor(op, graph, 0), outputTensor(op, graph)];
  const form = meanForm(input.shape, op.axes);
  if (!form) return null;
  const params = struct('tl_mean_params_f32', 'params', { ...form });
  return kernelCall(op, graph, {
    function: 'tl_mean_f32',
    header: HEADER,
    args: [params, tensorArg(input), tensorArg(output)],
  });
};

const BINARY_F32 = {
  ADD: 'tl_broadcast_add_f32',
  SUB: 'tl_broadcast_sub_f32',
  MUL: 'tl_broadcast_mul_f32',
  MAXIMUM: 'tl_broadcast_maximum_f32',
  MINIMUM: 'tl_broadcast_minimum_f32',
} as const;

export const lowerBinaryF32: LowerOp = (op, graph) => {
  if (!(op.kind in BINARY_F32) || !isFloat(op, graph)) return null;
  const kind = op.kind as keyof typeof BINARY_F32;
  const [a, b, output] = [inputTensor(op, graph, 0), inputTensor(op, graph, 1), outputTensor(op, graph)];
  const shape = broadcastShapeArgument(a.shape, b.shape, output.shape);
  if (!shape) return null;
  const activation = 'activation' in op ? [activationStruct(op.activation, 'activation')] : [];
  return kernelCall(op, graph, {
    function: BINARY_F32[kind],
    header: HEADER,
    args: [...activation, shape, tensorArg(a), tensorArg(b), tensorArg(output)],
    inPlaceInputs: [a, b].filter((tensor) => elementCount(tensor.shape) === elementCount(output.shape)),
  });
};

const UNARY_F32 = {
  LOGISTIC: 'tl_logistic_f32',
  TANH: 'tl_tanh_f32',
  RELU: 'tl_relu_f32',
  RELU6: 'tl_relu6_f32',
  HARD_SWISH: 'tl_hard_swish_f32',
  LEAKY_RELU: 'tl_leaky_relu_f32',
} as const;

export const lowerUnaryF32: LowerOp = (op, graph) => {
  if (!(op.kind in UNARY_F32) || !isFloat(op, graph)) return null;
  const kind = op.kind as keyof typeof UNARY_F32;
  const [input, output] = [inputTensor(op, graph, 0), outputTensor(op, graph)];
  const alpha = op.kind === 'LEAKY_RELU' ? [float(op.alpha)] : [];
  return kernelCall(op, graph, {
    function: UNARY_F32[kind],
    header: HEADER,
    args: [tensorArg(input), int(elementCount(input.shape)), ...alpha, tensorArg(output)],
    inPlaceInputs: [input],
  });
};

export const lowerSoftmaxF32: LowerOp = (op, graph) => {
  if (op.kind !== 'SOFTMAX' || !isFloat(op, graph)) return null;
  const [input, output] = [inputTensor(op, graph, 0), outputTensor(op, graph)];
  const rowSize = input.shape.at(-1) ?? 1;
  return kernelCall(op, graph, {
    function: 'tl_softmax_f32',
    header: HEADER,
    args: [tensorArg(input), int(elementCount(input.shape) / rowSize), int(rowSize), float(op.beta), tensorArg(output)],
    inPlaceInputs: [input],
  });
};
