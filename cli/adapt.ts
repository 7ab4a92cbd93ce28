/** `thumbelina adapt`: firmware whose last layers learn, and labelled samples for it, on an emulated board or on the device at a serial port. */
import { Option, type Command } from 'commander';
import { loadBoard } from '../boards/load.ts';
import type { Board } from '../boards/schema.ts';
import { UserError, defined } from '../common/errors.ts';
import {
  ADAPT_ARITHMETICS,
  ADAPT_LAYERS,
  type Adaptation,
  type AdaptArithmetic,
  type AdaptLayers,
} from '../firmware-gen/ir/adaptation.ts';
import { adaptation, learningInputs } from '../firmware-gen/passes/adaptation.ts';
import { createReference } from '../firmware-gen/reference/index.ts';
import { LearnerReference } from '../firmware-gen/reference/adaptation/learner.ts';
import { compileLearner, recordWeights } from '../harness/adaptation.ts';
import { INFERENCE_SECONDS_MAX, deviceFailure, requireIdentity } from '../harness/device-run.ts';
import { runLive } from '../harness/live-session.ts';
import { memoryLine } from '../harness/memory-line.ts';
import { loadModel, type SourceModel } from '../harness/model.ts';
import { DeviceClient } from '../harness/protocol/device-client.ts';
import {
  adaptOnDevice,
  commitOnDevice,
  learnedOnDevice,
  recordOnDevice,
  rollbackOnDevice,
  type LearnedReport,
  type StepReport,
} from '../harness/protocol/learning.ts';
import { openSerial } from '../harness/protocol/serial-link.ts';
import { modelInputs, quantizedTensor } from '../learn/data/model-input.ts';
import { classOf } from '../learn/data/sample-set.ts';
import { adaptSystem } from './adapt-system.ts';
import { chooseData, findPipeline, pipelinePath } from './data.ts';
import { boardOption, dirOption, nonNegativeInteger, positiveNumber } from './options.ts';
import { note, print, table, type JsonOption } from './output.ts';
import { progress } from './progress.ts';
import { isProjectOrSystem, requireOptions } from './project.ts';

export interface AdaptArguments extends JsonOption {
  readonly data?: string;
  readonly layers: AdaptLayers;
  readonly arithmetic: AdaptArithmetic;
  readonly rate: number;
  readonly perClass: number;
  readonly passes: number;
  readonly subject?: string;
  readonly split?: string;
  readonly pipeline?: string;
  readonly commit?: boolean;
  readonly port?: string;
  readonly baud: number;
  readonly board: string;
  readonly output: string;
}

export function addAdapt(program: Command): void {
  program
    .command('adapt')
    .description(
      "build firmware whose last dense layers learn, let it learn from labelled samples, compare with the reference's weights",
    )
    .argument(
      '<model>',
      '.tflite file, int8, that ends with dense layers; NAME.system.json, whose head learns, or the project it was made of',
    )
    .option('--data <data>', "folder or file with samples (docs/data-sets.md); default: the project's")
    .addOption(new Option('--layers <which>', 'what learns').choices(ADAPT_LAYERS).default('head'))
    .addOption(new Option('--arithmetic <kind>', 'of learning').choices(ADAPT_ARITHMETICS).default('dynamic-16'))
    .option('--rate <rate>', 'of the gradient descent', positiveNumber, 0.01)
    .option('--per-class <count>', 'samples of each class to learn from; the others are judged', nonNegativeInteger, 10)
    .option('--passes <count>', 'over these samples', nonNegativeInteger, 3)
    .option('--subject <name>', 'samples of this subject only')
    .option('--split <name>', "of the data set (default: all but train; of systems val, a project's unseen subjects)")
    .option('--pipeline <file>', 'pre-processing (default: MODEL.pipeline.json beside the model)')
    .option('--commit', 'keep what was learned in flash')
    .option(
      '--port <path>',
      'the device at this serial port, with the firmware that the same command without --port has built',
    )
    .option('--baud <rate>', 'of the serial port', nonNegativeInteger, 115200)
    .addOption(boardOption())
    .addOption(dirOption())
    .option('--json', 'print JSON')
    .action((argument: string, options: AdaptArguments, command: Command) => {
      if (isProjectOrSystem(argument)) return adaptSystem(argument, options, command);
      requireOptions(command, ['data']);
      return run(argument, options);
    });
}

