/**
 * Lowerings of int16 activations: kernels of tl_int16.h, tl_int16_w16.h for int16 weights. Weights and biases go to the kernels as TFLite stores them. Zero points are 0
 * (ir/op-rules.ts). Element-wise ops are in int16-elementwise.ts.
 */
import { UserError } from '../../../common/errors.ts';
import type { Activation, Graph, Op, Tensor } from '../../ir/graph.ts';
import { elementCount, tensorOf } from '../../ir/graph.ts';
import { channelMultipliers, fullyConnectedMultiplier, meanMultiplier, paddingBefore } from '../../ir/op-params.ts';
import type { QuantizedMultiplier } from '../../ir/quantized-math.ts';
import { activationRangeQuantized } from '../../ir/quantized-math.ts';
import type { CValue } from '../../ir/schedule.ts';
import { constant, dimsOf, inputTensor, int, kernelCall, outputTensor, struct, tensorArg } from './call.ts';
import type { LowerOp } from './lower-op.ts';
import { perTensor } from './per-tensor.ts';
import { meanForm } from './pooling-s8.ts';

export const INT16_HEADER = 'tl_int16.h';
/** Largest shift of the 64-bit rescaling (tflite-micro kernels/internal/common.cc). */
const WIDE_SHIFT_MAX = 7;

type Extents4 = readonly [number, number, number, number];

export function isInt16(tensor: Tensor): boolean {
  return tensor.dtype === 'int16';
}

/** The `activation` member: the clamp of an int16 output. */
export function activationInt16(activation: Activation, output: Tensor): CValue {
  const { scale, zeroPoint } = perTensor(output);
  return struct('tl_activation', 'activation', { ...activationRangeQuantized(activation, 'int16', scale, zeroPoint) });
}

interface Layer {
  readonly input: Tensor;
  readonly filter: Tensor;
  readonly bias: Tensor | null;
  readonly output: Tensor;
}

/** Null unless the layer is int16 activations with constant int8 or int16 weights and, if any, a constant bias. */
function layerOf(op: Op, graph: Graph): Layer | null {
  const [input, filter, output] = [inputTensor(op, graph), inputTensor(op, graph, 1), outputTensor(op, graph)];
  const biasId = op.inputs[2] ?? null;
  const bias = biasId === null ? null : tensorOf(graph, biasId);
  if (!isInt16(input) || !isInt16(output) || !(filter.dtype === 'int8' || isInt16(filter)) || !filter.data) return null;
  return bias && !bias.data ? null : { input, filter, bias, output };
}

/** C: tl_requant_s16, one multiplier per output channel. */
function requantStruct(
  op: Op & { readonly activation: Activation },
  layer: Layer,
  multipliers: readonly QuantizedMultiplier[],
): CValue {
  const isWide = layer.bias?.dtype !== 'int32';
  const tooLarge = multipliers.find(({ shift }) => isWide && shift > WIDE_SHIFT_MAX);
  if (tooLarge) {
    throw new UserError(
      `op ${op.index} ${op.kind}: input scale times weight scale is over ${2 ** WIDE_SHIFT_MAX} output scales, which TFLite's 16x8 ` +
        'kernels do not take; requantize the model',
    );
  }
  const column = (name: 'multiplier' | 'shift'): CValue =>
    constant({
      ctype: 'int32_t',
      name: `op${op.index}_${name}`,
      values: Int32Array.from(multipliers, (entry) => entry[name]),
      comment: `${name}, one per output channel`,
    });
  const bias = layer.bias ? tensorArg(layer.bias) : ({ kind: 'null' } as const);
  return struct('tl_requant_s16', 'requant', {
    multiplier: column('multiplier'),
    shift: column('shift'),
    bias_64: isWide ? bias : { kind: 'null' },
    bias_32: isWide ? { kind: 'null' } : bias,
    activation: activationInt16(op.activation, layer.output),
  });
}

function perChannel(layer: Layer, channels: number): QuantizedMultiplier[] {
  const scales = layer.filter.quantization?.scale ?? [];
  return channelMultipliers(perTensor(layer.input).scale, scales, perTensor(layer.output).scale, channels);
}

function kernelFor(stem: string, filter: Tensor): { readonly function: string; readonly header: string } {
  return isInt16(filter)
    ? { function: `${stem}_w16_s16`, header: 'tl_int16_w16.h' }
    : { function: `${stem}_s16`, header: INT16_HEADER };
}

function tile(name: string, h: number, w: number): CValue {
  return struct('tl_tile', name, { h, w });
}

