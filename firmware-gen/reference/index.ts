/**
 * The oracle: runs a graph with TFLite Micro's semantics, bit-exact for integer types (tests compare with tflite-micro's own outputs) and
 * with one fixed order of float32 operations otherwise. Weights stay as imported; nothing is fused or folded.
 */
import { assert, defined } from '../../common/errors.ts';
import type { Graph, Op } from '../ir/graph.ts';
import { prepareActivation } from './activations.ts';
import type { Buffers } from './buffers.ts';
import { allocateBuffers, bytesOf, viewOf } from './buffers.ts';
import { prepareConv2d } from './conv.ts';
import {
  prepareConcatenation,
  prepareCopy,
  preparePad,
  prepareResizeNearest,
  prepareSplit,
  prepareStridedSlice,
  prepareTranspose,
} from './data-movement.ts';
import { prepareDepthwiseConv2d } from './depthwise-conv.ts';
import { prepareDynamicAdd, prepareDynamicConcatenation, prepareDynamicWeighted } from './dynamic.ts';
import { prepareDynamicAddS16, prepareDynamicConcatenationS16, prepareDynamicWeightedS16 } from './dynamic-s16.ts';
import { isInt16Op } from '../ir/dynamic-weights.ts';
import { prepareArithmetic, prepareExtremum } from './elementwise.ts';
import { prepareFullyConnected } from './fully-connected.ts';
import { prepareMean } from './mean.ts';
import { preparePool2d } from './pooling.ts';
import { prepareDequantize, prepareQuantize } from './quantize.ts';
import { prepareSoftmax } from './softmax.ts';

/** All values are copies of the tensors' little-endian bytes. */
export interface ReferenceResult {
  /** By position in graph.outputs. */
  readonly outputs: Uint8Array[];
  /** First output of every op, by position in graph.ops. */
  readonly opOutputs: Uint8Array[];
  /** All outputs of every op, by position in graph.ops. */
  readonly allOpOutputs: Uint8Array[][];
}

export interface Reference {
  /** Runs one inference; `inputs` are little-endian bytes by position in graph.inputs. Throws (internal) on a wrong length. */
  run(inputs: readonly Uint8Array[]): ReferenceResult;
  /** As run, but gives only the graph outputs: no copies of intermediate tensors. */
  runOutputs(inputs: readonly Uint8Array[]): Uint8Array[];
}

/** Allocates buffers, resolves every op's parameters and index maps, and gives a reusable runner. */
export function createReference(graph: Graph): Reference {
  const buffers = allocateBuffers(graph);
  const steps = graph.ops.map((op) => prepare(op, buffers));
  const runOutputs = (inputs: readonly Uint8Array[]): Uint8Array[] => {
    assert(
      inputs.length === graph.inputs.length,
      `${graph.name} takes ${graph.inputs.length} inputs, got ${inputs.length}`,
    );
    for (const [position, id] of graph.inputs.entries()) {
      const target = new Uint8Array(viewOf(buffers, id).buffer);
      const source = defined(inputs[position], `input ${position}`);
      assert(source.length === target.length, `input ${position} takes ${target.length} bytes, got ${source.length}`);
      target.set(source);
    }
    for (const step of steps) step();
    return graph.outputs.map((id) => bytesOf(buffers, id));
  };
  return {
    runOutputs,
    run: (inputs) => {
      const outputs = runOutputs(inputs);
      const allOpOutputs = graph.ops.map((op) => op.outputs.map((id) => bytesOf(buffers, id)));
      const opOutputs = allOpOutputs.map((all, index) => defined(all[0], `output of op ${index}`));
      return { outputs, opOutputs, allOpOutputs };
    },
  };
}

/** One inference without keeping the runner. */
export function runReference(graph: Graph, inputs: readonly Uint8Array[]): ReferenceResult {
  return createReference(graph).run(inputs);
}

function prepare(op: Op, buffers: Buffers): () => void {
  if (op.dynamic) {
    const dynamic = prepareDynamic(op, buffers);
    if (dynamic) return dynamic;
  }
  switch (op.kind) {
    case 'CONV_2D':
      return prepareConv2d(op, buffers);
    case 'DEPTHWISE_CONV_2D':
      return prepareDepthwiseConv2d(op, buffers);
    case 'FULLY_CONNECTED':
      return prepareFullyConnected(op, buffers);
    case 'AVERAGE_POOL_2D':
    case 'MAX_POOL_2D':
      return preparePool2d(op, buffers);
    case 'MEAN':
      return prepareMean(op, buffers);
    case 'ADD':
    case 'SUB':
    case 'MUL':
      return prepareArithmetic(op, buffers);
    case 'MAXIMUM':
    case 'MINIMUM':
      return prepareExtremum(op, buffers);
    case 'CONCATENATION':
      return prepareConcatenation(op, buffers);
    case 'PAD':
      return preparePad(op, buffers);
    case 'RESHAPE':
    case 'SQUEEZE':
    case 'EXPAND_DIMS':
      return prepareCopy(op, buffers);
    case 'STRIDED_SLICE':
      return prepareStridedSlice(op, buffers);
    case 'TRANSPOSE':
      return prepareTranspose(op, buffers);
    case 'SOFTMAX':
      return prepareSoftmax(op, buffers);
    case 'LOGISTIC':
    case 'TANH':
    case 'RELU':
    case 'RELU6':
    case 'LEAKY_RELU':
    case 'HARD_SWISH':
      return prepareActivation(op, buffers);
    case 'RESIZE_NEAREST_NEIGHBOR':
      return prepareResizeNearest(op, buffers);
    case 'SPLIT':
      return prepareSplit(op, buffers);
    case 'QUANTIZE':
      return prepareQuantize(op, buffers);
    case 'DEQUANTIZE':
      return prepareDequantize(op, buffers);
  }
}

/** Null for kinds whose static kernel asks for the scale itself. */
function prepareDynamic(op: Op, buffers: Buffers): (() => void) | null {
  const isWide = isInt16Op(op, buffers.graph);
  switch (op.kind) {
    case 'CONV_2D':
    case 'DEPTHWISE_CONV_2D':
    case 'FULLY_CONNECTED':
      return isWide ? prepareDynamicWeightedS16(op, buffers) : prepareDynamicWeighted(op, buffers);
    case 'ADD':
      return isWide ? prepareDynamicAddS16(op, buffers) : prepareDynamicAdd(op, buffers);
    case 'CONCATENATION':
      return isWide ? prepareDynamicConcatenationS16(op, buffers) : prepareDynamicConcatenation(op, buffers);
    default:
      return null;
  }
}
