/** Everything a program can do wrong ends the run with a fault that says what, where and in which function; nothing hangs. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadBoard } from '../../boards/load.ts';
import { createMachine, type EngineName } from '../../emulator/create-machine.ts';
import { describeFault } from '../../emulator/fault.ts';
import type { Machine } from '../../emulator/machine.ts';
import { assembleFunctions, hasCompiler } from './support/assemble.ts';

const functions = {
  main: 'movs r0, #1; ldr r1, =0x60001234; nop; ldr r2, [r1, #8]; bx lr',
  write_unmapped: 'movs r0, #1; ldr r1, =0x30001234; stmia r1!, {r0, r2}; bx lr',
  write_flash: 'movs r0, #0; nop; str r0, [r0, #16]; bx lr',
  jump_unmapped: 'ldr r1, =0x30000001; bx r1',
  jump_device: 'ldr r1, =0x40000001; bx r1',
  jump_arm: 'ldr r1, =main; bic r1, r1, #1; bx r1',
  undefined: 'nop; udf #3; bx lr',
  undefined_wide: 'nop; .short 0xfbff, 0xffff; bx lr',
  double_precision: 'nop; .short 0xee30, 0x0b01; bx lr',
  svc: 'nop; svc #7; bx lr',
  bkpt: 'nop; bkpt #1; bx lr',
  endless: 'nop; 1: b 1b',
  sleep: 'nop; wfi; bx lr',
  wait_event: 'sev; wfe; wfe; bx lr',
  spin: '1: adds r0, #1; b 1b',
  divides_by_zero: 'udiv r0, r0, r1; bx lr',
  pend: 'ldr r1, =0xE000ED04; ldr r0, =0x10000000; str r0, [r1]; bx lr',
  tick: 'ldr r1, =0xE000E010; movs r0, #3; str r0, [r1]; bx lr',
  system_reset: 'ldr r1, =0xE000ED0C; ldr r0, =0x05FA0004; str r0, [r1]; bx lr',
  unmodelled: 'ldr r1, =0x40012344; ldr r0, [r1]; ldr r0, [r1]; str r0, [r1]; bx lr',
};

const ENGINES: readonly EngineName[] = ['wasm', 'unicorn'];

describe.skipIf(!hasCompiler).each(ENGINES)('faults on %s (needs arm-none-eabi-gcc)', (engine) => {
  let machine: Machine;
  const notes: string[] = [];
  beforeAll(() => {
    machine = createMachine({
      board: loadBoard('core-m4'),
      image: assembleFunctions(functions),
      imageName: 'faults.elf',
      engine,
      onNote: (text) => notes.push(text),
    });
  });
  afterAll(() => {
    machine.close();
  });

  it.each([
    ['main', 'main+0x6', 'unmapped read at 0x6000123c', 3, 3],
    ['write_unmapped', 'write_unmapped+0x4', 'unmapped write at 0x30001234', 2, 2],
    ['write_flash', 'write_flash+0x4', 'write to read-only memory at 0x00000010', 2, 2],
    ['undefined', 'undefined+0x2', 'undefined instruction 0xde03; timing not modelled for it', 1, 1],
    ['undefined_wide', 'undefined_wide+0x2', 'undefined instruction 0xfbffffff; timing not modelled for it', 1, 1],
    ['double_precision', 'double_precision+0x2', 'undefined instruction 0xee300b01; timing not modelled for it', 1, 1],
  ])('%s: %s', (name, symbol, cause, cycles, instructions) => {
    const result = machine.call(name);
    expect(result.stop).toBe('fault');
    expect(result.fault).toMatchObject({ symbol, cause });
    // Counted: all before the instruction that failed, and nothing of it.
    expect({ cycles: result.cycles, instructions: result.instructions }).toEqual({ cycles, instructions });
  });

  it.each([
    ['jump_unmapped', 0x3000_0000, 'executing from unmapped address 0x30000000'],
    ['jump_device', 0x4000_0000, 'executing from execute-never address 0x40000000'],
  ])('%s is caught at its target', (name, address, cause) => {
    const result = machine.call(name);
    expect(result.fault).toMatchObject({ address, cause, symbol: null });
    expect(result).toMatchObject({ cycles: 2 + 3, instructions: 2 });
  });

  it('a branch to an even address has no Arm state to go to', () => {
    expect(machine.call('jump_arm')).toMatchObject({ stop: 'fault' });
  });

  it('BKPT is a breakpoint stop with its address', () => {
    expect(machine.call('bkpt')).toMatchObject({
      stop: 'breakpoint',
      fault: { symbol: 'bkpt+0x2' },
      cycles: 1,
      instructions: 1,
    });
  });

  it.each([
    ['endless', 1, 1],
    ['sleep', 1, 1],
    ['wait_event', 2, 2],
  ])('%s is idle', (name, cycles, instructions) => {
    expect(machine.call(name)).toMatchObject({ stop: 'idle', fault: null, cycles, instructions, exitCode: 0 });
  });

  it('the cycle budget ends a loop within one block', () => {
    const result = machine.call('spin', [0], { maxCycles: 1_000_000 });
    expect(result).toMatchObject({ stop: 'limit', fault: null });
    expect(result.cycles).toBeGreaterThanOrEqual(1_000_000);
    expect(result.cycles).toBeLessThan(1_000_004);
  });

  it('an unmodelled register is noted once per kind of access, and fatal in strict mode', () => {
    notes.length = 0;
    expect(machine.call('unmodelled').stop).toBe('return');
    expect(notes).toEqual([
      'read of an unmodelled register at 0x40012344',
      'write of an unmodelled register at 0x40012344',
    ]);
    const strict = createMachine({
      board: loadBoard('core-m4'),
      image: assembleFunctions(functions),
      strict: true,
      engine,
    });
    const result = strict.call('unmodelled');
    strict.close();
    expect(result).toMatchObject({ stop: 'fault', fault: { kind: 'unmodelled-register', symbol: 'unmodelled+0x2' } });
  });

  it('a fault reads as one line', () => {
    const { fault } = machine.call('write_flash');
    expect(fault === null ? '' : describeFault(fault)).toMatch(
      /^fault at 0x[0-9a-f]{8} \(write_flash\+0x4\): write to read-only memory at 0x00000010$/,
    );
  });

  it('names an unknown symbol', () => {
    expect(() => machine.call('no_such')).toThrow(/faults\.elf: no symbol no_such/);
  });

  it('keeps running after a fault', () => {
    expect(machine.call('main').stop).toBe('fault');
    expect(machine.call('divides_by_zero', [4, 0])).toMatchObject({ stop: 'return', value: 0 });
  });
});

describe.skipIf(!hasCompiler)('the FPU switch (needs arm-none-eabi-gcc)', () => {
  it('CPACR off: an FPU instruction after reset is a fault; on: it runs', () => {
    const code = (enable: string): Uint8Array =>
      assembleFunctions({
        main: `ldr r1, =0xE000ED88; ldr r0, =${enable}; str r0, [r1]; dsb; isb; bl 1f; 1: vmov s0, r0; 2: b 2b`,
      });
    const run = (enable: string): unknown => {
      const machine = createMachine({ board: loadBoard('core-m4'), image: code(enable) });
      const { stop, fault } = machine.run({ maxCycles: 10_000 });
      machine.close();
      return { stop, kind: fault?.kind ?? null, symbol: fault?.symbol ?? null };
    };
    expect(run('0x00F00000')).toEqual({ stop: 'idle', kind: null, symbol: null });
    expect(run('0')).toMatchObject({ stop: 'fault', kind: 'fpu-disabled' });
  });
});

describe.skipIf(!hasCompiler)('what needs exceptions, on unicorn (needs arm-none-eabi-gcc)', () => {
  it.each([
    ['svc', 'SVC: exceptions are not modelled by this engine'],
    ['pend', 'an exception made pending in ICSR'],
    ['tick', 'SysTick interrupt enabled'],
    ['system_reset', 'system reset requested'],
  ])('%s says that it is not modelled', (name, cause) => {
    const image = assembleFunctions(functions);
    const machine = createMachine({ board: loadBoard('core-m4'), image, engine: 'unicorn' });
    const result = machine.call(name);
    machine.close();
    expect(result.stop).toBe('fault');
    expect(result.fault?.cause).toContain(cause);
    expect(result.fault?.symbol).toMatch(new RegExp(`^${name}\\+0x`));
  });
});
