/**
 * An engine's accounting against the definition: a compiled program is traced instruction by instruction, and the pipeline's steps summed over
 * the trace in plain TypeScript must give the engine's own cycles and instructions.
 */
import { describe, expect, it } from 'vitest';
import { loadBoard } from '../../boards/load.ts';
import { assert } from '../../common/errors.ts';
import { createMachine } from '../../emulator/create-machine.ts';
import type { Machine } from '../../emulator/machine.ts';
import { divideCycles } from '../../emulator/timing/cortex-m4.ts';
import { decodeInstruction, itStateAfter } from '../../emulator/timing/decode.ts';
import { REFILLED, SEQUENTIAL, SKIPPED, TAKEN } from '../../emulator/timing/pipeline.ts';
import type { Instruction } from '../../emulator/timing/instruction.ts';
import { coreOf, type Core } from '../../emulator/cores/core.ts';
import { buildProgram, hasCompiler } from './support/assemble.ts';

const source = `
#include <stdint.h>
static int32_t values[64]; static float floats[16];
static uint32_t state = 1;
static uint32_t rnd(void) { state ^= state << 13; state ^= state >> 17; state ^= state << 5; return state; }
__attribute__((noinline)) static void sort(int32_t *v, int n) {
  for (int i = 1; i < n; i++) { int32_t x = v[i]; int j = i - 1; while (j >= 0 && v[j] > x) { v[j + 1] = v[j]; j--; } v[j + 1] = x; }
}
__attribute__((noinline)) static int32_t clamp(int32_t x, int32_t *seen) { if (x < -100) { x = -100; *seen += 1; } if (x > 127) { x = 127; x -= *seen; } return x; }
__attribute__((noinline)) static int pick(int i) { switch (i) { case 0: return 5; case 1: return values[3]; case 2: return rnd() & 3; case 3: return 9; case 4: return values[7] / 3; case 5: return -1; default: return i; } }
int program(int n) {
  int32_t sum = 0, seen = 0; int64_t wide = 1; float f = 1.5f;
  for (int i = 0; i < n; i++) {
    for (int k = 0; k < 24; k++) values[k] = (int32_t)rnd() >> (k & 15);
    sort(values, 24);
    for (int k = 0; k < 24; k++) sum += clamp(values[k], &seen) / (k + 1) + (int32_t)((uint32_t)values[k] % 7u);
    for (int k = 0; k < 12; k++) sum += pick((int)(rnd() % 8));
    wide = wide * values[5] + sum;
    for (int k = 0; k < 16; k++) { floats[k] = f * (float)values[k] + floats[(k * 7) & 15]; f = f * 0.5f + floats[k] / 1000.0f; if (f > 3.0f) f -= 2.5f; }
  }
  return sum + seen + (int)wide + (int)f;
}
int main(void) { return program(3); }`;

interface Step {
  readonly instruction: Instruction;
  readonly divideCycles: number;
}

/** Marks every instruction of the image's functions and returns what one call executed, in order. */
function trace(machine: Machine, core: Core, call: () => void): { steps: Step[]; decoded: Map<number, Instruction> } {
  const decoded = new Map<number, Instruction>();
  const steps: Step[] = [];
  const halfword = (address: number): number | null => {
    const bytes = machine.memory.tryView(address, 2);
    return bytes === null ? null : (bytes[0] ?? 0) | ((bytes[1] ?? 0) << 8);
  };
  for (const symbol of machine.symbols.all.filter(({ kind, bytes }) => kind === 'function' && bytes > 0)) {
    let itState = 0;
    for (let address = symbol.address; address < symbol.address + symbol.bytes;) {
      const instruction = decodeInstruction(halfword, address, itState, core);
      assert(instruction !== null, 'code lies in memory');
      decoded.set(address, instruction);
      itState = itStateAfter(instruction, itState);
      address += instruction.size;
    }
  }
  for (const [address, instruction] of decoded) {
    machine.onMark(address, () => {
      const { divide } = instruction;
      const register = (number: number): number => machine.cpu.readRegister(number);
      steps.push({
        instruction,
        divideCycles: divide === null ? 0 : divideCycles(register(divide.n), register(divide.m), divide.signed),
      });
    });
  }
  call();
  for (const address of decoded.keys()) machine.removeMark(address);
  return { steps, decoded };
}

function costOfTrace(
  steps: readonly Step[],
  decoded: ReadonlyMap<number, Instruction>,
  { pipeline }: Core,
): { cycles: number; instructions: number } {
  let cycles = 0;
  let instructions = 0;
  let state = REFILLED;
  for (const [index, step] of steps.entries()) {
    const { instruction } = step;
    const next = steps[index + 1]?.instruction.address ?? -1;
    const end = instruction.address + instruction.size;
    const taken =
      instruction.branch === 'always' ||
      (instruction.branch === 'conditional' && next !== end && !isSkippedTo(end, next, decoded));
    const charge = pipeline.step(state, instruction, taken ? TAKEN : SEQUENTIAL);
    cycles += charge.cycles + step.divideCycles;
    instructions++;
    state = charge.next;
    if (taken) expect(state).toBe(REFILLED);
    // Instructions between this one and the next executed one failed their IT condition.
    for (let address = end; !taken && address !== next && next >= 0;) {
      const skipped = decoded.get(address);
      assert(skipped !== undefined && skipped.condition !== null, `only IT skips: 0x${address.toString(16)}`);
      const passed = pipeline.step(state, skipped, SKIPPED);
      cycles += passed.cycles;
      instructions++;
      state = passed.next;
      address += skipped.size;
    }
  }
  return { cycles, instructions };
}

/** Whether everything from `from` up to `to` is conditional, so that a conditional branch before it may not have been taken. */
function isSkippedTo(from: number, to: number, decoded: ReadonlyMap<number, Instruction>): boolean {
  let address = from;
  while (address < to) {
    const instruction = decoded.get(address);
    if (instruction === undefined || instruction.condition === null) return false;
    address += instruction.size;
  }
  return address === to;
}

describe.skipIf(!hasCompiler)('cycles by definition (needs arm-none-eabi-gcc)', () => {
  // Without jump tables: data between instructions would put the straight decoding of a function out of step.
  const cores = ['core-m4', 'core-m33', 'core-m7'] as const;
  const cases = cores.flatMap((name) => ['-O2', '-Os', '-O1'].map((level) => [name, level] as const));
  it.each(cases)('of a program on %s compiled with %s are what the engine counts', (name, level) => {
    const board = loadBoard(name);
    const core = coreOf(board);
    const machine = createMachine({
      board,
      image: buildProgram({ files: { 'main.c': source }, flags: [level, '-fno-jump-tables'] }),
    });
    const seed = machine.symbol('state').address;
    const run = (): { cycles: number; instructions: number } => {
      machine.writeMemory(seed, Uint8Array.of(1, 0, 0, 0));
      const { stop, cycles, instructions } = machine.call('program', [3]);
      expect(stop).toBe('return');
      return { cycles, instructions };
    };
    machine.call('program', [1]);
    run();
    const counted = run();
    let traced = counted;
    const { steps, decoded } = trace(machine, core, () => {
      traced = run();
    });
    expect(traced).toEqual(counted); // watching changes nothing
    expect(steps.length).toBeGreaterThan(3000);
    expect(steps.some(({ instruction }) => instruction.condition !== null)).toBe(true);
    expect(costOfTrace(steps, decoded, core)).toEqual(counted);
    machine.close();
  });
});
