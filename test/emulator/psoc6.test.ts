/** The PSoC 62 models beyond what our own firmware uses: FLL, watch crystal, counters, interrupts of the SCB, pins, identity, system calls. */
import { describe, expect, it } from 'vitest';
import { loadBoard } from '../../boards/load.ts';
import { createMachine } from '../../emulator/create-machine.ts';
import type { Machine } from '../../emulator/machine.ts';
import { buildProgram, hasCompiler } from './support/assemble.ts';

const prelude = `
#include <stdint.h>
#define REG(address) (*(volatile uint32_t *)(address))
#define SRSS 0x40260000
#define PERI 0x40000000
#define SCB5 0x40650000
#define TCPWM 0x40380000
#define CNT(n) (TCPWM + 0x100 + (n) * 0x40)
#define IPC 0x40220000
static void handler(int irq, void (*function)(void)) {
  static uint32_t table[256] __attribute__((aligned(1024)));
  table[16 + irq] = (uint32_t)function; REG(0xE000ED08) = (uint32_t)table; REG(0xE000E100 + irq / 32 * 4) = 1u << irq % 32;
}
/* 8 MHz * 500 / 20 / 2 = 100 MHz */
static void fast(void) {
  REG(SRSS + 0x580) = 500 | 1 << 24; REG(SRSS + 0x584) = 20; REG(SRSS + 0x588) = 3 << 28;
  REG(SRSS + 0x58c) = 1u << 31; while (!(REG(SRSS + 0x590) & 4)) { }
  REG(SRSS + 0x580) |= 1u << 31; while (!(REG(SRSS + 0x590) & 1)) { }
}
static void divide(int line, int divider, int by) {
  REG(PERI + 0xc00 + line * 4) = 1 << 8 | divider; REG(PERI + 0x1400 + divider * 4) = (by - 1) << 8; REG(PERI + 0x400) = 1u << 31 | 1 << 8 | divider;
}
volatile uint32_t seen[8];
#define SLEEP for (;;) __asm volatile("wfi")
`;

function machineOf(main: string): Machine {
  const image = buildProgram({ files: { 'main.c': prelude + main }, flashStart: 0x1000_2000, ramStart: 0x0800_2000 });
  return createMachine({ board: loadBoard('cy8cproto-062-4343w'), image, strict: true });
}

function seenBy(machine: Machine): number[] {
  const result = machine.run({ maxCycles: 1e7 });
  expect(result.fault).toBeNull();
  const { address } = machine.symbol('seen');
  const values = Array.from({ length: 8 }, (_, index) => machine.readWord(address + 4 * index));
  machine.close();
  return values;
}

