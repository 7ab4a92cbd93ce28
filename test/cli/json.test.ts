/** `--json` of every subcommand against the shapes of CONTRACT.md, and what a script may rely on: one document, the same bytes each time. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { hasCompiler } from '../emulator/support/assemble.ts';
import { thumbelina, thumbelinaJson } from './support/cli.ts';
import { vectorsAndCode } from './support/elf-file.ts';
import { filesBelow, workspace } from './support/workspace.ts';

const MODEL = 'models/har_wisdm_watch.tflite';
const space = workspace();

const count = z.int().nonnegative();
const crc32 = z.string().regex(/^[0-9a-f]{8}$/);
const output = z.looseObject({ values: z.array(z.number()).min(1), crc32 });

const runSchema = z.looseObject({
  schemaVersion: z.literal(1),
  model: z.literal('har_wisdm_watch'),
  board: z.literal('mps2-an386'),
  core: z.literal('cortex-m4'),
  engine: z.enum(['wasm', 'unicorn']),
  source: z.literal('emulated'),
  timing: z.looseObject({
    model: z.literal('cortex-m4'),
    mode: z.enum(['exact', 'flat']),
    assumedCount: count,
    validatedErrorPct: z.number().nullable(),
  }),
  input: z.looseObject({ crc32 }),
  output,
  outputs: z.array(output).length(1),
  ops: z
    .array(
      z.looseObject({
        index: count,
        opcode: z.string().regex(/^[A-Z][A-Z0-9_]*$/),
        cycles: count,
        instructions: count,
        macs: count,
        outputCrc32: crc32.nullable(),
      }),
    )
    .min(1),
  cycles: count.positive(),
  coldCycles: count.positive(),
  instructions: count.positive(),
  latencyMs: z.number().positive(),
  clockHz: count.positive(),
  memory: z.looseObject({
    flashBytes: count.positive(),
    ramBytes: count.positive(),
    arenaBytes: count.positive(),
    stackBytes: count.positive(),
  }),
});

const simSchema = z.looseObject({
  cycles: count,
  instructions: count,
  stop: z.enum(['exit', 'breakpoint', 'fault', 'limit', 'idle', 'return']),
  exitCode: z.int().nullable(),
  fault: z.looseObject({ address: count, symbol: z.string().nullable(), cause: z.string() }).nullable(),
  wallSeconds: z.number().nonnegative(),
  uart: z.string(),
  itm: z.string(),
  rtt: z.string(),
  stackBytes: count.nullable(),
  returnValue: z.int().nullable(),
});

const tensor = z.looseObject({
  name: z.string(),
  dtype: z.string(),
  shape: z.array(count),
  bytes: count,
  constant: z.boolean(),
  quantization: z
    .looseObject({ scale: z.array(z.number()).min(1), zeroPoint: z.array(z.int()), axis: z.int() })
    .nullable(),
});

const inspectSchema = z.looseObject({
  schemaVersion: z.literal(1),
  model: z.literal('har_wisdm_watch'),
  inputs: z.array(tensor).length(1),
  outputs: z.array(tensor).length(1),
  ops: z.array(
    z.looseObject({
      index: count,
      opcode: z.string(),
      inputs: z.array(tensor.nullable()),
      outputs: z.array(tensor).min(1),
      macs: count,
      weightBytes: count,
    }),
  ),
  totals: z.looseObject({ ops: count, macs: count, weightBytes: count }),
});

describe.skipIf(!hasCompiler)('run --json (needs arm-none-eabi-gcc)', () => {
  const run = (folder: string, ...words: string[]): Promise<unknown> =>
    thumbelinaJson(['run', MODEL, '-o', space.path(folder), ...words]);

  it('has the shape of the contract, and its figures agree with each other', async () => {
    const report = runSchema.parse(await run('run'));
    expect(report.outputs[0]).toEqual(report.output);
    expect(report.latencyMs).toBeCloseTo((1000 * report.cycles) / report.clockHz, 9);
    expect(report.instructions).toBeLessThan(report.cycles);
    expect(report.ops.reduce((sum, op) => sum + op.cycles, 0)).toBeLessThanOrEqual(report.cycles);
    expect(report.ops.map((op) => op.outputCrc32)).toEqual(report.ops.map(() => null));
    expect(report.memory.ramBytes).toBeGreaterThanOrEqual(report.memory.arenaBytes + report.memory.stackBytes);
  });

  it('with --per-op gives every op its CRC-32, and the published totals do not change', async () => {
    const plain = runSchema.parse(await run('plain', '--lcg', '7'));
    const perOp = runSchema.parse(await run('per-op', '--lcg', '7', '--per-op'));
    for (const op of perOp.ops) expect(op.outputCrc32, `op ${op.index}`).not.toBeNull();
    expect(perOp.ops.at(-1)?.outputCrc32).toBe(perOp.output.crc32);
    const withoutCrcs = { ...perOp, ops: perOp.ops.map((op) => ({ ...op, outputCrc32: null })) };
    expect(withoutCrcs).toEqual(plain);
  });

  it('is the same text every time, from any folder, with nothing on standard error', async () => {
    const model = join(import.meta.dirname, '..', '..', MODEL);
    const folders = [space.path('first'), space.path('second')];
    const results = await Promise.all(
      folders.map((folder) => thumbelina(['run', model, '-o', folder, '--json'], { cwd: space.path('.') })),
    );
    expect(results[0]).toMatchObject({ code: 0, stderr: '' });
    expect(results[1]).toEqual(results[0]);
    for (const file of ['firmware.elf', 'har_wisdm_watch.c', 'Makefile'])
      expect(readFileSync(join(folders[0]!, file)).equals(readFileSync(join(folders[1]!, file))), file).toBe(true);
  });

  it('takes input from a file, and --bare makes it smaller, not different', async () => {
    const lcg = runSchema.parse(await run('lcg', '--lcg', '1'));
    const zeros = space.write('zeros.bin', new Uint8Array(await inputBytes()));
    const [zero, bare] = await Promise.all([run('zero', '--input', zeros), run('bare', '--lcg', '1', '--bare')]);
    expect(runSchema.parse(zero).input.crc32).not.toBe(lcg.input.crc32);
    expect(runSchema.parse(bare).output).toEqual(lcg.output);
    expect(runSchema.parse(bare).memory.flashBytes).toBeLessThan(lcg.memory.flashBytes);
  });

  it('without --json is a table with every op', async () => {
    const { code, stdout, stderr } = await thumbelina(['run', MODEL, '-o', space.path('table')]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^op +kind +cycles +share +MACs +cycles\/MAC/m);
    expect(stdout).toMatch(/^cycles +[\d,]+ /m);
  });

  it('writes only below the folder that -o names, build/thumbelina by default', async () => {
    const cwd = space.path('somewhere');
    space.folder('somewhere');
    const model = join(import.meta.dirname, '..', '..', MODEL);
    expect(await thumbelina(['generate', model], { cwd })).toMatchObject({ code: 0 });
    expect(filesBelow(cwd).filter((path) => !path.startsWith(join('build', 'thumbelina')))).toEqual(['build']);
    expect(existsSync(join(cwd, 'build', 'thumbelina', 'Makefile'))).toBe(true);
  });
});

async function inputBytes(): Promise<number> {
  return inspectSchema.parse(await thumbelinaJson(['inspect', MODEL])).inputs[0]!.bytes;
}

describe('--json of the other commands', () => {
  it('inspect', async () => {
    const report = inspectSchema.parse(await thumbelinaJson(['inspect', MODEL]));
    expect(report.totals).toMatchObject({
      ops: report.ops.length,
      macs: report.ops.reduce((sum, op) => sum + op.macs, 0),
    });
  });

  it('generate: every file it names is there, and no other', async () => {
    const folder = space.path('generated');
    const report = z
      .looseObject({
        schemaVersion: z.literal(1),
        model: z.literal('har_wisdm_watch'),
        identifier: z.literal('har_wisdm_watch'),
        board: z.literal('core-m4'),
        dir: z.literal(folder),
        files: z.array(z.string()).min(5),
        arenaBytes: count.positive(),
      })
      .parse(await thumbelinaJson(['generate', MODEL, '-o', folder, '--board', 'core-m4']));
    for (const file of report.files) expect(existsSync(join(folder, file)), file).toBe(true);
    expect(
      filesBelow(folder)
        .filter((file) => /\.|Makefile/.test(file))
        .sort(),
    ).toEqual([...report.files].sort());
  });

  it.skipIf(!hasCompiler)('build (needs arm-none-eabi-gcc)', async () => {
    const folder = space.path('built');
    const report = z
      .looseObject({
        schemaVersion: z.literal(1),
        model: z.string(),
        board: z.string(),
        elf: z.literal(join(folder, 'firmware.elf')),
        bin: z.literal(join(folder, 'firmware.bin')),
        map: z.literal(join(folder, 'firmware.map')),
        memory: z.looseObject({ flashBytes: count, dataBytes: count, bssBytes: count, arenaBytes: count }),
      })
      .parse(await thumbelinaJson(['build', MODEL, '-o', folder]));
    for (const file of [report.elf, report.bin, report.map]) expect(existsSync(file), file).toBe(true);
    expect(readFileSync(report.bin).length).toBe(report.memory.flashBytes);
  });

  it('sim', async () => {
    const idle = space.write('idle.bin', vectorsAndCode(0xe7fe));
    const report = simSchema.parse(await thumbelinaJson(['sim', idle]));
    expect(report).toMatchObject({ stop: 'idle', exitCode: 0, fault: null, uart: '', returnValue: null });
    const fault = await thumbelina(['sim', space.write('fault.bin', vectorsAndCode(0xde00)), '--json']);
    expect(simSchema.parse(JSON.parse(fault.stdout))).toMatchObject({ stop: 'fault', exitCode: null });
  });

  it('boards', async () => {
    const region = z.looseObject({ name: z.string(), kind: z.enum(['flash', 'ram']), start: count, bytes: count });
    const board = z.looseObject({ name: z.string(), core: z.string(), clockHz: count, memory: z.array(region).min(2) });
    const report = z
      .looseObject({ schemaVersion: z.literal(1), boards: z.array(board) })
      .parse(await thumbelinaJson(['boards']));
    expect(report.boards.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['core-m4', 'mps2-an386', 'nucleo-l4r5zi']),
    );
  });

  it('doctor', async () => {
    const { code, stdout } = await thumbelina(['doctor', '--json']);
    const tool = z.looseObject({
      name: z.string(),
      found: z.boolean(),
      required: z.boolean(),
      detail: z.string().min(1),
    });
    const report = z
      .looseObject({ schemaVersion: z.literal(1), ok: z.boolean(), tools: z.array(tool).min(3) })
      .parse(JSON.parse(stdout));
    expect(code).toBe(report.ok ? 0 : 3);
    expect(report.ok).toBe(report.tools.every(({ found, required }) => found || !required));
  });
});
