/**
 * Operator versions as TFLite's converter assigns them, so that a runtime too old for an operator's types refuses the file.
 * Source: tensorflow 03f49db5, compiler/mlir/lite/tools/versioning/op_version.cc, restricted to the types and options of the IR.
 */
import { tensorOf, type DType, type Graph, type Op, type OpKind } from '../../ir/graph.ts';

/** By type of the first input; 1 where nothing is listed. */
type VersionsByType = Readonly<Partial<Record<DType, number>>>;

const EIGHT_BIT_SECOND: VersionsByType = { int8: 2, int16: 3 };

const VERSIONS: Readonly<Record<OpKind, VersionsByType>> = {
  CONV_2D: { int8: 3, int16: 4 },
  DEPTHWISE_CONV_2D: { int8: 3, int16: 5 },
  FULLY_CONNECTED: { int8: 4, int16: 7 },
  AVERAGE_POOL_2D: EIGHT_BIT_SECOND,
  MAX_POOL_2D: EIGHT_BIT_SECOND,
  MEAN: EIGHT_BIT_SECOND,
  ADD: { ...EIGHT_BIT_SECOND, int64: 4 },
  SUB: { int8: 2, int16: 5, int64: 4 },
  MUL: { int8: 2, int16: 4, int64: 5 },
  MAXIMUM: { int8: 2, int16: 4 },
  MINIMUM: { int8: 2, int16: 4 },
  CONCATENATION: EIGHT_BIT_SECOND,
  PAD: { ...EIGHT_BIT_SECOND, bool: 5 },
  RESHAPE: {},
  SQUEEZE: {},
  EXPAND_DIMS: {},
  STRIDED_SLICE: { int8: 2, bool: 3 },
  TRANSPOSE: { int8: 2, bool: 3, int16: 5 },
  SOFTMAX: EIGHT_BIT_SECOND,
  LOGISTIC: EIGHT_BIT_SECOND,
  TANH: EIGHT_BIT_SECOND,
  RELU: { int8: 2, uint8: 2, int16: 3 },
  RELU6: EIGHT_BIT_SECOND,
  HARD_SWISH: {},
  LEAKY_RELU: { int16: 2 },
  RESIZE_NEAREST_NEIGHBOR: { int8: 2, int16: 4 },
  SPLIT: { int8: 2, int32: 3, int16: 4 },
  QUANTIZE: {},
  DEQUANTIZE: { int8: 2, int16: 3 },
};

export function operatorVersion(op: Op, graph: Graph): number {
  const operands = op.inputs.flatMap((id) => (id === null ? [] : [tensorOf(graph, id)]));
  const [input] = operands;
  if (!input) throw new Error(`internal: op ${op.index} ${op.kind} has no input`);
  const version = VERSIONS[op.kind][input.dtype] ?? 1;
  const rank = input.shape.length;
  switch (op.kind) {
    case 'DEPTHWISE_CONV_2D':
      return version === 1 && (op.dilationH !== 1 || op.dilationW !== 1) ? 2 : version;
    case 'FULLY_CONNECTED':
      if (input.dtype === 'int16') return version;
      if (op.inputs.length === 2) return 6;
      return op.keepNumDims ? 5 : version;
    case 'MUL':
      return input.dtype === 'int8' && productScale(op, graph) >= 1 ? 3 : version;
    case 'SUB':
      return isBroadcast(operands) && maxRank(operands) > 4 && input.dtype !== 'int16' ? 3 : version;
    case 'MAXIMUM':
    case 'MINIMUM':
      return isBroadcast(operands) && maxRank(operands) > 4 && input.dtype !== 'int16' ? 3 : version;
    case 'PAD':
    case 'STRIDED_SLICE':
      return rank > 4 && input.dtype !== 'bool' ? 4 : version;
    case 'TRANSPOSE':
      if (rank > 6) return 8;
      if (rank > 5) return 6;
      return rank > 4 && input.dtype !== 'int16' ? 4 : version;
    case 'RESIZE_NEAREST_NEIGHBOR':
      return input.dtype !== 'int16' && (op.alignCorners || op.halfPixelCenters) ? 3 : version;
    case 'QUANTIZE':
      return tensorOf(graph, op.outputs[0]!).dtype === 'int16' ? 2 : version;
    default:
      return version;
  }
}

interface Shaped {
  readonly shape: readonly number[];
}

function isBroadcast([a, b]: readonly Shaped[]): boolean {
  return a?.shape.join() !== b?.shape.join();
}

function maxRank(tensors: readonly Shaped[]): number {
  return Math.max(...tensors.map(({ shape }) => shape.length));
}

/** Input scales multiplied, over the output's: from 1 up the product is rescaled to the left. */
function productScale(op: Op, graph: Graph): number {
  const scaleOf = (id: Op['outputs'][number] | null | undefined): number =>
    id === null || id === undefined ? 0 : (tensorOf(graph, id).quantization?.scale[0] ?? 0);
  return (scaleOf(op.inputs[0]) * scaleOf(op.inputs[1])) / scaleOf(op.outputs[0]);
}
