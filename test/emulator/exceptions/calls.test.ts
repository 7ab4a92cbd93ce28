/** Functions that are called take interrupts and SVC through the vector table, and a fault ends them; the run of a handler is cut off loudly. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadBoard } from '../../../boards/load.ts';
import { createMachine } from '../../../emulator/create-machine.ts';
import type { Machine } from '../../../emulator/machine.ts';
import { buildProgram, hasCompiler } from '../support/assemble.ts';

const program = `
#include <stdint.h>
#define REGISTER(address) (*(volatile uint32_t *)(address))
static volatile uint32_t ticks, calls;
static void system_tick(void) { ticks++; }
static void supervisor_call(void) { calls++; }
static void fault_handler(void) { for (volatile uint32_t i = 0;; i++) { } }
__attribute__((aligned(128))) static void (*vectors[16])(void) = {
  [3] = fault_handler, [11] = supervisor_call, [15] = system_tick };
static void own_vectors(void) { REGISTER(0xE000ED08) = (uint32_t)vectors; }
uint32_t wait_for_ticks(uint32_t wanted) {
  own_vectors();
  REGISTER(0xE000E014) = 999; REGISTER(0xE000E018) = 0; REGISTER(0xE000E010) = 7;
  while (ticks < wanted) __asm volatile("wfi");
  REGISTER(0xE000E010) = 0;
  return ticks;
}
uint32_t call_supervisor(void) { own_vectors(); for (int i = 0; i < 5; i++) __asm volatile("svc #1"); return calls; }
uint32_t bad_read(void) { own_vectors(); return REGISTER(0x60000000); }
int main(void) { own_vectors(); return (int)REGISTER(0x60000000); }
`;

describe.skipIf(!hasCompiler)('exceptions in calls (needs arm-none-eabi-gcc)', () => {
  let machine: Machine;
  beforeAll(() => {
    const flags = ['-Wl,-u,wait_for_ticks,-u,call_supervisor,-u,bad_read'];
    const image = buildProgram({ files: { 'main.c': program }, newlib: false, flags });
    machine = createMachine({ board: loadBoard('core-m4'), image, engine: 'wasm' });
  });
  afterAll(() => machine.close());

  it('SysTick interrupts arrive while a function sleeps', () => {
    const result = machine.call('wait_for_ticks', [4]);
    expect(result).toMatchObject({ stop: 'return', value: 4, fault: null });
    expect(result.cycles).toBeGreaterThan(4000);
    expect(result.cycles).toBeLessThan(4200);
  });

  it('SVC goes to its handler and comes back', () => {
    expect(machine.call('call_supervisor')).toMatchObject({ stop: 'return', value: 5 });
  });

  it('a fault ends the call, its handler is not asked', () => {
    const result = machine.call('bad_read', [], { maxCycles: 10_000 });
    expect(result).toMatchObject({ stop: 'fault', fault: { cause: 'unmapped read at 0x60000000' } });
  });

  it('a run whose fault handler does not come to an end reports the fault, not the limit', () => {
    const result = machine.run({ maxCycles: 100_000 });
    expect(result).toMatchObject({ stop: 'fault', fault: { cause: 'unmapped read at 0x60000000' } });
    expect(result.cycles).toBeLessThan(1000);
  });
});
