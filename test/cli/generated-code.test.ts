/**
 * The C that `generate` writes, used as a stranger would: plain make from another folder, two models in one image, the header in C++.
 * Uses nothing of ours but the command line.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../common/package-root.ts';
import { writeTflite } from '../../firmware-gen/tflite/writer.ts';
import { hasCompiler } from '../emulator/support/assemble.ts';
import { classifierModel } from '../tflite/model-builder.ts';
import { thumbelina, thumbelinaJson } from './support/cli.ts';
import { workspace } from './support/workspace.ts';

const HAR = join(packageRoot(), 'models', 'har_wisdm_watch.tflite');
const space = workspace();

function run(program: string, args: readonly string[], cwd: string): string {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}:\n${stdout}${stderr}`);
  return stdout;
}

const runs = (program: string): boolean => spawnSync(program, ['--version']).status === 0;
const hasMake = hasCompiler && runs('make');

async function generate(model: string, folder: string, ...words: string[]): Promise<string> {
  const result = await thumbelina(['generate', model, '-o', folder, ...words]);
  expect(result).toMatchObject({ code: 0, stderr: '' });
  return folder;
}

describe.skipIf(!hasMake)('generated sources (need arm-none-eabi-gcc and make)', () => {
  it('build with plain make from another folder, to the image that build gives', async () => {
    const generated = await generate(HAR, space.path('made'));
    const built = space.path('built');
    await thumbelinaJson(['build', HAR, '-o', built]);
    run('make', ['-s', '-j2', '-C', generated], space.path('.'));
    for (const file of ['firmware.bin', 'firmware.elf'])
      expect(readFileSync(join(generated, file)).equals(readFileSync(join(built, file))), file).toBe(true);
    const sources = readdirSync(generated).filter((file) => /\.(c|h|ld)$|^Makefile$/.test(file));
    for (const file of sources) {
      const text = readFileSync(join(generated, file), 'utf8');
      expect(text, file).toBe(readFileSync(join(built, file), 'utf8'));
      expect(text, file).not.toContain(space.path(''));
      expect(text, file).not.toContain(packageRoot());
    }
  });

  it('say on the UART what run measures', async () => {
    const folder = space.path('talks');
    const report = (await thumbelinaJson(['run', HAR, '-o', folder])) as { ops: unknown[] };
    expect(report.ops.length).toBeGreaterThan(0);
    const { code, stdout } = await thumbelina(['sim', join(folder, 'firmware.elf'), '--uart', 'stdio']);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^thumbelina: model har_wisdm_watch, arena \d+ bytes\ncycles: \d+ cold, \d+ warm\noutput 0:( -?\d+)+\nready\n/,
    );
    expect(stdout).toMatch(/^stop +idle/m);
  });

  it('of two models link into one image, and both give the answers they give alone', async () => {
    const small = space.write('small classifier-2.tflite', writeTflite(classifierModel()));
    const inputs = {
      har: space.write('har.bin', ramp(await inputBytes(HAR))),
      small: space.write('small.bin', ramp(32)),
    };
    const alone = await Promise.all([answer(HAR, inputs.har, 'alone-har'), answer(small, inputs.small, 'alone-small')]);

    const folder = await generate(small, space.path('both'));
    const other = await generate(HAR, space.path('other'));
    for (const entry of readdirSync(other))
      if (entry !== 'main.c' && entry !== 'Makefile')
        cpSync(join(other, entry), join(folder, entry), { recursive: true });
    writeFileSync(join(folder, 'main.c'), MAIN);
    const sources = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.c'));
    run('make', ['-s', '-j2', '-C', folder, `SOURCES=${sources.join(' ')}`], space.path('.'));

    const elf = join(folder, 'firmware.elf');
    const args = ['--args', `@${inputs.har},@${inputs.small}`];
    const results = await Promise.all([
      thumbelinaJson(['sim', elf, '--call', 'har_first', ...args]),
      thumbelinaJson(['sim', elf, '--call', 'small_first', ...args]),
    ]);
    for (const result of results) expect(result).toMatchObject({ stop: 'return', returnValue: hash(alone) });
  });
});

describe('the generated header', () => {
  const CPLUSPLUS = ['g++', 'arm-none-eabi-g++'].filter(runs);

  it.skipIf(CPLUSPLUS.length === 0)('is C++11 beside that of another model (needs g++)', async () => {
    const small = space.write('small.tflite', writeTflite(classifierModel()));
    const folders = [await generate(HAR, space.path('cpp-har')), await generate(small, space.path('cpp-small'))];
    const source = `#include "har_wisdm_watch.h"
#include "small.h"
#include "har_wisdm_watch.h"
alignas(HAR_WISDM_WATCH_ARENA_ALIGNMENT) static unsigned char arena[HAR_WISDM_WATCH_ARENA_BYTES + SMALL_ARENA_BYTES];
int run() {
    if (har_wisdm_watch_init(arena) != 0 || small_init(arena + HAR_WISDM_WATCH_ARENA_BYTES) != 0) return -1;
    *static_cast<signed char *>(small_input(0)) = 1;
    return har_wisdm_watch_invoke() + small_invoke() + *static_cast<const signed char *>(har_wisdm_watch_output(0));
}
`;
    const file = space.write('both.cpp', source);
    const flags = ['-std=c++11', '-Wall', '-Wextra', '-Werror', '-pedantic', '-fsyntax-only'];
    for (const compiler of CPLUSPLUS)
      run(compiler, [...flags, ...folders.flatMap((folder) => ['-I', folder]), file], space.path('.'));
  });

  it.skipIf(!hasCompiler)(
    'comes with no mutable variables but the arena and its address (needs arm-none-eabi-gcc)',
    async () => {
      const folder = space.path('globals');
      await thumbelinaJson(['build', HAR, '-o', folder, '--bare']);
      const names = run('arm-none-eabi-nm', [join(folder, 'firmware.elf')], folder);
      const mutable = names.split('\n').flatMap((line) => /^\S+ [bBdD] (\w+)$/.exec(line)?.[1] ?? []);
      const ours = mutable.filter((name) => !/^(__|_)?(stack|bss|data|end|heap)/.test(name.replace(/^_+/, '')));
      expect(ours.sort()).toEqual(['instance_arena', 'tl_arena']);
    },
  );
});

const ramp = (bytes: number): Uint8Array => Uint8Array.from({ length: bytes }, (_, i) => (i * 37) & 0xff);

async function inputBytes(model: string): Promise<number> {
  const { inputs } = (await thumbelinaJson(['inspect', model])) as { inputs: { bytes: number }[] };
  return inputs[0]!.bytes;
}

async function answer(model: string, input: string, folder: string): Promise<readonly number[]> {
  const report = await thumbelinaJson(['run', model, '--input', input, '-o', space.path(folder)]);
  return (report as { output: { values: number[] } }).output.values;
}

/** As hash() of MAIN: both outputs, one after the other. */
function hash(outputs: readonly (readonly number[])[]): number {
  return outputs.flat().reduce((sum, value) => (Math.imul(sum, 31) + value) | 0, 0);
}

