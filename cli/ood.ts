/** `thumbelina ood fit|evaluate PROJECT.json|SYSTEM.json`: the threshold of a decision system from known classes alone, how well it rejects others. */
import { writeFileSync } from 'node:fs';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { UserError } from '../common/errors.ts';
import type { DecisionSystem } from '../firmware-gen/ir/system.ts';
import { systemJson } from '../firmware-gen/system-file.ts';
import { isMotion } from '../learn/deep/config.ts';
import { splitMotion } from '../learn/deep/splits.ts';
import { loadDataset, splitSubjects, type Recording } from '../learn/har/dataset.ts';
import { ofSplit } from '../learn/ood/system-data.ts';
import {
  fitThreshold,
  gateThreshold,
  systemWindows,
  withThreshold,
  type SystemWindows,
} from '../learn/ood/system-scores.ts';
import { withStatisticsGate } from '../learn/ood/statistics-gate.ts';
import { DEFAULT_DIR } from './options.ts';
import { print, type JsonOption } from './output.ts';
import { loadSystemTarget, withFolders, type SystemTarget } from './project.ts';
import { systemData, type DataOptions } from './system-data.ts';
import { formatFigures, judgeSystem } from './system-figures.ts';

/** As a project has them unless it says otherwise. */
const [VALIDATE_EVERY, SEED] = [5, 1];

interface OodArguments extends JsonOption, DataOptions {
  readonly output: string;
}

interface FitArguments extends OodArguments {
  readonly accept: number;
  readonly detector?: 'statistics';
  readonly halfTurn: boolean;
}

export function addOod(program: Command): void {
  const ood = program
    .command('ood')
    .description('how a decision system tells unknown activities or words from known ones');
  const subcommand = (name: string, description: string): Command =>
    ood
      .command(name)
      .description(description)
      .argument('<system>', 'NAME.system.json, or the project it was made of')
      .option('-o, --output <dir>', "folder of the project's system", DEFAULT_DIR)
      .option('--data <folder>', "data set of motion or sound; default: the project's")
      .option('--json', 'print JSON');
  subcommand(
    'fit',
    'set the threshold, or the whole gate, from windows of the known classes alone, and write it into the system',
  )
    .option(
      '--accept <percent>',
      "share of known windows to accept (a project's own goes before the default)",
      percent,
      95,
    )
    .option(
      '--split <name>',
      "the data set's split to take windows from (default: a project's validating subjects, else val; with --detector its training ones, else train)",
    )
    .addOption(
      new Option(
        '--detector <name>',
        "a gate in place of the system's: prototypes from four fifths of the split's subjects, the threshold from every fifth",
      ).choices(['statistics']),
    )
    .option('--no-half-turn', 'with --detector: the sensor is never worn turned by half a turn about z')
    .action(runFit);
  subcommand('evaluate', 'AUROC, AUPR, TNR at a TPR of 95 %, per unknown class, with intervals over subjects')
    .option('--split <name>', "the data set's split to judge on (default: a project's unseen subjects, else val)")
    .action(runEvaluate);
}

function percent(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 100)) throw new InvalidArgumentError('it is a percentage above 0, at most 100.');
  return value;
}

/** @throws UserError when there are none */
function someOf(windows: SystemWindows, system: DecisionSystem, where: string): SystemWindows {
  if (windows.labels.length > 0) return windows;
  throw new UserError(`${where}: no windows of ${system.classes.join(', ')}; use another data set`);
}

interface Fitted {
  readonly fitted: DecisionSystem;
  /** Those that set the threshold. */
  readonly judged: SystemWindows;
}

/** @param accept share, 0..1 */
function withFittedThreshold(target: SystemTarget, options: FitArguments, accept: number): Fitted {
  const { system } = target.loaded;
  const judged = someOf(systemData(target, options, 'validation').windows(system.classes), system, target.path);
  return { judged, fitted: withThreshold(system, fitThreshold(system, judged, accept)) };
}

function withFittedStatistics({ loaded, path, project }: SystemTarget, options: FitArguments, accept: number): Fitted {
  const { system } = loaded;
  if (system.frontEnd.kind === 'mfcc')
    throw new UserError(`${system.name}: --detector statistics is for motion; leave it out for sound`);
  const config = project && withFolders(project);
  const folder = config?.data.folder ?? options.data;
  if (folder === undefined) throw new UserError(`${path}: a system names no data set; give --data`);
  const data = loadDataset(folder, config && isMotion(config) ? config.data.average : 1);
  const { split } = options;
  const parts =
    config !== null && split === undefined
      ? splitMotion(data, config)
      : splitSubjects(ofSplit(data.recordings, folder, split ?? 'train'), VALIDATE_EVERY);
  const known = (recordings: readonly Recording[]): SystemWindows =>
    someOf(systemWindows(system, data, recordings, system.classes), system, folder);
  const judged = known(parts.validation);
  const halfTurn = options.halfTurn && (config === null || config.augmentation.flip > 0);
  const seed = config?.schedule.seed ?? SEED;
  const how = { rawScale: data.scale, halfTurn, accept, seed };
  return { judged, fitted: withStatisticsGate(system, known(parts.train), judged, how) };
}

function runFit(argument: string, options: FitArguments, command: Command): void {
  const target = loadSystemTarget(argument, options.output, options.data);
  const { system, encoder, configuration } = target.loaded;
  const isGiven = command.getOptionValueSource('accept') === 'cli';
  const accept = isGiven || target.project === null ? options.accept / 100 : target.project.config.deploy.accept;
  const before = gateThreshold(system);
  const { fitted, judged } = options.detector
    ? withFittedStatistics(target, options, accept)
    : withFittedThreshold(target, options, accept);
  writeFileSync(target.path, systemJson(fitted, encoder, configuration));
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

function runEvaluate(argument: string, options: OodArguments): void {
  const target = loadSystemTarget(argument, options.output, options.data);
  const { system } = target.loaded;
  const figures = judgeSystem(target, systemData(target, options, 'unseen'));
  if (figures.all === null)
    throw new UserError(
      `${target.path}: known and unknown classes are both needed; use a data set with other labels too`,
    );
  const document = { schemaVersion: 1, system: system.name, threshold: gateThreshold(system), ...figures };
  print(options, document, () => formatFigures(system.name, figures));
}
