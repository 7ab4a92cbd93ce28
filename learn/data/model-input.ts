/** Between raw samples and a model's input tensor: the pipeline gives real numbers, the tensor's own quantization the integers. */
import { assert, UserError } from '../../common/errors.ts';
import { LEVELS_16, LEVELS_8, realScale, scaleForValues } from '../../firmware-gen/ir/dynamic.ts';
import { elementCount, tensorOf, type Graph, type Tensor, type TensorId } from '../../firmware-gen/ir/graph.ts';
import { roundHalfAwayFromZero, typeRange } from '../../firmware-gen/ir/quantized-math.ts';
import type { ReferenceResult } from '../../firmware-gen/reference/index.ts';
import { standardise, type Pipeline } from '../pipeline.ts';
import type { SampleForm, SampleSet } from './sample-set.ts';

/** @throws UserError for a model with several inputs */
export function inputTensor(graph: Graph): Tensor {
  const [id, ...more] = graph.inputs;
  assert(id !== undefined, 'a graph has an input');
  if (more.length === 0 || graph.dynamics) return tensorOf(graph, id);
  throw new UserError(`${graph.name}: has ${graph.inputs.length} inputs; data sets feed models with one`);
}

/** What one sample must look like. @throws UserError when the pipeline is for another input shape */
export function sampleForm(graph: Graph, pipeline: Pipeline | null): SampleForm {
  const elements = elementCount(inputTensor(graph).shape);
  if (pipeline === null) return { elements, hop: elements, frame: null };
  const frame = pipeline.channels.length;
  if (pipeline.windowFrames * frame === elements) return { elements, hop: pipeline.hopFrames * frame, frame };
  throw new UserError(
    `pipeline: gives windows of ${pipeline.windowFrames * frame} values, ${graph.name} takes ${elements}; use the model's own pipeline`,
  );
}

/**
 * Raw values to the real numbers a float model takes, [elements]. Without a pipeline they must be real already.
 * @throws UserError for raw counts without a pipeline
 */
export function realInput(
  values: ArrayLike<number>,
  pipeline: Pipeline | null,
  set: Pick<SampleSet, 'source' | 'isReal'>,
): Float32Array {
  if (pipeline !== null) return standardise(values, pipeline);
  if (set.isReal) return Float32Array.from(values);
  throw new UserError(
    `${set.source}: holds raw counts, and nothing says what they mean; put MODEL.pipeline.json beside the model or give --pipeline`,
  );
}

/** Little-endian bytes of the input tensor that stands for `values`: round half away from zero, saturated. */
export function inputBytes(tensor: Tensor, values: Float32Array): Uint8Array {
  if (tensor.dtype === 'float32') return new Uint8Array(values.slice().buffer);
  const { dtype, quantization } = tensor;
  assert(quantization !== null && (dtype === 'int8' || dtype === 'uint8' || dtype === 'int16'), `input is ${dtype}`);
  const { min, max } = typeRange(dtype);
  const [scale, zeroPoint] = [quantization.scale[0]!, quantization.zeroPoint[0]!];
  const steps = Array.from(values, (value) =>
    Math.min(max, Math.max(min, roundHalfAwayFromZero(value / scale) + zeroPoint)),
  );
  if (dtype === 'int16') return new Uint8Array(Int16Array.from(steps).buffer);
  return dtype === 'int8' ? new Uint8Array(Int8Array.from(steps).buffer) : Uint8Array.from(steps);
}

/**
 * Bytes of all inputs of a model with one data input. A dynamic model gets a scale with every sample: the finest that holds its values.
 */
export function modelInputs(graph: Graph, values: Float32Array): Uint8Array[] {
  const tensor = inputTensor(graph);
  const { dynamics } = graph;
  if (!dynamics) return [inputBytes(tensor, values)];
  const { scheme, leastInput } = dynamics;
  const least = leastInput === null ? SCALE_MIN : realScale(leastInput);
  const scale = scaleForValues(scheme, values, least, tensor.dtype === 'int16' ? LEVELS_16 : LEVELS_8);
  const quantization = { scale: [realScale(scale)], zeroPoint: [scale.zeroPoint], axis: 0 };
  const words = Int32Array.of(scale.multiplier, scale.shift, scale.zeroPoint);
  return [inputBytes({ ...tensor, quantization }, values), new Uint8Array(words.buffer)];
}

/** Smallest scale of an input that is all zero. */
const SCALE_MIN = 2 ** -40;

/** The scale, if `id` has one that is found at run time, as it was after `run`; else what the tensor says. */
export function quantizedTensor(
  graph: Graph,
  id: TensorId,
  run: Pick<ReferenceResult, 'allOpOutputs'>,
  inputs: readonly Uint8Array[],
): Tensor {
  const tensor = tensorOf(graph, id);
  const scaleId = graph.dynamics?.scaleOf.get(id);
  if (scaleId === undefined) return tensor;
  const producer = graph.ops.findIndex((op) => op.outputs[1] === scaleId);
  const bytes = producer < 0 ? inputs[1] : run.allOpOutputs[producer]?.[1];
  assert(bytes !== undefined, `scale of "${tensor.name}"`);
  const [multiplier = 0, shift = 0, zeroPoint = 0] = new Int32Array(bytes.slice().buffer);
  return { ...tensor, quantization: { scale: [realScale({ multiplier, shift })], zeroPoint: [zeroPoint], axis: 0 } };
}

/** Real values of a tensor's little-endian bytes; one scale per tensor. */
export function realValues(tensor: Tensor, bytes: Uint8Array): Float32Array {
  const { buffer } = new Uint8Array(bytes);
  if (tensor.dtype === 'float32') return new Float32Array(buffer);
  const integers = { int8: Int8Array, uint8: Uint8Array, int16: Int16Array } as const;
  const { dtype, quantization } = tensor;
  assert(quantization !== null && (dtype === 'int8' || dtype === 'uint8' || dtype === 'int16'), `tensor is ${dtype}`);
  const [scale, zeroPoint] = [quantization.scale[0]!, quantization.zeroPoint[0]!];
  return Float32Array.from(new integers[dtype](buffer), (q) => scale * (q - zeroPoint));
}
