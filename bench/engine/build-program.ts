/** From the C of a benchmark to an ELF; and the firmware of a model with a main that repeats inference. */
import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadBoard } from '../../boards/load.ts';
import { UserError } from '../../common/errors.ts';
import { packageRoot } from '../../common/package-root.ts';
import { buildElf, findToolchain } from '../../firmware-gen/toolchain/index.ts';
import { generateModel } from '../../harness/compile.ts';
import { loadModel } from '../../harness/model.ts';
import type { BenchProgram } from './programs.ts';

/** Data in RAM, put there by whoever loads the ELF. */
const linkerScript = (codeStart: number): string =>
  `SECTIONS { . = ${codeStart}; .text : { KEEP(*(.vectors)) *(.text*) *(.rodata*) } . = 0x20000000; .data : { *(.data*) } .bss : { *(.bss*) } }`;

/** @param rounds how often the work is done; 0: only start and exit */
export function buildProgram(folder: string, { name, source, flags, codeStart }: BenchProgram, rounds: number): string {
  const base = join(folder, `${name.replaceAll(/\W+/g, '-')}-${rounds}`);
  const script = join(folder, 'link.ld');
  writeFileSync(`${base}.c`, source);
  writeFileSync(script, linkerScript(codeStart));
  const options = [...flags, '-mthumb', '-O2', '-nostdlib', '-ffreestanding', `-DROUNDS=${rounds}`, '-T', script];
  const args = [...options, `${base}.c`, '-lc', '-lgcc', '-o', `${base}.elf`];
  const { status, stderr, error } = spawnSync('arm-none-eabi-gcc', args, { encoding: 'utf8' });
  if (error !== undefined) throw new UserError(`arm-none-eabi-gcc: ${error.message}; install gcc-arm-none-eabi`, 3);
  if (status !== 0) throw new Error(`${name}: ${stderr}`);
  return `${base}.elf`;
}

/** Keyword spotting where the third-party models are, else the built-in activity classifier. */
export function modelOfFirmware(): { readonly path: string; readonly name: string; readonly rounds: number } {
  const keywords = join(packageRoot(), '..', 'shared', 'models', 'kws_ref_model.tflite');
  if (existsSync(keywords)) return { path: keywords, name: 'KWS firmware', rounds: 1000 };
  return { path: join(packageRoot(), 'models', 'har_wisdm_watch.tflite'), name: 'HAR firmware', rounds: 8000 };
}

const mainSource = (model: string, rounds: number): string => {
  const macro = model.toUpperCase();
  return `#include "${model}.h"
#include "tl_runtime.h"
static uint8_t arena[${macro}_ARENA_BYTES] __attribute__((aligned(${macro}_ARENA_ALIGNMENT)));
static uint32_t state = 1;
static void leave(uint32_t code)
{
    static uint32_t block[2];
    block[0] = 0x20026u;
    block[1] = code;
    register uint32_t op __asm__("r0") = 0x20u;
    register uint32_t *arg __asm__("r1") = block;
    __asm__ volatile("bkpt 0xab" : : "r"(op), "r"(arg) : "memory");
}
int main(void)
{
    uint32_t sum = 0;
    if (${model}_init(arena) != 0) tl_halt();
    for (int n = 0; n < ${rounds}; ++n) {
        uint8_t *const input = (uint8_t *)${model}_input(0);
        for (int i = 0; i < ${macro}_INPUT0_BYTES; ++i) {
            state = state * 1103515245u + 12345u;
            input[i] = (uint8_t)(state >> 24);
        }
        if (${model}_invoke() != 0) tl_halt();
        const uint8_t *const output = (const uint8_t *)${model}_output(0);
        for (int i = 0; i < ${macro}_OUTPUT0_BYTES; ++i) sum = sum * 31u + output[i];
    }
    leave(sum & 0x7fu);
    for (;;) tl_wait_for_interrupt();
}
`;
};

/** The firmware that `thumbelina build` makes, with a main that repeats inference on new inputs. */
export async function buildFirmware(folder: string, path: string, rounds: number, boardName: string): Promise<string> {
  const board = loadBoard(boardName);
  const { identifier, tree } = generateModel(loadModel(path), { board, bare: true, hooks: false, prune: true });
  const sources = new Map([...tree, ['main.c', mainSource(identifier, rounds)]]);
  const dir = join(folder, `firmware-${boardName}-${rounds}`);
  return (await buildElf(sources, dir, await findToolchain(), { board })).elfPath;
}
