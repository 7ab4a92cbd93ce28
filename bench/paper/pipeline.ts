/**
 * `npm run paper:pipeline [-- --quick] [--json]`: front end, encoder, test for the unknown, classes and filter of an int8 decision system as one
 * firmware, against the budgets of issue 6 and, decision by decision, against its TypeScript twin on recordings of unseen subjects.
 */
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { loadBoard } from '../../boards/load.ts';
import { note, print, reportError, table } from '../../cli/output.ts';
import { defined } from '../../common/errors.ts';
import { packageRoot } from '../../common/package-root.ts';
import { systemStages } from '../../firmware-gen/emit/system-source.ts';
import { SystemReference, type Decision } from '../../firmware-gen/reference/system.ts';
import { EmulatedSystem, compileSystem, generateSystem, loadSystem } from '../../harness/decision-system.ts';
import { loadDataset, type Recording } from '../../learn/har/dataset.ts';
import { cachedCell } from './cache.ts';

const FOLDER = './build/paper/pipeline';
const WINDOWS = 1000;
const BUDGET = { cycles: 2_000_000, ramBytes: 32 * 1024, flashBytes: 128 * 1024 } as const;
const DECIDED = ['accepted', 'label', 'smoothed', 'belief'] as const satisfies readonly (keyof Decision)[];
/** Without wait states, and with those of a board whose timing was checked against published measurements. */
const BOARDS = ['mps2-an386', 'nucleo-l4r5zi'] as const;

interface Options {
  readonly quick?: boolean;
  readonly json?: boolean;
  readonly data: string;
  readonly system: string;
}

interface Cell {
  readonly board: string;
  readonly windows: number;
  readonly equal: number;
  readonly rejected: number;
  readonly cyclesMax: number;
  /** Of all windows, and of those accepted, which go through every stage. */
  readonly cyclesMean: number;
  readonly acceptedCyclesMean: number;
  /** Largest of every stage. */
  readonly stagesMax: Readonly<Record<string, number>>;
  readonly flashBytes: number;
  readonly ramBytes: number;
}

/** The beginning of every recording of subjects outside the split "train", so that all of them and all activities take part. */
function parts(
  recordings: readonly Recording[],
  windows: number,
  { frames, hop, channels }: StreamShape,
): Int16Array[] {
  const unseen = recordings.filter(({ split }) => split === 'val');
  const each = Math.ceil(windows / unseen.length);
  return unseen.map(({ samples }) => samples.subarray(0, channels * (frames + (each - 1) * hop)));
}

interface StreamShape {
  readonly frames: number;
  readonly hop: number;
  readonly channels: number;
}

