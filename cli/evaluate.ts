/** `thumbelina evaluate`: how good models are on real data, side by side, shifted or not, on the reference or on the emulated firmware. */
import { Option, type Command } from 'commander';
import { loadBoard } from '../boards/load.ts';
import { UserError } from '../common/errors.ts';
import type { EngineName } from '../emulator/create-machine.ts';
import { loadModel, type SourceModel } from '../harness/model.ts';
import { deviceOutputs, type DeviceOptions } from '../harness/device-outputs.ts';
import { firmwareOutputs } from '../harness/firmware-outputs.ts';
import { inputTensor, modelInputs } from '../learn/data/model-input.ts';
import { classOf, type Sample } from '../learn/data/sample-set.ts';
import {
  classifierFigures,
  compare,
  predict,
  reconstructionFigures,
  type ClassifierFigures,
  type Comparison,
  type Predictions,
  type ReconstructionFigures,
  type TestSet,
} from '../learn/evaluate/evaluate.ts';
import { layerErrorsOfForms, type LayerError } from '../learn/evaluate/layers.ts';
import { NO_SHIFT, parseShifts, type Shift } from '../learn/evaluate/shifts.ts';
import type { Pipeline } from '../learn/pipeline.ts';
import { chooseData, findPipeline, pipelinePath } from './data.ts';
import { formatEvaluation } from './evaluate-text.ts';
import { boardOption, dirOption, engineOption, nonNegativeInteger } from './options.ts';
import { note, print, type JsonOption } from './output.ts';
import { progress } from './progress.ts';
import { isProjectOrSystem, refuseOptions, requireOptions } from './project.ts';

interface EvaluateArguments extends JsonOption {
  readonly data: string;
  readonly shift?: string;
  readonly on: 'reference' | 'firmware';
  readonly port?: string;
  readonly baud: number;
  readonly samples?: number;
  readonly seed: number;
  readonly split?: string;
  readonly pipeline?: string;
  readonly layerSamples: number;
  readonly board: string;
  readonly output: string;
  readonly engine: EngineName;
}

/** Options that say something about a decision system. */
const OF_SYSTEMS = ['data', 'split', 'on', 'samples', 'board', 'output', 'engine', 'json'];

export interface EvaluationRow {
  readonly model: string;
  /** `none`, or a shift as it was given. */
  readonly shift: string;
  readonly samples: number;
  readonly classifier: ClassifierFigures | null;
  readonly reconstruction: ReconstructionFigures | null;
  /** Against the first float model; null for that one, and without one. */
  readonly against: Comparison | null;
  /** Per layer against the float model, unshifted inputs only; null where layers do not match. */
  readonly layers: readonly LayerError[] | null;
  /** How many outputs of the emulated firmware equal the reference's bit for bit; null on the reference. */
  readonly firmwareEqual: number | null;
}

export interface Evaluation {
  readonly schemaVersion: 1;
  readonly outcome: 'ok' | 'firmware-differs';
  readonly data: string;
  readonly classes: readonly string[];
  readonly subjects: number | null;
  readonly baseline: string | null;
  readonly on: string;
  readonly rows: readonly EvaluationRow[];
  readonly notes: readonly string[];
}

