/** What tests and commands rely on: code in RAM, exits from marks, addresses of accesses in every addressing form. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadBoard } from '../../boards/load.ts';
import { packageRoot } from '../../common/package-root.ts';
import { createMachine } from '../../emulator/create-machine.ts';
import { assembleFunctions, hasCompiler } from './support/assemble.ts';

const board = loadBoard('core-m4');
const RAM = 0x2000_1000;
const NOWHERE = 0x7000_0000;

/** r0 = NOWHERE, r1 = 8, sp is set to NOWHERE for the sp forms. Accessed: [start, bytes] relative to NOWHERE. */
const forms: readonly (readonly [string, number])[] = [
  ['ldr r2, [r0, #12]', 12],
  ['ldrb r2, [r0, #5]', 5],
  ['ldrsh r2, [r0, r1]', 8],
  ['ldr.w r2, [r0, r1, lsl #2]', 32],
  ['ldr.w r2, [r0, #0x123]', 0x123],
  ['ldr r2, [r0, #-4]!', -4],
  ['ldr r2, [r0], #4', 0],
  ['strh r2, [r0, #6]', 6],
  ['strb r2, [r0, r1]', 8],
  ['str.w r2, [r0, #-8]', -8],
  ['ldrd r2, r3, [r0, #16]', 16],
  ['strd r2, r3, [r0, #-16]', -16],
  ['ldmia r0!, {r2, r3}', 0],
  ['ldmdb r0, {r2, r3, r4}', -12],
  ['stmia r0!, {r2, r3}', 0],
  ['ldrex r2, [r0, #8]', 8],
  ['vldr s0, [r0, #20]', 20],
  ['vstr d1, [r0, #-24]', -24],
  ['vldmia r0, {s0-s3}', 0],
  ['mov sp, r0; push {r2, r3}', -8],
  ['mov sp, r0; pop {r2, r3}', 0],
  ['mov sp, r0; ldr r2, [sp, #8]', 8],
  ['mov sp, r0; str r2, [sp, #8]', 8],
  ['tbb [r0, r1]', 8],
  ['ldr pc, [r0, #4]', 4],
];

describe.skipIf(!hasCompiler)('Machine (needs arm-none-eabi-gcc)', () => {
  it('finds the failing instruction of a block in every addressing form', () => {
    const bodies = Object.fromEntries(
      forms.map(([form], index) => [
        `form_${index}`,
        `movs r1, #8; ldr r3, [r4]; .global at_${index}; at_${index}: ${form}; str r3, [r4]; bx lr`,
      ]),
    );
    const machine = createMachine({ board, image: assembleFunctions(bodies) });
    for (const [index, [form, offset]] of forms.entries()) {
      machine.cpu.writeRegister(4, RAM);
      const result = machine.call(`form_${index}`, [NOWHERE, 0, 0, 0]);
      // The load through r4 = 0 reads the vector table; two instructions at least precede the access.
      expect(result.fault?.cause, form).toMatch(
        new RegExp(`^unmapped (read|write) at 0x${((NOWHERE + offset) >>> 0).toString(16).padStart(8, '0')}$`),
      );
      const at = machine.symbol(`at_${index}`).address + (form.startsWith('mov sp') ? 2 : 0);
      expect(result.fault?.address, form).toBe(at);
      expect(result.instructions, form).toBe(form.startsWith('mov sp') ? 3 : 2);
    }
    machine.close();
  });

  it('runs code that the program itself writes to RAM, and rewrites', () => {
    const machine = createMachine({
      board,
      image: assembleFunctions({
        copy_and_run:
          'push {r4, lr}; mov r4, r0; 1: ldr r3, [r1], #4; str r3, [r0], #4; subs r2, #4; bne 1b; dsb; isb; adds r4, #1; blx r4; pop {r4, pc}',
        short_one: 'movs r0, #1; bx lr',
        long_one: 'movs r0, #5; adds r0, #2; muls r0, r0; bx lr',
      }),
    });
    const run = (name: string): { value: number; cycles: number } => {
      const { value, cycles, fault } = machine.call('copy_and_run', [RAM, machine.symbol(name).address, 8]);
      expect(fault).toBeNull();
      return { value, cycles };
    };
    const short = run('short_one');
    const long = run('long_one');
    expect([short.value, long.value]).toEqual([1, 49]);
    expect(long.cycles - short.cycles).toBe(2);
    expect([run('short_one'), run('long_one'), run('short_one')]).toEqual([short, long, short]);
    machine.close();
  });

  it('a mark can end the run where it stands, and see registers and memory there', () => {
    const machine = createMachine({
      board,
      image: assembleFunctions({
        main: 'movs r0, #1; nop; .global here; here: adds r0, #1; nop; bx lr',
        other: 'push {lr}; bl main; bl main; pop {pc}',
      }),
    });
    const here = machine.symbol('here').address;
    machine.onMark(here, (pass) => {
      expect(machine.cpu.readRegister(0)).toBe(1);
      machine.exit(42, pass);
    });
    expect(machine.call('main')).toMatchObject({ stop: 'exit', exitCode: 42, cycles: 2, instructions: 2 });
    machine.onMark(here);
    machine.onMark('main');
    expect(machine.call('other')).toMatchObject({ stop: 'return', instructions: 3 + 10 + 1 });
    expect(machine.markPasses(here).map(({ instructions }) => instructions)).toEqual([4, 10]);
    // push 2, bl 2 with its refill; main 7; the other bl is not word-aligned: its second half is fetched a cycle later.
    expect(machine.markPasses('main').map(({ cycles }) => cycles)).toEqual([2 + 2, 2 + 2 + 7 + 3]);
    expect(machine.markPasses('main')).toEqual([]);
    machine.close();
  });

  it('refuses to go on after close()', () => {
    const machine = createMachine({ board, image: assembleFunctions({ main: 'bx lr' }) });
    machine.close();
    machine.close();
    expect(() => machine.call('main')).toThrow('the engine is closed');
  });

  it('gives memory to callers until it is used up', () => {
    const machine = createMachine({ board, image: assembleFunctions({ main: 'bx lr' }) });
    const first = machine.allocate(10);
    const second = machine.allocate(16, 64);
    expect(second).toBeGreaterThanOrEqual(first + 10);
    expect(second % 64).toBe(0);
    expect(() => machine.allocate(1e9)).toThrow('do not fit the RAM of board core-m4');
    expect(() => machine.readMemory(0x3000_0000, 4)).toThrow(
      '4 bytes at 0x30000000 lie outside the memory of board core-m4',
    );
    machine.close();
  });
});

describe('layering of the emulator', () => {
  const nodeOnly = ['create-machine.ts', 'cpu/unicorn/'];
  const files = readdirSync(join(packageRoot(), 'emulator'), { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.ts') && !file.endsWith('.d.ts'),
  );

  it.each(files)('%s', (file) => {
    const text = readFileSync(join(packageRoot(), 'emulator', file), 'utf8');
    const imports = [...text.matchAll(/from '([^']+)'/g)].map((match) => match[1] ?? '');
    if (!nodeOnly.some((one) => file.startsWith(one))) {
      expect(imports.filter((one) => one.startsWith('node:') || one.includes('unicorn'))).toEqual([]);
    }
    expect(imports.filter((one) => /firmware-gen|harness|cli\//.test(one))).toEqual([]);
  });
});
