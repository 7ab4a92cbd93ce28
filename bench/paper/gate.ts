/**
 * `npm run paper:gate [-- --quick] [--json]`: which detector the firmware's gate by statistics of the window is. Folds of the data set's training subjects
 * judge, as no network takes part; subjects of the split "val" are never read. Then the built-in system's own validation subjects: statistics,
 * the head's cosine, and both together.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { note, print, table } from '../../cli/output.ts';
import { packageRoot } from '../../common/package-root.ts';
import type { DecisionSystem, StatisticsHead } from '../../firmware-gen/ir/system.ts';
import { nearestPrototype, whitenedFeatures } from '../../firmware-gen/reference/decision/prototypes.ts';
import { SystemReference } from '../../firmware-gen/reference/system.ts';
import { windowStatistics } from '../../firmware-gen/reference/signal/window-statistics.ts';
import { loadSystem } from '../../harness/decision-system.ts';
import { MOTION_SCALE } from '../../learn/deep/motion-source.ts';
import { loadDataset, splitSubjects, type MotionDataset, type Recording } from '../../learn/har/dataset.ts';
import { logRank } from '../../learn/ood/detectors.ts';
import { auroc, tnrAtTpr95 } from '../../learn/ood/metrics.ts';
import { fitPrototypes } from '../../learn/ood/prototypes.ts';
import { sensorNoise, withHalfTurns } from '../../learn/ood/statistics-gate.ts';
import { gateScore, systemWindows, type SystemWindows } from '../../learn/ood/system-scores.ts';
import { classGaussians, windowStatistics as floatStatistics } from '../../learn/ood/window-statistics.ts';
import { runCommand } from './command.ts';
import { cachedCell } from './cache.ts';

const FOLDER = './build/paper/gate';
const FOLDS = 5;
const NEIGHBOUR = 5;

interface Options {
  readonly quick?: boolean;
  readonly json?: boolean;
  readonly system: string;
  readonly data: string;
  /** Known classes, in place of the system's. */
  readonly classes?: string;
  readonly average: number;
}

/** What windows are cut for. */
type Shape = Pick<DecisionSystem, 'name' | 'stream' | 'classes'>;

function shapeOf({ system: path, classes }: Options): Shape {
  const { system } = loadSystem(path);
  return classes === undefined ? system : { ...system, classes: classes.split(',') };
}

interface Figures {
  readonly auroc: number;
  readonly tnr: number;
}

interface Row {
  readonly detector: string;
  readonly folds: readonly Figures[];
}

type Score = (window: Int16Array) => number;
type Fit = (training: SystemWindows, classes: number, data: MotionDataset) => Score;

const integerHead = (training: SystemWindows, classes: number, data: MotionDataset, perClass: number): StatisticsHead =>
  fitPrototypes(
    { windows: training.samples, labels: training.labels, subjects: training.subjects, classes },
    { floors: sensorNoise(data.scale), perClass, seed: 1 },
  );

const prototypes =
  (perClass: number, halfTurn: boolean): Fit =>
  (training, classes, data) => {
    const head = integerHead(halfTurn ? withHalfTurns(training) : training, classes, data, perClass);
    return (window) => -nearestPrototype(head, windowStatistics(window, head.floors)).distance;
  };

const gaussians =
  (statistics: (window: Int16Array, data: MotionDataset) => ArrayLike<number>): Fit =>
  (training, classes, data) => {
    const density = classGaussians(
      training.samples.map((window) => statistics(window, data)),
      training.labels,
      classes,
    );
    return (window) => density(statistics(window, data));
  };

/** As paper:ood has them. */
const three = (window: Int16Array, { scale }: MotionDataset): ArrayLike<number> =>
  floatStatistics(
    Array.from(window, (value, i) => (value * scale[i % scale.length]!) / MOTION_SCALE[i % MOTION_SCALE.length]!),
    scale.length,
  );

const five = (window: Int16Array, { scale }: MotionDataset): ArrayLike<number> =>
  // Of like size: thousands of counts, steps and shares.
  Array.from(windowStatistics(window, Uint16Array.from(sensorNoise(scale))), (value) => value / 1024);

/** Distance to the fifth nearest of all training windows: more than a device would hold. */
const neighbours: Fit = (training, classes, data) => {
  const all = withHalfTurns(training);
  const head = integerHead(all, classes, data, 1);
  const whiten = (window: Int16Array): Int16Array => whitenedFeatures(head, windowStatistics(window, head.floors));
  const members = all.samples.map(whiten);
  return (window) => {
    const x = whiten(window);
    const nearest = new Float64Array(NEIGHBOUR).fill(Infinity);
    for (const member of members) {
      let distance = 0;
      for (let d = 0; d < x.length && distance < nearest[NEIGHBOUR - 1]!; d += 1) distance += (x[d]! - member[d]!) ** 2;
      if (distance >= nearest[NEIGHBOUR - 1]!) continue;
      nearest[NEIGHBOUR - 1] = distance;
      nearest.sort();
    }
    return -nearest[NEIGHBOUR - 1]!;
  };
};

const DETECTORS: readonly (readonly [string, Fit])[] = [
  ['a Gaussian per class, three statistics a channel', gaussians(three)],
  ['a Gaussian per class, five statistics a channel', gaussians(five)],
  ...[1, 4, 8, 16, 32, 64].map((count) => [`prototypes, ${count} a class`, prototypes(count, true)] as const),
  ['prototypes, 16 a class, no half turns', prototypes(16, false)],
  [`${NEIGHBOUR}th nearest of all training windows`, neighbours],
];

