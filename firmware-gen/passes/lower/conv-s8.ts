/** CONV_2D of int8 tensors: kernels of tl_convolution.h. Which kernel, and every constant it needs, is settled here. */
import { assert } from '../../../common/errors.ts';
import type { CValue, KernelCall } from '../../ir/schedule.ts';
import { constant, dimsOf, kernelCall, struct, tensorArg } from './call.ts';
import type { ConvOp, WeightedLayer } from './conv-params.ts';
import { convParams, generalCall, layerMultipliers, weightedLayerS8 } from './conv-params.ts';
import type { LowerOp } from './lower-op.ts';
import type { PackedMatrix } from './pack-weights.ts';
import { packMatrix, packedConstants, pairedRowPlaces, quadPlaces } from './pack-weights.ts';
import type { Graph } from '../../ir/graph.ts';

const HEADER = 'tl_convolution.h';
const INT16_BYTES = 2;
/** Columns the matrix kernel takes at a time. */
const COLUMNS = 2;
/** Elements per turn of its loop. */
const COLUMN_MULTIPLE = 8;

export const lowerConv2dS8: LowerOp = (op, graph) => {
  if (op.kind !== 'CONV_2D') return null;
  const layer = weightedLayerS8(op, graph);
  if (!layer || layer.filterZeroPoint !== 0) return null;
  const depth = nhwc(layer.filter.shape)[3];
  if (nhwc(layer.input.shape)[3] !== depth)
    return generalCall(op, graph, layer, {
      function: 'tl_convolve_general_s8',
      header: HEADER,
      params: convParams(op, layer),
    });
  return (
    packedConvCall(op, graph, layer, layer.weights, layer.filter.shape) ??
    generalCall(op, graph, layer, {
      function: 'tl_convolve_general_s8',
      header: HEADER,
      params: convParams(op, layer),
    })
  );
};

/**
 * The call of a packed kernel for weights [channels, filterH, filterW, depth]; null when a channel leaves their ranges. Also for
 * DEPTHWISE_CONV_2D of a single input channel, which is such a convolution.
 */
export function packedConvCall(
  op: ConvOp,
  graph: Graph,
  layer: WeightedLayer,
  weights: Int8Array,
  filterShape: readonly number[],
): KernelCall | null {
  const [channels, filterH, filterW, depth] = nhwc(filterShape);
  const isQuads = depth % 4 === 0;
  const length = filterH * filterW * depth;
  const places = isQuads ? quadPlaces(length, COLUMN_MULTIPLE) : pairedRowPlaces(filterH, filterW * depth);
  const multipliers = layerMultipliers(layer, channels);
  const packed = packMatrix({ ...layer, weights, channels, length, multipliers }, places);
  if (!packed) return null;
  const isPointwise = filterH === 1 && filterW === 1 && isQuads;
  const name = isPointwise ? 'tl_convolve_1x1_s8' : isQuads ? 'tl_convolve_s8' : 'tl_convolve_few_channels_s8';
  return {
    ...kernelCall(op, graph, {
      function: name,
      header: HEADER,
      args: packedArgs(op, layer, packed, filterShape, isQuads ? '0-2-1-3' : 'natural'),
      inPlaceInputs: isPointwise && channels <= depth ? [layer.input] : [],
    }),
    scratchBytes: COLUMNS * INT16_BYTES * places.length,
  };
}

function nhwc(shape: readonly number[]): readonly [number, number, number, number] {
  assert(shape.length === 4, `CONV_2D operand of rank ${shape.length}`);
  return shape as readonly [number, number, number, number];
}

function packedArgs(
  op: ConvOp,
  layer: WeightedLayer,
  packed: PackedMatrix,
  filterShape: readonly number[],
  order: string,
): CValue[] {
  const name = `op${op.index}`;
  return [
    { kind: 'context' },
    convParams(op, layer),
    dimsOf(layer.input, `${name}_input_dims`),
    tensorArg(layer.input),
    filterDims(`${name}_filter_dims`, filterShape),
    constant({
      ctype: 'int8_t',
      name: `${name}_filter`,
      values: packed.weights,
      comment: `filter [${filterShape.join(', ')}] in blocks of 4 channels, columns in ${order} order: see ${HEADER}`,
    }),
    constant({
      ctype: 'int32_t',
      name: `${name}_constants`,
      values: packedConstants(packed),
      comment: `4 biases and 4 x {multiplier, addend, shift} per block of 4 channels: see ${HEADER}`,
    }),
    dimsOf(layer.output, `${name}_output_dims`),
    tensorArg(layer.output),
  ];
}

function filterDims(name: string, shape: readonly number[]): CValue {
  const [n, h, w, c] = nhwc(shape);
  return struct('tl_dims', name, { n, h, w, c });
}