async function runBoard(name: string, options: Options): Promise<Cell> {
  const loaded = loadSystem(options.system);
  const board = loadBoard(name);
  const manifest = readFileSync(join(options.data, 'manifest.json'));
  const hash = (content: string | Uint8Array): string => createHash('sha256').update(content).digest('hex');
  const windows = options.quick ? WINDOWS / 10 : WINDOWS;
  // The sources and the board decide cycles and outputs; the twin is what the tests hold it to be.
  const sources = [...generateSystem(loaded, board)].map(([path, text]) => hash(`${path}\n${text}`));
  const inputs = { sources, board, manifest: hash(manifest), windows, version: 3 };
  return cachedCell(FOLDER, inputs, async () => {
    const { system } = loaded;
    const dir = mkdtempSync(join(tmpdir(), 'thumbelina-pipeline-'));
    try {
      const image = await compileSystem(loaded, dir, board);
      const target = new EmulatedSystem(image.elf, board, system, 'wasm');
      const { channels, hop } = system.stream;
      let [count, equal, cyclesMax] = [0, 0, 0];
      const all: number[] = [];
      const whole: number[] = [];
      const stagesMax: Record<string, number> = {};
      for (const samples of parts(loadDataset(options.data).recordings, windows, system.stream)) {
        target.restart();
        const twin = new SystemReference(system);
        const step = hop * channels;
        for (let at = 0; at < samples.length; at += step) {
          const chunk = samples.subarray(at, Math.min(samples.length, at + step));
          let expected: Decision | null = null;
          for (let i = 0; i < chunk.length; i += channels)
            expected = twin.push(chunk.subarray(i, i + channels)) ?? expected;
          const fed = target.feed(chunk);
          if (fed === null && expected === null) continue;
          count += 1;
          if (fed === null || expected === null) continue;
          const { cycles, stageCycles, accepted } = fed;
          if (DECIDED.every((key) => fed[key] === expected[key])) equal += 1;
          all.push(defined(cycles, 'cycles'));
          if (accepted) whole.push(all.at(-1)!);
          cyclesMax = Math.max(cyclesMax, all.at(-1)!);
          for (const [stage, value] of Object.entries(stageCycles))
            stagesMax[stage] = Math.max(stagesMax[stage] ?? 0, value);
        }
      }
      const ramBytes = image.dataBytes + image.bssBytes + target.stackBytes();
      target.close();
      const mean = (some: readonly number[]): number => Math.round(some.reduce((a, b) => a + b, 0) / some.length);
      return {
        ...{ board: name, windows: count, equal, rejected: count - whole.length },
        ...{ cyclesMax, cyclesMean: mean(all), acceptedCyclesMean: mean(whole), stagesMax },
        ...{ flashBytes: image.flashBytes, ramBytes },
      };
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });
}

async function run(options: Options): Promise<void> {
  const cells: Cell[] = [];
  for (const name of BOARDS) {
    cells.push(await runBoard(name, options));
    note(`${name}: done`);
  }
  const document = {
    schemaVersion: 1,
    quick: options.quick === true,
    source: 'emulated',
    budget: BUDGET,
    published: null,
    cells,
  };
  const number = (value: number | undefined): string => value?.toLocaleString('en-US') ?? '-';
  const within = (value: number, limit: number): string =>
    `${number(value)} (${value < limit ? 'within' : 'OVER'} ${number(limit)})`;
  print(options, document, () =>
    [
      ...(options.quick ? ['QUICK RUN (a tenth of the windows): not the figures of the full run.'] : []),
      'One window of the decision system on emulated Cortex-M4, image without clock set-up; cycles are the largest of all windows',
      '',
      table(
        ['', ...BOARDS],
        [
          ['windows of unseen subjects', ...cells.map(({ windows }) => windows)],
          ['equal to the twin', ...cells.map(({ equal }) => equal)],
          ['rejected as unknown', ...cells.map(({ rejected }) => rejected)],
          ['cycles, mean', ...cells.map(({ cyclesMean }) => number(cyclesMean))],
          ['cycles, mean of accepted', ...cells.map(({ acceptedCyclesMean }) => number(acceptedCyclesMean))],
          ['cycles', ...cells.map(({ cyclesMax }) => within(cyclesMax, BUDGET.cycles))],
          ...systemStages(loadSystem(options.system).system).map((stage) => [
            `  ${stage}`,
            ...cells.map(({ stagesMax }) => number(stagesMax[stage])),
          ]),
          ['RAM bytes', ...cells.map(({ ramBytes }) => within(ramBytes, BUDGET.ramBytes))],
          ['flash bytes', ...cells.map(({ flashBytes }) => within(flashBytes, BUDGET.flashBytes))],
        ],
      ),
      '',
      'published: the talk gives no cycles for this chain',
    ].join('\n'),
  );
  if (cells.some(({ windows, equal }) => windows !== equal)) process.exitCode = 1;
}

try {
  const program = new Command('paper:pipeline')
    .option('--quick', 'a tenth of the windows; labelled as such')
    .option('--system <file>', 'decision system', join(packageRoot(), 'models', 'har_ood.system.json'))
    .option('--data <folder>', 'motion data set', join(packageRoot(), '..', 'shared', 'data', 'har-wisdm-watch'))
    .option('--json', 'print JSON')
    .action(run);
  await program.parseAsync(process.argv);
} catch (error) {
  process.exitCode = reportError(error);
}
