/** `thumbelina quantize`: a float .tflite and calibration data to a quantized .tflite: int8, int16x8, 16x16, mixed, or dynamic; or a project anew. */
import { writeFileSync } from 'node:fs';
import { Option, type Command } from 'commander';
import { loadBoard } from '../boards/load.ts';
import { UserError } from '../common/errors.ts';
import type { DynamicForm } from '../firmware-gen/ir/dynamic.ts';
import { tensorOf, type Graph } from '../firmware-gen/ir/graph.ts';
import { graphToTflite } from '../firmware-gen/passes/export.ts';
import { writeTflite } from '../firmware-gen/tflite/writer.ts';
import { loadModel } from '../harness/model.ts';
import { inputTensor } from '../learn/data/model-input.ts';
import { layerErrors, type LayerError } from '../learn/evaluate/layers.ts';
import type { Pipeline } from '../learn/pipeline.ts';
import type { RangeMethod } from '../learn/quantize/range-methods.ts';
import { quantizeDynamic } from '../learn/quantize/dynamic.ts';
import type { Budget, Cost } from '../learn/quantize/budget.ts';
import {
  quantizeStatic,
  quantizeWithinBudget,
  type LayerOverride,
  type StaticResult,
} from '../learn/quantize/static.ts';
import { chooseData, findPipeline, pipelinePath } from './data.ts';
import { layerCells, layerHeader } from './layer-text.ts';
import { DEFAULT_DIR, boardOption, nonNegativeInteger } from './options.ts';
import {
  METHODS,
  MOMENTUM,
  PERCENTILE,
  budgetLimits,
  costsOn,
  layerOverride,
  percent,
  share,
} from './quantize-options.ts';
import { print, table, type JsonOption } from './output.ts';
import { isProjectOrSystem, refuseOptions, requireOptions } from './project.ts';

interface QuantizeArguments extends JsonOption {
  readonly calibration: string;
  readonly scheme: 'static' | 'dynamic-q' | 'dynamic-asym';
  readonly form: DynamicForm;
  readonly weights: '8' | '16';
  readonly activations: '8' | '16';
  readonly granularity: 'channel' | 'tensor';
  readonly method: RangeMethod['kind'];
  readonly percentile: number;
  readonly momentum: number;
  readonly biasCorrection?: boolean;
  readonly equalize?: boolean;
  readonly rounding: 'nearest' | 'adaptive' | 'sequential';
  readonly layer: readonly (readonly [number, LayerOverride])[];
  readonly budget?: Budget;
  readonly board: string;
  readonly samples: number;
  readonly seed: number;
  readonly split?: string;
  readonly pipeline?: string;
  readonly output: string;
  readonly data?: string;
}

