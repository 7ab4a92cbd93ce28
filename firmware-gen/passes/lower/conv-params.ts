/** What CONV_2D, DEPTHWISE_CONV_2D and FULLY_CONNECTED of int8 have in common when they are lowered: operands, rescaling, C structs. */
import { defined } from '../../../common/errors.ts';
import type { Graph, Op, Tensor } from '../../ir/graph.ts';
import { tensorOf } from '../../ir/graph.ts';
import { channelMultipliers, paddingBefore } from '../../ir/op-params.ts';
import type { QuantizedMultiplier, QuantizedRange } from '../../ir/quantized-math.ts';
import { activationRangeQuantized } from '../../ir/quantized-math.ts';
import type { CValue, KernelCall } from '../../ir/schedule.ts';
import { dimsOf, inputTensor, kernelCall, outputTensor, scaleAndZeroPoint, struct, tensorArg } from './call.ts';

export type ConvOp = Op & { readonly kind: 'CONV_2D' | 'DEPTHWISE_CONV_2D' };
export type WeightedOp = Op & { readonly kind: 'CONV_2D' | 'DEPTHWISE_CONV_2D' | 'FULLY_CONNECTED' };

/** Operands of an int8 layer with constant weights. */
export interface WeightedLayer {
  readonly input: Tensor;
  readonly filter: Tensor;
  readonly output: Tensor;
  readonly weights: Int8Array;
  readonly filterZeroPoint: number;
  readonly biasTensor: Tensor | null;
  readonly bias: Int32Array | null;
  /** -(input zero point). */
  readonly inputOffset: number;
  /** Output zero point. */
  readonly outputOffset: number;
  readonly range: QuantizedRange;
}

/** Null unless input, weights and output are int8, the weights constant and the bias (if any) constant int32. */
export function weightedLayerS8(op: WeightedOp, graph: Graph): WeightedLayer | null {
  const [input, filter, output] = [inputTensor(op, graph), inputTensor(op, graph, 1), outputTensor(op, graph)];
  const biasId = op.inputs[2] ?? null;
  const biasTensor = biasId === null ? null : tensorOf(graph, biasId);
  if (input.dtype !== 'int8' || filter.dtype !== 'int8' || output.dtype !== 'int8' || !filter.data) return null;
  if (biasTensor && (biasTensor.dtype !== 'int32' || !biasTensor.data)) return null;
  const { scale, zeroPoint } = scaleAndZeroPoint(output);
  return {
    input,
    filter,
    output,
    weights: Int8Array.from(filter.data, (byte) => (byte << 24) >> 24),
    filterZeroPoint: filter.quantization?.zeroPoint.find((value) => value !== 0) ?? 0,
    biasTensor,
    bias: biasTensor?.data ? int32Values(biasTensor.data) : null,
    inputOffset: -scaleAndZeroPoint(input).zeroPoint || 0,
    outputOffset: zeroPoint,
    range: activationRangeQuantized(op.activation, 'int8', scale, zeroPoint),
  };
}

function int32Values(bytes: Uint8Array): Int32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Int32Array.from({ length: bytes.byteLength / 4 }, (_, i) => view.getInt32(4 * i, true));
}

/** One multiplier per output channel, from per-channel or per-tensor weight scales. */
export function layerMultipliers(layer: WeightedLayer, channels: number): QuantizedMultiplier[] {
  return channelMultipliers(
    scaleAndZeroPoint(layer.input).scale,
    defined(layer.filter.quantization, `quantization of ${layer.filter.name}`).scale,
    scaleAndZeroPoint(layer.output).scale,
    channels,
  );
}

export function activationStruct(range: QuantizedRange, name = 'activation'): CValue {
  return struct('tl_activation', name, { min: range.min, max: range.max });
}

/** Stride, padding and dilation: how tl_conv_params and tl_depthwise_params begin. */
export function convGeometry(
  op: ConvOp,
  input: Tensor,
  filter: Tensor,
  output: Tensor,
): { readonly stride: CValue; readonly padding: CValue; readonly dilation: CValue } {
  const [, inputH = 1, inputW = 1] = input.shape;
  const [, filterH = 1, filterW = 1] = filter.shape;
  const [, outputH = 1, outputW = 1] = output.shape;
  return {
    stride: struct('tl_tile', 'stride', { h: op.strideH, w: op.strideW }),
    padding: struct('tl_tile', 'padding', {
      h: paddingBefore(op.padding, inputH, filterH, outputH, op.strideH, op.dilationH),
      w: paddingBefore(op.padding, inputW, filterW, outputW, op.strideW, op.dilationW),
    }),
    dilation: struct('tl_tile', 'dilation', { h: op.dilationH, w: op.dilationW }),
  };
}

/** C: tl_conv_params. */
export function convParams(op: ConvOp, layer: WeightedLayer): CValue {
  return struct('tl_conv_params', `op${op.index}_params`, {
    ...convGeometry(op, layer.input, layer.filter, layer.output),
    input_offset: layer.inputOffset,
    output_offset: layer.outputOffset,
    activation: activationStruct(layer.range),
  });
}

/** C: tl_per_channel_quant over one entry per multiplier. */
export function quantStruct(opIndex: number, multipliers: readonly QuantizedMultiplier[]): CValue {
  const column = (name: string, values: readonly number[]): CValue => ({
    kind: 'constant',
    constant: {
      ctype: 'int32_t',
      name: `op${opIndex}_${name}`,
      values: Int32Array.from(values),
      comment: `${name}, one per output channel`,
    },
  });
  return struct('tl_per_channel_quant', `op${opIndex}_quant`, {
    multiplier: column(
      'multiplier',
      multipliers.map((entry) => entry.multiplier),
    ),
    shift: column(
      'shift',
      multipliers.map((entry) => entry.shift),
    ),
  });
}

/** The kernel that takes any layer of its kind, with weights as in the model. `params` is its struct. */
export function generalCall(
  op: ConvOp,
  graph: Graph,
  layer: WeightedLayer,
  kernel: { readonly function: string; readonly header: string; readonly params: CValue },
): KernelCall {
  const name = `op${op.index}`;
  return kernelCall(op, graph, {
    function: kernel.function,
    header: kernel.header,
    args: [
      kernel.params,
      quantStruct(op.index, layerMultipliers(layer, layer.output.shape[3] ?? 1)),
      dimsOf(layer.input, `${name}_input_dims`),
      tensorArg(layer.input),
      dimsOf(layer.filter, `${name}_filter_dims`),
      tensorArg(layer.filter),
      layer.biasTensor ? tensorArg(layer.biasTensor) : { kind: 'null' },
      dimsOf(layer.output, `${name}_output_dims`),
      tensorArg(layer.output),
    ],
  });
}
