/** The nRF52 models beyond what our own firmware uses: counters, events that start tasks, EasyDMA in both directions, flash, UICR, watchdog. */
import { describe, expect, it } from 'vitest';
import { loadBoard } from '../../boards/load.ts';
import { createMachine } from '../../emulator/create-machine.ts';
import type { Machine } from '../../emulator/machine.ts';
import { buildProgram, hasCompiler } from './support/assemble.ts';

const prelude = `
#include <stdint.h>
#define REG(address) (*(volatile uint32_t *)(address))
#define CLOCK 0x40000000
#define UART 0x40002000
#define TIMER0 0x40008000
#define TIMER1 0x40009000
#define RTC1 0x40011000
#define WDT 0x40010000
#define NVMC 0x4001E000
#define PPI 0x4001F000
static void wait(int n) { for (int i = 0; i < n; i++) __asm volatile("nop"); }
static void low_clock(int source) { REG(CLOCK + 0x518) = source; REG(CLOCK + 8) = 1; }
static void uart_on(void) { REG(UART + 0x524) = 0x10000000; REG(UART + 0x500) = 8; } /* 1 Mbit/s */
static void handler(int irq, void (*function)(void)) {
  static uint32_t table[128] __attribute__((aligned(512)));
  table[16 + irq] = (uint32_t)function; REG(0xE000ED08) = (uint32_t)table; REG(0xE000E100 + irq / 32 * 4) = 1u << irq % 32;
}
volatile uint32_t seen[4];
`;

function machineOf(main: string, board = 'nrf52840dk'): Machine {
  return createMachine({
    board: loadBoard(board),
    image: buildProgram({ files: { 'main.c': prelude + main } }),
    strict: true,
  });
}

function seenBy(machine: Machine, maxCycles = 1e7): number[] {
  const result = machine.run({ maxCycles });
  expect(result.fault).toBeNull();
  const { address } = machine.symbol('seen');
  const values = [0, 4, 8, 12].map((offset) => machine.readWord(address + offset));
  machine.close();
  return values;
}

