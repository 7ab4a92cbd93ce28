/** The hook that sees every access of the program, and can stop in front of the instruction that makes it. */
import { describe, expect, it } from 'vitest';
import { loadBoard } from '../../../boards/load.ts';
import { WasmCpu } from '../../../emulator/cpu/wasm/wasm-cpu.ts';
import { parseElf } from '../../../emulator/elf.ts';
import { Machine } from '../../../emulator/machine.ts';
import { SerialLine } from '../../../emulator/peripherals/serial-line.ts';
import { assembleFunctions, hasCompiler } from '../support/assemble.ts';
import { cortexM4F } from '../support/cores.ts';

const RAM = 0x2000_0000;
const bodies = {
  moves:
    'ldr r2, [r0], #4; strh r2, [r0]; ldmia r0!, {r3, r4}; cmp r3, r3; it ne; strne r3, [r0]; strd r3, r4, [r0]; bx lr',
  spin: '1: adds r0, #1; str r0, [r1]; cmp r0, #200; bne 1b; bx lr',
};

function machineOf(): { machine: Machine; cpu: WasmCpu } {
  const cpu = new WasmCpu(cortexM4F, 4);
  const machine = new Machine({
    cpu,
    board: loadBoard('core-m4'),
    image: parseElf(assembleFunctions(bodies), 'hook.elf'),
    serial: new SerialLine(null),
    stopHandlers: [],
    strict: false,
    onNote: () => undefined,
  });
  return { machine, cpu };
}

describe.skipIf(!hasCompiler)('the access hook of the wasm engine (needs arm-none-eabi-gcc)', () => {
  it('is told of every access of the instructions that are executed, in order', () => {
    const { machine, cpu } = machineOf();
    const seen: string[] = [];
    const start = machine.symbol('moves').address;
    cpu.addAccessHook((access, address, bytes) => {
      seen.push(`${cpu.accessPc() - start}: ${access} ${bytes} at ${address - RAM}`);
      return false;
    });
    expect(machine.call('moves', [RAM + 64])).toMatchObject({ stop: 'return', instructions: 8 });
    expect(seen).toEqual([
      '0: read 4 at 64',
      '4: write 2 at 68',
      '6: read 4 at 68',
      '6: read 4 at 72',
      '14: write 4 at 76',
      '14: write 4 at 80',
    ]);
  });

  it('changes no count, and none is called once it is gone', () => {
    const { machine, cpu } = machineOf();
    const without = machine.call('spin', [0, RAM]);
    let accesses = 0;
    const count = (): boolean => ++accesses < 0;
    cpu.addAccessHook(count);
    expect(machine.call('spin', [0, RAM])).toEqual(without);
    expect(accesses).toBe(200);
    cpu.removeAccessHook(count);
    expect(machine.call('spin', [0, RAM])).toEqual(without);
    expect(accesses).toBe(200);
  });

  it('stops in front of the instruction, registers as they were, and runs on to the same end', () => {
    const { machine, cpu } = machineOf();
    const whole = machine.call('moves', [RAM + 64]);
    let stopAt = true;
    const registers: number[] = [];
    cpu.addAccessHook((access, address) => {
      if (!stopAt || access !== 'read' || address !== RAM + 72) return false;
      stopAt = false;
      return true;
    });
    // A step handler never sees it: the machine runs on by itself after a stop that nobody asked about.
    const run = cpu.run.bind(cpu);
    cpu.run = (pc, limits) => {
      const stop = run(pc, limits);
      if (stop.kind === 'requested')
        registers.push(stop.pc - machine.symbol('moves').address, cpu.readRegister(0) - RAM, cpu.readRegister(3));
      return stop;
    };
    expect(machine.call('moves', [RAM + 64])).toEqual(whole);
    expect(registers).toEqual([6, 68, 0]);
  });
});
