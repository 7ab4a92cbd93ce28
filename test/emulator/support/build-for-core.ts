/** C programs for any core, with their own vector table and no library: what the tests against QEMU's machines of other cores run. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseBoard } from '../../../boards/load.ts';
import type { Board } from '../../../boards/schema.ts';
import { assert } from '../../../common/errors.ts';
import { packageRoot } from '../../../common/package-root.ts';
import { cpuFlags } from '../../../firmware-gen/emit/build-flags.ts';

const COMPILER = process.env['THUMBELINA_CC'] ?? 'arm-none-eabi-gcc';

/** A QEMU machine as a board of ours: code at `flash`, data and stack in 16 KiB at `ram`. */
export interface QemuMachine {
  readonly machine: string;
  readonly core: Board['core'];
  readonly fpu: Board['fpu'];
  readonly flash: number;
  readonly ram: number;
}

const RAM_BYTES = 0x4000;
const hex = (value: number): string => `0x${value.toString(16).padStart(8, '0')}`;

export function boardOf({ machine, core, fpu, flash, ram }: QemuMachine): Board {
  const memory = [
    { name: 'FLASH', kind: 'flash', start: hex(flash), bytes: 0x20000 },
    { name: 'RAM', kind: 'ram', start: hex(ram), bytes: RAM_BYTES },
  ];
  const board = {
    name: machine,
    description: 'for tests',
    core,
    fpu,
    clockHz: 1e6,
    memory,
    uart: null,
    timing: { memory: 'zero-wait' },
    sources: ['QEMU'],
  };
  return parseBoard(JSON.stringify(board), machine);
}

function linkerScript({ flash, ram }: QemuMachine): string {
  return `
MEMORY { FLASH (rx) : ORIGIN = ${hex(flash)}, LENGTH = 128K RAM (rwx) : ORIGIN = ${hex(ram)}, LENGTH = 16K }
ENTRY(reset)
__stack_top = ${hex(ram + RAM_BYTES)};
SECTIONS
{
  .text : { KEEP(*(.vectors)) *(.text*) *(.rodata*) . = ALIGN(4); } > FLASH
  .ARM.exidx : { *(.ARM.exidx*) } > FLASH
  .bss (NOLOAD) : { *(.data*) *(.bss*) *(COMMON) } > RAM
}
`;
}

/** The linked ELF of sources that initialise their variables themselves. Throws with the compiler's message. */
export function buildFor(
  machine: QemuMachine,
  files: Readonly<Record<string, string>>,
  flags: readonly string[] = [],
): Uint8Array {
  mkdirSync(join(packageRoot(), 'build'), { recursive: true });
  const folder = mkdtempSync(join(packageRoot(), 'build', 'core-'));
  try {
    for (const [name, text] of Object.entries({ ...files, 'link.ld': linkerScript(machine) }))
      writeFileSync(join(folder, name), text);
    const sources = Object.keys(files).filter((name) => /\.[cs]$/.test(name));
    const options = ['-O2', '-ffreestanding', '-nostdlib', '-nostartfiles', '-T', 'link.ld', '-I.'];
    const args = [...cpuFlags(boardOf(machine)), ...options, ...flags, ...sources, '-lgcc', '-o', 'out.elf'];
    const { status, stderr } = spawnSync(COMPILER, args, { cwd: folder, encoding: 'utf8' });
    assert(status === 0, `${COMPILER} ${args.join(' ')}:\n${stderr}`);
    return new Uint8Array(readFileSync(join(folder, 'out.elf')));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