describe.skipIf(!hasCompiler)('nRF52 peripherals (needs arm-none-eabi-gcc)', () => {
  it('counts RTC1 at 32768 Hz, with compare, tick and overflow interrupts', () => {
    const [count, compareAt, ticks, overflow] = seenBy(
      machineOf(`
      static volatile uint32_t ticks;
      void on_rtc(void) {
        if (REG(RTC1 + 0x140)) { REG(RTC1 + 0x140) = 0; seen[1] = REG(RTC1 + 0x504); REG(RTC1 + 0x308) = 1 << 16; REG(RTC1 + 0x304) = 1; }
        if (REG(RTC1 + 0x100)) { REG(RTC1 + 0x100) = 0; if (++ticks == 5) REG(RTC1 + 0x308) = 1; }
        if (REG(RTC1 + 0x104)) { REG(RTC1 + 0x104) = 0; seen[3] = REG(RTC1 + 0x504) + 1; REG(RTC1 + 0x308) = 2; }
      }
      int main(void) {
        low_clock(0); handler(17, on_rtc);
        REG(RTC1 + 0x540) = 40; REG(RTC1 + 0x304) = 1 << 16; REG(RTC1) = 1;
        REG(0xE000EDFC) |= 1 << 24; REG(0xE0001000) |= 1;
        while (REG(0xE0001004) < 64000) { } /* 1 ms */
        seen[0] = REG(RTC1 + 0x504);
        while (ticks < 5) __asm volatile("wfi");
        seen[2] = ticks;
        REG(RTC1 + 0x304) = 2; REG(RTC1 + 12) = 1;
        while (!seen[3]) __asm volatile("wfi");
        for (;;) __asm volatile("wfi");
      }`),
    );
    expect(count).toBeGreaterThanOrEqual(32);
    expect(count).toBeLessThanOrEqual(33);
    expect([compareAt, ticks, overflow]).toEqual([40, 5, 1]);
  });

  it('never starts a 32 kHz crystal that the board does not have, and raises no RTC event that is not enabled', () => {
    const program = `int main(void) {
      low_clock(1); seen[0] = REG(CLOCK + 0x104); seen[1] = REG(CLOCK + 0x418);
      REG(RTC1 + 0x540) = 2; REG(RTC1) = 1; wait(20000); seen[2] = REG(RTC1 + 0x140); seen[3] = REG(RTC1 + 0x504) != 0;
      for (;;) __asm volatile("wfi"); }`;
    expect(seenBy(machineOf(program))).toEqual([1, 0x1_0001, 0, 1]);
    expect(seenBy(machineOf(program, 'microbit-v2'))).toEqual([0, 0, 0, 0]);
  });

  it('raises no compare event for a CC written behind the count', () => {
    const [early, late] = seenBy(
      machineOf(`int main(void) {
      REG(TIMER0 + 0x508) = 3; REG(TIMER0 + 0x510) = 0; REG(TIMER0) = 1;
      wait(4000); REG(TIMER0 + 0x540) = 5; seen[0] = REG(TIMER0 + 0x140);
      REG(TIMER0 + 0x544) = 60000; wait(80000); seen[1] = REG(TIMER0 + 0x144);
      for (;;) __asm volatile("wfi"); }`),
    );
    expect([early, late]).toEqual([0, 1]);
  });

  it('connects events and tasks by PPI: a timer counts what another does, and DMA stops the transmitter', () => {
    const machine = machineOf(`static const char text[] = "abc"; static char ram[4];
    int main(void) {
      REG(TIMER1 + 0x504) = 1; REG(TIMER1) = 1; /* counter */
      REG(TIMER0 + 0x510) = 0; REG(TIMER0 + 0x540) = 160; REG(TIMER0 + 0x200) = 1; /* every 10 us, cleared by itself */
      REG(PPI + 0x510) = TIMER0 + 0x140; REG(PPI + 0x514) = TIMER1 + 8;
      REG(PPI + 0x518) = UART + 0x120; REG(PPI + 0x51c) = UART + 0xc;
      REG(PPI + 0x504) = 3; REG(TIMER0) = 1;
      for (int i = 0; i < 3; i++) ram[i] = text[i];
      uart_on(); REG(UART + 0x544) = (uint32_t)ram; REG(UART + 0x548) = 3; REG(UART + 8) = 1;
      while (!REG(UART + 0x158)) { } /* TXSTOPPED, without STOPTX by the core */
      REG(TIMER1 + 0x40) = 1; seen[0] = REG(TIMER1 + 0x540); seen[1] = REG(UART + 0x54c);
      REG(PPI + 0x508) = 1; wait(4000); REG(TIMER1 + 0x40) = 1; seen[2] = REG(TIMER1 + 0x540);
      for (;;) __asm volatile("wfi"); }`);
    const serial = machine.serial;
    const [counted, sent, later] = seenBy(machine);
    expect(counted).toBe(3); // 30 bits of 1 us
    expect(sent).toBe(3);
    expect(later).toBe(counted);
    expect(serial.text()).toBe('abc');
  });

  it('receives into the buffer that was set when reception started, then into the next, and flushes the rest', () => {
    const machine = machineOf(`static uint8_t first[2], second[8], third[8];
    int main(void) {
      uart_on(); REG(UART + 0x200) = 1 << 5; /* ENDRX starts again */
      REG(UART + 0x534) = (uint32_t)first; REG(UART + 0x538) = 2; REG(UART) = 1;
      while (!REG(UART + 0x14c)) { }
      REG(UART + 0x534) = (uint32_t)second; REG(UART + 0x538) = 8;
      while (!REG(UART + 0x110)) { }
      REG(UART + 0x110) = 0; seen[0] = first[0] << 8 | first[1];
      wait(6400); REG(UART + 0x200) = 0; REG(UART + 4) = 1; /* 100 us: the third byte is there */
      while (!REG(UART + 0x144)) { }
      seen[1] = second[0]; seen[2] = REG(UART + 0x53c); REG(UART + 0x110) = 0;
      REG(UART + 0x534) = (uint32_t)third; REG(UART + 0x2c) = 1; seen[3] = REG(UART + 0x110);
      for (;;) __asm volatile("wfi"); }`);
    machine.serial.feed(Uint8Array.from([0x61, 0x62, 0x63]));
    expect(seenBy(machine)).toEqual([0x6162, 0x63, 1, 1]);
  });

  it('erases and writes flash and UICR, which a reset keeps', () => {
    const [flash, cleared, uicr, resets] = seenBy(
      machineOf(`
    int main(void) {
      if (REG(0x10001200) == 0xffffffff) {
        REG(NVMC + 0x504) = 1; REG(0x10001200) = 18; REG(NVMC + 0x504) = 0;
        REG(0xE000ED0C) = 0x05fa0004;
      }
      REG(NVMC + 0x504) = 2; REG(NVMC + 0x508) = 0x80000; REG(NVMC + 0x504) = 1;
      REG(0x80004) = 0x12345678; seen[0] = REG(0x80004); REG(0x80004) = 0xffff0000; seen[1] = REG(0x80004);
      REG(NVMC + 0x504) = 2; REG(NVMC + 0x508) = 0x80000; REG(NVMC + 0x504) = 0;
      seen[2] = REG(0x10001200); seen[3] = REG(0x80004);
      for (;;) __asm volatile("wfi"); }`),
    );
    expect([flash, cleared, uicr, resets]).toEqual([0x1234_5678, 0x1234_0000, 18, 0xffff_ffff]);
  });

  it('faults at a store to flash that the NVMC does not allow', () => {
    const machine = machineOf('int main(void) { REG(0x80000) = 0; for (;;) { } }');
    expect(machine.run({ maxCycles: 1e6 }).stop).toBe('fault');
    machine.close();
  });

  it('resets by the watchdog unless it is fed', () => {
    const starts = (feed: string): number => {
      const machine = machineOf(`int main(void) {
        REG(WDT + 0x504) = 327; REG(WDT) = 1; /* 10 ms */
        for (int i = 0; i < 40; i++) { wait(21333); ${feed} } /* 1 ms and more */
        for (;;) __asm volatile("wfi"); }`);
      machine.onMark('main');
      machine.run({ maxCycles: 4e6 });
      const { length } = machine.markPasses('main');
      machine.close();
      return length;
    };
    expect(starts('REG(WDT + 0x600) = 0x6E524635;')).toBe(1);
    expect(starts('')).toBeGreaterThan(2);
  });

  it('gives random numbers, a temperature and software events, the same in every run', () => {
    const program = `
      void on_egu(void) { REG(0x40014100) = 0; seen[3]++; }
      int main(void) {
        REG(0x4000D000) = 1; for (int i = 0; i < 2; i++) { while (!REG(0x4000D100)) { } REG(0x4000D100) = 0; seen[i] = REG(0x4000D508); }
        REG(0x4000C000) = 1; while (!REG(0x4000C100)) { } seen[2] = REG(0x4000C508);
        handler(20, on_egu); REG(0x40014304) = 1; REG(0x40014000) = 1;
        while (!seen[3]) { }
        for (;;) __asm volatile("wfi"); }`;
    const values = seenBy(machineOf(program));
    expect(values[0]).not.toBe(values[1]);
    expect(values.slice(2)).toEqual([100, 1]);
    expect(seenBy(machineOf(program))).toEqual(values);
  });
});
