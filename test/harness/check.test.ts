/** `check` without a compiler: comparing a measurement with the lock, and the forms a result is written in. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { validateXML } from 'xmllint-wasm';
import { packageRoot } from '../../common/package-root.ts';
import type { CheckDocument } from '../../harness/check/check.ts';
import { compareEntry } from '../../harness/check/compare.ts';
import { explainGrowth } from '../../harness/check/explain.ts';
import { junitXml } from '../../harness/check/junit.ts';
import { formatLock, NO_TOLERANCE, readLockFile, type LockEntry } from '../../harness/check/lock-file.ts';
import { githubAnnotations, markdown } from '../../harness/check/markdown.ts';
import type { Measurement } from '../../harness/check/measure.ts';
import { workspace } from '../cli/support/workspace.ts';

const space = workspace();

const locked: LockEntry = {
  model: 'models/a.tflite',
  modelSha256: 'a'.repeat(64),
  board: 'mps2-an386',
  data: null,
  figures: {
    cycles: 1000,
    instructions: 800,
    flashBytes: 4000,
    ramBytes: 600,
    arenaBytes: 400,
    stackBytes: 200,
    outputCrc32: ['00000001'],
    accuracy: { samples: 100, top1: 0.9, outputCrc32: '0000000a' },
  },
  ops: [
    { index: 0, opcode: 'CONV_2D', cycles: 700, instructions: 500 },
    { index: 1, opcode: 'SOFTMAX', cycles: 200, instructions: 200 },
  ],
  functions: [
    { op: null, name: 'a_invoke', cycles: 100, instructions: 100 },
    { op: 0, name: 'tl_convolve_s8', cycles: 700, instructions: 500 },
    { op: 1, name: 'tl_softmax_s8', cycles: 200, instructions: 200 },
  ],
  symbols: { tl_convolve_s8: 300, tl_softmax_s8: 100 },
};
const same: Measurement = locked;

/** The measurement with some figures replaced. */
function measured(figures: Partial<LockEntry['figures']>, rest: Partial<Measurement> = {}): Measurement {
  return { ...same, ...rest, figures: { ...locked.figures, ...figures } };
}

const slower = measured(
  { cycles: 1007, instructions: 807, flashBytes: 4014 },
  {
    ops: [{ index: 0, opcode: 'CONV_2D', cycles: 707, instructions: 507 }, locked.ops[1]!],
    functions: [locked.functions[0]!, { op: 0, name: 'tl_convolve_s8', cycles: 707, instructions: 507 }],
    symbols: { tl_convolve_s8: 314, tl_softmax_s8: 100 },
  },
);

function documentOf(...measurements: readonly Measurement[]): CheckDocument {
  const entries = measurements.map((measurement) => compareEntry(locked, measurement, NO_TOLERANCE));
  const outcome = entries[0]?.outcome ?? 'ok';
  return { schemaVersion: 1, outcome, tools: { thumbelina: '1', compiler: 'gcc' }, entries, notes: ['a note'] };
}