interface Labelled {
  readonly values: Float32Array;
  readonly label: number;
}

interface Learned {
  readonly last: StepReport | null;
  readonly report: LearnedReport;
  readonly record: Uint8Array;
}

async function run(path: string, options: AdaptArguments): Promise<void> {
  const model = loadModel(path);
  const board = loadBoard(options.board);
  const { learned, judged, source, classes } = samplesOf(model, options);
  const taken = adaptation(model.graph, { ...options, steps: stepsOf(model, learned, options.layers) });
  const twin = new LearnerReference(taken);
  const inputs = (sample: Labelled): Uint8Array[] => modelInputs(model.graph, sample.values);
  const accuracy = (): number =>
    judged.filter((one) => twin.classify(twin.features(inputs(one))).label === one.label).length / judged.length;
  const before = accuracy();
  const samples = learned.map((sample) => ({ label: sample.label, bytes: Buffer.concat(inputs(sample)) }));
  const outcome = await onBoard(taken, model, board, options, samples);
  const features = learned.map((sample) => twin.features(inputs(sample)));
  for (let pass = 0; pass < options.passes; pass += 1)
    for (const [i, { label }] of learned.entries()) twin.learn(features[i]!, label);
  const isEqual = recordWeights(taken, outcome.record).every((weights, i) =>
    weights.every((value, k) => value === twin.weights()[i]!.weights[k]),
  );
  const document = {
    ...{ schemaVersion: 1, outcome: isEqual ? 'ok' : 'firmware-differs', model: model.name, board: board.name },
    ...{ on: options.port ?? 'emulated', data: source, layers: options.layers, arithmetic: options.arithmetic },
    ...{
      classes,
      learnedFrom: learned.length,
      passes: options.passes,
      judged: judged.length,
      before,
      after: accuracy(),
    },
    ...{
      inferCycles: outcome.last?.inferCycles ?? null,
      stepCycles: outcome.last?.stepCycles ?? null,
      ...outcome.report,
    },
  };
  print(options, document, () => format(document));
  if (isEqual) return;
  note('thumbelina: what the firmware learned differs from the reference; please report it with the model');
  process.exitCode = 1;
}

function samplesOf(model: SourceModel, options: AdaptArguments) {
  const pipeline = findPipeline(model.path, options.pipeline);
  if (pipeline === null || pipeline.classes.length === 0)
    throw new UserError(`${pipelinePath(model.path)}: no such file, or no classes in it; write it or give --pipeline`);
  const { classes } = pipeline;
  const { set, samples, inputs } = chooseData(model.graph, pipeline, {
    ...{ path: defined(options.data, '--data'), split: options.split ?? null, training: false, count: null, seed: 1 },
    keep: (sample, source) =>
      classOf(sample, classes, source) !== null &&
      (options.subject === undefined || sample.subject === options.subject),
  });
  const all = samples.map((sample, i) => ({
    values: inputs[i]!,
    label: defined(classOf(sample, classes, set.source) ?? undefined, 'label'),
  }));
  const byClass = classes.map((_, label) => all.filter((sample) => sample.label === label));
  const learned = Array.from({ length: options.perClass }, (_, i) => byClass.flatMap((own) => own[i] ?? [])).flat();
  const judged = byClass.flatMap((own) => own.slice(options.perClass));
  if (learned.length === 0 || judged.length === 0)
    throw new UserError(
      `${set.source}: ${all.length} samples of the model's classes, ${learned.length} to learn from and ${judged.length} to judge; give more, or another --per-class`,
    );
  return { learned, judged, source: set.source, classes };
}

/** Real steps of what goes into the layers that learn, the coarsest that these samples give; a dynamic model only knows them when it runs. */
function stepsOf({ graph }: SourceModel, samples: readonly Labelled[], layers: AdaptLayers): number[] {
  if (!graph.dynamics) return [];
  const reference = createReference(graph);
  const steps = learningInputs(graph, layers).map(() => 0);
  for (const { values } of samples) {
    const fed = modelInputs(graph, values);
    const result = reference.run(fed);
    for (const [i, id] of learningInputs(graph, layers).entries())
      steps[i] = Math.max(steps[i]!, quantizedTensor(graph, id, result, fed).quantization?.scale[0] ?? 0);
  }
  return steps;
}

