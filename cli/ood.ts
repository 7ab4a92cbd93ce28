/** `thumbelina ood fit|evaluate SYSTEM.json`: the threshold of a decision system from known classes alone, and how well it rejects others. */
import { writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { UserError } from '../common/errors.ts';
import type { DecisionSystem } from '../firmware-gen/ir/system.ts';
import { systemJson } from '../firmware-gen/system-file.ts';
import { loadSystem } from '../harness/decision-system.ts';
import { loadDataset, splitSubjects, type Recording } from '../learn/har/dataset.ts';
import { loadSystemData, ofSplit } from '../learn/ood/system-data.ts';
import {
  fitThreshold,
  gateThreshold,
  systemFigures,
  systemWindows,
  withThreshold,
  type SystemWindows,
} from '../learn/ood/system-scores.ts';
import { withStatisticsGate } from '../learn/ood/statistics-gate.ts';
import { print, table, type JsonOption } from './output.ts';

/** As a training configuration has them unless it says otherwise. */
const [VALIDATE_EVERY, SEED] = [5, 1];

interface FitArguments extends JsonOption {
  readonly data: string;
  readonly accept: number;
  readonly split?: string;
  readonly detector?: 'statistics';
  readonly halfTurn: boolean;
}

interface EvaluateArguments extends JsonOption {
  readonly data: string;
  readonly split: string;
}

export function addOod(program: Command): void {
  const ood = program
    .command('ood')
    .description('how a decision system tells unknown activities or words from known ones');
  ood
    .command('fit')
    .description(
      'set the threshold, or the whole gate, from windows of the known classes alone, and write it into the system',
    )
    .argument('<system>', 'NAME.system.json')
    .requiredOption('--data <folder>', 'data set of motion or sound')
    .option('--accept <percent>', 'share of known windows to accept', percent, 95)
    .option('--split <name>', "the data set's split to take windows from (default: val; with --detector: train)")
    .addOption(
      new Option(
        '--detector <name>',
        "a gate in place of the system's: prototypes from four fifths of the split's subjects, the threshold from every fifth",
      ).choices(['statistics']),
    )
    .option('--no-half-turn', 'with --detector: the sensor is never worn turned by half a turn about z')
    .option('--json', 'print JSON')
    .action(runFit);
  ood
    .command('evaluate')
    .description('AUROC, AUPR, TNR at a TPR of 95 %, per unknown class, with intervals over subjects')
    .argument('<system>', 'NAME.system.json')
    .requiredOption('--data <folder>', 'data set of motion or sound')
    .option('--split <name>', "the data set's split to judge on", 'val')
    .option('--json', 'print JSON')
    .action(runEvaluate);
}

function percent(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 100)) throw new InvalidArgumentError('it is a percentage above 0, at most 100.');
  return value;
}

/** @throws UserError when there are none */
function someOf(windows: SystemWindows, system: DecisionSystem, folder: string): SystemWindows {
  if (windows.labels.length > 0) return windows;
  throw new UserError(`${folder}: no windows of ${system.classes.join(', ')}; use another data set`);
}

interface Fitted {
  readonly fitted: DecisionSystem;
  /** Those that set the threshold. */
  readonly judged: SystemWindows;
}

function withFittedThreshold(system: DecisionSystem, { data, split = 'val', accept }: FitArguments): Fitted {
  const judged = someOf(loadSystemData(system, data, split).windows(system.classes), system, data);
  return { judged, fitted: withThreshold(system, fitThreshold(system, judged, accept / 100)) };
}

function withFittedStatistics(system: DecisionSystem, options: FitArguments): Fitted {
  const { split = 'train', halfTurn } = options;
  if (system.frontEnd.kind === 'mfcc')
    throw new UserError(`${system.name}: --detector statistics is for motion; leave it out for sound`);
  const data = loadDataset(options.data);
  const known = (recordings: readonly Recording[]): SystemWindows =>
    someOf(systemWindows(system, data, recordings, system.classes), system, options.data);
  const parts = splitSubjects(ofSplit(data.recordings, options.data, split), VALIDATE_EVERY);
  const judged = known(parts.validation);
  const fitted = withStatisticsGate(system, known(parts.train), judged, {
    ...{ rawScale: data.scale, halfTurn, accept: options.accept / 100, seed: SEED },
  });
  return { judged, fitted };
}

function runFit(path: string, options: FitArguments): void {
  const { system } = loadSystem(path);
  const before = gateThreshold(system);
  const { fitted, judged } = options.detector
    ? withFittedStatistics(system, options)
    : withFittedThreshold(system, options);
  const encoder = `${basename(path).replace(/\.system\.json$/, '')}.tflite`;
  writeFileSync(path, systemJson(fitted, encoder));
  const after = gateThreshold(fitted);
  const document = {
    schemaVersion: 1,
    system: system.name,
    gate: fitted.gate.kind,
    windows: judged.samples.length,
    before,
    after,
  };
  print(
    options,
    document,
    () =>
      `${system.name}: threshold ${before} (${system.gate.kind}) is now ${after} (${fitted.gate.kind}), from ${judged.samples.length} known windows`,
  );
}

function runEvaluate(path: string, options: EvaluateArguments): void {
  const { system } = loadSystem(path);
  const data = loadSystemData(system, options.data, options.split);
  const others = data.labels.filter((label) => !system.classes.includes(label));
  const [known, unknown] = [data.windows(system.classes), data.windows(others)];
  if (known.samples.length === 0 || unknown.samples.length === 0)
    throw new UserError(
      `${options.data}: known and unknown classes are both needed; use a data set with other labels too`,
    );
  const figures = systemFigures(system, known, unknown, others);
  print(options, { schemaVersion: 1, system: system.name, threshold: gateThreshold(system), ...figures }, () => {
    const share = (value: number): string => `${(100 * value).toFixed(1)} %`;
    const row = (name: string, windows: number, one: typeof figures.all): (string | number)[] => [
      ...[
        name,
        windows,
        one.auroc.toFixed(3),
        `${one.aurocInterval.low.toFixed(2)}-${one.aurocInterval.high.toFixed(2)}`,
      ],
      ...[one.aupr.toFixed(3), one.tnrAtTpr95.toFixed(3), share(one.unknownAccepted)],
    ];
    const rows = [
      row('all', figures.unknown, figures.all),
      ...figures.byClass.map((one) => row(one.unknown, one.windows, one)),
    ];
    return [
      `${system.name}: ${share(figures.accuracy)} of ${figures.known} known windows right, ${share(figures.all.knownAccepted)} accepted`,
      '',
      table(['unknown', 'windows', 'AUROC', '95 %', 'AUPR', 'TNR@TPR95', 'accepted'], rows),
    ].join('\n');
  });
}