describe('comparison with the lock', () => {
  it('should pass what is equal and say nothing', () => {
    const result = compareEntry(locked, same, NO_TOLERANCE);
    expect(result).toMatchObject({ outcome: 'ok', exitCode: 0, messages: [], changes: [], ops: [], functions: [] });
  });

  it('should attribute one slower kernel to its op, its function and its bytes', () => {
    const result = compareEntry(locked, slower, NO_TOLERANCE);
    expect(result).toMatchObject({ outcome: 'regression', exitCode: 1 });
    expect(result.ops).toEqual([{ index: 0, opcode: 'CONV_2D', cycles: 7, cyclesPct: 1, instructions: 7 }]);
    expect(result.functions).toEqual([{ op: 0, name: 'tl_convolve_s8', cycles: 7, cyclesPct: 1, instructions: 7 }]);
    expect(result.symbols).toEqual([{ name: 'tl_convolve_s8', bytes: 14 }]);
    expect(explainGrowth(result)).toEqual([
      'op 0 CONV_2D: +7 cycles (+1.00 %), +7 instructions',
      '  tl_convolve_s8: +7 cycles (+1.00 %), +7 instructions',
      'tl_convolve_s8: +14 bytes in the image',
    ]);
  });

  it('should name weights in RAM beside the board, in every report', () => {
    const entry = compareEntry({ ...locked, weights: 'ram' }, slower, NO_TOLERANCE);
    const document = { ...documentOf(same), entries: [entry] };
    expect(markdown(document)).toContain('| mps2-an386, weights in RAM |');
    expect(junitXml(document)).toContain('classname="mps2-an386, weights in RAM"');
    expect(githubAnnotations(document, 'lock')[0]).toContain('on mps2-an386%2C weights in RAM');
  });

  it('should allow what a tolerance allows, and not one cycle more', () => {
    const tolerances = { ...NO_TOLERANCE, cyclesPct: 1 };
    expect(compareEntry(locked, measured({ cycles: 1010 }), tolerances).outcome).toBe('ok');
    expect(compareEntry(locked, measured({ cycles: 1011 }), tolerances).outcome).toBe('regression');
    const own = { ...locked, tolerances: { cyclesPct: 2 } };
    expect(compareEntry(own, measured({ cycles: 1020 }), tolerances).outcome).toBe('ok');
  });

  it.each<[string, Partial<LockEntry['figures']>, RegExp]>([
    ['another output', { outputCrc32: ['00000002'] }, /output CRC-32 00000001 -> 00000002/],
    [
      'fewer right answers',
      { accuracy: { samples: 100, top1: 0.89, outputCrc32: '0000000b' } },
      /top-1 of 100 samples 90.00 % -> 89.00 %/,
    ],
    [
      'other outputs on the data',
      { accuracy: { samples: 100, top1: 0.9, outputCrc32: '0000000b' } },
      /CRC-32 0000000a -> 0000000b/,
    ],
    ['fewer samples', { accuracy: { samples: 99, top1: 0.9, outputCrc32: '0000000a' } }, /100 samples were locked, 99/],
  ])('should call %s a wrong answer', (_, figures, message) => {
    const result = compareEntry(locked, measured(figures), NO_TOLERANCE);
    expect(result).toMatchObject({ outcome: 'wrong-answer', exitCode: 1 });
    expect(result.messages[0]).toMatch(message);
  });

  it('should pass what is faster, and offer to keep it', () => {
    const result = compareEntry(locked, measured({ cycles: 990 }), NO_TOLERANCE);
    expect(result).toMatchObject({ outcome: 'ok', messages: ['better than the lock; keep it with check --update'] });
  });
});

describe('reports of a check', () => {
  const hostile = compareEntry({ ...locked, model: 'a"<&>\u0000|`\n%:.tflite' }, slower, NO_TOLERANCE);
  const hostileDocument = { ...documentOf(slower), entries: [hostile] };

  it('should write JUnit XML that its schema accepts, whatever names hold', async () => {
    const schema = readFileSync(join(packageRoot(), 'test', 'harness', 'junit.xsd'), 'utf8');
    for (const document of [documentOf(same, slower), hostileDocument, documentOf()]) {
      const { valid, errors } = await validateXML({ xml: junitXml(document), schema });
      expect({ valid, errors }).toEqual({ valid: true, errors: [] });
    }
    const broken = junitXml(documentOf(slower)).replace('tests="1"', 'tests="one"');
    expect((await validateXML({ xml: broken, schema })).valid).toBe(false);
  });

  it('should keep hostile names inside their cell and their annotation', () => {
    const table = markdown(hostileDocument).split('\n');
    expect(table[4]).toMatch(
      /^\| a"\\<&\\>.\\\|\\` %:.tflite \| mps2-an386 \| \*\*regression\*\* \| 1,007 \(\+0.70 %\)/,
    );
    const [annotation] = githubAnnotations(hostileDocument, 'a:b,c.json');
    expect(annotation).toMatch(/^::error file=a%3Ab%2Cc.json,title=a"<&>.\|`%0A%25%3A.tflite on [^\n]*$/);
  });
});

describe('lock file', () => {
  it('should give back what was written, sorted, the same bytes every time', () => {
    const other = { ...locked, board: 'a-board', tolerances: { cyclesPct: 1 } };
    const copied = { ...locked, weights: 'ram' as const };
    const lock = {
      schemaVersion: 1 as const,
      tools: { thumbelina: '1', compiler: 'gcc' },
      tolerances: NO_TOLERANCE,
      entries: [copied, locked, other],
    };
    const path = space.write('lock.json', formatLock(lock));
    const read = readLockFile(path);
    expect(read).toEqual({ ...lock, entries: [other, locked, copied] });
    expect(formatLock(read!)).toBe(formatLock(lock));
  });

  it('should name the field that is wrong', () => {
    const path = space.write('wrong.json', '{"schemaVersion":1,"tools":{},"entries":[]}');
    expect(() => readLockFile(path)).toThrow(/wrong\.json: tools\.thumbelina: .*; make it anew/);
  });
});
