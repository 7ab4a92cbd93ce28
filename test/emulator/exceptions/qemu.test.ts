/** Programs full of exceptions leave the same log here and on QEMU's mps2-an386: order, EXC_RETURN, frames, fault registers. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadBoard } from '../../../boards/load.ts';
import { packageRoot } from '../../../common/package-root.ts';
import { simulate } from '../../../emulator/sim.ts';
import { buildProgram, hasCompiler } from '../support/assemble.ts';
import { hasQemu, onQemu } from '../support/on-qemu.ts';

const source = (name: string): string =>
  readFileSync(join(packageRoot(), 'test/emulator/exceptions/programs', name), 'utf8');

describe.skipIf(!hasCompiler || !hasQemu)('exceptions as on QEMU (needs arm-none-eabi-gcc and qemu-system-arm)', () => {
  it.each(['exceptions.c', 'mpu.c'])('%s should leave the same log', (name) => {
    const elf = buildProgram({ files: { 'main.c': source(name) }, newlib: true });
    let stdout = '';
    const report = simulate({
      board: loadBoard('mps2-an386'),
      firmware: elf,
      firmwareName: name,
      engine: 'wasm',
      maxCycles: 1e8,
      onConsole: (bytes) => {
        stdout += new TextDecoder().decode(bytes);
      },
    });
    expect(report.fault).toBeNull();
    const qemu = onQemu(elf);
    expect(qemu.stderr.split('\n')[0]).toBe('');
    expect(stdout.split('\n')).toEqual(qemu.stdout.split('\n'));
    expect(qemu.stdout.split('\n').length).toBeGreaterThan(40);
  });
});
