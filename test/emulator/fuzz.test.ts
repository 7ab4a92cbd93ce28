/** A million random bytes as code, from eight seeds: every start address ends in a result, with no crash, exception or hang. */
import { describe, expect, it } from 'vitest';
import { loadBoard } from '../../boards/load.ts';
import { createMachine } from '../../emulator/create-machine.ts';

const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8];
const IMAGE_BYTES = 128 * 1024;
const START_STEP_BYTES = 1024;

/** xorshift32. */
function randomBytes(seed: number, length: number): Uint8Array {
  let state = Math.imul(seed, 2654435761) >>> 0;
  return Uint8Array.from({ length }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 11) & 0xff;
  });
}

describe('random code', () => {
  it.each(SEEDS)('seed %i', (seed) => {
    const image = randomBytes(seed, IMAGE_BYTES);
    new DataView(image.buffer).setBigUint64(0, 0x9_2001_0000n, true);
    const machine = createMachine({ board: loadBoard('core-m4'), image });
    const stops = new Map<string, number>();
    for (let start = 8; start < IMAGE_BYTES; start += START_STEP_BYTES) {
      const result = machine.call(start, [0x2000_0100, 0x2000_0200, 3, 4], { maxCycles: 100_000 });
      stops.set(result.stop, (stops.get(result.stop) ?? 0) + 1);
      if (result.stop === 'fault') expect(result.fault).not.toBeNull();
      expect(result.cycles).toBeGreaterThanOrEqual(0);
      expect(result.instructions).toBeGreaterThanOrEqual(0);
    }
    // Almost all of it runs into something: anything else would mean that faults are not seen.
    expect(stops.get('fault')).toBeGreaterThan((IMAGE_BYTES / START_STEP_BYTES) * 0.8);
    // The engine is still sound: the same start gives the same result twice.
    const again = [0, 1]
      .map(() => createMachine({ board: loadBoard('core-m4'), image }))
      .map((fresh) => {
        const result = fresh.call(8, [1, 2, 3, 4], { maxCycles: 100_000 });
        fresh.close();
        return result;
      });
    expect(again[0]).toEqual(again[1]);
    machine.close();
  });
});
