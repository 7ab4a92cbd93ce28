/** DEPTHWISE_CONV_2D of int8 tensors: kernels of tl_convolution.h. */
import { assert } from '../../../common/errors.ts';
import type { Graph } from '../../ir/graph.ts';
import type { CField, CValue, KernelCall } from '../../ir/schedule.ts';
import { constant, dimsOf, kernelCall, tensorArg } from './call.ts';
import type { ConvOp, WeightedLayer } from './conv-params.ts';
import { convParams, layerMultipliers, quantStruct, weightedLayerS8 } from './conv-params.ts';
import type { LowerOp } from './lower-op.ts';
import { packDepthwise } from './pack-depthwise.ts';

const HEADER = 'tl_convolution.h';
/** Channels per block. */
const BLOCK = 4;

type DepthwiseOp = ConvOp & { readonly kind: 'DEPTHWISE_CONV_2D' };

export const lowerDepthwiseConv2dS8: LowerOp = (op, graph) => {
  if (op.kind !== 'DEPTHWISE_CONV_2D') return null;
  const layer = weightedLayerS8(op, graph);
  if (!layer || layer.filterZeroPoint !== 0) return null;
  const [, filterH = 1, filterW = 1, channels = 1] = layer.filter.shape;
  const multiplier = channels / (layer.input.shape[3] ?? 1);
  assert(
    Number.isInteger(multiplier),
    `DEPTHWISE_CONV_2D op ${op.index}: ${channels} channels of ${layer.input.shape[3]}`,
  );
  const multipliers = layerMultipliers(layer, channels);
  const packed =
    multiplier === 1 && channels % BLOCK === 0
      ? packDepthwise({ ...layer, channels, taps: filterH * filterW, multipliers })
      : null;
  if (!packed) return generalCall(op, graph, layer, multiplier);
  const name = `op${op.index}`;
  return kernelCall(op, graph, {
    function: 'tl_depthwise_conv_s8',
    header: HEADER,
    args: [
      depthwiseParams(op, layer, multiplier),
      dimsOf(layer.input, `${name}_input_dims`),
      tensorArg(layer.input),
      dimsOf(layer.filter, `${name}_filter_dims`),
      constant({
        ctype: 'int8_t',
        name: `${name}_filter`,
        values: packed.weights,
        comment: `filter [${layer.filter.shape.join(', ')}] in blocks of 4 channels: see ${HEADER}`,
      }),
      constant({
        ctype: 'int32_t',
        name: `${name}_constants`,
        values: packed.constants,
        comment: `{bias, multiplier, addend, shift} per channel: see ${HEADER}`,
      }),
      dimsOf(layer.output, `${name}_output_dims`),
      tensorArg(layer.output),
    ],
  });
};

/** C: tl_depthwise_params, which is tl_conv_params with the depth multiplier before the activation. */
function depthwiseParams(op: DepthwiseOp, layer: WeightedLayer, multiplier: number): CValue {
  const params = convParams(op, layer);
  assert(params.kind === 'struct', 'convParams is a struct');
  const isActivation = (field: CField): boolean => field.name === 'activation';
  return {
    ...params,
    ctype: 'tl_depthwise_params',
    fields: [
      ...params.fields.filter((field) => !isActivation(field)),
      { name: 'multiplier', value: { kind: 'int', value: multiplier } },
      ...params.fields.filter(isActivation),
    ],
  };
}

function generalCall(op: DepthwiseOp, graph: Graph, layer: WeightedLayer, multiplier: number): KernelCall {
  const name = `op${op.index}`;
  return kernelCall(op, graph, {
    function: 'tl_depthwise_conv_general_s8',
    header: HEADER,
    args: [
      depthwiseParams(op, layer, multiplier),
      quantStruct(op.index, layerMultipliers(layer, layer.filter.shape[3] ?? 1)),
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
