/** Static quantization from a float graph and calibration samples to an int8 or int16x8 graph: everything `thumbelina quantize` offers. */
import { UserError } from '../../common/errors.ts';
import { elementCount, tensorOf, type Graph } from '../../firmware-gen/ir/graph.ts';
import { createReference } from '../../firmware-gen/reference/index.ts';
import { adaptiveRounding } from './adaptive-rounding.ts';
import { calibrate } from './calibrate.ts';
import { channelMeans } from './correct-bias.ts';
import { equalizeLayers } from './equalize.ts';
import { foldBatchNorm } from './fold-batch-norm.ts';
import { int16Format, int8Format } from './number-format.ts';
import { quantizeGraph } from './quantize-graph.ts';
import type { RangeMethod } from './range-methods.ts';

export interface StaticOptions {
  readonly activations: 8 | 16;
  readonly granularity: 'channel' | 'tensor';
  readonly method: RangeMethod;
  readonly biasCorrection: boolean;
  readonly equalization: boolean;
  readonly rounding: 'nearest' | 'adaptive';
}

export const STATIC_DEFAULTS: StaticOptions = {
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

/**
 * @param samples one Float32Array per sample, the graph's only input
 * @throws UserError for a graph that is not float, ops without int16 kernels, and calibration data that cannot set ranges
 */
export function quantizeStatic(graph: Graph, samples: readonly Float32Array[], options: StaticOptions): StaticResult {
  requireFloat(graph);
  requireUsable(graph, samples);
  const format = options.activations === 16 ? int16Format : int8Format;
  if (options.activations === 16) requireInt16Kernels(graph);
  const folded = foldBatchNorm(graph);
  const prepared = options.equalization ? equalizeLayers(folded).graph : folded;
  const inputs = samples.map((sample) => [sample]);
  const ranges = calibrate(prepared, inputs, options.method, LEVELS[options.activations]);
  const quantized = quantizeGraph(prepared, ranges, {
    format,
    granularity: options.granularity,
    means: options.biasCorrection ? channelMeans(prepared, inputs) : null,
    ...(options.rounding === 'adaptive' ? { round: adaptiveRounding(prepared, inputs) } : {}),
  });
  // Resolves every op's multipliers: what no kernel could compute is refused here, not when the file is used.
  createReference(quantized);
  return { float: prepared, quantized: { ...quantized, notes: [] } };
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

function requireInt16Kernels({ name, ops }: Graph): void {
  const missing = ops.find(({ kind }) => kind === 'HARD_SWISH');
  if (missing)
    throw new UserError(
      `${name}: op ${missing.index} ${missing.kind} has no int16 form in TFLite; use --activations 8`,
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
