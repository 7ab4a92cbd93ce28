/**
 * `npm run paper:transfer [-- --quick] [--json]`: how many blocks of an encoder trained on a watch may be removed before it serves a phone at the
 * waist, with the rest frozen or trained further on few windows per class. Cells are cached, a run resumes.
 */
import { note, print, table } from '../../cli/output.ts';
import { bootstrapMean, type Interval } from '../../learn/evaluate/bootstrap.ts';
import { startTfjs } from '../../learn/tfjs/start.ts';
import { runCommand, seededCommand, seedsOf, type SeededOptions } from './command.ts';
import { REMOVED, SAMPLES, transferCell, type TransferCell } from './transfer-grid.ts';

interface Figure {
  readonly mean: number;
  readonly interval: Interval;
}

interface Row {
  readonly fineTune: boolean;
  readonly samples: number;
  readonly removed: number;
  readonly accuracy: Figure;
  /** Over the same with no block removed, paired by test window. */
  readonly gain: Figure;
}

/** By test window, mean over seeds. */
function meanRight(cells: readonly TransferCell[]): number[] {
  return cells[0]!.right.map((_, i) => cells.reduce((sum, { right }) => sum + right[i]!, 0) / cells.length);
}

function figure(values: readonly number[], subjects: readonly string[]): Figure {
  return { mean: values.reduce((a, b) => a + b, 0) / values.length, interval: bootstrapMean(values, subjects) };
}

async function run(options: SeededOptions): Promise<void> {
  await startTfjs();
  const seeds = seedsOf(options);
  const sizes = options.quick ? [20] : SAMPLES;
  const rows: Row[] = [];
  for (const fineTune of [false, true])
    for (const samples of sizes) {
      let whole: number[] | null = null;
      for (const removed of REMOVED) {
        const cells = seeds.map((seed) => transferCell({ fineTune, removed, samples, seed }, options));
        note(`fine-tuning ${fineTune ? 'on' : 'off'}, ${samples} windows a class, ${removed} blocks removed: done`);
        const [right, { subjects }] = [meanRight(cells), cells[0]!];
        const base = (whole ??= right);
        const gain = figure(
          right.map((value, i) => value - base[i]!),
          subjects,
        );
        rows.push({ fineTune, samples, removed, accuracy: figure(right, subjects), gain });
      }
    }
  const document = { schemaVersion: 1, quick: options.quick === true, published: null, seeds: seeds.length, rows };
  print(options, document, () => format(rows, seeds.length, options.quick === true));
}

const percent = (share: number): string => (100 * share).toFixed(1);
const text = ({ mean, interval: { low, high } }: Figure): string =>
  `${percent(mean)} (${percent(low)} to ${percent(high)})`;

function format(rows: readonly Row[], seeds: number, quick: boolean): string {
  return [
    ...(quick ? ['QUICK RUN (one seed, short trainings): not the figures of the full grid.'] : []),
    `Encoder of har-wisdm-watch (6 activities), target har-hapt (6 activities), unseen subjects; percent right, means of ${seeds} seeds, intervals over subjects`,
    '',
    table(
      ['fine-tuning', 'windows a class', 'blocks removed', 'accuracy', 'against none removed'],
      rows.map(({ fineTune, samples, removed, accuracy, gain }) => [
        ...[fineTune ? 'on' : 'off', samples, removed, text(accuracy)],
        removed === 0 ? '-' : text(gain),
      ]),
    ),
    '',
    'published: the talk says that accuracy falls with every block removed when the rest is frozen, and does not when it is fine-tuned; it gives no figure',
  ].join('\n');
}

await runCommand(seededCommand('paper:transfer', 5).action(run));
