/** Takes a quantized classifier apart: the encoder stays as it is, the last dense layer or two become layers that learn (ir/adaptation.ts). */
import { UserError, assert, defined } from '../../common/errors.ts';
import type { Adaptation, AdaptationOptions, AdaptCalibration, AdaptLayer } from '../ir/adaptation.ts';
import { runScale, type RunScale } from '../ir/dynamic.ts';
import { tensorOf, type Graph, type Op, type TensorId } from '../ir/graph.ts';
import { verify } from '../ir/verify.ts';
import { BIAS_INPUT, STEPS, rateOf, weights16 } from '../reference/adaptation/layers.ts';
import { compact } from './compact.ts';
import { NOMINAL, dynamicMetadata, expandDynamic, stripDynamic } from './dynamic.ts';

type Dense = Op & { readonly kind: 'FULLY_CONNECTED' };

/** A dense layer of the model in real numbers. */
interface RealLayer {
  readonly size: number;
  readonly outputs: number;
  readonly isRelu: boolean;
  /** [outputs, size]. */
  readonly weights: Float64Array;
  readonly bias: Float64Array;
  /** Steps of the int8 weights, by output. */
  readonly weightSteps: readonly number[];
  readonly input: TensorId;
  readonly output: TensorId;
}

/** Static 16 bit: bits that stay free for growing weights; products of a calibrated feature and a delta then take 24 bits, nine too many. */
export const HEADROOM_STATIC = 2;
const GRADIENT_SHIFT = 9;
/** What goes back has at most 26 bits less that headroom. */
const DELTA_SHIFT = 11 - HEADROOM_STATIC;

/** The dense layers at the end, the last one first, at most two; a SOFTMAX behind them does not change which class is largest. */
function denseLayers(graph: Graph): Dense[] {
  const producer = (id: TensorId): Op | undefined => graph.ops.find((op) => op.outputs[0] === id);
  let op = producer(defined(graph.outputs[0], 'output'));
  if (op?.kind === 'SOFTMAX') op = producer(defined(op.inputs[0], 'input'));
  const found: Dense[] = [];
  while (op?.kind === 'FULLY_CONNECTED' && found.length < 2) {
    found.push(op);
    op = producer(defined(op.inputs[0], 'input'));
  }
  return found;
}

function realLayer(graph: Graph, op: Dense): RealLayer {
  const [input, filterId, biasId] = op.inputs;
  const filter = tensorOf(graph, defined(filterId, 'filter'));
  const fail = (what: string): never => {
    throw new UserError(
      `${graph.name}: op ${op.index} FULLY_CONNECTED ${what}, which cannot learn on the device; quantize the model to int8`,
    );
  };
  if (filter.dtype !== 'int8' || filter.data === null) fail(`has ${filter.dtype} weights`);
  if (tensorOf(graph, defined(input, 'input')).dtype !== 'int8') fail('has an input that is not int8');
  if (op.activation !== 'NONE' && op.activation !== 'RELU') fail(`ends with ${op.activation}`);
  const [outputs, size] = filter.shape as [number, number];
  if (size > 1023 || outputs > 256) fail(`has ${size} inputs and ${outputs} outputs, more than 1023 and 256`);
  const { scale } = defined(filter.quantization, 'quantization');
  const weightSteps = Array.from({ length: outputs }, (_, c) => scale[scale.length === 1 ? 0 : c]!);
  const integers = new Int8Array(filter.data!.slice().buffer);
  const bias = new Float64Array(outputs);
  if (biasId !== null && biasId !== undefined) {
    const tensor = tensorOf(graph, biasId);
    const steps = defined(tensor.quantization, 'quantization').scale;
    const values = new Int32Array(defined(tensor.data, 'bias').slice().buffer);
    for (const [c, value] of values.entries()) bias[c] = value * steps[steps.length === 1 ? 0 : c]!;
  }
  return {
    ...{ size, outputs, weightSteps, bias, isRelu: op.activation === 'RELU' },
    weights: Float64Array.from(integers, (value, i) => value * weightSteps[Math.floor(i / size)]!),
    input: defined(input, 'input'),
    output: op.outputs[0]!,
  };
}

/** Everything up to `features`. */
function encoderOf(graph: Graph, features: TensorId, plain: Graph): Graph {
  const needed = new Set<TensorId>([features]);
  const ops = [...plain.ops].reverse().filter((op) => {
    if (!op.outputs.some((id) => needed.has(id))) return false;
    for (const id of op.inputs) if (id !== null) needed.add(id);
    return true;
  });
  const cut = compact({ ...plain, ops: ops.reverse(), outputs: [features] });
  if (!graph.dynamics) return cut;
  const tensors = cut.tensors.map((tensor) =>
    tensor.dtype === 'int8' && tensor.data === null ? { ...tensor, quantization: NOMINAL } : tensor,
  );
  const encoder = expandDynamic({ ...cut, tensors }, dynamicMetadata(graph));
  verify(encoder);
  return encoder;
}

export interface Steps {
  /** Of the int16 input. */
  readonly input: number;
  /** Of the int16 output; 1 for logits. */
  readonly output: number;
}

