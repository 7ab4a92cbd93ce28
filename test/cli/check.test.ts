/** `thumbelina check` as a user runs it: lock, check twice, and a kernel made slower by one percent. */
import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../common/package-root.ts';
import { graphToTflite } from '../../firmware-gen/passes/export.ts';
import { writeTflite } from '../../firmware-gen/tflite/writer.ts';
import type { CheckDocument } from '../../harness/check/check.ts';
import { readLockFile } from '../../harness/check/lock-file.ts';
import { quantizeStatic, STATIC_DEFAULTS } from '../../learn/quantize/static.ts';
import { hasCompiler } from '../emulator/support/assemble.ts';
import { CLASSES, floatNetwork, floatSamples, INPUT_ELEMENTS } from '../learn/support/float-network.ts';
import { npyBytes } from '../learn/support/npy-file.ts';
import { entryPoint, thumbelina, thumbelinaJson } from './support/cli.ts';
import { workspace } from './support/workspace.ts';

const space = workspace();
const { quantized } = quantizeStatic(floatNetwork(), floatSamples(40, 1), STATIC_DEFAULTS);
const model = space.write('net.tflite', writeTflite(graphToTflite(quantized)));
const SAMPLES = 6;
space.write(
  'net.pipeline.json',
  JSON.stringify({
    schemaVersion: 1,
    windowFrames: 24,
    hopFrames: 24,
    channels: ['x', 'y', 'z'],
    units: ['g', 'g', 'g'],
    rawScale: [1, 1, 1],
    mean: [0, 0, 0],
    scale: [1, 1, 1],
    layout: { order: 'NHWC', shape: [1, 6, 4, 3] },
    classes: ['a', 'b', 'c', 'd'],
  }),
);
const data = space.folder('data');
const values = Float32Array.from(floatSamples(SAMPLES, 7).flatMap((sample) => [...sample]));
const labels = Int32Array.from({ length: SAMPLES }, (_, index) => index % CLASSES);
space.write('data/x.npy', npyBytes('<f4', [SAMPLES, INPUT_ELEMENTS], new Uint8Array(values.buffer)));
space.write('data/y.npy', npyBytes('<i4', [SAMPLES], new Uint8Array(labels.buffer)));

const lock = space.path('thumbelina.lock.json');
const dir = space.path('out');
const common = ['--lock', lock, '-o', dir];
const KERNEL = 'tl_softmax_s8';
const reports = ['check.json', 'check.junit.xml', 'check.md'];
const readReports = (): string[] => reports.map((name) => readFileSync(join(dir, name), 'utf8'));

/** A copy of the package in which one kernel spends so many cycles more per call. */
function packageWithSlowKernel(nops: number): string {
  const copy = space.folder('package');
  const built = join(dirname(entryPoint()), '..');
  for (const name of ['package.json', 'boards', 'kernels'])
    cpSync(join(packageRoot(), name), join(copy, name), { recursive: true });
  for (const name of ['bin', 'dist']) cpSync(join(built, name), join(copy, name), { recursive: true });
  symlinkSync(join(packageRoot(), 'node_modules'), join(copy, 'node_modules'));
  const path = join(copy, 'kernels', 'src', 'SoftmaxFunctions', `${KERNEL}.c`);
  const source = readFileSync(path, 'utf8');
  const slow = source.replace(
    new RegExp(`^${KERNEL}\\([^{]*\\)\\n\\{\\n`, 'm'),
    (head) => `${head}    __asm volatile(".rept ${nops}\\n\\tnop\\n\\t.endr");\n`,
  );
  expect(slow).not.toBe(source);
  writeFileSync(path, slow);
  return join(copy, 'bin', 'thumbelina');
}

