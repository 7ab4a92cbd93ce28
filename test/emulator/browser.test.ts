/** The emulator's core needs nothing of Node: it runs a program in a context that has only what browsers have. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../common/package-root.ts';
import { Machine } from '../../emulator/index.ts';
import { hasCompiler } from './support/assemble.ts';
import { interruptedElf } from './support/interrupted-program.ts';

const root = packageRoot();
const isBuilt = existsSync(join(root, 'dist', 'emulator', 'assemble-machine.js'));

describe.skipIf(!hasCompiler || !isBuilt)('without Node (needs dist and arm-none-eabi-gcc)', () => {
  it('runs an interrupt-driven program, with the same cycles', () => {
    const folder = mkdtempSync(join(tmpdir(), 'thumbelina-browser-'));
    const elf = join(folder, 'a.elf');
    writeFileSync(elf, interruptedElf);
    const script = join(root, 'test', 'emulator', 'support', 'browser-run.mjs');
    const { stdout, stderr } = spawnSync(
      process.execPath,
      ['--experimental-vm-modules', '--no-warnings', script, root, join(root, 'boards', 'core-m4.json'), elf],
      { encoding: 'utf8' },
    );
    rmSync(folder, { recursive: true });
    expect(stderr).toBe('');
    const machine = new Machine({ board: 'core-m4', image: interruptedElf });
    const { stop, exitCode, cycles } = machine.run();
    machine.close();
    const absent = { process: 'undefined', buffer: 'undefined' };
    expect(JSON.parse(stdout)).toEqual({ stop, exitCode, cycles, ...absent });
  });
});
