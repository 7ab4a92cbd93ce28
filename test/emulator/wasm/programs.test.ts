/** Programs on this project's engine, interpreted and translated: the timing table's micro-programs, budgets, marks, devices, new code. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadBoard } from '../../../boards/load.ts';
import { reg } from '../../../emulator/cpu/cpu.ts';
import { UnicornCpu } from '../../../emulator/cpu/unicorn/unicorn-cpu.ts';
import { WasmCpu } from '../../../emulator/cpu/wasm/wasm-cpu.ts';
import type { Cpu } from '../../../emulator/cpu/cpu.ts';
import { parseElf } from '../../../emulator/elf.ts';
import { Machine } from '../../../emulator/machine.ts';
import { SerialLine } from '../../../emulator/peripherals/serial-line.ts';
import { assembleFunctions, hasCompiler } from '../support/assemble.ts';
import { microPrograms, RAM } from '../support/micro-programs.ts';
import { cortexM4F } from '../support/cores.ts';

const BX = 3;

function machineOn(cpu: Cpu, bodies: Readonly<Record<string, string>>): Machine {
  return new Machine({
    cpu,
    board: loadBoard('core-m4'),
    image: parseElf(assembleFunctions(bodies), 'programs.elf'),
    serial: new SerialLine(null),
    stopHandlers: [],
    strict: false,
    onNote: () => undefined,
  });
}

/** Flags live across a call, a loop in a loop, divides in IT, a callee, unaligned and literal loads, a jump table, a device. */
const programs = {
  nested: `push {r4-r7, lr}; movs r4, #0; movs r5, #40
    1: movs r6, #30
    2: mul r0, r5, r6; adds r4, r4, r0; bl callee; subs r6, #1; bne 2b
    subs r5, #1; bgt 1b; mov r0, r4; pop {r4-r7, pc}`,
  callee: 'cmp r0, #600; ite hi; subhi r4, r4, r0, lsr #3; addls r4, #1; it eq; udiveq r4, r4, r0; bx lr',
  memory: `push {r4, lr}; movs r3, #0; mov r4, #500
    1: and r1, r4, #31; ldr r2, [r0, r1]; add r3, r2; strh r3, [r0, #33]; ldrd r1, r2, [r0, #8]; eor r3, r1
    ldr r1, =0x13579bdf; sbcs r3, r3, r1; ldrsb r2, [r0, #34]; ldmia r0, {r1, r2}; adcs r3, r2
    subs r4, #1; bne 1b; mov r0, r3; pop {r4, pc}`,
  table: `push {r4, lr}; movs r4, #200; movs r0, #0
    1: and r1, r4, #3; tbb [pc, r1]; 9: .byte (2f-9b)/2, (3f-9b)/2, (4f-9b)/2, (5f-9b)/2
    2: adds r0, #1; b 6f; 3: adds r0, #3; b 6f; 4: lsls r0, r0, #1; b 6f; 5: rors r0, r4
    6: subs r4, #1; bne 1b; pop {r4, pc}`,
  device:
    'ldr r1, =0xE000ED00; movs r2, #200; 1: ldr r0, [r1]; cmp r0, #0; it ne; addne r2, #0; subs r2, #1; bne 1b; bx lr',
  faults: 'movs r2, #100; ldr r1, =0x20000000; 1: ldr r3, [r1]; add r1, r1, #65536; adds r0, r3; lsls r2, r2, #1; b 1b',
  spin: '1: adds r0, #1; b 1b',
};

const observed = (machine: Machine): unknown => ({
  registers: Array.from({ length: 15 }, (_, number) => machine.cpu.readRegister(number)),
  xpsr: machine.cpu.readRegister(reg.xpsr) & 0xf80f_0000,
});

describe.skipIf(!hasCompiler).each([
  ['interpreted', Infinity],
  ['translated', 1],
])('%s programs (needs arm-none-eabi-gcc)', (_, hotPasses) => {
  let machine: Machine;
  let theirs: Machine;
  let micro: Machine;
  beforeAll(() => {
    machine = machineOn(new WasmCpu(cortexM4F, hotPasses), programs);
    theirs = machineOn(new UnicornCpu(cortexM4F), programs);
    const bodies = Object.entries(microPrograms).map(([name, { body }]) => [name, `${body}\nbx lr`] as const);
    micro = machineOn(new WasmCpu(cortexM4F, hotPasses), Object.fromEntries(bodies));
  });
  afterAll(() => {
    for (const each of [machine, theirs, micro]) each.close();
  });

  it.each(Object.entries(microPrograms))('%s', (name, { args = [], value, cycles, instructions }) => {
    const words = new DataView(new ArrayBuffer(20));
    for (const [i, word] of [0x1122_3344, 0x5566_7788, 0x99aa_bbcc, 0xddee_ff00, RAM].entries())
      words.setUint32(i * 4, word, true);
    micro.writeMemory(RAM, new Uint8Array(words.buffer));
    const result = micro.call(name, args);
    expect(result.stop).toBe('return');
    if (value !== undefined) expect(result.value).toBe(value | 0);
    expect({ cycles: result.cycles - BX, instructions: result.instructions - 1 }).toEqual({ cycles, instructions });
  });

  it.each(['nested', 'memory', 'table', 'device', 'faults'])('%s: same result, counters and registers', (name) => {
    for (const side of [machine, theirs])
      side.writeMemory(
        RAM,
        Uint8Array.from({ length: 64 }, (__, i) => i * 37),
      );
    const [ours, other] = [machine.call(name, [RAM]), theirs.call(name, [RAM])];
    expect(ours).toEqual(other);
    expect(observed(machine)).toEqual(observed(theirs));
  });

  it('stops right after the instruction that uses the budget up, the other engine at the end of that block', () => {
    for (let maxCycles = 3900; maxCycles < 4000; maxCycles += 7) {
      const [ours, other] = [machine.call('spin', [0], { maxCycles }), theirs.call('spin', [0], { maxCycles })];
      expect(ours.stop).toBe('limit');
      expect(ours.cycles - maxCycles).toBeOneOf([0, 1, 2]);
      expect(other.cycles - ours.cycles).toBe(ours.pc === other.pc ? 0 : 2);
    }
  });

  it('records a mark inside a loop that has been translated', () => {
    const passes = [machine, theirs].map((side) => {
      side.call('nested');
      side.onMark('callee');
      side.call('nested');
      const list = side.markPasses('callee');
      side.removeMark('callee');
      return list;
    });
    expect(passes[0]).toHaveLength(1200);
    expect(passes[0]).toEqual(passes[1]);
  });

  it('runs code in RAM that the program itself replaces', () => {
    const body =
      'ldr r3, =0x20002001; movs r2, #100; push {lr}; 1: strh r1, [r3, #-1]; dsb; isb; blx r3; eors r1, r0; eors r0, r1; eors r1, r0; subs r2, #1; bne 1b; pop {pc}';
    const [ours, other] = [new WasmCpu(cortexM4F, hotPasses), new UnicornCpu(cortexM4F)].map((cpu) => {
      const side = machineOn(cpu, { main: body });
      // adds r4, #1; bx lr, and adds r4, #2 in turns
      side.writeMemory(0x2000_2000, Uint8Array.from([0x01, 0x34, 0x70, 0x47]));
      const result = side.call('main', [0x3401, 0x3402]);
      const r4 = side.cpu.readRegister(4);
      side.close();
      return { result, r4 };
    });
    expect(ours).toEqual(other);
    expect(ours?.r4).toBe(150);
  });
});
