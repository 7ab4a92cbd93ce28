/**
 * `npm run paper:adaptation [-- --quick] [--json]`: a classifier of activities adapted on the device to unseen people, with the watch it was trained for and
 * with a phone in the pocket. Deep features against the same encoder trained with cross-entropy alone; static against dynamic inference; float, static and dynamic
 * 16-bit learning. Cells are cached; a run resumes.
 */
import { note, print, table } from '../../cli/output.ts';
import { ADAPT_ARITHMETICS, type AdaptArithmetic, type AdaptLayers } from '../../firmware-gen/ir/adaptation.ts';
import { bootstrapMean, type Interval } from '../../learn/evaluate/bootstrap.ts';
import {
  ADAPT_WINDOWS,
  AdaptationBench,
  BOARD,
  INFERENCES,
  TASKS,
  type Cost,
  type Setting,
  type SubjectResult,
  type Task,
} from './adaptation-cells.ts';
import { FEATURES, type Features } from './adaptation-models.ts';
import { runCommand, seededCommand, seedsOf, type SeededOptions } from './command.ts';

/** The talk (A. Pandey, tinyML Talk 2022-01-18), top-1 on data of its own, static / dynamic inference; one figure for dynamic 16 bit. */
const TALK: Readonly<Record<Features, Readonly<Record<'before' | AdaptArithmetic, string>>>> = {
  deep: { before: '99 / 99', float: '95 / 98', 'static-16': 'NA', 'dynamic-16': '97' },
  baseline: { before: '86 / 86', float: '80 / 85', 'static-16': 'NA', 'dynamic-16': '85' },
};

interface Row {
  readonly setting: Setting;
  /** By seed of the training. */
  readonly schedules: readonly {
    readonly rate: number;
    readonly epochs: number;
    readonly before: number;
    readonly after: number;
  }[];
  readonly tasks: Readonly<Record<Task, TaskFigures>>;
  /** With the first seed. */
  readonly cost: Cost;
}

interface Figure {
  readonly top1: number;
  readonly interval: Interval;
}

interface TaskFigures {
  readonly subjects: number;
  readonly windows: number;
  readonly before: Figure;
  readonly after: Figure;
  /** After less before. */
  readonly gain: Figure;
}

/** Whole subjects are drawn. */
function figuresOf(results: readonly SubjectResult[]): TaskFigures {
  const groups = results.flatMap(({ subject, after }) => after.map(() => String(subject)));
  const figure = (values: readonly number[]): Figure => ({
    top1: values.reduce((a, b) => a + b, 0) / values.length,
    interval: bootstrapMean(values, groups),
  });
  return {
    subjects: results.length,
    windows: groups.length,
    before: figure(results.flatMap(({ before }) => before)),
    after: figure(results.flatMap(({ after }) => after)),
    gain: figure(results.flatMap(({ before, after }) => after.map((value, i) => value - before[i]!))),
  };
}

/** The head in all combinations; biases alone and the block with deep features only. */
function settings(): Setting[] {
  const of = (features: Features, layers: AdaptLayers, arithmetics: readonly AdaptArithmetic[]): Setting[] =>
    INFERENCES.flatMap((inference) => arithmetics.map((arithmetic) => ({ features, inference, layers, arithmetic })));
  return [
    ...FEATURES.flatMap((features) => of(features, 'head', ADAPT_ARITHMETICS)),
    ...of('deep', 'bias', ADAPT_ARITHMETICS),
    ...of('deep', 'block', ADAPT_ARITHMETICS),
  ];
}

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

/** Of every window, by subject: the mean over seeds. */
function meanOverSeeds(results: readonly (readonly SubjectResult[])[]): SubjectResult[] {
  return results[0]!.map(({ subject, before, after }, s) => ({
    subject,
    before: before.map((_, i) => mean(results.map((seed) => seed[s]!.before[i]!))),
    after: after.map((_, i) => mean(results.map((seed) => seed[s]!.after[i]!))),
  }));
}

