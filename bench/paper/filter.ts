/**
 * `npm run paper:filter [-- --quick] [--json]`: Bayesian filters against frame-wise decisions along the continuous recordings of har-hapt, integer
 * decision systems throughout. Subjects are judged by systems that were trained without them (folds); cells are cached, a run resumes.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { note, print, table } from '../../cli/output.ts';
import { packageRoot } from '../../common/package-root.ts';
import { isMotion, parseTrainConfig, type MotionConfig } from '../../learn/deep/config.ts';
import { motionSource } from '../../learn/deep/motion-source.ts';
import { deployTrained } from '../../learn/deep/train-motion.ts';
import { train } from '../../learn/deep/trainer.ts';
import { fitKalman } from '../../learn/decision/fit-kalman.ts';
import { bootstrapMean, type Interval } from '../../learn/evaluate/bootstrap.ts';
import { loadDataset, loadStreams } from '../../learn/har/dataset.ts';
import { startTfjs } from '../../learn/tfjs/start.ts';
import { runCommand } from './command.ts';
import { cell, cellKey } from './cache.ts';
import {
  RULES,
  decide,
  featureRuns,
  streamFeatures,
  streamFigures,
  type Rule,
  type StreamFigures,
} from './filter-streams.ts';
import { ENCODERS } from './ood-grid.ts';

const FOLDER = './build/paper/filter';
const CLASSES = ['WALKING', 'WALKING_UPSTAIRS', 'WALKING_DOWNSTAIRS', 'SITTING', 'STANDING', 'LAYING'];
/** 50 Hz averaged to 25; a decision every 1.28 s. */
const AVERAGE = 2;
const FOLDS = 5;
const SWITCHING = [0.01, 0.02, 0.05, 0.1, 0.2, 0.4] as const;
/** Subjects whose windows fit the filter; more take time and change little. */
const FIT_SUBJECTS = 5;

interface Options {
  readonly quick?: boolean;
  readonly json?: boolean;
  readonly data: string;
}

interface Fold {
  readonly accuracy: number;
  readonly switching: Readonly<Record<Rule, number>>;
  readonly figures: Readonly<Record<Rule, readonly StreamFigures[]>>;
}

function configOf(subjects: readonly number[], fold: number, { quick, data }: Options): MotionConfig {
  const input = { kind: 'motion', folder: data, classes: CLASSES, average: AVERAGE };
  const schedule = quick ? { steps: 75, batch: 48, validateSteps: 25 } : { steps: 300, batch: 64, validateSteps: 50 };
  const name = `filter_${fold}`;
  const json = {
    ...{ schemaVersion: 1, name, data: input, frontEnd: { kind: 'raw' }, encoder: ENCODERS.raw },
    ...{ head: { kind: 'deconf-c' }, schedule, subjects },
  };
  const config = parseTrainConfig(json, name);
  if (!isMotion(config)) throw new Error('internal: no motion');
  return config;
}

function runFold(fold: number, options: Options): Fold {
  const manifest = readFileSync(join(options.data, 'manifest.json'));
  const { streams } = loadStreams(options.data, AVERAGE);
  const subjects = [...new Set(streams.map(({ subject }) => subject))];
  const held = subjects.filter((_, i) => i % FOLDS === fold);
  const used = subjects.filter((subject) => !held.includes(subject));
  const config = configOf(used, fold, options);
  const about = { ...config, data: { ...config.data, folder: '' } };
  const inputs = { config: about, manifest: createHash('sha256').update(manifest).digest('hex'), held, version: 2 };
  return cell(FOLDER, inputs, () => {
    const data = loadDataset(options.data, AVERAGE);
    const key = cellKey(inputs);
    const trained = train(config, motionSource(data, config), {
      checkpoint: join(FOLDER, `${key}.checkpoint.json`),
      key,
      report: ({ step, steps, samplesPerSecond }) =>
        note(`${config.name} ${step}/${steps}, ${samplesPerSecond.toFixed(0)} samples/s`),
    });
    const system = deployTrained(trained.network, data, config);
    trained.network.dispose();
    const validates = used.filter((_, i) => i % config.data.validateEvery === config.data.validateEvery - 1);
    const fits = used.filter((subject) => !validates.includes(subject)).slice(0, FIT_SUBJECTS);
    const of = (wanted: readonly number[]) =>
      streams.filter(({ subject }) => wanted.includes(subject)).map((stream) => streamFeatures(system, stream));
    const [fitted, validation, test] = [of(fits), of(validates), of(held)];
    const filter = fitKalman(fitted.flatMap(featureRuns), validation.flatMap(featureRuns), {
      ...{ classes: CLASSES.length, offset: system.head.head.offset, switching: 0.01 },
      independentAfter: system.stream.frames / system.stream.hop,
    });
    const judge = (set: typeof test, rule: Rule, switching: number): StreamFigures[] =>
      set.map((one) => streamFigures(one, decide(system, filter, one, rule, switching)));
    const accuracy = (rule: Rule, switching: number): number => accuracyOf(judge(validation, rule, switching));
    const choose = (rule: Rule): number =>
      SWITCHING.reduce((best, one) => (accuracy(rule, one) > accuracy(rule, best) ? one : best));
    const chosen = RULES.map((rule) => [rule, choose(rule)] as const);
    return {
      accuracy: trained.best.accuracy,
      switching: Object.fromEntries(chosen) as Record<Rule, number>,
      figures: Object.fromEntries(chosen.map(([rule, value]) => [rule, judge(test, rule, value)])) as Record<
        Rule,
        StreamFigures[]
      >,
    };
  });
}