export const lowerConvS16: LowerOp = (op, graph) => {
  if (op.kind !== 'CONV_2D' && op.kind !== 'DEPTHWISE_CONV_2D') return null;
  const layer = layerOf(op, graph);
  if (!layer) return null;
  const { input, filter, output } = layer;
  const [, inputH, inputW] = input.shape as Extents4;
  const [, filterH, filterW] = filter.shape as Extents4;
  const [, outputH, outputW, outputC] = output.shape as Extents4;
  const params = struct('tl_conv_params_s16', 'params', {
    stride: tile('stride', op.strideH, op.strideW),
    padding: tile(
      'padding',
      paddingBefore(op.padding, inputH, filterH, outputH, op.strideH, op.dilationH),
      paddingBefore(op.padding, inputW, filterW, outputW, op.strideW, op.dilationW),
    ),
    dilation: tile('dilation', op.dilationH, op.dilationW),
    requant: requantStruct(op, layer, perChannel(layer, outputC)),
  });
  return kernelCall(op, graph, {
    ...kernelFor(op.kind === 'CONV_2D' ? 'tl_convolve' : 'tl_depthwise_conv', filter),
    args: [
      params,
      dimsOf(input, 'input_dims'),
      tensorArg(input),
      dimsOf(filter, 'filter_dims'),
      tensorArg(filter),
      dimsOf(output, 'output_dims'),
      tensorArg(output),
    ],
  });
};

export const lowerFullyConnectedS16: LowerOp = (op, graph) => {
  if (op.kind !== 'FULLY_CONNECTED') return null;
  const layer = layerOf(op, graph);
  if (!layer) return null;
  const { input, filter, output } = layer;
  const [units, inputs] = filter.shape.slice(-2) as [number, number];
  const scales = filter.quantization?.scale ?? [];
  const multipliers =
    scales.length > 1
      ? perChannel(layer, units)
      : new Array<QuantizedMultiplier>(units).fill(
          fullyConnectedMultiplier(perTensor(input).scale, perTensor(filter).scale, perTensor(output).scale),
        );
  return kernelCall(op, graph, {
    ...kernelFor('tl_fully_connected', filter),
    args: [
      requantStruct(op, layer, multipliers),
      int(elementCount(output.shape) / units),
      int(inputs),
      tensorArg(input),
      tensorArg(filter),
      int(units),
      tensorArg(output),
    ],
  });
};

export const lowerPoolS16: LowerOp = (op, graph) => {
  if (op.kind !== 'AVERAGE_POOL_2D' && op.kind !== 'MAX_POOL_2D') return null;
  const [input, output] = [inputTensor(op, graph), outputTensor(op, graph)];
  if (!isInt16(input) || !isInt16(output)) return null;
  const [, inputH, inputW] = input.shape as Extents4;
  const [, outputH, outputW] = output.shape as Extents4;
  const params = struct('tl_pool_params_s16', 'params', {
    filter: tile('filter', op.filterH, op.filterW),
    stride: tile('stride', op.strideH, op.strideW),
    padding: tile(
      'padding',
      paddingBefore(op.padding, inputH, op.filterH, outputH, op.strideH, 1),
      paddingBefore(op.padding, inputW, op.filterW, outputW, op.strideW, 1),
    ),
    activation: activationInt16(op.activation, output),
  });
  return kernelCall(op, graph, {
    function: op.kind === 'AVERAGE_POOL_2D' ? 'tl_avgpool_s16' : 'tl_max_pool_s16',
    header: INT16_HEADER,
    args: [params, dimsOf(input, 'input_dims'), tensorArg(input), dimsOf(output, 'output_dims'), tensorArg(output)],
  });
};

export const lowerMeanS16: LowerOp = (op, graph) => {
  if (op.kind !== 'MEAN') return null;
  const [input, output] = [inputTensor(op, graph), outputTensor(op, graph)];
  if (!isInt16(input) || !isInt16(output)) return null;
  const form = meanForm(input.shape, op.axes);
  if (!form) return null;
  const count = form.reduced_0 * form.reduced_1;
  const { multiplier, shift } = meanMultiplier(perTensor(input).scale, perTensor(output).scale, count);
  const params = struct('tl_mean_params_s16', 'params', {
    ...form,
    output_multiplier: multiplier,
    output_shift: shift,
  });
  return kernelCall(op, graph, {
    function: 'tl_mean_s16',
    header: INT16_HEADER,
    args: [params, tensorArg(input), tensorArg(output)],
  });
};
