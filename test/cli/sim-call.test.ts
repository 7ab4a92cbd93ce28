/** `sim --call`: one function, its arguments, its cycles. Functions are small enough to add the timing table's numbers by hand. */
import { describe, expect, it } from 'vitest';
import { assembleFunctions, buildProgram, hasCompiler } from '../emulator/support/assemble.ts';
import { thumbelina, thumbelinaJson } from './support/cli.ts';
import { workspace } from './support/workspace.ts';

const space = workspace();
const functions = {
  add: 'adds r0, r0, r1; bx lr',
  sum_bytes: 'movs r2, #0; 1: ldrb r3, [r0], #1; adds r2, r2, r3; subs r1, #1; bne 1b; movs r0, r2; bx lr',
  fifth_and_sixth: 'ldr r0, [sp]; ldr r1, [sp, #4]; adds r0, r0, r1; bx lr',
  forever: '1: nop; b 1b',
  broken: 'movs r0, #0; ldr r1, =0x60000000; ldr r1, [r1]; bx lr',
};

describe.skipIf(!hasCompiler).concurrent('sim --call (needs arm-none-eabi-gcc)', () => {
  const elf = hasCompiler ? space.write('functions.elf', assembleFunctions(functions)) : '';
  const call = (name: string, ...words: string[]): Promise<unknown> =>
    thumbelinaJson(['sim', elf, '--call', name, ...words]);

  it('counts from the first instruction through the return', async () => {
    expect(await call('add', '--args', '40,2')).toMatchObject({
      stop: 'return',
      returnValue: 42,
      exitCode: 0,
      cycles: 1 + 3,
      instructions: 2,
    });
  });

  it('takes negative and hexadecimal integers, and returns signed words', async () => {
    expect(await call('add', '--args', '-5,3')).toMatchObject({ returnValue: -2 });
    expect(await call('add', '--args', '0xffffffff,0')).toMatchObject({ returnValue: -1 });
    expect(await call('add', '--args=0x7fffffff,1')).toMatchObject({ returnValue: -(2 ** 31) });
  });

  it('gives a function the bytes of a file', async () => {
    const file = space.write('bytes.bin', Uint8Array.of(1, 2, 3, 4, 250));
    // Five passes of ldrb (2), adds, subs; four branches taken (3), one not; movs before and after, bx lr.
    expect(await call('sum_bytes', '--args', `@${file},5`)).toMatchObject({
      returnValue: 260,
      cycles: 1 + 5 * (2 + 1 + 1) + 4 * 3 + 1 + 1 + 3,
      instructions: 1 + 5 * 4 + 2,
    });
  });

  it('gives a function zeroed memory', async () => {
    expect(await call('sum_bytes', '--args', 'buf:64,64')).toMatchObject({
      returnValue: 0,
      instructions: 1 + 64 * 4 + 2,
    });
  });

  it('puts arguments beyond the fourth on the stack', async () => {
    expect(await call('fifth_and_sixth', '--args', '1,2,3,4,50,6')).toMatchObject({
      returnValue: 56,
      cycles: 2 + 1 + 1 + 3,
      instructions: 4,
    });
  });

  it.each<[string, number, readonly string[], RegExp]>([
    ['an unknown function', 2, ['nothing'], /no symbol nothing/],
    ['more memory than there is', 2, ['sum_bytes', '--args', 'buf:99999999,1'], /99999999 bytes of buffers do not fit/],
    ['an endless function', 6, ['forever', '--max-cycles', '5000'], /not finished after \d+ cycles/],
    ['a function that faults', 7, ['broken'], /broken\+0x6\): unmapped read at 0x60000000/],
  ])('ends with one line for %s', async (_, exitCode, words, message) => {
    const { code, stderr } = await thumbelina(['sim', elf, '--call', ...words, '--json']);
    expect(stderr).toMatch(/^thumbelina: [^\n]+\n$/);
    expect(stderr).toMatch(message);
    expect(code).toBe(exitCode);
  });

  it('sets up the variables of a C program first', async () => {
    const source =
      'int start = 40; int zero; int next(int by) { zero += by; return start + zero; }\nint main(void) { return 0; }';
    const path = space.write('variables.elf', buildProgram({ files: { 'main.c': source } }));
    expect(await thumbelinaJson(['sim', path, '--call', 'next', '--args', '2'])).toMatchObject({ returnValue: 42 });
  });
});
