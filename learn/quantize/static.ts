/** Static quantization from a float graph and calibration samples to an int8 or int16x8 graph: everything `thumbelina quantize` offers. */
import { UserError, defined } from '../../common/errors.ts';
import { elementCount, tensorOf, type Graph } from '../../firmware-gen/ir/graph.ts';
import { createReference } from '../../firmware-gen/reference/index.ts';
import { adaptiveRounding } from './adaptive-rounding.ts';
import { fitBudget, type Budget, type Cost, type CostModel } from './budget.ts';
import { calibrate, type ActivationRanges } from './calibrate.ts';
import { channelMeans } from './correct-bias.ts';
import { equalizeLayers } from './equalize.ts';
import { foldBatchNorm } from './fold-batch-norm.ts';
import { fullPrecision, hasInt16Form, mixForms, type Bits } from './mixed-precision.ts';
import { int16Format, int8Format } from './number-format.ts';
import { quantizeGraph } from './quantize-graph.ts';
import type { RangeMethod } from './range-methods.ts';
import { quantizeSequentially } from './sequential.ts';

export interface StaticOptions {
  /** 16 only with layers of 16-bit activations; those of 8 bits keep 8. TFLite has no such layers. */
  readonly weights: Bits;
  readonly activations: Bits;
  readonly granularity: 'channel' | 'tensor';
  readonly method: RangeMethod;
  readonly biasCorrection: boolean;
  readonly equalization: boolean;
  /** Of weights; sequential corrects biases too. */
  readonly rounding: 'nearest' | 'adaptive' | 'sequential';
}

export const STATIC_DEFAULTS: StaticOptions = {
  weights: 8,
  activations: 8,
  granularity: 'channel',
  method: { kind: 'min-max' },
  biasCorrection: false,
  equalization: false,
  rounding: 'nearest',
};

export interface StaticResult {
  /** The float graph as it was quantized, op by op: folded, equalized. */
  readonly float: Graph;
  readonly quantized: Graph;
}

/** Integers that cover a range, by bits. */
const LEVELS = { 8: 256, 16: 65536 } as const;

/** What one op, by its position in the prepared graph, has otherwise than the others. */
export interface LayerOverride {
  readonly bits?: Bits;
  /** How the range of its output is drawn. */
  readonly method?: RangeMethod;
}

export type LayerOverrides = ReadonlyMap<number, LayerOverride>;

/**
 * @param samples one Float32Array per sample, the graph's only input
 * @throws UserError for a graph that is not float, ops without int16 kernels, and calibration data that cannot set ranges
 */
export function quantizeStatic(
  graph: Graph,
  samples: readonly Float32Array[],
  options: StaticOptions,
  layers: LayerOverrides = new Map(),
): StaticResult {
  const { float, form } = prepareForms(graph, samples, options, layers);
  if (options.activations === 16) requireInt16Kernels(float, layers);
  const fixed = fixedBits(layers);
  const precision = fullPrecision(float, fixed, options.activations);
  const isMixed = precision.some((bits) => bits !== options.activations);
  const quantized = isMixed ? mixForms({ 8: form(8), 16: form(16) }, precision) : form(options.activations);
  // Resolves every op's multipliers: what no kernel could compute is refused here, not when the file is used.
  createReference(quantized);
  return { float, quantized: { ...quantized, notes: [] } };
}

/** As quantizeStatic, with the bits of every op chosen so that the result, as `costs` finds it, is within `budget` (budget.ts). */
export async function quantizeWithinBudget(
  graph: Graph,
  samples: readonly Float32Array[],
  options: Omit<StaticOptions, 'activations'>,
  { budget, layers, costs }: { budget: Budget; layers: LayerOverrides; costs: CostModel },
): Promise<StaticResult & { readonly cost: Cost }> {
  const { float, form } = prepareForms(graph, samples, { ...options, activations: 8 }, layers);
  const forms = { 8: form(8), 16: form(16) };
  const { quantized, cost } = await fitBudget(float, forms, samples, { budget, fixed: fixedBits(layers), costs });
  return { float, quantized: { ...quantized, notes: [] }, cost };
}

const fixedBits = (layers: LayerOverrides): Map<number, Bits> =>
  new Map([...layers].flatMap(([i, { bits }]) => (bits === undefined ? [] : [[i, bits] as const])));

