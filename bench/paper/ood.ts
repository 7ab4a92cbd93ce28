/**
 * `npm run paper:ood [-- --quick] [--json] [--set NAME]`: detectors of unknown activities, raw windows against the 2D transformation. All cells have
 * the same steps, batches and augmentation, and encoders of about the same number of parameters. Cells are cached; a run resumes.
 */
import { Option } from 'commander';
import { positiveInteger } from '../../cli/options.ts';
import { note, print, table } from '../../cli/output.ts';
import { startTfjs } from '../../learn/tfjs/start.ts';
import {
  MOTION_SETS,
  isCellCached,
  runCell,
  settings,
  type Cell,
  type GridOptions,
  type MotionSet,
} from './ood-grid.ts';
import { runCommand, seededCommand } from './command.ts';
import { choose, gain, isListed, isReached, knowsUnknown, pooled, type Pooled } from './ood-summary.ts';

/** The talk's figures (A. Pandey, tinyML Talk 2022-01-18), on data of its own: baseline and with 2D transformation and generalised ODIN. */
const TALK = { baseline: { auroc: 0.87, tnr: 0.88 }, best: { auroc: 0.96, tnr: 0.99 } };

interface Options extends GridOptions {
  readonly json?: boolean;
  readonly set?: MotionSet;
}

async function run(options: Options): Promise<void> {
  await startTfjs();
  const sets = options.set ? [options.set] : (Object.keys(MOTION_SETS) as MotionSet[]);
  const grids = sets.map((set) => {
    const all = settings(set, options);
    const wanted = options.cached ? all.filter((setting) => isCellCached(setting, options)) : all;
    const cells = wanted.map((setting, i) => {
      const done = runCell(setting, options);
      note(`${set}: ${i + 1} of ${wanted.length} cells`);
      return done;
    });
    return { set, rows: pooled(cells), cells, missing: all.length - wanted.length };
  });
  const quick = options.quick === true;
  print(
    options,
    {
      schemaVersion: 1,
      quick,
      published: TALK,
      grids: grids.map(({ set, rows, missing }) => ({ set, rows, missing })),
    },
    () => grids.map((grid) => format(grid, quick)).join('\n\n'),
  );
}

const range = ({ low, high }: { low: number; high: number }): string => `${low.toFixed(2)}-${high.toFixed(2)}`;

function format(
  { set, rows, cells, missing }: { set: MotionSet; rows: readonly Pooled[]; cells: readonly Cell[]; missing: number },
  quick: boolean,
): string {
  if (cells.length === 0) return `${set}: no cell is there yet`;
  const baseline = rows.find((row) => row.frontEnd === 'raw' && row.head === 'linear' && row.detector === 'msp');
  if (!baseline) return `${set}: the baseline is not there yet`;
  const candidates = [
    ['best of the listed grid', choose(rows.filter(isListed))],
    ['best of all', choose(rows.filter((row) => !knowsUnknown(row)))],
  ] as const;
  const taught = rows.find(({ detector }) => detector === 'unknown-class');
  const columns = [...candidates, ...(taught ? [['a class "unknown"', taught] as const] : [])];
  const isTaught = (unknown: string): boolean => (MOTION_SETS[set].taught as readonly string[]).includes(unknown);
  const partial = cells.filter(({ isPartial }) => isPartial).length;
  const seeds = new Set(cells.map(({ setting }) => setting.seed)).size;
  const parameters = [...new Set(cells.map((one) => one.parameters))].sort((a, b) => a - b);
  return [
    `${set}: ${cells.length} trainings, ${seeds} seeds, ${parameters[0]} to ${parameters.at(-1)} parameters; means over seeds, intervals over subjects; *: the listed grid, !: has met unknown windows`,
    ...(quick ? ['QUICK RUN (one seed, an eighth of the training): not the figures of the full grid.'] : []),
    ...(missing > 0 ? [`INCOMPLETE: ${missing} of ${cells.length + missing} trainings are missing`] : []),
    ...(partial > 0 ? [`INCOMPLETE: ${partial} trainings lack the detectors that step along the gradient`] : []),
    '',
    table(
      ['', 'input', 'head', 'detector', 'seeds', 'accuracy', 'val. AUROC', 'AUROC', '95 %', 'TNR@TPR95', '95 %'],
      rows.map((row) => [
        ...[
          isListed(row) ? '*' : knowsUnknown(row) ? '!' : '',
          inputOf(row),
          row.head,
          row.detector,
          row.seeds,
          row.validationAccuracy.toFixed(3),
        ],
        ...[row.validationAuroc.toFixed(3), row.auroc.toFixed(3), range(row.aurocInterval)],
        ...[row.tnr.toFixed(3), range(row.tnrInterval)],
      ]),
    ),
    '',
    `raw + MSP: AUROC ${baseline.auroc.toFixed(3)}, TNR ${baseline.tnr.toFixed(3)}`,
    'chosen by validation subjects:',
    ...candidates.map(([name, row]) => `  ${name}: ${verdict(row, baseline)}`),
    `the talk, on data of its own: AUROC ${TALK.baseline.auroc} to ${TALK.best.auroc}, TNR ${TALK.baseline.tnr} to ${TALK.best.tnr}`,
    '',
    'AUROC, TNR@TPR95 by unknown class; +: taught to the network with a class "unknown"',
    table(
      ['unknown', 'raw + MSP', ...columns.map(([name]) => name)],
      baseline.byClass.map((_, i) => {
        const all = [baseline, ...columns.map(([, row]) => row)].map(({ byClass }) => byClass[i]!);
        const { unknown } = all[0]!;
        const name = isTaught(unknown) ? `${unknown} +` : unknown;
        return [name, ...all.map(({ auroc, tnr }) => `${auroc.toFixed(3)}, ${tnr.toFixed(3)}`)];
      }),
    ),
  ].join('\n');
}

/** What a row is, what it gains over the baseline, and whether the aims are met. */
function verdict(row: Pooled, baseline: Pooled): string {
  const [difference, reached] = [gain(row, baseline), isReached(row, baseline)];
  const word = (ok: boolean): string => (ok ? 'reached' : 'NOT reached');
  return (
    `${nameOf(row)}: AUROC ${row.auroc.toFixed(3)}, TNR ${row.tnr.toFixed(3)}; ` +
    `gain in AUROC ${difference.auroc.toFixed(3)} (${range(difference.aurocInterval)}), aim ${reached.aurocAim.toFixed(3)} ${word(reached.auroc)}; ` +
    `in TNR ${difference.tnr.toFixed(3)} (${range(difference.tnrInterval)}), aim 0.110 ${word(reached.tnr)}`
  );
}

const inputOf = ({ frontEnd }: Pooled): string => (frontEnd === 'raw' ? 'raw' : '2D image');
const nameOf = (row: Pooled): string => [inputOf(row), row.head, row.detector].join(', ');

await runCommand(
  seededCommand('paper:ood', 3)
    .option('--steps <count>', 'batches of a training', positiveInteger, 300)
    .addOption(new Option('--set <name>', 'one data set only').choices(Object.keys(MOTION_SETS)))
    .option('--cached', 'of an unfinished run: only the cells that it has; labelled as such')
    .action(run),
);