export function addQuantize(program: Command): void {
  program
    .command('quantize')
    .description(
      'a float model and calibration data to a quantized one: int8 and int16x8 as TFLite runs them, and forms of our own; or the trained network of a project to a decision system',
    )
    .argument('<model>', 'float32 .tflite file, or a project (thumbelina.json), which says itself how')
    .option('--calibration <data>', 'folder or file with samples (docs/data-sets.md); a model needs it')
    .option(
      '-o, --output <path>',
      `.tflite file to write, its pipeline.json goes beside it; of a project the folder (default: ${DEFAULT_DIR})`,
    )
    .addOption(
      new Option('--scheme <scheme>', 'how scales are found')
        .choices(['static', 'dynamic-q', 'dynamic-asym'])
        .default('static'),
    )
    .addOption(
      new Option('--form <form>', 'how dynamic layers learn their range (docs/dynamic-quantization.md)')
        .choices(['full', 'rows', 'recompute', 'predicted'])
        .default('full'),
    )
    .addOption(new Option('--weights <bits>', 'bits of weights').choices(['8', '16']).default('8'))
    .addOption(new Option('--activations <bits>', 'bits of activations').choices(['8', '16']).default('8'))
    .addOption(new Option('--granularity <per>', 'scales of filters').choices(['channel', 'tensor']).default('channel'))
    .addOption(new Option('--method <method>', 'how ranges are drawn').choices(METHODS).default('min-max'))
    .option('--percentile <percent>', 'share of values kept by --method percentile', percent, PERCENTILE)
    .option('--momentum <share>', 'weight of the past in --method moving-average', share, MOMENTUM)
    .option('--bias-correction', "take out of the biases what rounding did to the layers' mean outputs")
    .option('--equalize', 'make weight ranges of neighbouring layers alike first (cross-layer equalization)')
    .addOption(
      new Option('--rounding <how>', 'of weights').choices(['nearest', 'adaptive', 'sequential']).default('nearest'),
    )
    .option(
      '--layer <op:how...>',
      'of one op as the table lists them: its bits (8, 16) or its --method',
      layerOverride,
      [],
    )
    .option(
      '--budget <limits>',
      'mixed 8 and 16 bit: ram:BYTES,flash:BYTES,cycles:N, any of them, on --board',
      budgetLimits,
    )
    .addOption(boardOption())
    .option('--samples <count>', 'calibration samples to draw', nonNegativeInteger, 100)
    .option('--seed <seed>', 'which samples are drawn', nonNegativeInteger, 1)
    .option('--split <name>', 'of the data set (default: train, where it has one)')
    .option('--pipeline <file>', 'pre-processing (default: MODEL.pipeline.json beside the model, else data as it is)')
    .option('--data <folder>', 'of a project: data set in place of its own')
    .option('--json', 'print JSON')
    .action(async (path: string, options: QuantizeArguments, command: Command) => {
      if (isProjectOrSystem(path)) {
        refuseOptions(command, (name) => ['output', 'data', 'json'].includes(name), 'a project, which says itself how');
        const { quantizeProject } = await import('./train.ts');
        const { output = DEFAULT_DIR }: { output?: string } = options;
        return quantizeProject(path, { ...options, output });
      }
      refuseOptions(command, (name) => name !== 'data', 'a model, whose data are --calibration');
      requireOptions(command, ['calibration', 'output']);
      const report = await quantize(path, options);
      print(options, report, () => formatQuantize(report));
    });
}

function methodOf({ method, percentile, momentum }: QuantizeArguments): RangeMethod {
  switch (method) {
    case 'percentile':
      return { kind: method, share: percentile / 100 };
    case 'moving-average':
      return { kind: method, momentum };
    case 'min-max':
    case 'mse':
    case 'entropy':
      return { kind: method };
  }
}

interface QuantizeReport {
  readonly schemaVersion: 1;
  readonly model: string;
  readonly output: string;
  readonly pipeline: string | null;
  readonly scheme: string;
  readonly weights: number;
  readonly activations: number;
  /** Bits of the output, by op of the result; conversions (QUANTIZE) are ops too. */
  readonly precision: readonly (8 | 16)[];
  /** With --budget: bytes and cycles of the result, --bare, on the emulated board. */
  readonly cost: Cost | null;
  readonly granularity: string;
  readonly method: string;
  readonly samples: number;
  readonly bytes: number;
  /** Against the float model, on the first calibration samples. */
  readonly layers: readonly LayerError[];
  readonly notes: readonly string[];
}

/** Calibration samples on which layers are compared; the comparison is a summary, `evaluate` is the measurement. */
const COMPARED_SAMPLES = 16;

/** @throws UserError for options that the scheme does not know */
async function quantizeBy(
  graph: Graph,
  inputs: readonly Float32Array[],
  options: QuantizeArguments,
): Promise<StaticResult & { readonly cost?: Cost }> {
  const { granularity, scheme, form, budget } = options;
  const equalization = options.equalize ?? false;
  if (scheme === 'static') {
    const common = {
      ...{ granularity, method: methodOf(options), equalization, rounding: options.rounding },
      biasCorrection: options.biasCorrection ?? false,
      weights: options.weights === '16' ? 16 : 8,
    } as const;
    const layers = new Map(options.layer);
    if (budget === undefined)
      return quantizeStatic(graph, inputs, { ...common, activations: options.activations === '16' ? 16 : 8 }, layers);
    if (options.activations === '16')
      throw new UserError('--budget: chooses the bits of every layer; leave --activations out');
    const costs = costsOn(loadBoard(options.board), inputs[0]!);
    return quantizeWithinBudget(graph, inputs, common, { budget, layers, costs });
  }
  const forStatic = [
    ...(options.layer.length > 0 ? ['--layer'] : []),
    ...(budget === undefined ? [] : ['--budget']),
    ...(options.biasCorrection ? ['--bias-correction'] : []),
    ...(options.rounding !== 'nearest' ? [`--rounding ${options.rounding}`] : []),
  ];
  if (forStatic.length > 0)
    throw new UserError(`--scheme ${scheme}: ${forStatic.join(', ')} is for --scheme static only; leave it out`);
  const activations = options.activations === '16' ? 16 : 8;
  if (activations === 16 && form !== 'full')
    throw new UserError(`--form ${form}: activations of 16 bits have form full alone; leave --form out`);
  return quantizeDynamic(graph, inputs, {
    scheme: scheme === 'dynamic-q' ? 'q' : 'asym',
    form,
    granularity,
    equalization,
    weights: options.weights === '16' ? 16 : 8,
    activations,
  });
}

