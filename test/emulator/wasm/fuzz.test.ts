/**
 * The semantics table against libunicorn and QEMU: random instructions of every encoding class with random registers, flags, FPSCR and memory.
 * A short version of `npm run fuzz`, which takes --seed and --count.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { faultMix, mixes } from '../../../bench/fuzz/classes.ts';
import { fuzzQemu, fuzzUnicorn } from '../../../bench/fuzz/instruction-fuzz.ts';
import { MaskCounts } from '../../../bench/fuzz/masks.ts';
import { hasQemu, m4Target, QemuBatch } from '../../../bench/fuzz/qemu-batch.ts';
import { hasCompiler } from '../support/assemble.ts';

const SEED = 1;

describe.each([
  ['interpreted', Infinity],
  ['translated', 1],
])('random instructions, %s, are the same on both engines', (_, hotPasses) => {
  it.each(mixes.map((mix) => [mix.name, mix] as const))('%s', (__, mix) => {
    const result = fuzzUnicorn({ mix, seed: SEED, sequences: 150, hotPasses }, new MaskCounts());
    expect(result.differences.join('\n')).toBe('');
    expect(result.executed).toBeGreaterThan(150);
  });
});

describe.skipIf(!hasCompiler || !hasQemu())('random instructions as on QEMU (needs gcc and qemu-system-arm)', () => {
  let batch: QemuBatch;
  beforeAll(() => {
    batch = new QemuBatch(m4Target);
  });
  afterAll(() => batch.close());

  it.each([...mixes, faultMix].map((mix) => [mix.name, mix] as const))('%s', (_, mix) => {
    const result = fuzzQemu({ mix, seed: SEED, sequences: 300, hotPasses: 60 }, batch, new MaskCounts());
    expect(result.differences.join('\n')).toBe('');
    expect(result.executed).toBeGreaterThan(300);
  });

  it('a difference is found and named: QEMU has no DWT', () => {
    // movw r1, #0x1000; movt r1, #0xe000; ldr r0, [r1]: DWT_CTRL with its number of comparators
    const counter = [0xf241, 0x0100, 0xf2ce, 0x0100, 0x6808];
    const zeros = (count: number): number[] => new Array<number>(count).fill(0);
    const piece = { registers: zeros(13), singles: zeros(32), flags: 0, fpscr: 0, seed: 1 };
    const pieces = [
      { ...piece, code: [0xbf00] },
      { ...piece, code: counter },
    ];
    expect(batch.differing(pieces, 60)).toEqual([1]);
    expect(batch.explain(pieces[1]!, 60).join(' ')).toMatch(/^r0 [0-9a-f]{8}\/00000000/);
  });
});
