/** FULLY_CONNECTED of int8 tensors: kernels of tl_fully_connected.h. */
import { defined } from '../../../common/errors.ts';
import type { Graph } from '../../ir/graph.ts';
import { elementCount } from '../../ir/graph.ts';
import { fullyConnectedMultiplier } from '../../ir/op-params.ts';
import type { QuantizedMultiplier } from '../../ir/quantized-math.ts';
import type { CValue, KernelCall } from '../../ir/schedule.ts';
import { constant, kernelCall, scaleAndZeroPoint, struct, tensorArg } from './call.ts';
import type { WeightedLayer, WeightedOp } from './conv-params.ts';
import { activationStruct, layerMultipliers, quantStruct, weightedLayerS8 } from './conv-params.ts';
import type { LowerOp } from './lower-op.ts';
import type { PackedMatrix } from './pack-weights.ts';
import { packMatrix, packedBias, packedConstants, quadPlaces } from './pack-weights.ts';

const HEADER = 'tl_fully_connected.h';

interface Extents {
  readonly rows: number;
  readonly units: number;
  readonly depth: number;
}

export const lowerFullyConnectedS8: LowerOp = (op, graph) => {
  if (op.kind !== 'FULLY_CONNECTED') return null;
  const layer = weightedLayerS8(op, graph);
  if (!layer) return null;
  const units = defined(layer.filter.shape.at(-2), 'FULLY_CONNECTED weight rows');
  const depth = defined(layer.filter.shape.at(-1), 'FULLY_CONNECTED weight columns');
  const extents = { rows: elementCount(layer.output.shape) / units, units, depth };
  const isPerChannel = scalesOf(layer).length > 1;
  const multipliers = multipliersOf(layer, units);
  const packed =
    layer.filterZeroPoint === 0
      ? packMatrix({ ...layer, channels: units, length: depth, multipliers }, quadPlaces(depth, 4))
      : null;
  if (!packed) return generalCall(op, graph, layer, extents, isPerChannel ? multipliers : multipliers.slice(0, 1));
  return isUniform(packed)
    ? perTensorCall(op, graph, layer, extents, packed)
    : perChannelCall(op, graph, layer, extents, packed);
};

/** One rescaling for all units: one scale, and no unit whose constant value needs a rescaling of its own. */
function isUniform({ rescaling }: PackedMatrix): boolean {
  const [first] = rescaling;
  return rescaling.every(
    (entry) => entry.multiplier === first?.multiplier && entry.addend === first.addend && entry.shift === first.shift,
  );
}

function scalesOf(layer: WeightedLayer): readonly number[] {
  return defined(layer.filter.quantization, `quantization of ${layer.filter.name}`).scale;
}

/** One per unit. With one weight scale TFLite multiplies scales in float32, with several in double. */
function multipliersOf(layer: WeightedLayer, units: number): QuantizedMultiplier[] {
  const scales = scalesOf(layer);
  if (scales.length > 1) return layerMultipliers(layer, units);
  const [input, output] = [scaleAndZeroPoint(layer.input).scale, scaleAndZeroPoint(layer.output).scale];
  const common = fullyConnectedMultiplier(input, defined(scales[0], `scale of ${layer.filter.name}`), output);
  return Array.from({ length: units }, () => common);
}

function rowDims(name: string, rows: number, columns: number): CValue {
  return struct('tl_dims', name, { n: rows, h: 1, w: 1, c: columns });
}

function packedFilter(op: WeightedOp, { units, depth }: Extents, packed: PackedMatrix): CValue {
  return constant({
    ctype: 'int8_t',
    name: `op${op.index}_filter`,
    values: packed.weights,
    comment: `weights [${units}, ${depth}] in blocks of 4 units, columns in 0-2-1-3 order: see ${HEADER}`,
  });
}

function perTensorCall(
  op: WeightedOp,
  graph: Graph,
  layer: WeightedLayer,
  extents: Extents,
  packed: PackedMatrix,
): KernelCall {
  const name = `op${op.index}`;
  const { multiplier, addend, shift } = defined(packed.rescaling[0], 'rescaling');
  return kernelCall(op, graph, {
    function: 'tl_fully_connected_s8',
    header: HEADER,
    args: [
      struct('tl_fully_connected_params', `${name}_params`, {
        multiplier,
        addend,
        shift,
        activation: activationStruct(layer.range),
      }),
      rowDims(`${name}_input_dims`, extents.rows, extents.depth),
      tensorArg(layer.input),
      packedFilter(op, extents, packed),
      constant({
        ctype: 'int32_t',
        name: `${name}_bias`,
        values: packedBias(packed),
        comment: `biases in blocks of 4 units: see ${HEADER}`,
      }),
      rowDims(`${name}_output_dims`, extents.rows, extents.units),
      tensorArg(layer.output),
    ],
  });
}

function perChannelCall(
  op: WeightedOp,
  graph: Graph,
  layer: WeightedLayer,
  extents: Extents,
  packed: PackedMatrix,
): KernelCall {
  const name = `op${op.index}`;
  return kernelCall(op, graph, {
    function: 'tl_fully_connected_per_channel_s8',
    header: HEADER,
    args: [
      activationStruct(layer.range, `${name}_activation`),
      rowDims(`${name}_input_dims`, extents.rows, extents.depth),
      tensorArg(layer.input),
      packedFilter(op, extents, packed),
      constant({
        ctype: 'int32_t',
        name: `${name}_constants`,
        values: packedConstants(packed),
        comment: '4 biases and 4 x {multiplier, addend, shift} per block of 4 units: see tl_convolution.h',
      }),
      rowDims(`${name}_output_dims`, extents.rows, extents.units),
      tensorArg(layer.output),
    ],
  });
}

function generalCall(
  op: WeightedOp,
  graph: Graph,
  layer: WeightedLayer,
  extents: Extents,
  multipliers: readonly QuantizedMultiplier[],
): KernelCall {
  const name = `op${op.index}`;
  return kernelCall(op, graph, {
    function: 'tl_fully_connected_general_s8',
    header: HEADER,
    args: [
      struct('tl_fully_connected_general_params', `${name}_params`, {
        input_offset: layer.inputOffset,
        filter_offset: -layer.filterZeroPoint || 0,
        output_offset: layer.outputOffset,
        per_channel: multipliers.length > 1 ? 1 : 0,
        activation: activationStruct(layer.range),
      }),
      quantStruct(op.index, multipliers),
      rowDims(`${name}_input_dims`, extents.rows, extents.depth),
      tensorArg(layer.input),
      tensorArg(layer.filter),
      layer.biasTensor ? tensorArg(layer.biasTensor) : { kind: 'null' },
      rowDims(`${name}_output_dims`, extents.rows, extents.units),
      tensorArg(layer.output),
    ],
  });
}
