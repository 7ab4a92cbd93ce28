/** Programs for cores other than the Cortex-M4 leave the same log here and on QEMU's machine with that core. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../../common/package-root.ts';
import { simulate } from '../../../emulator/sim.ts';
import { hasCompiler } from '../support/assemble.ts';
import { boardOf, buildFor, type QemuMachine } from '../support/build-for-core.ts';
import { hasQemu, onQemu } from '../support/on-qemu.ts';

const microbit: QemuMachine = { machine: 'microbit', core: 'cortex-m0', fpu: 'none', flash: 0, ram: 0x2000_0000 };
const an505: QemuMachine = {
  machine: 'mps2-an505',
  core: 'cortex-m33',
  fpu: 'fpv5-sp-d16',
  flash: 0x1000_0000,
  ram: 0x3800_0000,
};

const an386: QemuMachine = { machine: 'mps2-an386', core: 'cortex-m4', fpu: 'fpv4-sp-d16', flash: 0, ram: 0x2000_0000 };

const source = (name: string): string =>
  readFileSync(join(packageRoot(), 'test/emulator/exceptions/programs', name), 'utf8');

function here(machine: QemuMachine, elf: Uint8Array): string {
  let text = '';
  const report = simulate({
    board: boardOf(machine),
    firmware: elf,
    firmwareName: machine.machine,
    engine: 'wasm',
    maxCycles: 1e7,
    onConsole: (bytes) => {
      text += new TextDecoder().decode(bytes);
    },
  });
  expect(report.fault).toBeNull();
  expect(report.stop).toBe('exit');
  return text;
}

const title = 'other cores as on QEMU (needs arm-none-eabi-gcc and qemu-system-arm)';
describe.skipIf(!hasCompiler || !hasQemu)(title, () => {
  it.each([
    ['Armv7-M', an386, 'registers.c'],
    ['Armv6-M', microbit, 'v6m.c'],
    ['Armv8-M Mainline, stack limits included', an505, 'v8m.c'],
  ])('should be so for the registers and exceptions of %s', (_, machine, program) => {
    const elf = buildFor(machine, { 'main.c': source(program), 'note.h': source('note.h') });
    const qemu = onQemu(elf, machine.machine, 20);
    expect(here(machine, elf).split('\n')).toEqual(qemu.stdout.split('\n'));
    expect(qemu.stdout.split('\n').length).toBeGreaterThan(60);
  });
});
