/** `thumbelina ood fit|evaluate SYSTEM.json`: the threshold of a decision system from known activities alone, and how well it rejects others. */
import { writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { InvalidArgumentError, type Command } from 'commander';
import { UserError } from '../common/errors.ts';
import { systemJson } from '../firmware-gen/system-file.ts';
import { loadSystem } from '../harness/decision-system.ts';
import { loadDataset, type MotionDataset, type Recording } from '../learn/har/dataset.ts';
import {
  fitThreshold,
  gateThreshold,
  systemFigures,
  systemWindows,
  withThreshold,
} from '../learn/ood/system-scores.ts';
import { print, table, type JsonOption } from './output.ts';

interface FitArguments extends JsonOption {
  readonly data: string;
  readonly accept: number;
  readonly split: string;
}

interface EvaluateArguments extends JsonOption {
  readonly data: string;
  readonly split: string;
}

export function addOod(program: Command): void {
  const ood = program.command('ood').description('how a decision system tells unknown activities from known ones');
  ood
    .command('fit')
    .description('set the threshold from windows of the known classes alone, and write it into the system')
    .argument('<system>', 'NAME.system.json')
    .requiredOption('--data <folder>', 'motion data set')
    .option('--accept <percent>', 'share of known windows to accept', percent, 95)
    .option('--split <name>', "the data set's split to take windows from", 'val')
    .option('--json', 'print JSON')
    .action(runFit);
  ood
    .command('evaluate')
    .description('AUROC, AUPR, TNR at a TPR of 95 %, per unknown class, with intervals over subjects')
    .argument('<system>', 'NAME.system.json')
    .requiredOption('--data <folder>', 'motion data set')
    .option('--split <name>', "the data set's split to judge on", 'val')
    .option('--json', 'print JSON')
    .action(runEvaluate);
}

function percent(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 100)) throw new InvalidArgumentError('it is a percentage above 0, at most 100.');
  return value;
}

/** @throws UserError when the data set has no such recordings */
function recordingsOf(data: MotionDataset, folder: string, split: string): Recording[] {
  const recordings = data.recordings.filter((recording) => recording.split === split);
  if (recordings.length > 0) return recordings;
  const known = [...new Set(data.recordings.map((recording) => recording.split))].join(', ');
  throw new UserError(`${folder}: no recordings of split "${split}"; its splits are ${known}`);
}

function runFit(path: string, options: FitArguments): void {
  const { system } = loadSystem(path);
  const data = loadDataset(options.data);
  const known = systemWindows(system, data, recordingsOf(data, options.data, options.split), system.classes);
  if (known.samples.length === 0)
    throw new UserError(`${options.data}: no windows of ${system.classes.join(', ')}; use another data set`);
  const before = gateThreshold(system);
  const fitted = withThreshold(system, fitThreshold(system, known, options.accept / 100));
  const encoder = `${basename(path).replace(/\.system\.json$/, '')}.tflite`;
  writeFileSync(path, systemJson(fitted, encoder));
  const after = gateThreshold(fitted);
  const document = { schemaVersion: 1, system: system.name, windows: known.samples.length, before, after };
  print(
    options,
    document,
    () => `${system.name}: threshold ${before} is now ${after}, from ${known.samples.length} known windows`,
  );
}

function runEvaluate(path: string, options: EvaluateArguments): void {
  const { system } = loadSystem(path);
  const data = loadDataset(options.data);
  const recordings = recordingsOf(data, options.data, options.split);
  const others = [...new Set(recordings.map(({ label }) => label))].filter((label) => !system.classes.includes(label));
  const [known, unknown] = [system.classes, others].map((labels) =>
    systemWindows(system, data, recordings, labels),
  ) as [ReturnType<typeof systemWindows>, ReturnType<typeof systemWindows>];
  if (known.samples.length === 0 || unknown.samples.length === 0)
    throw new UserError(
      `${options.data}: known and unknown activities are both needed; use a data set with other labels too`,
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
