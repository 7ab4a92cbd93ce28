/**
 * `npm run paper:pipeline [-- --quick] [--json]`: front end, encoder, test for the unknown, classes and filter of an int8 decision system as one
 * firmware on a stream of unseen subjects, against the budgets of issue 6; with its gate and without: cycles, and energy where the board's currents
 * have a source.
 */
import { join } from 'node:path';
import { Command } from 'commander';
import { loadBoard } from '../../boards/load.ts';
import { note, print, table } from '../../cli/output.ts';
import { packageRoot } from '../../common/package-root.ts';
import { systemStages } from '../../firmware-gen/emit/system-source.ts';
import { loadSystem } from '../../harness/decision-system.ts';
import { averageMicroamps, energyOf, type EnergyReport } from '../../harness/energy.ts';
import { loadDataset } from '../../learn/har/dataset.ts';
import { runCommand } from './command.ts';
import { runCell, withoutGate, type Cell, type Part } from './pipeline-cell.ts';

const BUDGET = { cycles: 2_000_000, ramBytes: 32 * 1024, flashBytes: 128 * 1024 } as const;
/** Without wait states, and with those of a board whose timing was checked against published measurements. */
const BOARDS = ['mps2-an386', 'nucleo-l4r5zi'] as const;

interface Options {
  readonly quick?: boolean;
  readonly json?: boolean;
  readonly data: string;
  readonly system: string;
}

interface Energy {
  readonly kind: EnergyReport['kind'];
  readonly microjoulesPerWindow: number;
  /** Of the processor that sleeps between two windows; null where no source gives the current then. */
  readonly averageMicrowatts: number | null;
  readonly source: string;
}

interface Row {
  readonly board: string;
  readonly gate: Cell;
  readonly noGate: Cell;
  /** Null where no source gives the board's currents. */
  readonly energy: { readonly gate: Energy; readonly noGate: Energy } | null;
}

/** @param periodS from one window to the next */
function energyPerWindow(boardName: string, { cyclesMean }: Part, periodS: number): Energy | null {
  const board = loadBoard(boardName);
  const latencyS = cyclesMean / board.clockHz;
  const energy = energyOf(board, 1e3 * latencyS, null);
  if (energy === null) return null;
  const { activeMicroamps, sleepMicroamps: sleep, supplyVolts } = energy;
  const average = sleep === null ? null : averageMicroamps(activeMicroamps, sleep, latencyS / periodS);
  return {
    kind: energy.kind,
    microjoulesPerWindow: energy.microjoulesPerInference,
    averageMicrowatts: average === null ? null : average * supplyVolts,
    source: energy.source,
  };
}

const number = (value: number): string => Math.round(value).toLocaleString('en-US');
const within = (value: number, limit: number): string =>
  `${number(value)} (${value < limit ? 'within' : 'OVER'} ${number(limit)})`;
const saved = (gate: number, noGate: number): string =>
  `${number(gate)} (${(100 * (gate / noGate - 1)).toFixed(1)} %; without gate ${number(noGate)})`;

function lines(rows: readonly Row[], stages: readonly string[], periodS: number): string {
  const part = (which: 'all' | 'known' | 'unknown') => [
    [`windows of ${PARTS[which]}`, ...rows.map(({ gate }) => number(gate[which].windows))],
    [
      '  rejected',
      ...rows.map(
        ({ gate, noGate }) => `${number(gate[which].rejected)} (without gate ${number(noGate[which].rejected)})`,
      ),
    ],
    ['  cycles, mean', ...rows.map(({ gate, noGate }) => saved(gate[which].cyclesMean, noGate[which].cyclesMean))],
  ];
  const energy = (key: 'microjoulesPerWindow' | 'averageMicrowatts'): string[] =>
    rows.map(({ energy: both }) => {
      const [gate, noGate] = [both?.gate[key], both?.noGate[key]];
      return gate == null || noGate == null
        ? '-'
        : `${gate.toPrecision(3)} (${(100 * (gate / noGate - 1)).toFixed(1)} %; without gate ${noGate.toPrecision(3)})`;
    });
  return table(
    ['', ...BOARDS],
    [
      ...part('all'),
      ...part('known'),
      ...part('unknown'),
      ['equal to the twin', ...rows.map(({ gate }) => number(gate.equal))],
      ['uJ per window (estimate)', ...energy('microjoulesPerWindow')],
      [`uW, a window in ${periodS} s (estimate)`, ...energy('averageMicrowatts')],
      ['cycles, largest', ...rows.map(({ gate }) => within(gate.cyclesMax, BUDGET.cycles))],
      ...stages.map((stage) => [`  ${stage}`, ...rows.map(({ gate }) => number(gate.stagesMax[stage] ?? 0))]),
      ['RAM bytes', ...rows.map(({ gate }) => within(gate.ramBytes, BUDGET.ramBytes))],
      ['flash bytes', ...rows.map(({ gate }) => within(gate.flashBytes, BUDGET.flashBytes))],
    ],
  );
}

const PARTS = { all: 'the stream', known: 'known activities', unknown: 'unknown activities' } as const;

async function run(options: Options): Promise<void> {
  const quick = options.quick === true;
  const loaded = loadSystem(options.system);
  const data = loadDataset(options.data);
  const stream = { data, folder: options.data, quick };
  const periodS = loaded.system.stream.hop / data.sampleRateHz;
  const rows: Row[] = [];
  for (const board of BOARDS) {
    const gate = await runCell(loaded, board, stream);
    const noGate = await runCell(withoutGate(loaded), board, stream);
    const [withIt, without] = [gate, noGate].map(({ all }) => energyPerWindow(board, all, periodS));
    rows.push({ board, gate, noGate, energy: withIt && without ? { gate: withIt, noGate: without } : null });
    note(`${board}: done`);
  }
  const document = { schemaVersion: 2, quick, source: 'emulated', budget: BUDGET, published: null, periodS, rows };
  print(options, document, () =>
    [
      ...(quick ? ['QUICK RUN (the first tenth of every recording): not the figures of the full run.'] : []),
      'Windows of the decision system on emulated Cortex-M4, all recordings of unseen subjects one after another',
      '',
      lines(rows, systemStages(loaded.system), periodS),
      '',
      ...rows.flatMap(({ board, energy }) =>
        energy === null ? [] : [`${board}: estimates from currents, not measured: ${energy.gate.source}`],
      ),
      'Sensor, wake-up and what reads the sensor are left out. published: the talk gives no cycles for this chain',
    ].join('\n'),
  );
  if (rows.some(({ gate, noGate }) => [gate, noGate].some(({ all, equal }) => all.windows !== equal)))
    process.exitCode = 1;
}

await runCommand(
  new Command('paper:pipeline')
    .option('--quick', 'a tenth of the stream; labelled as such')
    .option('--system <file>', 'decision system', join(packageRoot(), 'models', 'har_ood.system.json'))
    .option('--data <folder>', 'motion data set', join(packageRoot(), '..', 'shared', 'data', 'har-wisdm-watch'))
    .option('--json', 'print JSON')
    .action(run),
);