describe.skipIf(!hasCompiler)('PSoC 62 peripherals (needs arm-none-eabi-gcc)', () => {
  it('runs from the FLL, and from its source while that is off though its output is selected', () => {
    const machine = machineOf(`
      __attribute__((noinline)) void before(void) { __asm volatile(""); }
      int main(void) { REG(SRSS + 0x588) = 3 << 28; before(); fast(); SLEEP; }`);
    const rates: number[] = [];
    machine.onMark('before', () => rates.push(machine.hardware.clocks.coreHz()));
    machine.run({ maxCycles: 1e6 });
    expect(rates).toEqual([8e6]);
    expect(machine.hardware.clocks.coreHz()).toBe(100e6);
    machine.close();
  });

  it('counts microseconds, and interrupts at the end of every period', () => {
    const [elapsed, interrupts, down, compares, stopped, cause] = seenBy(
      machineOf(`
      static volatile uint32_t ends;
      void on_end(void) { REG(CNT(1) + 0x30) = 1; ends++; }
      int main(void) {
        fast(); divide(15, 0, 100); divide(16, 0, 100); divide(17, 0, 100);
        REG(TCPWM + 8) = 7;
        REG(CNT(0) + 0x14) = 0xffffffff; REG(TCPWM + 0x18) = 1;
        uint32_t from = REG(CNT(0) + 8);
        REG(0xE000EDFC) |= 1 << 24; REG(0xE0001000) |= 1; uint32_t start = REG(0xE0001004);
        while (REG(0xE0001004) - start < 50000) { }
        seen[0] = REG(CNT(0) + 8) - from;
        handler(124, on_end); REG(CNT(1) + 0x14) = 99; REG(CNT(1) + 0x38) = 1; REG(TCPWM + 0x18) = 2; /* every 100 us */
        from = REG(CNT(0) + 8); while (REG(CNT(0) + 8) - from < 1050) { }
        seen[1] = ends; REG(TCPWM + 4) = 2;
        REG(CNT(2)) = 1 << 16 | 1 << 18; REG(CNT(2) + 0x14) = 200; REG(CNT(2) + 0xc) = 150; REG(CNT(2) + 8) = 200; REG(TCPWM + 0x18) = 4; /* down, once */
        from = REG(CNT(0) + 8); while (REG(CNT(0) + 8) - from < 80) { }
        seen[2] = REG(CNT(2) + 8); seen[3] = REG(CNT(2) + 0x30); 
        while (REG(CNT(0) + 8) - from < 300) { }
        seen[4] = REG(CNT(2) + 4) >> 31; REG(CNT(2) + 0x38) = 3; seen[5] = REG(TCPWM + 0x1c);
        SLEEP; }`),
    );
    expect(elapsed).toBeGreaterThanOrEqual(500);
    expect(elapsed).toBeLessThanOrEqual(502);
    expect(interrupts).toBe(10);
    expect(down).toBeGreaterThanOrEqual(118);
    expect(down).toBeLessThanOrEqual(121);
    expect([compares, stopped, cause]).toEqual([2, 0, 4]);
  });

  it('receives by interrupt, at a divider with a fraction, and says when there is nothing', () => {
    const machine = machineOf(`
      void on_scb(void) {
        for (;;) { uint32_t word = REG(SCB5 + 0x340); if (word == 0xffffffff) break; seen[seen[7]++] = word; }
        REG(SCB5 + 0xfc0) = 0x44;
      }
      int main(void) {
        fast();
        REG(PERI + 0xc00 + 5 * 4) = 2 << 8; REG(PERI + 0x1800) = 107 << 8 | 16 << 3; REG(PERI + 0x400) = 1u << 31 | 2 << 8; /* 100 MHz / 108.5 / 8 */
        REG(SCB5) = 1u << 31 | 2 << 24 | 7;
        handler(44, on_scb); REG(SCB5 + 0xfc8) = 1 << 2;
        SLEEP; }`);
    machine.serial.feed(Uint8Array.from([0x61, 0x62]));
    const cycles: number[] = [];
    machine.onMark('on_scb', ({ cycles: at }) => cycles.push(at));
    expect(seenBy(machine)).toEqual([0x61, 0x62, 0, 0, 0, 0, 0, 2]);
    expect(Math.abs(cycles[1]! - cycles[0]! - 10 * 8 * 108.5)).toBeLessThan(20);
  });

  it('sets, clears and inverts pins, and pulls them', () => {
    const pin = 'REG(0x40310000 + 13 * 0x80 + ';
    const values = seenBy(
      machineOf(`int main(void) {
        ${pin}0x44) = 0xeu << 28; ${pin}8) = 1 << 7; seen[0] = ${pin}0x10); ${pin}0xc) = 1 << 7; seen[1] = ${pin}0x10);
        ${pin}0xc) = 1 << 7; ${pin}4) = 1 << 7; seen[2] = ${pin}0);
        ${pin}0x44) = 0xa; ${pin}8) = 1; seen[3] = ${pin}0x10); ${pin}0x44) = 8; seen[4] = ${pin}0x10);
        SLEEP; }`),
    );
    expect(values.slice(0, 5)).toEqual([0x80, 0, 0, 1, 0]);
  });

  it('has a crystal, an identity, locks between cores, and answers the call that voltage set-up makes', () => {
    const values = seenBy(
      machineOf(`int main(void) {
        seen[0] = REG(0x40270010); REG(0x40270000) = 1 << 3; seen[1] = REG(0x40270010);
        seen[2] = REG(0x16000000) >> 16; seen[3] = REG(0x16000600);
        seen[4] = REG(IPC + 0x20) >> 31; seen[5] = REG(IPC + 0x20) >> 31;
        REG(IPC + 0x2c) = 0x0c000003; REG(IPC + 0x28) = 1; while (REG(IPC + 0x3c) >> 31) { }
        seen[6] = REG(IPC + 0x2c); seen[7] = REG(IPC + 0x20) >> 31; REG(IPC + 0x24) = 0;
        SLEEP; }`),
    );
    expect(values).toEqual([0, 4, 0xe453, 0x0734_5678, 1, 0, 0xa000_0000, 1]);
  });

  it('says which call of the ROM is not modelled', () => {
    const machine = machineOf('int main(void) { REG(IPC + 0x2c) = 0x0a000001; REG(IPC + 0x28) = 1; SLEEP; }');
    expect(machine.run({ maxCycles: 1e6 }).fault?.cause).toContain('system call 0xa');
    machine.close();
  });
});