export function addEvaluate(program: Command): void {
  program
    .command('evaluate')
    .description(
      "accuracy of models on a data set, side by side, quantized ones against the first float one; or of a project's decision system on unseen subjects",
    )
    .argument('<models...>', '.tflite files, or one project (thumbelina.json)')
    .option('--data <data>', "folder or file with samples (docs/data-sets.md); default: the project's")
    .option('--shift <list>', 'also on shifted inputs: gain:4,noise:10dB,bias:0.5,drop:0.1; + joins several')
    .addOption(new Option('--on <what>', 'where models run').choices(['reference', 'firmware']).default('reference'))
    .option('--port <path>', 'also on the device at this serial port (docs/hil.md); its outputs are compared')
    .option('--baud <rate>', 'of the serial port', nonNegativeInteger, 115200)
    .option(
      '--samples <count>',
      'draw so many (default: all); of a project windows for --on firmware',
      nonNegativeInteger,
    )
    .option('--seed <seed>', 'which samples are drawn', nonNegativeInteger, 1)
    .option('--split <name>', "of the data set (default: all but train; a project's unseen subjects)")
    .option('--pipeline <file>', 'pre-processing (default: MODEL.pipeline.json beside the first model that has one)')
    .option('--layer-samples <count>', 'samples on which layers are compared', nonNegativeInteger, 16)
    .addOption(boardOption())
    .addOption(dirOption())
    .addOption(engineOption())
    .option('--json', 'print JSON')
    .action(async (paths: string[], options: EvaluateArguments, command: Command) => {
      const project = paths.find(isProjectOrSystem);
      if (project !== undefined) {
        if (paths.length > 1) throw new UserError(`${project}: a project is evaluated alone; name it alone`);
        refuseOptions(command, (name) => OF_SYSTEMS.includes(name), 'a project or decision system');
        const { evaluateSystem } = await import('./evaluate-system.ts');
        return evaluateSystem(project, options, command);
      }
      requireOptions(command, ['data']);
      const evaluation = await evaluate(paths, options);
      print(options, evaluation, () => formatEvaluation(evaluation));
      if (evaluation.outcome === 'ok') return;
      note('thumbelina: outputs of the firmware differ from the reference; please report it with the model');
      process.exitCode = 1;
    });
}

async function evaluate(paths: readonly string[], options: EvaluateArguments): Promise<Evaluation> {
  const shifts = [NO_SHIFT, ...(options.shift === undefined ? [] : parseShifts(options.shift))];
  if (options.port !== undefined && (paths.length > 1 || options.on === 'firmware'))
    throw new UserError('--port: a device holds one model; name that one alone, without --on firmware');
  const models = paths.map((path) => loadModel(path));
  const pipeline = requirePipeline(paths, options.pipeline);
  const { set, source, notes } = testSet(models, pipeline, options);
  const baseline = models.find(({ graph }) => inputTensor(graph).dtype === 'float32') ?? null;
  const rows: EvaluationRow[] = [];
  for (const shift of shifts) {
    const inputs = set.inputs.map((input, i) => shift.apply(input, i));
    const shifted = { ...set, inputs };
    const float = baseline === null ? null : predictWithBar(baseline, inputs);
    for (const model of models) {
      const predictions = model === baseline && float ? float : predictWithBar(model, inputs);
      rows.push(await evaluateOne(model, predictions, { shifted, shift, baseline, float, options }));
    }
  }
  const subjects = new Set(set.subjects.filter((subject) => subject !== null));
  return {
    schemaVersion: 1,
    outcome: rows.every(({ firmwareEqual, samples }) => (firmwareEqual ?? samples) === samples)
      ? 'ok'
      : 'firmware-differs',
    data: source,
    classes: set.classes,
    subjects: subjects.size === 0 ? null : subjects.size,
    baseline: baseline?.name ?? null,
    on: options.port ?? options.on,
    rows,
    notes: [...notes, ...new Set(models.flatMap(({ graph }) => graph.notes))],
  };
}

/** @throws UserError when neither option nor a file beside a model gives one */
function requirePipeline(paths: readonly string[], given: string | undefined): Pipeline {
  for (const path of paths) {
    const pipeline = findPipeline(path, given);
    if (pipeline !== null) return pipeline;
  }
  throw new UserError(
    `${pipelinePath(paths[0]!)}: no such file; it says how data become the model's input, write it or give --pipeline`,
  );
}

interface Test {
  readonly set: TestSet;
  readonly source: string;
  readonly notes: readonly string[];
}

