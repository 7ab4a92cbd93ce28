/** `thumbelina validate`: the manifest, what is missing, predictions of functions, and errors per core. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FileFinder } from '../../harness/validate/files.ts';
import { loadManifest, type Measurement } from '../../harness/validate/manifest.ts';
import { recordOf, summarize } from '../../harness/validate/summary.ts';
import { predict } from '../../harness/validate/validate.ts';
import { loadBoard } from '../../boards/load.ts';
import { assembleFunctions, hasCompiler } from '../emulator/support/assemble.ts';

const measurement: Measurement = {
  id: 'loop',
  board: 'core-m4',
  file: { name: 'loop.elf', blob: '0'.repeat(40) },
  run: { kind: 'call', symbol: 'loop', args: ['10'], divisor: 10, placements: [0] },
  published: 3.2,
  unit: 'cycles',
  source: 'made up for this test',
  confounded: false,
};

describe('validate', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'validate-'));
    if (hasCompiler)
      writeFileSync(join(folder, 'loop.elf'), assembleFunctions({ loop: '1: subs r0, #1; bne 1b; bx lr' }));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  it('has a manifest whose boards exist and whose measurements have distinct names and sources', () => {
    const all = loadManifest();
    expect(all.length).toBeGreaterThan(30);
    for (const { board, source } of all) {
      expect(loadBoard(board).timing.memory).not.toBe('not-modelled');
      expect(source.length).toBeGreaterThan(20);
    }
  });

  it('names what is missing, and predicts nothing', () => {
    const prediction = predict(
      { ...measurement, file: { name: 'other.elf', blob: 'a'.repeat(40) } },
      new FileFinder(folder),
    );
    expect(prediction).toMatchObject({ predicted: null, errorPct: null });
    expect(prediction.problem).toBe(`missing: other.elf, built of blob ${'a'.repeat(40)}`);
  });

  it.skipIf(!hasCompiler)('predicts a function by its cycles a pass (needs arm-none-eabi-gcc)', () => {
    // Ten turns of 1 + 2, the last branch 1 instead of 2, and `bx lr` 3: 32 cycles.
    const prediction = predict(measurement, new FileFinder(folder));
    expect(prediction.predicted).toBeCloseTo(3.2, 9);
    expect(prediction.errorPct).toBeCloseTo(0, 9);
  });

  it.skipIf(!hasCompiler)(
    'adds the call and the reads of the cycle counter it was measured with (needs arm-none-eabi-gcc)',
    () => {
      // LDR 2 and BL 2 before the 32 cycles of the function.
      const run = { ...measurement.run, divisor: 1, between: 'cyccnt-reads' } as Measurement['run'];
      expect(predict({ ...measurement, run }, new FileFinder(folder)).predicted).toBe(32 + 2 + 2);
    },
  );

  it.skipIf(!hasCompiler)('predicts the mean of where the code may have lain (needs arm-none-eabi-gcc)', () => {
    // The function begins with four loads of its own code: in one of two places the line behind them is read too late.
    const body = `.balign 8; add.w r1, r1, #1; ${'ldr.w r2, [r0];'.repeat(4)} ${'add.w r1, r1, #1;'.repeat(8)} bx lr`;
    writeFileSync(join(folder, 'late.elf'), assembleFunctions({ late: body }));
    const at = (placements: number[]): number =>
      predict(
        {
          ...measurement,
          board: 'core-m3-stm32l1',
          file: { name: 'late.elf', blob: '0'.repeat(40) },
          run: { kind: 'call', symbol: 'late', args: ['0x100'], divisor: 1, placements },
        },
        new FileFinder(folder),
      ).predicted!;
    expect(at([0]) - at([4])).toBe(1);
    expect(at([0, 4])).toBe((at([0]) + at([4])) / 2);
  });

  it.skipIf(!hasCompiler)('says why a function cannot be run (needs arm-none-eabi-gcc)', () => {
    const run = { ...measurement.run, symbol: 'absent' } as Measurement['run'];
    expect(predict({ ...measurement, run }, new FileFinder(folder)).problem).toMatch(/no symbol absent/);
  });

  it('refuses a manifest with an unknown field, and two measurements of one name', () => {
    const path = join(folder, 'manifest.json');
    writeFileSync(path, JSON.stringify({ schemaVersion: 1, measurements: [{ ...measurement, fudge: 1 }] }));
    expect(() => loadManifest(path)).toThrow(/fudge/);
    writeFileSync(path, JSON.stringify({ schemaVersion: 1, measurements: [measurement, measurement] }));
    expect(() => loadManifest(path)).toThrow(/two measurements are named loop/);
  });

  it('sums up errors by core, confounded ones apart', () => {
    const one = (
      core: string,
      errorPct: number | null,
      confounded = false,
    ): Parameters<typeof summarize>[0][number] => ({
      id: 'x',
      board: 'b',
      core,
      unit: 'cycles',
      published: 100,
      predicted: errorPct === null ? null : 100 + errorPct,
      errorPct,
      confounded,
      source: 's',
      problem: null,
    });
    const all = [one('a', 1), one('a', -3), one('a', 2), one('a', 50, true), one('b', null)];
    expect(summarize(all)).toEqual({ count: 3, medianPct: 2, worstPct: -3 });
    expect(summarize([one('a', 1), one('a', -3)])).toEqual({ count: 2, medianPct: 2, worstPct: -3 });
    expect(recordOf(all)).toEqual({
      schemaVersion: 1,
      cores: { a: { count: 3, medianPct: 2, worstPct: -3 } },
      confounded: { a: { count: 1, medianPct: 50, worstPct: 50 } },
    });
  });
});