const MAIN = `#include <string.h>
#include "har_wisdm_watch.h"
#include "small_classifier_2.h"

static uint8_t har_arena[HAR_WISDM_WATCH_ARENA_BYTES] __attribute__((aligned(8)));
static uint8_t small_arena[SMALL_CLASSIFIER_2_ARENA_BYTES] __attribute__((aligned(8)));
/* The linker script places the arena by this name. */
uint8_t tl_arena[8];
static int32_t failures;

static void start(const void *har_input, const void *small_input)
{
    failures = har_wisdm_watch_init(har_arena) + small_classifier_2_init(small_arena);
    memcpy(har_wisdm_watch_input(0), har_input, HAR_WISDM_WATCH_INPUT0_BYTES);
    memcpy(small_classifier_2_input(0), small_input, SMALL_CLASSIFIER_2_INPUT0_BYTES);
}

static int32_t hash(void)
{
    uint32_t sum = 0;
    const int8_t *values = har_wisdm_watch_output(0);
    for (int i = 0; i < HAR_WISDM_WATCH_OUTPUT0_BYTES; ++i) sum = 31 * sum + (uint32_t)values[i];
    values = small_classifier_2_output(0);
    for (int i = 0; i < SMALL_CLASSIFIER_2_OUTPUT0_BYTES; ++i) sum = 31 * sum + (uint32_t)values[i];
    return failures == 0 ? (int32_t)sum : failures;
}

__attribute__((used)) int32_t har_first(const void *har_input, const void *small_input)
{
    start(har_input, small_input);
    failures += har_wisdm_watch_invoke();
    failures += small_classifier_2_invoke();
    return hash();
}

__attribute__((used)) int32_t small_first(const void *har_input, const void *small_input)
{
    start(har_input, small_input);
    failures += small_classifier_2_invoke();
    failures += har_wisdm_watch_invoke();
    return hash();
}

int main(void)
{
    return har_first(har_arena, small_arena) == small_first(har_arena, small_arena);
}
`;
