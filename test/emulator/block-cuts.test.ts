/** Cycles must not depend on where an engine cuts code into blocks: libunicorn cuts at page ends and after a number of instructions. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadBoard } from '../../boards/load.ts';
import { createMachine } from '../../emulator/create-machine.ts';
import { reg } from '../../emulator/cpu/cpu.ts';
import type { Machine } from '../../emulator/machine.ts';
import { assembleFunctions, hasCompiler } from './support/assemble.ts';

const RAM = 0x2000_1000;

/** Everything whose cost depends on its neighbour, 84 bytes long. */
const body = `
  ldr r1, [r0]; ldr r2, [r0, #4]; ldr.w r3, [r0, #8]; str r3, [r0, r1]; ldr r12, [r0, #12]; ldr r12, [r0, r12]
  vmov s0, r2; vadd.f32 s1, s0, s0; vmul.f32 s2, s1, s1; vmov r2, s2; vldr s3, [r0]
  cmp r1, #0; itte eq; ldreq r2, [r0]; ldreq r3, [r0, #4]; movne r2, #1; ldr r2, [r0, #4]
  udiv r2, r2, r3; ldr r2, [r0]; ldr.w r3, [r0, #4]; ldrd r2, r3, [r0]; ldr r2, [r0]
  cbnz r1, 1f; ldr r2, [r0]; 1: bx lr`;

const OFFSETS = Array.from({ length: 26 }, (_, i) => i * 4);

function variants(): Record<string, string> {
  const functions: Record<string, string> = { whole: `.balign 4096; nop; nop; nop; nop`, body };
  for (const before of OFFSETS)
    functions[`cut_${before}`] =
      `.space (4096 - ${before} - (. - reset_base)) & 4095; .global at_${before}; .thumb_func; at_${before}:\n${body}`;
  functions['loads'] = `.rept 3000; ldr r1, [r0]; .endr; bx lr`;
  functions['loop'] =
    `push {r4, r5}; movs r5, #0; 1: ldr r2, [r0]; ldr r3, [r0, #4]; adds r5, r5, #1; cmp r5, r1; bne 1b; pop {r4, r5}; bx lr`;
  return functions;
}

describe.skipIf(!hasCompiler)('block cuts (needs arm-none-eabi-gcc)', () => {
  let machine: Machine;
  beforeAll(() => {
    const functions = variants();
    functions['whole'] = '.balign 4096; reset_base: nop; bx lr';
    machine = createMachine({
      board: loadBoard('core-m4'),
      image: assembleFunctions(functions),
      imageName: 'cuts.elf',
    });
  });
  afterAll(() => {
    machine.close();
  });

  const cost = (name: string): { cycles: number; instructions: number } => {
    machine.writeMemory(RAM, new Uint8Array(64));
    const { cycles, instructions, fault } = machine.call(name, [RAM, 40]);
    expect(fault).toBeNull();
    return { cycles, instructions };
  };

  it('gives one figure for the same code at every position around the end of a page', () => {
    const expected = cost('body');
    expect(expected.instructions).toBe(25);
    const places = OFFSETS.map((before) => {
      const at = machine.symbol(`at_${before}`).address;
      expect((at + before) % 4096, `at_${before}`).toBe(0);
      return cost(`at_${before}`);
    });
    expect(places).toEqual(OFFSETS.map(() => expected));
  });

  it('pipelines loads across the longest block the engine makes', () => {
    expect(cost('loads')).toEqual({ cycles: 2 + 2999 + 3, instructions: 3001 });
  });

  it('counts the same when a run is stopped and resumed at every block', () => {
    const whole = cost('loop');
    machine.call('loop', [RAM, 40], { maxCycles: 1 });
    let pc = machine.cpu.readRegister(reg.pc);
    let stops = 0;
    for (let budget = 2; ; budget += 1) {
      const stop = machine.cpu.run(pc, { cyclesMax: budget });
      pc = stop.pc;
      if (stop.kind !== 'limit') break;
      stops++;
    }
    expect(stops).toBeGreaterThan(40);
    expect(machine.cpu.counters()).toEqual(whole);
  });

  it('counts the same with marks inside blocks', () => {
    const whole = cost('body');
    const start = machine.symbol('body').address;
    const passes: number[] = [];
    machine.onMark(start + 4);
    machine.onMark(start, (pass) => passes.push(pass.cycles));
    machine.onMark(start + 8, (pass) => passes.push(pass.cycles));
    expect(cost('body')).toEqual(whole);
    expect(passes).toEqual([0, 1 + 1 + 1]);
    expect(machine.markPasses(start + 4)).toEqual([{ address: start + 4, cycles: 2, instructions: 2 }]);
    for (const offset of [0, 4, 8]) machine.removeMark(start + offset);
    expect(cost('body')).toEqual(whole);
  });
});