async function quantize(path: string, options: QuantizeArguments): Promise<QuantizeReport> {
  const isFine = options.activations === '16' || (options.scheme === 'static' && options.budget !== undefined);
  if (options.weights === '16' && !isFine)
    throw new UserError('--weights 16: only with --activations 16, or with --scheme static and --budget; add that');
  if (options.rounding === 'sequential' && options.biasCorrection)
    throw new UserError('--rounding sequential corrects biases itself; leave --bias-correction out');
  if (options.samples === 0) throw new UserError('--samples 0: calibration needs at least one sample; give more');
  const { graph, name } = loadModel(path);
  const pipeline = findPipeline(path, options.pipeline);
  const { samples: count, seed, calibration, split } = options;
  const { inputs } = chooseData(graph, pipeline, {
    path: calibration,
    split: split ?? null,
    training: true,
    count,
    seed,
  });
  const activations = options.activations === '16' ? 16 : 8;
  const { float, quantized, cost } = await quantizeBy(graph, inputs, options);
  const bytes = writeTflite(graphToTflite(quantized));
  writeFileSync(options.output, bytes);
  return {
    schemaVersion: 1,
    model: name,
    output: options.output,
    pipeline: writePipeline(options.output, pipeline, quantized),
    scheme: options.scheme,
    weights: options.weights === '16' ? 16 : 8,
    activations,
    precision: quantized.ops.map((op) => (tensorOf(quantized, op.outputs[0]!).dtype === 'int16' ? 16 : 8)),
    cost: cost ? { ram: cost.ram, flash: cost.flash, cycles: cost.cycles } : null,
    granularity: options.granularity,
    method: options.scheme === 'static' ? options.method : `run time, ${options.form} form, input`,
    samples: inputs.length,
    bytes: bytes.length,
    layers: layerErrors(float, quantized, inputs.slice(0, COMPARED_SAMPLES)) ?? [],
    notes: graph.notes,
  };
}

/** The float model's pipeline with the new input's quantization (int8: the format has room for no other). @returns its path */
function writePipeline(output: string, pipeline: Pipeline | null, quantized: Graph): string | null {
  if (pipeline === null) return null;
  const { dtype, quantization } = inputTensor(quantized);
  const own =
    dtype === 'int8' && quantization && !quantized.dynamics
      ? { scale: quantization.scale[0]!, zeroPoint: quantization.zeroPoint[0]! }
      : undefined;
  const path = pipelinePath(output);
  writeFileSync(path, `${JSON.stringify({ ...pipeline, quantization: own }, null, 2)}\n`);
  return path;
}

function activationsText({ precision }: QuantizeReport): string {
  const fine = precision.filter((bits) => bits === 16).length;
  return fine > 0 && fine < precision.length ? `${fine} of ${precision.length} ops 16 bit` : `${precision[0]} bit`;
}

function costText({ ram, flash, cycles }: Cost): string {
  const text = (value: number): string => value.toLocaleString('en-US');
  return `within the budget: ${text(cycles)} cycles, flash ${text(flash)} bytes, RAM ${text(ram)} bytes`;
}

function formatQuantize(report: QuantizeReport): string {
  const rows = report.layers.map((layer) => [...layerCells(layer), `${report.precision[layer.index]} bit`]);
  return [
    `${report.model}: ${report.scheme}, weights ${report.weights} bit per ${report.granularity}, activations ${activationsText(report)}, ranges by ${report.method} over ${report.samples} samples`,
    '',
    table([...layerHeader, 'output'], rows),
    '',
    ...(report.cost === null ? [] : [costText(report.cost), '']),
    `wrote ${report.output} (${report.bytes.toLocaleString('en-US')} bytes)${report.pipeline === null ? '' : ` and ${report.pipeline}`}`,
    ...report.notes.map((text) => `note: ${text}`),
  ].join('\n');
}
