/** Assembles or compiles small programs for the emulator's tests; results are kept under build/ by the hash of everything that went in. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../../common/package-root.ts';
import { assert } from '../../../common/errors.ts';

const COMPILER = process.env['THUMBELINA_CC'] ?? 'arm-none-eabi-gcc';
const CPU = ['-mcpu=cortex-m4', '-mthumb', '-mfloat-abi=hard', '-mfpu=fpv4-sp-d16'];

export const hasCompiler = spawnSync(COMPILER, ['--version']).status === 0;

const RAM_START = 0x2000_0000;
const RAM_BYTES = 0x4_0000;
const hex = (value: number): string => `0x${value.toString(16)}`;

/** Vectors, code and constants from `flashStart`, data from `ramStart`, stack down from `ramBytes` above it. */
function linkerScript(flashStart: number, ramStart: number, ramBytes: number): string {
  return `
MEMORY
{
  FLASH (rx) : ORIGIN = ${hex(flashStart)}, LENGTH = 1M
  RAM (rwx) : ORIGIN = ${hex(ramStart)}, LENGTH = ${ramBytes}
}
ENTRY(reset)
SECTIONS
{
  .text : { KEEP(*(.vectors)) *(.text*) *(.rodata*) *(.init) *(.fini) *(.eh_frame*) . = ALIGN(4); } > FLASH
  .ARM.exidx : { __exidx_start = .; *(.ARM.exidx*) __exidx_end = .; } > FLASH
  .arrays :
  {
    __preinit_array_start = .; KEEP(*(.preinit_array)) __preinit_array_end = .;
    __init_array_start = .; KEEP(*(.init_array*)) __init_array_end = .;
    __fini_array_start = .; KEEP(*(.fini_array*)) __fini_array_end = .;
    . = ALIGN(4); data_load = .;
  } > FLASH
  .data : { data_start = .; *(.data*) . = ALIGN(4); data_end = .; } > RAM AT > FLASH
  .bss : { __bss_start__ = .; *(.bss*) *(COMMON) . = ALIGN(4); __bss_end__ = .; end = .; __end__ = .; } > RAM
}
`;
}

const FPU_ON = `
  ldr r0, =0xE000ED88
  ldr r1, [r0]
  orr r1, r1, #0xF00000
  str r1, [r0]
  dsb
  isb`;

/** Vector table and a reset handler that copies .data, switches the FPU on where there is one and jumps to `entry`. */
const startUp = (entry: string, stackTop: number, hasFpu: boolean): string => `
.syntax unified
.thumb
.section .vectors, "a"
.word ${hex(stackTop)}, reset
.text
.thumb_func
.global reset
reset:${hasFpu ? FPU_ON : ''}
  ldr r0, =data_load
  ldr r1, =data_start
  ldr r2, =data_end
1: cmp r1, r2
  beq 2f
  ldmia r0!, {r3}
  stmia r1!, {r3}
  b 1b
2: b ${entry}
.thumb_func
.global _init
_init: bx lr
.thumb_func
.global _fini
_fini: bx lr
.ltorg
`;

export interface Program {
  /** Files by name: .s, .c and what they include. */
  readonly files: Readonly<Record<string, string>>;
  /** What the reset handler jumps to; default `main`. */
  readonly entry?: string;
  readonly flags?: readonly string[];
  readonly flashStart?: number;
  readonly ramStart?: number;
  /** Default 256 KiB. */
  readonly ramBytes?: number;
  /** For the compiler; default: Cortex-M4F. Cortex-M0+, or Armv7-M or Armv8-M Mainline. */
  readonly cpu?: readonly string[];
  /** newlib with semihosting (rdimon), its crt0 included; entry is then `_start`. */
  readonly newlib?: boolean;
}

/** The linked ELF. Throws with the compiler's message. */
export function buildProgram(program: Program): Uint8Array {
  const { flashStart = 0, ramStart = RAM_START, ramBytes = RAM_BYTES, cpu = CPU } = program;
  const entry = program.entry ?? (program.newlib === true ? '_start' : 'main');
  const files: Record<string, string> = {
    ...program.files,
    'start-up.s': startUp(
      entry,
      ramStart + ramBytes,
      cpu.some((flag) => flag.startsWith('-mfpu')),
    ),
    'link.ld': linkerScript(flashStart, ramStart, ramBytes),
  };
  const key = createHash('sha256')
    .update(JSON.stringify([program, files]))
    .digest('hex')
    .slice(0, 24);
  const cache = join(packageRoot(), 'build', 'test-emulator');
  const output = join(cache, `${key}.elf`);
  if (!existsSync(output)) {
    mkdirSync(cache, { recursive: true });
    const folder = mkdtempSync(join(cache, 'work-'));
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    const sources = Object.keys(files).filter((name) => /\.[cs]$/.test(name));
    const libraries =
      program.newlib === true ? ['--specs=rdimon.specs', newlibStart(cpu), '-lm'] : ['-nostdlib', '-lgcc'];
    const args = [
      ...cpu,
      '-O2',
      ...(program.flags ?? []),
      '-nostartfiles',
      '-T',
      'link.ld',
      ...sources,
      ...libraries,
      '-o',
      'out.elf',
    ];
    const result = spawnSync(COMPILER, args, { cwd: folder, encoding: 'utf8' });
    assert(result.status === 0, `${COMPILER} ${args.join(' ')}:\n${result.stderr}`);
    renameSync(join(folder, 'out.elf'), output);
    rmSync(folder, { recursive: true });
  }
  return new Uint8Array(readFileSync(output)); // not a Buffer: its slice() would share the bytes
}

function newlibStart(cpu: readonly string[]): string {
  const found = spawnSync(COMPILER, [...cpu, '-print-file-name=rdimon-crt0.o'], { encoding: 'utf8' });
  return found.stdout.trim();
}

/** Assembly functions, each global and followed by its literal pool: `{ add: 'adds r0, r0, r1; bx lr' }`. */
export function assembleFunctions(bodies: Readonly<Record<string, string>>, flashStart = 0): Uint8Array {
  const text = Object.entries(bodies).map(
    ([name, body]) =>
      `.balign 8\n.thumb_func\n.global ${name}\n.type ${name}, %function\n${name}:\n${body.replaceAll(';', '\n')}\n.ltorg\n.size ${name}, . - ${name}`,
  );
  return buildProgram({
    files: { 'functions.s': `.syntax unified\n.thumb\n.cpu cortex-m4\n.fpu fpv4-sp-d16\n.text\n${text.join('\n')}\n` },
    entry: Object.keys(bodies)[0] ?? 'main',
    flashStart,
  });
}
