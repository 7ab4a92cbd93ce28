/** DEPTHWISE_CONV_2D of int8 tensors: kernels of tl_convolution.h. */
import { assert } from '../../../common/errors.ts';
import type { Graph } from '../../ir/graph.ts';
import type { CField, CValue, KernelCall } from '../../ir/schedule.ts';
import { constant, dimsOf, kernelCall, tensorArg } from './call.ts';
import type { ConvOp, WeightedLayer } from './conv-params.ts';
import { convParams, generalCall, layerMultipliers, weightedLayerS8 } from './conv-params.ts';
import { packedConvCall } from './conv-s8.ts';
import type { LowerOp } from './lower-op.ts';
import type { DepthwiseLayer } from './pack-depthwise.ts';
import { packDepthwise3x3, packDepthwiseBlocks, prepareDepthwise } from './pack-depthwise.ts';

const HEADER = 'tl_convolution.h';
/** Channels per block. */
const BLOCK = 4;
/** Per column of the 3x3 kernel's scratch: 16 int16 values of the strip and 2 int32 sums. */
const STRIP_COLUMN_BYTES = 40;

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
  const packing = { ...layer, channels, taps: filterH * filterW, multipliers };
  if (multiplier === 1 && channels % BLOCK === 0) {
    const call = is3x3(op, layer) ? call3x3(op, graph, layer, packing) : blocksCall(op, graph, layer, packing);
    if (call) return call;
  }
  if (layer.input.shape[3] === 1) {
    const weights = channelsFirst(layer.weights, filterH * filterW, channels);
    const call = packedConvCall(op, graph, layer, weights, [channels, filterH, filterW, 1]);
    if (call) return call;
  }
  return generalCall(op, graph, layer, {
    function: 'tl_depthwise_conv_general_s8',
    header: HEADER,
    params: depthwiseParams(op, layer, multiplier),
  });
};

/** [taps, channels] to [channels, taps]. */
function channelsFirst(weights: Int8Array, taps: number, channels: number): Int8Array {
  return Int8Array.from(weights, (_, at) => weights[(at % taps) * channels + Math.floor(at / taps)] as number);
}

function is3x3(op: DepthwiseOp, layer: WeightedLayer): boolean {
  const [, filterH, filterW] = layer.filter.shape;
  const isPlain = op.strideH === op.strideW && op.strideH <= 2 && op.dilationH === 1 && op.dilationW === 1;
  return filterH === 3 && filterW === 3 && isPlain;
}

function call3x3(op: DepthwiseOp, graph: Graph, layer: WeightedLayer, packing: DepthwiseLayer): KernelCall | null {
  const prepared = prepareDepthwise(packing, true);
  if (!prepared) return null;
  const [, outputH = 1, outputW = 1] = layer.output.shape;
  const [run, isUpright] = [Math.max(outputH, outputW), outputH > outputW];
  const filter = packedFilter(
    op,
    layer,
    packDepthwise3x3(prepared, isUpright),
    `{w0, w1, w1, w2} across the ${isUpright ? 'width' : 'height'}`,
  );
  const isStride2 = op.strideH === 2;
  const columns = isStride2 ? 2 * run + 2 : run + 2 + (run % 2);
  return {
    ...kernelCall(op, graph, {
      function: isStride2 ? 'tl_depthwise_conv_3x3_stride2_s8' : 'tl_depthwise_conv_3x3_s8',
      header: HEADER,
      args: [
        { kind: 'context' },
        depthwiseParams(op, layer, 1),
        dimsOf(layer.input, `op${op.index}_input_dims`),
        tensorArg(layer.input),
        filter,
        packedConstants(op, prepared.constants),
        dimsOf(layer.output, `op${op.index}_output_dims`),
        tensorArg(layer.output),
      ],
      inPlaceInputs: op.padding === 'SAME' && !isStride2 ? [layer.input] : [],
    }),
    scratchBytes: columns * STRIP_COLUMN_BYTES,
  };
}

function blocksCall(op: DepthwiseOp, graph: Graph, layer: WeightedLayer, packing: DepthwiseLayer): KernelCall | null {
  const prepared = prepareDepthwise(packing, false);
  if (!prepared) return null;
  return kernelCall(op, graph, {
    function: 'tl_depthwise_conv_s8',
    header: HEADER,
    args: [
      depthwiseParams(op, layer, 1),
      dimsOf(layer.input, `op${op.index}_input_dims`),
      tensorArg(layer.input),
      dimsOf(layer.filter, `op${op.index}_filter_dims`),
      packedFilter(op, layer, packDepthwiseBlocks(prepared), 'blocks of 4 channels'),
      packedConstants(op, prepared.constants),
      dimsOf(layer.output, `op${op.index}_output_dims`),
      tensorArg(layer.output),
    ],
  });
}

function packedFilter(op: DepthwiseOp, layer: WeightedLayer, values: Int8Array, layout: string): CValue {
  const comment = `filter [${layer.filter.shape.join(', ')}] as ${layout}: see ${HEADER}`;
  return constant({ ctype: 'int8_t', name: `op${op.index}_filter`, values, comment });
}

function packedConstants(op: DepthwiseOp, values: Int32Array): CValue {
  const comment = `{bias, multiplier, addend, shift} per channel: see ${HEADER}`;
  return constant({ ctype: 'int32_t', name: `op${op.index}_constants`, values, comment });
}

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