describe.skipIf(!hasCompiler)(`thumbelina check${hasCompiler ? '' : ' (skipped: no arm-none-eabi-gcc)'}`, () => {
  it('should lock, pass twice with the same bytes, and catch a kernel that is one percent slower', async () => {
    await thumbelinaJson(['check', '--update', model, '--board', 'mps2-an386', '--data', data, ...common]);
    const locked = readLockFile(lock)!.entries[0]!;
    expect(locked).toMatchObject({
      model: 'net.tflite',
      data: { path: 'data' },
      figures: { accuracy: { samples: 6 } },
    });
    const sum = locked.functions.reduce((total, { cycles }) => total + cycles!, 0);
    expect(sum).toBe(locked.figures.cycles);

    const history = ['--history', space.path('history.jsonl'), '--label', 'abc'];
    const first = await thumbelina(['check', '--json', ...common, ...history]);
    const written = readReports();
    const second = await thumbelina(['check', '--json', ...common, ...history]);
    expect(second).toEqual({ code: 0, stdout: first.stdout, stderr: first.stderr });
    expect(readReports()).toEqual(written);
    expect(JSON.parse(first.stdout)).toMatchObject({ outcome: 'ok', entries: [{ changes: [] }] });
    const lines = readFileSync(space.path('history.jsonl'), 'utf8').trim().split('\n');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
      { label: 'abc', outcome: 'ok', entries: [{ cycles: locked.figures.cycles }] },
    ]);

    const kernel = locked.functions.find(({ name }) => name === KERNEL)!;
    const nops = Math.ceil(kernel.cycles! / 100);
    const slow = await thumbelina(['check', '--json', '--github', ...common], {
      program: packageWithSlowKernel(nops),
    });
    expect(slow.code).toBe(1);
    const document = JSON.parse(slow.stdout) as CheckDocument;
    expect(document.outcome).toBe('regression');
    const [entry] = document.entries;
    const op = locked.ops.find(({ opcode }) => opcode === 'SOFTMAX')!;
    expect(entry!.ops[0]).toMatchObject({ index: op.index, opcode: 'SOFTMAX' });
    expect(entry!.functions[0]).toMatchObject({ op: op.index, name: KERNEL });
    expect(entry!.functions[0]!.cyclesPct).toBeGreaterThanOrEqual(1);
    expect(entry!.functions[0]!.instructions).toBeGreaterThanOrEqual(nops);
    expect(entry!.symbols[0]!.name).toBe(KERNEL);
    expect(slow.stderr).toMatch(/^::error file=.*,title=net\.tflite on mps2-an386%3A regression::/m);
  });

  it('should lock a model beside itself with its weights in RAM', async () => {
    const own = ['--lock', space.path('weights.lock.json'), '-o', dir];
    await thumbelinaJson(['check', '--update', model, '--board', 'mps2-an386', ...own]);
    await thumbelinaJson(['check', '--update', model, '--board', 'mps2-an386', '--weights', 'ram', ...own]);
    const [flash, ram] = readLockFile(space.path('weights.lock.json'))!.entries;
    expect([flash!.weights, ram!.weights]).toEqual([undefined, 'ram']);
    expect(ram!.figures.outputCrc32).toEqual(flash!.figures.outputCrc32);
    expect(ram!.figures.ramBytes).toBeGreaterThan(flash!.figures.ramBytes);
    const { entries } = (await thumbelinaJson(['check', ...own])) as CheckDocument;
    expect(entries.map(({ weights, outcome }) => [weights, outcome])).toEqual([
      ['flash', 'ok'],
      ['ram', 'ok'],
    ]);
    const refused = await thumbelina(['check', '--weights', 'ram', ...own]);
    expect(refused).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/--weights ram goes with --update/) as string,
    });
  });

  it('should say how to begin without a lock file, and which entry is absent', async () => {
    const none = await thumbelina(['check', '--lock', space.path('none.json')]);
    expect(none).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/none\.json: no such file; make it with/) as string,
    });
    const absent = await thumbelina(['check', '--board', 'core-m7', ...common]);
    expect(absent).toMatchObject({ code: 2, stderr: expect.stringMatching(/no entry for core-m7; add it/) as string });
  });
});