/** The float graph as it will be quantized, and its form of either number of bits. */
function prepareForms(
  graph: Graph,
  samples: readonly Float32Array[],
  options: StaticOptions,
  layers: LayerOverrides,
): { readonly float: Graph; readonly form: (bits: Bits) => Graph } {
  requireFloat(graph);
  requireUsable(graph, samples);
  if (options.weights === 16 && options.rounding !== 'nearest')
    throw new UserError(`--weights 16: rounds to nearest; leave --rounding ${options.rounding} out`);
  const folded = foldBatchNorm(graph);
  const float = options.equalization ? equalizeLayers(folded).graph : folded;
  requireLayers(float, layers);
  const inputs = samples.map((sample) => [sample]);
  const { granularity, rounding } = options;
  const form = (bits: Bits): Graph => {
    const ranges = withOwnMethods(float, inputs, calibrate(float, inputs, options.method, LEVELS[bits]), layers, bits);
    const format = bits === 16 ? int16Format : int8Format;
    const isPart = !float.ops.every(hasInt16Form);
    if (rounding === 'sequential') return quantizeSequentially(float, ranges, samples, { format, granularity, isPart });
    return quantizeGraph(float, ranges, {
      format,
      granularity,
      isPart,
      weights: bits === 16 ? options.weights : 8,
      means: options.biasCorrection ? channelMeans(float, inputs) : null,
      ...(rounding === 'adaptive' ? { round: adaptiveRounding(float, inputs) } : {}),
    });
  };
  return { float, form };
}

/** Ranges of the outputs of layers with a method of their own, drawn by it. */
function withOwnMethods(
  float: Graph,
  inputs: readonly (readonly Float32Array[])[],
  ranges: ActivationRanges,
  layers: LayerOverrides,
  bits: Bits,
): ActivationRanges {
  const own = new Map(ranges);
  for (const [i, { method }] of layers) {
    if (method === undefined) continue;
    const drawn = calibrate(float, inputs, method, LEVELS[bits]);
    for (const id of float.ops[i]!.outputs) own.set(id, defined(drawn.get(id), 'range'));
  }
  return own;
}

/** @throws UserError for an op that is not there or has no int16 form */
function requireLayers({ name, ops }: Graph, layers: LayerOverrides): void {
  for (const [i, { bits }] of layers) {
    const op = ops[i];
    if (op === undefined) throw new UserError(`--layer ${i}: ${name} has ops 0 to ${ops.length - 1} after folding`);
    if (bits === 16 && !hasInt16Form(op))
      throw new UserError(`--layer ${i}:16: ${op.kind} has no int16 form in TFLite`);
  }
}

/** @throws UserError naming the first tensor that is not float32 */
export function requireFloat(graph: Graph): void {
  const data = graph.ops.flatMap((op) => [...op.inputs, ...op.outputs]).filter((id) => id !== null);
  const other = data.map((id) => tensorOf(graph, id)).find(({ dtype }) => dtype !== 'float32');
  if (other) {
    throw new UserError(
      `${graph.name}: tensor "${other.name}" is ${other.dtype}; quantize takes a float32 model, give the one before conversion`,
    );
  }
}

function requireInt16Kernels({ name, ops }: Graph, layers: LayerOverrides): void {
  const missing = ops.find((op, i) => !hasInt16Form(op) && layers.get(i)?.bits !== 8);
  if (missing)
    throw new UserError(
      `${name}: op ${missing.index} ${missing.kind} has no int16 form in TFLite; use --activations 8, or --layer ${ops.indexOf(missing)}:8`,
    );
}

/** @throws UserError for no samples, samples of another size, values that are not finite, and data that never changes */
export function requireUsable(graph: Graph, samples: readonly Float32Array[]): void {
  const input = tensorOf(graph, graph.inputs[0]!);
  const [first] = samples;
  if (first === undefined) throw new UserError('calibration: there are no samples; give a folder with data');
  const elements = elementCount(input.shape);
  for (const [i, sample] of samples.entries()) {
    if (sample.length !== elements)
      throw new UserError(
        `calibration: sample ${i} has ${sample.length} values, input "${input.name}" takes ${elements}`,
      );
    const wrong = sample.find((value) => !Number.isFinite(value));
    if (wrong !== undefined)
      throw new UserError(`calibration: sample ${i} holds ${wrong}; remove values that are not finite numbers`);
  }
  const value = first[0]!;
  if (samples.every((sample) => sample.every((other) => other === value)))
    throw new UserError(`calibration: every value is ${value}; a range needs data that varies, give real samples`);
}