async function run(options: SeededOptions): Promise<void> {
  const seeds = seedsOf(options);
  const benches = seeds.map((seed) => new AdaptationBench({ ...options, seed }));
  const rows: Row[] = [];
  for (const setting of settings()) {
    const schedules: Row['schedules'][number][] = [];
    const results: Record<Task, SubjectResult[][]> = { subjects: [], phone: [] };
    for (const bench of benches) {
      const { rate, epochs } = await bench.schedule(setting.features, setting.layers);
      const subjects = await bench.accuracy(setting, 'subjects');
      results.subjects.push(subjects);
      results.phone.push(await bench.accuracy(setting, 'phone'));
      const top1 = (of: 'before' | 'after'): number => mean(subjects.flatMap((one) => one[of]));
      schedules.push({ rate, epochs, before: top1('before'), after: top1('after') });
    }
    const [subjects, phone] = [results.subjects, results.phone].map((all) => figuresOf(meanOverSeeds(all))) as [
      TaskFigures,
      TaskFigures,
    ];
    rows.push({ setting, schedules, tasks: { subjects, phone }, cost: await benches[0]!.cost(setting) });
    note(`${rows.length} of ${settings().length}: ${Object.values(setting).join(', ')}`);
  }
  const quick = options.quick === true;
  const document = { schemaVersion: 1, quick, seeds: seeds.length, published: TALK, board: BOARD, rows };
  print(options, document, () => format(rows, quick));
}

const percent = (share: number): string => (100 * share).toFixed(1);
const range = ({ top1, interval }: Figure): string =>
  `${percent(top1)} (${percent(interval.low)}-${percent(interval.high)})`;
const count = (value: number): string => value.toLocaleString('en-US');

function format(rows: readonly Row[], quick: boolean): string {
  const { subjects, phone } = rows[0]!.tasks;
  const published = ({ features, layers, arithmetic, inference }: Setting, when: 'before' | 'after'): string => {
    if (layers !== 'head') return '-';
    const both = TALK[features][when === 'before' ? 'before' : arithmetic].split(' / ');
    return both[both.length === 1 ? 0 : INFERENCES.indexOf(inference)]!;
  };
  const sections = (['subjects', 'phone'] as const).map((task) => {
    const name = task === 'subjects' ? 'unseen people' : 'unseen people, phone in the pocket instead of the watch';
    const { tasks } = rows[0]!;
    const lines = rows.map(({ setting, tasks: figures }) => [
      ...[setting.features, setting.inference, setting.layers, setting.arithmetic],
      ...[range(figures[task].before), range(figures[task].after), range(figures[task].gain)],
      `${published(setting, 'before')} -> ${published(setting, 'after')}`,
    ]);
    const header = ['features', 'inference', 'learns', 'arithmetic', 'before', 'after', 'gain', 'the talk'];
    return `${name}: ${tasks[task].subjects} people, ${count(tasks[task].windows)} windows of ${TASKS[task]}\n\n${table(header, lines)}`;
  });
  const costs = table(
    [
      'features',
      'inference',
      'learns',
      'arithmetic',
      'cycles of a window',
      'cycles of a step',
      'RAM',
      'flash',
      'equal windows',
    ],
    rows.map(({ setting, cost }) => [
      ...[setting.features, setting.inference, setting.layers, setting.arithmetic],
      ...[cost.inferCycles, cost.learnCycles, cost.ramBytes, cost.flashBytes, cost.windows],
    ]),
  );
  const schedules = [
    ...new Set(
      rows.map(
        ({ setting, schedules: all }) =>
          `${setting.features} ${setting.layers}: ${all.map(({ rate, epochs }) => `rate ${rate} and ${epochs} passes`).join(', ')}`,
      ),
    ),
  ];
  const bySeed = rows[0]!.schedules.length;
  return [
    ...(quick ? ['QUICK RUN (two people a task, a sixth of the training): not the figures of the full run.'] : []),
    `Top-1, percent, of windows that were not learned from; means of ${bySeed} seeds of the training; intervals over ${subjects.subjects} and ${phone.subjects} people. Every person's first ${ADAPT_WINDOWS} windows of each class are`,
    'learned from, one at a time. Learning is by the reference; the emulated board does the "equal windows", and every score, probability and weight must be the same.',
    `Chosen on subjects that validated the training, by seed: ${schedules.join('; ')}.`,
    '',
    ...sections.flatMap((section) => [section, '']),
    `On the emulated ${BOARD}, exact timing, first seed; RAM with stack:`,
    '',
    costs,
  ].join('\n');
}

await runCommand(seededCommand('paper:adaptation', 3, 'two people a task, short trainings').action(run));
