/**
 * `npm run paper:aware [-- --quick] [--seeds N] [--json]`: what it is worth that the last third of a training sees weights and activations as int8
 * will have them, for weights with a scale by output channel and by layer, and what dynamic scales make of windows eight times louder. Integer
 * decision systems on windows of unseen subjects; cells are cached, a run resumes.
 */
import { note, print, table } from '../../cli/output.ts';
import { bootstrapMean, type Interval } from '../../learn/evaluate/bootstrap.ts';
import { startTfjs } from '../../learn/tfjs/start.ts';
import { GAINS, VARIANTS, awareCell, type AwareCell } from './aware-grid.ts';
import { runCommand, seededCommand, seedsOf, type SeededOptions } from './command.ts';

interface Figure {
  readonly gain: number;
  readonly accuracy: number;
  /** Over subjects. */
  readonly interval: Interval;
  /** Against the float network trained without knowledge of int8, paired by window. */
  readonly difference: number;
  readonly differenceInterval: Interval;
  /** Share of windows with the class of the same network in float. */
  readonly same: number;
}

interface Row {
  readonly title: string;
  readonly figures: readonly Figure[];
}

interface Worth {
  readonly title: string;
  readonly unaware: string;
  /** Paired by window, as recorded. */
  readonly gain: number;
  readonly interval: Interval;
}

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

/** Of each window. @param g index of the gain */
const overSeeds = (cells: readonly AwareCell[], of: 'right' | 'same', g: number): number[] =>
  cells[0]!.subjects.map((_, i) => mean(cells.map((one) => one[of][g]![i]!)));

function rowOf(title: string, cells: readonly AwareCell[], float: readonly AwareCell[]): Row {
  const { subjects } = cells[0]!;
  const figures = GAINS.map((gain, g): Figure => {
    const [values, base] = [overSeeds(cells, 'right', g), overSeeds(float, 'right', g)];
    const differences = values.map((value, i) => value - base[i]!);
    return {
      ...{ gain, accuracy: mean(values), interval: bootstrapMean(values, subjects) },
      ...{ difference: mean(differences), differenceInterval: bootstrapMean(differences, subjects) },
      same: mean(overSeeds(cells, 'same', g)),
    };
  });
  return { title, figures };
}

function worthOf(title: string, unaware: string, cells: readonly AwareCell[], others: readonly AwareCell[]): Worth {
  const base = overSeeds(others, 'right', 0);
  const gains = overSeeds(cells, 'right', 0).map((value, i) => value - base[i]!);
  return { title, unaware, gain: mean(gains), interval: bootstrapMean(gains, cells[0]!.subjects) };
}

async function run(options: SeededOptions): Promise<void> {
  await startTfjs();
  const seeds = seedsOf(options);
  const columns = [null, ...VARIANTS].map((variant) => ({ variant, cells: [] as AwareCell[] }));
  // Seed after seed, so that what an interrupted run leaves are whole tables.
  for (const seed of seeds)
    for (const { variant, cells } of columns) {
      cells.push(awareCell(variant, seed, options));
      note(`${variant?.title ?? 'float'}, seed ${seed}: done`);
    }
  const float = columns[0]!.cells;
  const rows = columns.map(({ variant, cells }) => rowOf(variant?.title ?? 'float', cells, float));
  const worth = columns.flatMap(({ variant, cells }) => {
    const unaware = columns.find((one) => variant?.unaware !== undefined && one.variant?.title === variant.unaware);
    return variant && unaware ? [worthOf(variant.title, unaware.variant!.title, cells, unaware.cells)] : [];
  });
  const windows = float[0]!.subjects.length;
  const subjects = new Set(float[0]!.subjects).size;
  const document = {
    schemaVersion: 1,
    quick: options.quick === true,
    seeds: seeds.length,
    windows,
    subjects,
    rows,
    worth,
  };
  print(options, document, () => {
    const percent = (share: number): string => (100 * share).toFixed(1);
    const range = ({ low, high }: Interval): string => `${percent(low)} to ${percent(high)}`;
    return [
      ...(options.quick ? ['QUICK RUN (one seed, a sixth of the training): not the figures of the full table.'] : []),
      `har-wisdm-watch, six activities, ${windows} windows of ${subjects} unseen subjects; seeds: ${seeds.length}; intervals over subjects`,
      'right: percent; against float: points, paired by window, the float network trained without knowledge of int8; same: percent of windows with the class of the same network in float',
      '',
      table(
        ['network', ...GAINS.flatMap((gain) => [`right, gain ${gain}`, '95 %', 'against float', '95 %', 'same'])],
        rows.map(({ title, figures }) => [
          title,
          ...figures.flatMap((one) => [
            ...[percent(one.accuracy), range(one.interval)],
            ...(title === 'float'
              ? ['-', '-', '-']
              : [percent(one.difference), range(one.differenceInterval), percent(one.same)]),
          ]),
        ]),
      ),
      '',
      table(
        ['knowing of int8', 'against', 'points', '95 %'],
        worth.map(({ title, unaware, gain, interval }) => [title, unaware, percent(gain), range(interval)]),
      ),
    ].join('\n');
  });
}

await runCommand(seededCommand('paper:aware', 3).action(run));
