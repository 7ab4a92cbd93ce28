/** Kernels as compiled for a board whose flash has an instruction cache of 1 KiB (TL_SMALL_INSTRUCTION_CACHE): the same bytes, and loop nests that stay in it. */
import { describe, expect, it } from 'vitest';
import { Random } from './op-cases.ts';
import { convCase } from './layer-cases.ts';
import { runOnTarget } from './run-on-target.ts';

const BOARD = 'nucleo-l4r5zi';
const UNIT = { filter: [1, 1], stride: [1, 1], dilation: [1, 1], padding: 'SAME' } as const;

describe('kernels for a small instruction cache', () => {
  it('give the bytes of those for zero-wait memories, for every remainder of eights', async () => {
    const random = new Random(71);
    const cases = [4, 8, 12, 16, 20, 24, 32, 40, 48, 56, 64, 72].map((channels) =>
      convCase(random, [1, 3, 4, channels], random.int(1, 19), UNIT),
    );
    const [small, large] = await Promise.all([
      runOnTarget(cases, { fuse: true, board: BOARD }),
      runOnTarget(cases, { fuse: true }),
    ]);
    expect(small.map(({ outputs }) => outputs)).toEqual(large.map(({ outputs }) => outputs));
  });
});
