/**
 * Lowering: every op becomes a kernel call or an alias. The registry lists, per op kind, the lowerings to try in order; the first that does
 * not answer null wins. An op that none of them takes is the user's to know about, never guessed.
 */
import { UserError } from '../../../common/errors.ts';
import type { Graph, Op, OpKind, TensorId } from '../../ir/graph.ts';
import { tensorOf } from '../../ir/graph.ts';
import type { KernelCall, LowerOptions, Schedule } from '../../ir/schedule.ts';
import type { Alias } from './alias.ts';
import { isAliasKind, lowerAlias } from './alias.ts';
import { lowerConv2dS8 } from './conv-s8.ts';
import {
  lowerConcatenation,
  lowerPad,
  lowerResizeNearestNeighbor,
  lowerSplit,
  lowerStridedSlice,
  lowerTranspose,
} from './data-movement.ts';
import { lowerDepthwiseConv2dS8 } from './depthwise-s8.ts';
import { lowerAddS8, lowerExtremumS8, lowerMulS8, lowerSubS8 } from './elementwise-s8.ts';
import {
  lowerBinaryF32,
  lowerConvF32,
  lowerFullyConnectedF32,
  lowerMeanF32,
  lowerPoolF32,
  lowerSoftmaxF32,
  lowerUnaryF32,
} from './float.ts';
import { lowerDynamic } from './dynamic.ts';
import { fuseConvAdd } from './fuse-conv-add.ts';
import { fuseOuterConv } from './fuse-outer-conv.ts';
import { lowerFullyConnectedS8 } from './fully-connected-s8.ts';
import {
  lowerBinaryS16,
  lowerDequantizeS16F32,
  lowerQuantizeF32S16,
  lowerSoftmaxS16,
  lowerUnaryS16,
} from './int16-elementwise.ts';
import { lowerConvS16, lowerFullyConnectedS16, lowerMeanS16, lowerPoolS16 } from './int16.ts';
import type { LowerOp } from './lower-op.ts';
import { lowerLutS8 } from './lut-s8.ts';
import { lowerMeanS8, lowerPoolS8 } from './pooling-s8.ts';
import { lowerDequantize8, lowerQuantizeF32, lowerRequantize } from './quantize-s8.ts';
import { lowerSoftmaxS8 } from './softmax-s8.ts';

/** Each kind: lowerings in order of preference. Aliasing kinds are handled before the registry is asked. */
const REGISTRY: Readonly<Record<OpKind, readonly LowerOp[]>> = {
  CONV_2D: [lowerConv2dS8, lowerConvF32, lowerConvS16],
  DEPTHWISE_CONV_2D: [lowerDepthwiseConv2dS8, lowerConvF32, lowerConvS16],
  FULLY_CONNECTED: [lowerFullyConnectedS8, lowerFullyConnectedF32, lowerFullyConnectedS16],
  AVERAGE_POOL_2D: [lowerPoolS8, lowerPoolF32, lowerPoolS16],
  MAX_POOL_2D: [lowerPoolS8, lowerPoolF32, lowerPoolS16],
  MEAN: [lowerMeanS8, lowerMeanF32, lowerMeanS16],
  ADD: [lowerAddS8, lowerBinaryF32, lowerBinaryS16],
  SUB: [lowerSubS8, lowerBinaryF32, lowerBinaryS16],
  MUL: [lowerMulS8, lowerBinaryF32, lowerBinaryS16],
  MAXIMUM: [lowerExtremumS8, lowerBinaryF32, lowerBinaryS16],
  MINIMUM: [lowerExtremumS8, lowerBinaryF32, lowerBinaryS16],
  CONCATENATION: [lowerConcatenation],
  PAD: [lowerPad],
  RESHAPE: [],
  SQUEEZE: [],
  EXPAND_DIMS: [],
  STRIDED_SLICE: [lowerStridedSlice],
  TRANSPOSE: [lowerTranspose],
  SOFTMAX: [lowerSoftmaxS8, lowerSoftmaxF32, lowerSoftmaxS16],
  LOGISTIC: [lowerLutS8, lowerUnaryF32, lowerUnaryS16],
  TANH: [lowerLutS8, lowerUnaryF32, lowerUnaryS16],
  RELU: [lowerLutS8, lowerUnaryF32, lowerUnaryS16],
  RELU6: [lowerLutS8, lowerUnaryF32, lowerUnaryS16],
  HARD_SWISH: [lowerLutS8, lowerUnaryF32],
  LEAKY_RELU: [lowerLutS8, lowerUnaryF32, lowerUnaryS16],
  RESIZE_NEAREST_NEIGHBOR: [lowerResizeNearestNeighbor],
  SPLIT: [lowerSplit],
  QUANTIZE: [lowerLutS8, lowerRequantize, lowerQuantizeF32, lowerQuantizeF32S16],
  DEQUANTIZE: [lowerDequantize8, lowerDequantizeS16F32],
};

/** Lowers a verified graph. Throws UserError naming op, index and types when no kernel takes an op. */
export function lower(graph: Graph, options: LowerOptions): Schedule {
  const aliases: Alias[] = [];
  const calls: KernelCall[] = [];
  for (const op of graph.ops) {
    if (isAliasKind(op)) {
      const lowered = lowerAlias(op, graph, aliases);
      if ('alias' in lowered) aliases.push(lowered.alias);
      else calls.push(lowered.call);
    } else {
      calls.push(locating(op, graph, () => lowerDynamic(op, graph, options) ?? lowerByRegistry(op, graph, options)));
    }
  }
  return { graph, aliases, calls: options.fuse ? fuseOuterConv(fuseConvAdd(calls, graph), graph) : calls };
}

/** Messages about scales come from where no op is known: they get its index here. */
function locating<T>(op: Op, graph: Graph, work: () => T): T {
  try {
    return work();
  } catch (error) {
    const where = `op ${op.index} ${op.kind}`;
    if (!(error instanceof UserError) || error.message.includes(where)) throw error;
    throw new UserError(`${graph.name}: ${where}: ${error.message}`, error.exitCode);
  }
}

function lowerByRegistry(op: Op, graph: Graph, options: LowerOptions): KernelCall {
  for (const lowerOp of REGISTRY[op.kind]) {
    const call = lowerOp(op, graph, options);
    if (call) return call;
  }
  const types = (ids: readonly (TensorId | null)[]): string =>
    ids.map((id) => (id === null ? 'none' : tensorOf(graph, id).dtype)).join(', ');
  throw new UserError(
    `${graph.name}: op ${op.index} ${op.kind} (${types(op.inputs)} -> ${types(op.outputs)}): no kernel for these types and options; ` +
      'see kernels/README.md for what is supported',
  );
}
