/** Cross builds: sizes, the emitted Makefile, and what users are told when something is missing or too small. */
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  chmodSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
  mkdirSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadBoard } from '../../boards/load.ts';
import type { Board } from '../../boards/schema.ts';
import { UserError } from '../../common/errors.ts';
import type { SourceTree } from '../../firmware-gen/emit/index.ts';
import { emitC } from '../../firmware-gen/emit/index.ts';
import type { Graph, TensorId } from '../../firmware-gen/ir/graph.ts';
import { lower } from '../../firmware-gen/passes/lower/index.ts';
import { planMemory } from '../../firmware-gen/plan/index.ts';
import { buildElf, findToolchain, writeSources } from '../../firmware-gen/toolchain/index.ts';
import { regionOverflow, runTool } from '../../firmware-gen/toolchain/run-tool.ts';
import { tinyModel } from '../emit/tiny-model.ts';

const mps2 = loadBoard('mps2-an386');

function treeFor(board: Board, bare = true): SourceTree {
  const schedule = lower(tinyModel(), { fuse: true, dsp: true });
  return emitC(schedule, planMemory(schedule), { board, hooks: false, bare, modelSha256: '00', version: 'test' });
}

/** Two RELUs in place on one buffer: their functions have the same body, which gcc would merge. */
function twinRelus(): Graph {
  const quantization = { scale: [0.5], zeroPoint: [0], axis: 0 };
  const ids = [0, 1, 2] as TensorId[];
  return {
    name: 'twins',
    tensors: ids.map((id) => ({ id, name: `t${id}`, dtype: 'int8', shape: [16], quantization, data: null })),
    ops: [0, 1].map((index) => ({ index, kind: 'RELU', inputs: [ids[index]!], outputs: [ids[index + 1]!] })),
    inputs: [ids[0]!],
    outputs: [ids[2]!],
    notes: [],
  };
}

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'thumbelina-build-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('buildElf', () => {
  it('should build, list sections and symbols, and leave only sources and products', async () => {
    const dir = join(folder, 'plain');
    const tree = treeFor(mps2);
    const image = await buildElf(tree, dir, await findToolchain(), { board: mps2 });
    expect(image.flashBytes).toBe(readFileSync(image.binPath).length);
    expect(image.dataBytes).toBe(0);
    const symbol = (name: string) => image.symbols.find((candidate) => candidate.name === name);
    const arena = symbol('tl_arena')!;
    // The pointer to the arena is the only other variable.
    expect(image.bssBytes).toBe(arena.bytes + 4);
    expect(arena.address % 8).toBe(0);
    expect(symbol('tiny_op0_conv_2d')?.type).toBe('function');
    expect(symbol('__stack_limit')?.address).toBe(0x20000000);
    expect(symbol('__stack_top')!.address).toBeLessThanOrEqual(arena.address);
    expect(image.frameBytes.get('tiny_invoke')).toBeGreaterThanOrEqual(0);
    const top = new Set([...tree.keys()].map((path) => path.split('/')[0]));
    expect(new Set(readdirSync(dir))).toEqual(new Set([...top, 'firmware.elf', 'firmware.bin', 'firmware.map']));
  });

  it('should give every op a symbol of its own, even where two ops are the same code', async () => {
    const schedule = lower(twinRelus(), { fuse: true, dsp: true });
    const plan = planMemory(schedule);
    const options = { board: mps2, hooks: false, bare: true, modelSha256: '00', version: 'test' };
    const tree = emitC(schedule, plan, options);
    const image = await buildElf(tree, join(folder, 'twins'), await findToolchain(), { board: mps2 });
    const ops = image.symbols.filter((symbol) => /^twins_op\d/.test(symbol.name) && symbol.type === 'function');
    expect(ops.map((symbol) => symbol.name).sort()).toEqual(['twins_op0_relu', 'twins_op1_relu']);
    expect(ops[0]!.address).not.toBe(ops[1]!.address);
  });

  for (const name of ['mps2-an386', 'core-m4', 'nucleo-l4r5zi']) {
    it(`should give the same image as plain make for ${name}`, async () => {
      const board = loadBoard(name);
      const dir = join(folder, name);
      const image = await buildElf(treeFor(board, false), dir, await findToolchain(), { board });
      const ours = readFileSync(image.binPath);
      rmSync(image.elfPath);
      rmSync(image.binPath);
      execFileSync('make', ['-s', '-j2'], { cwd: dir });
      expect(readFileSync(image.binPath).equals(ours)).toBe(true);
    });
  }

  it('should say by how many bytes which memory is too small, and leave nothing behind', async () => {
    const dir = join(folder, 'small');
    const board: Board = {
      ...mps2,
      memory: mps2.memory.map((region) => ({ ...region, bytes: region.kind === 'ram' ? 256 : 1024 })),
    };
    const build = buildElf(treeFor(board), dir, await findToolchain(), { board });
    await expect(build).rejects.toThrow(
      /^the firmware does not fit: it exceeds FLASH by \d+ bytes and RAM by \d+ bytes/,
    );
    expect(existsSync(dir)).toBe(false);
  });

  it('should carry command, source and compiler message when C does not compile', async () => {
    const dir = join(folder, 'broken');
    const tree = new Map([...treeFor(mps2)]).set('main.c', 'int main(void) { return nonsense; }\n');
    const error: unknown = await buildElf(tree, dir, await findToolchain(), { board: mps2 }).catch(
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(UserError);
    expect(String(error)).toMatch(/main\.c: .*failed\n {2}command: .*gcc .*-c main\.c[\s\S]*'nonsense' undeclared/);
    expect(existsSync(dir)).toBe(false);
  });

  it('should say so when the output folder is a file', async () => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    await expect(writeSources(treeFor(mps2), file)).rejects.toThrow(`cannot write to ${file}: a file is in the way`);
    await expect(writeSources(treeFor(mps2), join(file, 'below'))).rejects.toThrow('a file is in the way');
  });

  it('should write nothing when a folder is in the way of one file, and leave what was there', async () => {
    const dir = join(folder, 'in-the-way');
    mkdirSync(join(dir, 'main.c', 'mine'), { recursive: true });
    await expect(writeSources(treeFor(mps2), dir)).rejects.toThrow(/in-the-way\/main\.c: a folder is in the way/);
    expect(readdirSync(dir, { recursive: true, encoding: 'utf8' }).sort()).toEqual(['main.c', join('main.c', 'mine')]);
  });
});

