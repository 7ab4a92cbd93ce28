/**
 * The semantics table against libunicorn and QEMU: random instructions of every encoding class with random registers, flags, FPSCR and memory.
 * A short version of `npm run fuzz`, which takes --seed and --count.
 */
import { describe, expect, it } from 'vitest';
import { mixesOf } from '../../../bench/fuzz/classes.ts';
import { fuzzCore, fuzzCores } from '../../../bench/fuzz/fuzz-cores.ts';
import { fuzzQemu, fuzzUnicorn } from '../../../bench/fuzz/instruction-fuzz.ts';
import { MaskCounts } from '../../../bench/fuzz/masks.ts';
import { hasQemu, QemuBatch } from '../../../bench/fuzz/qemu-batch.ts';
import { hasCompiler } from '../support/assemble.ts';

const SEED = 1;
const cortexM4 = fuzzCore('cortex-m4');

describe.each([
  ['interpreted', Infinity],
  ['translated', 1],
])('random instructions, %s, are the same on both engines', (_, hotPasses) => {
  it.each(mixesOf(cortexM4.core, false).map((mix) => [mix.name, mix] as const))('%s', (__, mix) => {
    const part = { target: cortexM4, mix, seed: SEED, sequences: 100, hotPasses };
    const result = fuzzUnicorn(part, new MaskCounts());
    expect(result.differences.join('\n')).toBe('');
    expect(result.executed).toBeGreaterThan(100);
  });
});

describe.skipIf(!hasCompiler || !hasQemu())('random instructions as on QEMU (needs gcc and qemu-system-arm)', () => {
  it.each(fuzzCores.map((target) => [target.name, target] as const))('%s', { timeout: 60_000 }, (_, target) => {
    const batch = new QemuBatch(target);
    const mixes = mixesOf(target.core, true);
    const parts = mixes.map((mix) => ({ target, mix, seed: SEED, sequences: 40, hotPasses: 60 }));
    const results = fuzzQemu(parts, batch, new MaskCounts());
    batch.close();
    expect(results.flatMap(({ differences }) => differences).join('\n')).toBe('');
    for (const [index, { executed }] of results.entries()) expect(executed, mixes[index]!.name).toBeGreaterThan(100);
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
    const batch = new QemuBatch(cortexM4);
    expect(batch.differing(pieces, 60)).toEqual([1]);
    expect(batch.explain(pieces[1]!, 60).join(' ')).toMatch(/^r0 [0-9a-f]{8}\/00000000/);
    batch.close();
  });
});