const accuracyOf = (figures: readonly StreamFigures[]): number =>
  figures.reduce((sum, { right }) => sum + right, 0) / figures.reduce((sum, { windows }) => sum + windows, 0);

interface Row {
  readonly rule: Rule;
  readonly accuracy: number;
  readonly accuracyInterval: Interval;
  readonly delay: number;
  readonly delayInterval: Interval;
  readonly changes: number;
  readonly missed: number;
  readonly switching: readonly number[];
}

function rowOf(rule: Rule, folds: readonly Fold[]): Row {
  const streams = folds.flatMap(({ figures }) => figures[rule]);
  const spread = (of: (one: StreamFigures) => readonly number[]) => ({
    values: streams.flatMap(of),
    groups: streams.flatMap((one) => of(one).map(() => one.subject)),
  });
  const hits = spread(({ windows, right }) => Array.from({ length: windows }, (_, i) => (i < right ? 1 : 0)));
  const delays = spread((one) => one.delays);
  return {
    rule,
    accuracy: accuracyOf(streams),
    accuracyInterval: bootstrapMean(hits.values, hits.groups),
    delay: delays.values.reduce((a, b) => a + b, 0) / delays.values.length,
    delayInterval: bootstrapMean(delays.values, delays.groups),
    changes: delays.values.length,
    missed: streams.reduce((sum, { missed }) => sum + missed, 0),
    switching: folds.map(({ switching }) => switching[rule]),
  };
}

async function run(options: Options): Promise<void> {
  await startTfjs();
  const count = options.quick ? 1 : FOLDS;
  const folds = Array.from({ length: count }, (_, fold) => {
    const done = runFold(fold, options);
    note(`fold ${fold + 1} of ${count}`);
    return done;
  });
  const rows = RULES.map((rule) => rowOf(rule, folds));
  const subjects = new Set(folds.flatMap(({ figures }) => figures['frame-wise'].map(({ subject }) => subject))).size;
  const windows = folds.flatMap(({ figures }) => figures['frame-wise']).reduce((sum, one) => sum + one.windows, 0);
  const document = { schemaVersion: 1, quick: options.quick === true, published: null, subjects, windows, rows };
  print(options, document, () =>
    [
      ...(options.quick ? ['QUICK RUN (one fold, a fifth of the training): not the figures of the full run.'] : []),
      `har-hapt, 6 classes, ${subjects} unseen subjects (${count} folds), ${windows} windows of 2.56 s, a decision every 1.28 s; intervals over subjects`,
      '',
      table(
        ['decision', 'accuracy', '95 %', 'delay, windows', '95 %', 'changes missed'],
        rows.map((row) => [
          ...[
            row.rule,
            percent(row.accuracy),
            `${percent(row.accuracyInterval.low)} to ${percent(row.accuracyInterval.high)}`,
          ],
          ...[row.delay.toFixed(2), `${row.delayInterval.low.toFixed(2)}-${row.delayInterval.high.toFixed(2)}`],
          `${row.missed} of ${row.changes}`,
        ]),
      ),
      '',
      `probability of a switch, chosen on validation subjects by fold: ${RULES.filter((rule) => rule.endsWith('HMM'))
        .map((rule) => `${rule} ${rows.find((row) => row.rule === rule)!.switching.join(', ')}`)
        .join('; ')}`,
      'published: the talk names a Bayesian framework for activity recognition and gives no figure for it',
    ].join('\n'),
  );
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

await runCommand(
  new Command('paper:filter')
    .option('--quick', 'one fold, a short training; labelled as such')
    .option('--data <folder>', 'har-hapt', join(packageRoot(), '..', 'shared', 'data', 'har-hapt'))
    .option('--json', 'print JSON')
    .action(run),
);