describe('findToolchain', () => {
  it('should be missing with exit code 3 and a hint', async () => {
    const error: unknown = await findToolchain({ PATH: process.env['PATH'], THUMBELINA_CC: '/nowhere/gcc' }).catch(
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({ exitCode: 3 });
    expect(String(error)).toMatch(/\/nowhere\/gcc not found.*gcc-arm-none-eabi/);
  });

  it('should refuse a compiler for another machine', async () => {
    await expect(findToolchain({ PATH: process.env['PATH'], THUMBELINA_CC: 'gcc' })).rejects.toThrow(
      /makes code for x86_64.*not for Arm/,
    );
  });

  it('should name its version', async () => {
    expect((await findToolchain()).version).toMatch(/gcc/);
  });
});

describe('runTool', () => {
  it('should turn a full disk into one line', async () => {
    const tool = join(folder, 'full-disk');
    writeFileSync(tool, '#!/bin/sh\necho "ld: final link failed: No space left on device" >&2\nexit 1\n');
    chmodSync(tool, 0o755);
    await expect(runTool(tool, [], folder, 'firmware.elf')).rejects.toThrow(
      /^firmware\.elf: no space left on the disk; [^\n]*$/,
    );
  });

  it('should name a tool that is not there', async () => {
    await expect(runTool('no-such-objcopy', [], folder, 'firmware.bin')).rejects.toMatchObject({ exitCode: 3 });
  });

  it('should find the largest overflow of each region', () => {
    expect(regionOverflow("ld: region `RAM' overflowed by 8 bytes\nld: region `RAM' overflowed by 24 bytes")).toMatch(
      /RAM by 24 bytes/,
    );
    expect(regionOverflow('undefined reference')).toBeNull();
  });
});
