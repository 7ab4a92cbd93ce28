/** Predicts published measurements by running the measured code on its emulated board, and says by how much the prediction is off. */
import { loadBoard } from '../../boards/load.ts';
import type { Board } from '../../boards/schema.ts';
import { UserError } from '../../common/errors.ts';
import { parseCallArgument, simulate } from '../../emulator/sim.ts';
import { createMachine } from '../../emulator/create-machine.ts';
import { isExactPossible } from '../../emulator/board-timing.ts';
import { UartDialogue } from '../uart-dialogue.ts';
import { cyclesBetweenReads } from './between-reads.ts';
import { describeFile, type FileFinder, type FoundFile } from './files.ts';
import type { Measurement } from './manifest.ts';
import { movedElf } from './move-elf.ts';

export interface Prediction {
  readonly id: string;
  readonly board: string;
  readonly core: string;
  readonly unit: 'cycles' | 'us';
  readonly published: number;
  /** Null when the file is missing, the core has no timing model or the run failed; `problem` says why. */
  readonly predicted: number | null;
  /** (predicted / published - 1) * 100. */
  readonly errorPct: number | null;
  readonly confounded: boolean;
  readonly source: string;
  readonly problem: string | null;
}

export function predict(measurement: Measurement, files: FileFinder): Prediction {
  const { id, unit, published, confounded, source, file } = measurement;
  const board = loadBoard(measurement.board);
  const found = files.find(file);
  const common = { id, board: board.name, core: board.core, unit, published, confounded, source };
  const without = (problem: string): Prediction => ({ ...common, predicted: null, errorPct: null, problem });
  if (found === null) return without(`missing: ${describeFile(file)}`);
  if (!isExactPossible(board)) return without(`the memories of ${board.name} are not modelled`);
  try {
    const predicted = run(measurement, found);
    if (predicted === null) return without(`no timing model for ${board.core}`);
    return { ...common, predicted, errorPct: (predicted / published - 1) * 100, problem: null };
  } catch (error) {
    if (error instanceof UserError) return without(error.message);
    throw error;
  }
}

function run({ run: how, board: name }: Measurement, { path, bytes }: FoundFile): number | null {
  if (how.kind === 'mlperf-tiny') return microsecondsPerInference(name, path, bytes);
  const { symbol, args, divisor, between, placements } = how;
  const board = loadBoard(name);
  const measure = between === undefined ? cyclesOfCall : cyclesBetweenReads;
  let sum = 0;
  for (const placement of placements) {
    const cycles = measure(board, placement === 0 ? bytes : movedElf(bytes, placement), path, symbol, args);
    if (cycles === null) return null;
    sum += cycles;
  }
  return sum / placements.length / divisor;
}

function cyclesOfCall(
  board: Board,
  firmware: Uint8Array,
  firmwareName: string,
  symbol: string,
  args: readonly string[],
): number | null {
  const call = { symbol, args: args.map(parseCallArgument) };
  const { stop, cycles } = simulate({ board, firmware, firmwareName, timing: 'exact', call });
  if (stop !== 'return') throw new UserError(`${firmwareName}: ${symbol} did not return (${stop})`);
  return cycles;
}

/** End of every answer of the benchmark's firmware. */
const READY = 'm-ready\r\n';

/**
 * The difference between a window of two inferences and one of one, caches warm: what the firmware prints inside its window is in both. No input is
 * loaded: the firmware runs on what its buffer holds after boot.
 */
function microsecondsPerInference(board: string, path: string, bytes: Uint8Array): number {
  const machine = createMachine({ board: loadBoard(board), image: bytes, imageName: path, timing: 'exact' });
  try {
    const dialogue = new UartDialogue(machine);
    dialogue.waitFor(READY);
    dialogue.ask('name%', READY);
    const [one, two] = [1, 2].map((count) =>
      window(dialogue.ask(`infer ${count} ${count === 1 ? 1 : 0}%`, READY), path),
    );
    return two! - one!;
  } finally {
    machine.close();
  }
}

function window(answer: string, path: string): number {
  const laps = [...answer.matchAll(/m-lap-us-(\d+)/g)].map(([, lap]) => Number(lap));
  if (laps.length !== 2) throw new UserError(`${path}: two m-lap-us lines expected, ${laps.length} came`);
  return laps[1]! - laps[0]!;
}