/** @throws UserError when models differ in input size, and for everything that is wrong with the data */
function testSet(models: readonly SourceModel[], pipeline: Pipeline, options: EvaluateArguments): Test {
  const [first] = models;
  const size = ({ graph }: SourceModel): string => inputTensor(graph).shape.join(', ');
  const other = models.find((model) => size(model) !== size(first!));
  if (other)
    throw new UserError(
      `${other.path}: takes [${size(other)}], ${first!.path} takes [${size(first!)}]; compare forms of one model`,
    );
  if (options.samples === 0) throw new UserError('--samples 0: there is nothing to evaluate; give more');
  const { classes } = pipeline;
  const labelOf = (sample: Sample, source: string): number | null => {
    if (classes.length > 0) return classOf(sample, classes, source);
    return sample.label === null ? null : sample.label === 0 || sample.label === 'normal' ? 0 : 1;
  };
  const { set, samples, inputs, refused } = chooseData(first!.graph, pipeline, {
    path: options.data,
    split: options.split ?? null,
    training: false,
    count: options.samples ?? null,
    seed: options.seed,
    // A sample of a class the model does not know says nothing about it; one without a label still tells models apart.
    keep: (sample, source) => sample.label === null || labelOf(sample, source) !== null,
  });
  if (samples.length === 0) {
    throw new UserError(
      `${set.source}: no sample is of a class the model knows (${classes.join(', ')}); check labels and pipeline`,
    );
  }
  return {
    source: set.source,
    set: {
      inputs: inputs.map((input, i) => finite(input, i, set.source)),
      labels: samples.map((sample) => labelOf(sample, set.source)),
      subjects: samples.map(({ subject }) => subject),
      classes,
    },
    notes: refused === 0 ? [] : [`${refused} samples of other classes were left out`],
  };
}

function finite(input: Float32Array, index: number, source: string): Float32Array {
  const wrong = input.find((value) => !Number.isFinite(value));
  if (wrong === undefined) return input;
  throw new UserError(`${source}: sample ${index} holds ${wrong}; remove samples that are not finite numbers`);
}

function predictWithBar({ graph, name }: SourceModel, inputs: readonly Float32Array[]): Predictions {
  const bar = progress(name, inputs.length);
  try {
    return predict(graph, inputs, (done) => bar.update(done));
  } finally {
    bar.stop();
  }
}

interface Circumstances {
  readonly shifted: TestSet;
  readonly shift: Shift;
  readonly baseline: SourceModel | null;
  readonly float: Predictions | null;
  readonly options: EvaluateArguments;
}

async function evaluateOne(model: SourceModel, predictions: Predictions, at: Circumstances): Promise<EvaluationRow> {
  const { shifted, shift, baseline, float, options } = at;
  const isBaseline = model === baseline;
  const isClassifier = shifted.classes.length > 0;
  const compareLayers = baseline !== null && !isBaseline && shift === NO_SHIFT && options.layerSamples > 0;
  return {
    model: model.name,
    shift: shift.name,
    samples: shifted.inputs.length,
    classifier: isClassifier ? classifierFigures(predictions, shifted) : null,
    reconstruction: isClassifier ? null : reconstructionFigures(predictions, shifted),
    against: float === null || isBaseline ? null : compare(predictions, float, shifted),
    layers: compareLayers
      ? layerErrorsOfForms(baseline.graph, model.graph, shifted.inputs.slice(0, options.layerSamples))
      : null,
    firmwareEqual: await equalOutputs(model, predictions, shifted.inputs, options),
  };
}

/** How many outputs of the firmware, emulated or at a port, are the reference's; null when only the reference was asked for. */
async function equalOutputs(
  model: SourceModel,
  { outputBytes }: Predictions,
  inputs: readonly Float32Array[],
  { board: name, engine, output, on, port, baud }: EvaluateArguments,
): Promise<number | null> {
  if (port === undefined && on === 'reference') return null;
  const board = loadBoard(name);
  const bytes = inputs.map((input) => modelInputs(model.graph, input));
  const outputs =
    port === undefined
      ? await firmwareOutputs(model, bytes, { board, engine, dir: output })
      : await outputsAtPort(model, bytes, { board, port, baud });
  return outputs.filter((own, i) => Buffer.compare(own, outputBytes[i]!) === 0).length;
}

async function outputsAtPort(
  model: SourceModel,
  bytes: readonly (readonly Uint8Array[])[],
  options: Omit<DeviceOptions, 'onProgress'>,
): Promise<Uint8Array[]> {
  const bar = progress(options.port, bytes.length);
  try {
    return await deviceOutputs(model, bytes, { ...options, onProgress: (done) => bar.update(done) });
  } finally {
    bar.stop();
  }
}