/** A dense layer of the model in real numbers, its weights aside. */
export type LayerForm = Pick<RealLayer, 'size' | 'outputs' | 'isRelu'>;

export function learningLayer(
  real: LayerForm,
  steps: Steps,
  options: AdaptationOptions,
): { layer: AdaptLayer; rate: number } {
  // Steps of weights are those of the output over those of the input: gradients count in the inverse, so rates in its square.
  const rate = Math.fround(options.rate * (steps.input / steps.output) ** 2);
  const { size, outputs, isRelu } = real;
  if (!(rate >= 2 ** -41 && rate < 2 ** 13))
    throw new UserError(
      `rate ${options.rate} becomes ${rate} in the steps of this model, 2^-41 to 2^13 are possible; choose another`,
    );
  return {
    layer: { size, outputs, isRelu, ...rateOf(rate), gradientShift: GRADIENT_SHIFT, deltaShift: DELTA_SHIFT },
    rate,
  };
}

/** Steps folded in, with the bias as a column. @param weights [outputs, size] */
export function foldedWeights(
  { size, outputs, weights, bias }: Pick<RealLayer, 'size' | 'outputs' | 'weights' | 'bias'>,
  { input, output }: Steps,
): Float32Array {
  const folded = new Float32Array(outputs * (size + 1));
  for (let c = 0; c < outputs; c += 1) {
    for (let i = 0; i < size; i += 1) folded[c * (size + 1) + i] = (weights[c * size + i]! * input) / output;
    folded[c * (size + 1) + size] = bias[c]! / output / BIAS_INPUT;
  }
  return folded;
}

function calibrationOf(graph: Graph, real: RealLayer, { input, output }: Steps): AdaptCalibration {
  const { scale, zeroPoint } = defined(tensorOf(graph, real.output).quantization, 'quantization of the output');
  const steps = real.weightSteps.map((step) => (step * input) / output);
  return {
    weights: steps.map((step) => runScale(1 / step)),
    output: steps.map((step) => runScale((step * output) / scale[0]!)),
    outputZeroPoint: zeroPoint[0]! || 0,
  };
}

/** Real step of an int8 tensor of a static model. */
function staticScale(graph: Graph, id: TensorId): RunScale & { real: number } {
  const { scale, zeroPoint } = defined(tensorOf(graph, id).quantization, 'quantization of the features');
  return { ...runScale(scale[0]!, zeroPoint[0]! || 0), real: scale[0]! };
}

/** Inputs of the layers that learn. */
export function learningInputs(graph: Graph, layers: AdaptationOptions['layers']): TensorId[] {
  const found = denseLayers(graph).slice(0, layers === 'block' ? 2 : 1);
  return found.reverse().map((op) => defined(op.inputs[0], 'input'));
}

/** Real steps of the int8 inputs of the layers that learn, of a static model: what AdaptationOptions.steps wants for its dynamic form. */
export function calibratedSteps(graph: Graph, layers: AdaptationOptions['layers']): number[] {
  return learningInputs(graph, layers).map((id) => staticScale(graph, id).real);
}

/** @throws UserError for a model that does not end with int8 dense layers, and rates that its steps cannot hold */
export function adaptation(graph: Graph, options: AdaptationOptions): Adaptation {
  const wanted = options.layers === 'block' ? 2 : 1;
  const plain = graph.dynamics ? stripDynamic(graph) : graph;
  const found = denseLayers(plain);
  if (found.length < wanted || plain.inputs.length !== 1)
    throw new UserError(
      `${graph.name}: ends with ${found.length} dense layers, adaptation of "${options.layers}" takes ${wanted}; choose other layers, or another model`,
    );
  const reals = found
    .slice(0, wanted)
    .reverse()
    .map((op) => realLayer(plain, op));
  const scales = graph.dynamics ? null : reals.map(({ input }) => staticScale(graph, input));
  const int8Steps = scales?.map(({ real }) => real) ?? defined(options.steps, 'steps of a dynamic model');
  assert(int8Steps.length === wanted, 'one step per layer');
  const inputSteps = int8Steps.map((step) => step / STEPS);
  const steps = reals.map((_, i): Steps => ({ input: inputSteps[i]!, output: inputSteps[i + 1] ?? 1 }));
  const learning = reals.map((real, i) => learningLayer(real, steps[i]!, options));
  const isDynamic = options.arithmetic === 'dynamic-16';
  const headroom = options.arithmetic === 'static-16' ? HEADROOM_STATIC : 0;
  const [scale] = scales ?? [];
  return {
    name: graph.name,
    options,
    encoder: encoderOf(graph, reals[0]!.input, plain),
    params: { layers: learning.map(({ layer }) => layer), biasOnly: options.layers === 'bias', isDynamic },
    rates: learning.map(({ rate }) => rate),
    initial: reals.map((real, i) => weights16(foldedWeights(real, steps[i]!), headroom)),
    calibration: graph.dynamics ? null : reals.map((real, i) => calibrationOf(graph, real, steps[i]!)),
    scale: scale ? { multiplier: scale.multiplier, shift: scale.shift, zeroPoint: scale.zeroPoint } : null,
    inverse: runScale(1 / inputSteps[0]!),
  };
}