const HARNESS = { protocol: 'device', mlperfId: 'adapt', input: 'raw' } as const;

interface LabelledBytes {
  readonly label: number;
  readonly bytes: Uint8Array;
}

/** @throws UserError: 2 another board or model answers, 3 no compiler or port, 5 no answer, 7 it faulted */
async function onBoard(
  taken: Adaptation,
  model: SourceModel,
  board: Board,
  options: AdaptArguments,
  samples: readonly LabelledBytes[],
): Promise<Learned> {
  if (options.port !== undefined) {
    const client = new DeviceClient(await openSerial(options.port, options.baud), { baud: options.baud });
    return teach(client, options.port, model, board, options, samples);
  }
  const { image } = await compileLearner(taken, options.output, { board, modelSha256: model.sha256, harness: HARNESS });
  const { endpoint, link } = memoryLine();
  const stop = new AbortController();
  const live = { firmware: image.elf, firmwareName: 'firmware.elf', board, realtime: false, signal: stop.signal };
  const ended = runLive(live, endpoint);
  const client = new DeviceClient(link, { baud: options.baud, answerSeconds: 10 });
  try {
    return await Promise.race([
      teach(client, 'emulated board', model, board, options, samples),
      ended.then(({ stop: why }) => {
        throw new UserError(`firmware: ended with "${why}"`, 7);
      }),
    ]);
  } finally {
    stop.abort();
  }
}

/** From the model as it came; what was committed before stays in flash unless --commit. */
async function teach(
  client: DeviceClient,
  where: string,
  model: SourceModel,
  board: Board,
  options: AdaptArguments,
  samples: readonly LabelledBytes[],
): Promise<Learned> {
  const bar = progress(where, options.passes * samples.length);
  try {
    requireIdentity(await client.identify(), board, model, where);
    await rollbackOnDevice(client, 'original');
    let last: StepReport | null = null;
    for (let pass = 0; pass < options.passes; pass += 1)
      for (const [i, { label, bytes }] of samples.entries()) {
        await client.writeInput(bytes);
        last = await adaptOnDevice(client, label, bytes, INFERENCE_SECONDS_MAX);
        if (last.status !== 0) throw new UserError(`${where}: the encoder returned ${last.status}, 0 expected`, 7);
        bar.update(pass * samples.length + i + 1);
      }
    if (options.commit === true) await commitOnDevice(client);
    return { last, report: await learnedOnDevice(client), record: await recordOnDevice(client) };
  } catch (error) {
    throw deviceFailure(error);
  } finally {
    bar.stop();
    await client.close();
  }
}

interface AdaptDocument extends LearnedReport {
  readonly model: string;
  readonly board: string;
  readonly on: string;
  readonly outcome: string;
  readonly layers: string;
  readonly arithmetic: string;
  readonly learnedFrom: number;
  readonly passes: number;
  readonly judged: number;
  readonly before: number;
  readonly after: number;
  readonly inferCycles: number | null;
  readonly stepCycles: number | null;
}

function format(one: AdaptDocument): string {
  const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
  const rows: (readonly [string, string | number])[] = [
    ['steps', one.steps],
    ['mean loss', one.meanLoss === null ? '-' : `${one.meanLoss.toFixed(3)} nats`],
    ['right before', `${percent(one.before)} of ${one.judged} others`],
    ['right after', percent(one.after)],
    ['cycles of a window', one.inferCycles ?? '-'],
    ['cycles of a step', one.stepCycles ?? '-'],
    [
      'in flash',
      one.slotBytes === 0
        ? 'no driver for this board'
        : one.committedSteps === null
          ? 'nothing'
          : `${one.committedSteps} steps`,
    ],
    ['weights', one.outcome === 'ok' ? "equal the reference's" : "DIFFER from the reference's"],
  ];
  return `${one.model} on ${one.board} (${one.on}): ${one.layers} learned in ${one.arithmetic} from ${one.learnedFrom} samples, ${one.passes} passes\n\n${table(['', 'value'], rows)}`;
}
