/**
 * `npm run paper:features [-- --quick] [--tasks LIST] [--seeds N] [--noise] [--json]`: deep features against the same encoder trained with cross-entropy alone, on unseen
 * subjects or speakers, as recorded and shifted. Equal encoders, heads and numbers of steps; cells are cached, a run resumes.
 */
import { note, print, table } from '../../cli/output.ts';
import { UserError } from '../../common/errors.ts';
import { OBJECTIVES } from '../../learn/deep/config.ts';
import { bootstrapMean, type Interval } from '../../learn/evaluate/bootstrap.ts';
import { startTfjs } from '../../learn/tfjs/start.ts';
import { runCommand, seededCommand, seedsOf, type SeededOptions } from './command.ts';
import { FEATURE_TASKS, featureCell, type FeatureCell, type FeatureTask, type Objective } from './features-grid.ts';

/** The talk (A. Pandey, tinyML Talk 2022-01-18), KWS on data of its own, percent: in distribution, shifted. It gives none for activities. */
const TALK: Readonly<Record<Objective, readonly [number, number]>> = {
  classify: [96.3, 89.4],
  denoising: [98.1, 93.3],
  variational: [98.0, 93.6],
  'variational-discriminative': [99.0, 94.7],
};

interface Options extends SeededOptions {
  readonly noise?: boolean;
  readonly tasks: string;
}

interface Figure {
  readonly accuracy: number;
  readonly interval: Interval;
  /** Over the baseline, paired by test window. */
  readonly gain: number;
  readonly gainInterval: Interval;
}

interface Row {
  readonly task: FeatureTask;
  readonly objective: Objective;
  readonly seeds: number;
  readonly plain: Figure;
  readonly shifted: Figure;
}

/** Mean over seeds of each window's being right, then over windows; whole subjects are drawn. */
function figure(cells: readonly FeatureCell[], baseline: readonly FeatureCell[], of: 'plain' | 'shifted'): Figure {
  const { subjects } = cells[0]!;
  const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
  const right = (all: readonly FeatureCell[]): number[] => subjects.map((_, i) => mean(all.map((one) => one[of][i]!)));
  const [values, base] = [right(cells), right(baseline)];
  const gains = values.map((value, i) => value - base[i]!);
  return {
    ...{ accuracy: mean(values), interval: bootstrapMean(values, subjects) },
    ...{ gain: mean(gains), gainInterval: bootstrapMean(gains, subjects) },
  };
}

async function run(options: Options): Promise<void> {
  const tasks = options.tasks.split(',');
  const unknown = tasks.find((task) => !(FEATURE_TASKS as readonly string[]).includes(task));
  if (unknown !== undefined) throw new UserError(`--tasks ${unknown}: not known; ${FEATURE_TASKS.join(', ')} are`);
  await startTfjs();
  const seeds = seedsOf(options);
  const columns = (tasks as FeatureTask[]).flatMap((task) =>
    OBJECTIVES.map((objective) => ({ task, objective, cells: [] as FeatureCell[] })),
  );
  // Seed after seed, so that what an interrupted run leaves are whole grids.
  for (const seed of seeds)
    for (const { task, objective, cells } of columns) {
      cells.push(featureCell({ task, objective, seed }, options));
      note(`${task}, ${objective}, seed ${seed}: done`);
    }
  const rows = columns.map(({ task, objective, cells }): Row => {
    const baseline = columns.find((one) => one.task === task && one.objective === 'classify')!.cells;
    const [plain, shifted] = [figure(cells, baseline, 'plain'), figure(cells, baseline, 'shifted')];
    return { task, objective, seeds: seeds.length, plain, shifted };
  });
  const document = {
    schemaVersion: 1,
    quick: options.quick === true,
    noise: options.noise === true,
    published: { kws: TALK, har: null },
    rows,
  };
  print(options, document, () => {
    const percent = (share: number): string => (100 * share).toFixed(1);
    const range = ({ low, high }: Interval): string => `${percent(low)} to ${percent(high)}`;
    return [
      ...(options.quick ? ['QUICK RUN (one seed, a sixth of the training): not the figures of the full grid.'] : []),
      'Percent right on unseen subjects or speakers; means over seeds, intervals over subjects',
      '',
      table(
        ['task', 'features', 'in distr.', '95 %', 'gain', '95 %', 'shifted', '95 %', 'gain', '95 %', 'the talk, KWS'],
        rows.map(({ task, objective, plain, shifted }) => [
          ...[task, objective === 'classify' ? 'baseline' : objective],
          ...[plain, shifted].flatMap((one) => [
            ...[percent(one.accuracy), range(one.interval)],
            ...(objective === 'classify' ? ['-', '-'] : [percent(one.gain), range(one.gainInterval)]),
          ]),
          task === 'har' ? '-' : TALK[objective].join(' / '),
        ]),
      ),
      '',
      ...(options.noise ? ['words: trained with boiler noise of 5 to 25 dB'] : []),
      'shifted: activities with white noise of 5 dB and a gain of 1.5; words with washing-machine noise of 0 to 10 dB and gains of -12 to 6 dB',
    ].join('\n');
  });
}

await runCommand(
  seededCommand('paper:features', 5)
    .option('--tasks <list>', `of ${FEATURE_TASKS.join(', ')}`, FEATURE_TASKS.join(','))
    .option('--noise', 'words only: train with household noise of 5 to 25 dB, other than that of the test')
    .action(run),
);