const figuresOf = (known: readonly number[], unknown: readonly number[]): Figures => ({
  auroc: auroc(known, unknown),
  tnr: tnrAtTpr95(known, unknown),
});

interface Judged {
  readonly training: SystemWindows;
  readonly known: SystemWindows;
  readonly unknown: SystemWindows;
}

/** Every fifth subject from `first` on judges. */
function fold(system: Shape, data: MotionDataset, first: number): Judged {
  const usable = data.recordings.filter(({ split }) => split === 'train');
  const subjects = [...new Set(usable.map(({ subject }) => subject))];
  const turned = [...subjects.slice(first + 1), ...subjects.slice(0, first + 1)];
  // splitSubjects takes the last of every five.
  const ordered = turned.flatMap((subject) => usable.filter((recording) => recording.subject === subject));
  const { train, validation } = splitSubjects(ordered, FOLDS);
  const others = [...new Set(usable.map(({ label }) => label))].filter((label) => !system.classes.includes(label));
  const windows = (recordings: readonly Recording[], labels: readonly string[]): SystemWindows =>
    systemWindows(system, data, recordings, labels);
  return {
    training: windows(train, system.classes),
    known: windows(validation, system.classes),
    unknown: windows(validation, others),
  };
}

/** What depends on the built-in network: its own validation subjects are those of the last fold. */
function onValidation(path: string, { known, unknown }: Judged): Row[] {
  const { system } = loadSystem(path);
  const cosineSystem = { ...system, gate: { kind: 'cosine' } } as const;
  const scores = (one: Parameters<typeof gateScore>[0]): [number[], number[]] => {
    const reference = new SystemReference(one);
    return [known, unknown].map(({ samples }) => samples.map((window) => gateScore(one, reference, window))) as [
      number[],
      number[],
    ];
  };
  const [cosine, statistics] = [scores(cosineSystem), scores(system)];
  const ranks = [logRank(cosine[0]), logRank(statistics[0])] as const;
  const both = (weight: number): Row => {
    const [a, b] = [0, 1].map((set) =>
      statistics[set]!.map((score, i) => ranks[1](score) + weight * ranks[0](cosine[set]![i]!)),
    ) as [number[], number[]];
    return { detector: `sum of log ranks, the cosine's times ${weight}`, folds: [figuresOf(a, b)] };
  };
  return [
    { detector: "the head's cosine", folds: [figuresOf(...cosine)] },
    { detector: "the system's gate", folds: [figuresOf(...statistics)] },
    both(1),
    both(0.5),
  ];
}

const mean = (folds: readonly Figures[], key: keyof Figures): number =>
  folds.reduce((sum, one) => sum + one[key], 0) / folds.length;

async function run(options: Options): Promise<void> {
  const data = loadDataset(options.data, options.average);
  const shape = shapeOf(options);
  const folds = Array.from({ length: options.quick ? 1 : FOLDS }, (_, i) => FOLDS - 1 - i);
  const judged = folds.map((first) => fold(shape, data, first));
  const manifest = readFileSync(join(options.data, 'manifest.json'), 'utf8');
  const rows: Row[] = [];
  for (const [detector, fit] of DETECTORS) {
    const inputs = {
      detector,
      folds,
      manifest,
      version: 1,
      ...(options.classes && { classes: shape.classes, average: options.average }),
    };
    rows.push(
      await cachedCell(FOLDER, inputs, () => {
        const figures = judged.map(({ training, known, unknown }) => {
          const score = fit(training, Math.max(...training.labels) + 1, data);
          return figuresOf(known.samples.map(score), unknown.samples.map(score));
        });
        return Promise.resolve({ detector, folds: figures });
      }),
    );
    note(`${detector}: done`);
  }
  const system = readFileSync(options.system, 'utf8');
  const validation = options.classes
    ? []
    : await cachedCell(FOLDER, { system, manifest, version: 1 }, () =>
        Promise.resolve(onValidation(options.system, judged[0]!)),
      );
  const cells = (all: readonly Row[]): string[][] =>
    all.map(({ detector, folds: of }) => [
      ...[detector, mean(of, 'auroc').toFixed(3), of.map((one) => one.auroc.toFixed(2)).join(' ')],
      ...[mean(of, 'tnr').toFixed(3), of.map((one) => one.tnr.toFixed(2)).join(' ')],
    ]);
  const header = ['detector', 'AUROC', 'by fold', 'TNR@TPR95', 'by fold'];
  print(options, { schemaVersion: 1, quick: options.quick === true, rows, validation }, () =>
    [
      ...(options.quick ? ['QUICK RUN (one fold): not the figures of the full run.'] : []),
      `Known against unknown windows, ${folds.length} folds of training subjects, means`,
      '',
      table(header, cells(rows)),
      ...(options.classes
        ? []
        : ['', 'Validation subjects of the built-in system (the first fold)', '', table(header, cells(validation))]),
    ].join('\n'),
  );
}

await runCommand(
  new Command('paper:gate')
    .option('--quick', 'one fold; labelled as such')
    .option('--system <file>', 'decision system', join(packageRoot(), 'models', 'har_ood.system.json'))
    .option('--data <folder>', 'motion data set', join(packageRoot(), '..', 'shared', 'data', 'har-wisdm-watch'))
    .option('--classes <names>', "known classes, separated by commas, in place of the system's; only folds judge then")
    .option('--average <frames>', 'frames of the recordings that become one', Number, 1)
    .option('--json', 'print JSON')
    .action(run),
);
