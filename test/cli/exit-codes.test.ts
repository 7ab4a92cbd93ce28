/** Exit codes 2, 3, 6 and 7 as the contract gives them, each with one line on standard error, and nothing lost or left behind. */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { buildProgram, hasCompiler } from '../emulator/support/assemble.ts';
import { thumbelina, type CliOptions } from './support/cli.ts';
import { vectorsAndCode } from './support/elf-file.ts';
import { filesBelow, workspace } from './support/workspace.ts';

const MODEL = 'models/har_wisdm_watch.tflite';
const space = workspace();

async function expectFailure(
  code: number,
  args: readonly string[],
  message: RegExp,
  options: CliOptions = {},
): Promise<string> {
  const result = await thumbelina(args, options);
  expect(result.stderr).toMatch(/^thumbelina: [^\n]+\n$/);
  expect(result.stderr).toMatch(message);
  expect(result.code).toBe(code);
  return result.stdout;
}

describe.concurrent('a missing tool gives exit code 3', () => {
  const folder = space.path('no-tool');

  it.each<[string, Record<string, string>]>([
    ['THUMBELINA_CC leads nowhere', { THUMBELINA_CC: '/nowhere/arm-none-eabi-gcc' }],
    ['THUMBELINA_CC is no compiler', { THUMBELINA_CC: '/bin/true' }],
    ['THUMBELINA_CC is the host compiler', { THUMBELINA_CC: 'gcc' }],
    ['no compiler on the PATH', { PATH: '/nowhere', THUMBELINA_CC: '' }],
  ])('%s', async (_, env) => {
    for (const command of ['build', 'run']) {
      const stdout = await expectFailure(
        3,
        [command, MODEL, '-o', folder, '--json'],
        /compiler .*install gcc-arm-none-eabi/,
        { env },
      );
      expect({ stdout, exists: existsSync(folder) }).toEqual({ stdout: '', exists: false });
    }
  });

  it('doctor lists it and says how to get it', async () => {
    const { code, stdout } = await thumbelina(['doctor'], { env: { THUMBELINA_CC: '/nowhere/gcc' } });
    expect(code).toBe(3);
    expect(stdout).toMatch(/arm-none-eabi-gcc +MISSING +apt-get install gcc-arm-none-eabi/);
  });

  it('generate needs no compiler', async () => {
    const result = await thumbelina(['generate', MODEL, '-o', space.path('no-compiler')], {
      env: { PATH: '/nowhere' },
    });
    expect(result).toMatchObject({ code: 0, stderr: '' });
  });
});

