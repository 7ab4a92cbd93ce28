/**
 * Runs a small C program around kernels, on this machine under sanitizers or on the emulated core: a function `void tl_test(const uint8_t
 * *input, uint8_t *output)` from bytes to bytes. On the host both buffers are exactly as long as stated, so that a step outside shows.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { loadBoard } from '../../boards/load.ts';
import { createMachine } from '../../emulator/create-machine.ts';
import { describeFault } from '../../emulator/fault.ts';
import { kernelLibrary } from '../../firmware-gen/emit/kernel-library.ts';
import { addSupport } from '../../firmware-gen/emit/support-files.ts';
import { buildElf, findToolchain } from '../../firmware-gen/toolchain/index.ts';
import { buildHostProgram } from './host-build.ts';
import type { Form } from './op-cases.ts';

export interface TestProgram {
  /** C file that defines tl_test. */
  readonly source: string;
  readonly input: Uint8Array;
  readonly outputBytes: number;
}

export interface ProgramResult {
  readonly output: Uint8Array;
  /** Of tl_test; null on the host. */
  readonly cycles: number | null;
}

const BOARD = 'mps2-an386';

export async function runProgram(program: TestProgram, form: Form): Promise<ProgramResult> {
  const folder = mkdtempSync(join(tmpdir(), 'thumbelina-program-'));
  try {
    return form === 'target' ? await onTarget(program, folder) : await onHost(program, folder, form);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function onHost({ source, input, outputBytes }: TestProgram, folder: string, form: Form): Promise<ProgramResult> {
  const tree = new Map([
    ['test.c', source],
    ['main.c', hostMain(input.length, outputBytes)],
  ]);
  addSupport(tree, { board: null, bare: true, opening: '', library: kernelLibrary() });
  const defines = form === 'emulated' ? ['-DTL_EMULATE_DSP'] : [];
  const path = await buildHostProgram(tree, folder, defines, new Set());
  const files = ['input.bin', 'output.bin'].map((name) => join(folder, name)) as [string, string];
  writeFileSync(files[0], input);
  await promisify(execFile)(path, files, { cwd: folder, maxBuffer: 1 << 26 });
  return { output: new Uint8Array(readFileSync(files[1])), cycles: null };
}

function hostMain(inputBytes: number, outputBytes: number): string {
  return `#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

void tl_test(const uint8_t *input, uint8_t *output);

int main(int argc, char **argv)
{
    FILE *in = argc == 3 ? fopen(argv[1], "rb") : NULL;
    FILE *out = argc == 3 ? fopen(argv[2], "wb") : NULL;
    uint8_t *input = malloc(${inputBytes});
    uint8_t *output = malloc(${outputBytes});
    if (in == NULL || out == NULL || fread(input, 1, ${inputBytes}, in) != ${inputBytes}) {
        return 1;
    }
    tl_test(input, output);
    fwrite(output, 1, ${outputBytes}, out);
    free(input);
    free(output);
    fclose(in);
    return fclose(out);
}
`;
}

async function onTarget({ source, input, outputBytes }: TestProgram, folder: string): Promise<ProgramResult> {
  const board = loadBoard(BOARD);
  const tree = new Map([
    ['test.c', source],
    ['main.c', targetMain(input.length, outputBytes)],
  ]);
  addSupport(tree, { board, bare: true, opening: '', library: kernelLibrary() });
  const image = await buildElf(tree, folder, await findToolchain(), { board });
  const machine = createMachine({ board, image: image.elf });
  try {
    machine.run();
    const [from, to] = ['test_input', 'test_output'].map((name) => machine.symbol(name).address) as [number, number];
    machine.writeMemory(from, input);
    const result = machine.call('tl_test', [from, to]);
    if (result.stop !== 'return')
      throw new Error(`tl_test ended with ${result.stop}${result.fault ? `: ${describeFault(result.fault)}` : ''}`);
    return { output: machine.readMemory(to, outputBytes), cycles: result.cycles };
  } finally {
    machine.close();
  }
}

function targetMain(inputBytes: number, outputBytes: number): string {
  return `#include "tl_runtime.h"

void tl_test(const uint8_t *input, uint8_t *output);

static uint8_t test_input[${inputBytes}] __attribute__((aligned(8), used));
static uint8_t test_output[${outputBytes}] __attribute__((aligned(8), used));

int main(void)
{
    /* The address is stored where the compiler must store it, so that the linker keeps the function. */
    volatile uintptr_t address = (uintptr_t)tl_test;
    (void)address;
    test_output[0] = test_input[0];
    for (;;) {
        tl_wait_for_interrupt();
    }
}
`;
}
