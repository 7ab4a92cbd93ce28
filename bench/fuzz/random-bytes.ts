/** Random bytes executed as code: no crash of the host, no run past its budget, each ends in a fault that is named, a stop, or the limit. */
import { loadBoard } from '../../boards/load.ts';
import { assert } from '../../common/errors.ts';
import { createMachine } from '../../emulator/create-machine.ts';
import { Random } from './random.ts';

/** Of one seed; with 1000 seeds a million. */
export const BYTES_PER_SEED = 1000;
const CODE = 0x100;
const MAX_CYCLES = 100_000;
/** The longest instruction: a load or store of 32 registers behind a divide. */
const OVERSHOOT_MAX = 64;
const RAM_TOP = 0x2001_0000;

/** How many seeds ended how. */
export type StopCounts = ReadonlyMap<string, number>;

/** @param boards names; each seed runs on one of them, half of the seeds with sound vectors, half with random ones */
export function runRandomBytes(seeds: readonly number[], boards: readonly string[]): StopCounts {
  const stops = new Map<string, number>();
  for (const seed of seeds) {
    const stop = runSeed(seed, boards[seed % boards.length]!);
    stops.set(stop, (stops.get(stop) ?? 0) + 1);
  }
  return stops;
}

function runSeed(seed: number, boardName: string): string {
  const random = new Random(seed);
  const image = Uint8Array.from({ length: CODE + BYTES_PER_SEED }, () => random.bits32() >>> 24);
  const view = new DataView(image.buffer);
  view.setUint32(0, RAM_TOP, true);
  view.setUint32(4, CODE | 1, true);
  // Handlers somewhere in the code.
  if (seed % 2 === 0)
    for (let vector = 2; vector < CODE / 4; vector++)
      view.setUint32(vector * 4, (CODE + random.below(BYTES_PER_SEED)) | 1, true);
  const board = loadBoard(boardName);
  const machine = createMachine({ board, image });
  const result = machine.run({ maxCycles: MAX_CYCLES });
  machine.close();
  assert(result.cycles <= MAX_CYCLES + OVERSHOOT_MAX, `seed ${seed} ran for ${result.cycles} cycles`);
  assert(
    (result.stop === 'fault') === (result.fault !== null && result.stop !== 'breakpoint'),
    `seed ${seed}: fault and stop`,
  );
  return result.stop;
}