describe.concurrent('firmware that does not end well', () => {
  const image = (name: string, ...code: number[]): string => space.write(`${name}.bin`, vectorsAndCode(...code));

  it('gives 6 at the limit of cycles, with the report on standard output', async () => {
    // 8: nop; b 8. A branch to itself would be idle.
    const path = image('endless', 0xbf00, 0xe7fd);
    const stdout = await expectFailure(
      6,
      ['sim', path, '--max-cycles', '1000', '--json'],
      /not finished after \d+ cycles; raise --max-cycles/,
    );
    expect(JSON.parse(stdout)).toMatchObject({ stop: 'limit', exitCode: null, fault: null });
    await expectFailure(6, ['sim', path, '--max-cycles', '0'], /not finished after 0 cycles/);
  });

  it('gives 7 for a fault, and names instruction and address', async () => {
    // 8: movs r0, #3; lsls r0, r0, #29 (0x60000000); ldr r0, [r0]; b .
    const path = image('unmapped', 0x2003, 0x0740, 0x6800, 0xe7fe);
    const stdout = await expectFailure(7, ['sim', path, '--json'], /fault at 0x0000000c: unmapped read at 0x60000000/);
    expect(JSON.parse(stdout)).toMatchObject({ stop: 'fault', fault: { address: 12, kind: 'access' } });
  });

  it('gives 7 for an undefined instruction and a breakpoint', async () => {
    await expectFailure(7, ['sim', image('undefined', 0xde00)], /undefined instruction 0xde00/);
    await expectFailure(7, ['sim', image('breakpoint', 0xbe01)], /BKPT/);
  });

  it('gives 7 when the firmware itself exits with another code than 0', async () => {
    // 8: movs r0, #0x18 (SYS_EXIT); movs r1, #1 (an error, not ApplicationExit); bkpt 0xab
    const path = image('exit-error', 0x2018, 0x2101, 0xbeab);
    const { code, stdout } = await thumbelina(['sim', path, '--json']);
    expect(code).toBe(7);
    expect(JSON.parse(stdout)).toMatchObject({ stop: 'exit', exitCode: 1 });
  });

  it('gives 0 for ApplicationExit', async () => {
    // 8: movs r0, #0x18; ldr r1, [pc, #0] (0x20026 at 16); bkpt 0xab; nop
    const path = image('exit', 0x2018, 0x4901, 0xbeab, 0xbf00, 0x0026, 0x0002);
    const { code, stdout, stderr } = await thumbelina(['sim', path, '--json']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({ stop: 'exit', exitCode: 0 });
  });

  it.skipIf(!hasCompiler)('carries the code of exit(42) through newlib (needs arm-none-eabi-gcc)', async () => {
    const source = '#include <stdio.h>\n#include <stdlib.h>\nint main(void) { puts("leaving"); exit(42); }\n';
    const path = space.write('exit42.elf', buildProgram({ files: { 'main.c': source }, newlib: true }));
    const { code, stdout, stderr } = await thumbelina(['sim', path, '--json']);
    expect(code).toBe(7);
    expect(JSON.parse(stdout)).toMatchObject({ stop: 'exit', exitCode: 42 });
    expect(stderr).toContain('leaving\n');
    expect((await thumbelina(['sim', path])).stdout).toMatch(/^leaving\nstop +exit \(exit code 42\)/);
  });
});

describe.concurrent('a hostile board description gives exit code 2', () => {
  const sound = JSON.parse(readFileSync('boards/core-m4.json', 'utf8')) as Record<string, unknown>;
  const region = (name: string, kind: string, start: string, bytes: number): object => ({ name, kind, start, bytes });
  const flash = region('FLASH', 'flash', '0x00000000', 65536);
  const board = (changes: object): string => JSON.stringify({ ...sound, ...changes });

  it.each<[string, string, RegExp]>([
    ['no JSON', '{\n  "name":', /not valid JSON/],
    ['an empty file', '', /not valid JSON/],
    ['a list', '[]', /expected object/],
    ['an unknown field', board({ waits: 3 }), /waits/],
    [
      'gigabytes of RAM',
      board({ memory: [flash, region('RAM', 'ram', '0x20000000', 2 ** 29)] }),
      /RAM has 536870912 bytes/,
    ],
    [
      'RAM in the peripherals',
      board({ memory: [flash, region('RAM', 'ram', '0x40000000', 4096)] }),
      /RAM .* reaches into the peripherals/,
    ],
    [
      'ten bytes of RAM',
      board({ memory: [flash, region('RAM', 'ram', '0x20000000', 10)] }),
      /does not fit: it exceeds RAM by \d+ bytes/,
    ],
    [
      'sixteen bytes of flash',
      board({ memory: [region('FLASH', 'flash', '0x00000000', 16), region('RAM', 'ram', '0x20000000', 65536)] }),
      /exceeds FLASH by \d+ bytes/,
    ],
  ])('%s', async (what, text, message) => {
    const path = space.write(`${what.replaceAll(' ', '-')}.json`, text);
    const folder = space.path(`board-${what.replaceAll(' ', '-')}`);
    const stdout = await expectFailure(2, ['build', MODEL, '--board', path, '-o', folder, '--json'], message);
    expect({ stdout, exists: existsSync(folder) }).toEqual({ stdout: '', exists: false });
  });
});

describe.concurrent('output that cannot be written gives exit code 2', () => {
  const write = (folder: string, message: RegExp): Promise<string> =>
    expectFailure(2, ['generate', MODEL, '-o', folder], message);

  it('a folder that is a file, and one below a file', async () => {
    const file = space.write('file', 'mine');
    await write(file, /cannot write to .*file: a file is in the way/);
    await write(join(file, 'below'), /a file is in the way/);
    expect(readFileSync(file, 'utf8')).toBe('mine');
  });

  it('a folder in the way of a file', async () => {
    const folder = space.path('in-the-way');
    mkdirSync(join(folder, 'Makefile'), { recursive: true });
    await write(folder, /Makefile: a folder is in the way/);
    expect(filesBelow(folder)).toEqual(['Makefile']);
  });

  it('a link to nowhere', async () => {
    symlinkSync('/nowhere/at/all', space.path('link'));
    await write(space.path('link'), /link/);
  });

  it('a file system that takes no folders', async () => {
    await write('/proc/thumbelina', /\/proc\/thumbelina/);
  });

  it.skipIf(process.getuid?.() === 0)(
    'a folder without permission (skipped as root, who may write anywhere)',
    async () => {
      const folder = space.path('read-only');
      mkdirSync(folder);
      chmodSync(folder, 0o500);
      await write(folder, /no permission to write there/);
      expect(filesBelow(folder)).toEqual([]);
    },
  );

  it.skipIf(!existsSync('/dev/full'))('standard output on a full disk (needs /dev/full)', async () => {
    const full = openSync('/dev/full', 'w');
    const { code, stderr } = await thumbelina(['inspect', MODEL, '--json'], { stdoutFd: full });
    closeSync(full);
    expect(stderr).toMatch(/^thumbelina: standard output: ENOSPC[^\n]+\n$/);
    expect(code).toBe(2);
  });
});

describe('a full disk', () => {
  const disk = space.path('disk');
  mkdirSync(disk);
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=200k', 'none', disk]).status === 0;
  afterAll(() => {
    if (mounted) spawnSync('umount', [disk]);
  });

  it.skipIf(!mounted)('leaves what was there and nothing else (needs root and tmpfs)', async () => {
    const folder = join(disk, 'out');
    mkdirSync(folder);
    writeFileSync(join(folder, 'Makefile'), 'mine');
    for (const command of ['generate', ...(hasCompiler ? ['build', 'run'] : [])]) {
      await expectFailure(2, [command, MODEL, '-o', folder], /no space left on the disk/);
      expect(filesBelow(disk).sort()).toEqual(['out', join('out', 'Makefile')]);
      expect(readFileSync(join(folder, 'Makefile'), 'utf8')).toBe('mine');
    }
  });
});
