/** The STM32 models: time as the clock tree has it, characters at their bit rate, interrupts, clock gates, pins, and a dialogue with firmware. */
import { describe, expect, it } from 'vitest';
import { loadBoard } from '../../boards/load.ts';
import { createMachine } from '../../emulator/create-machine.ts';
import type { Machine } from '../../emulator/machine.ts';
import { isGpioPort } from '../../emulator/peripherals/gpio-port.ts';
import { UartDialogue } from '../../harness/uart-dialogue.ts';
import { buildProgram, hasCompiler } from './support/assemble.ts';

const prelude = `
#include <stdint.h>
#define REG(address) (*(volatile uint32_t *)(address))
#define RCC 0x40021000
#define UART 0x40008000
#define TIM5 0x40000C00
#define ISR REG(UART + 0x1c)
static void put(const char *text) { while (*text) { while (!(ISR & 0x80)) { } REG(UART + 0x28) = (uint8_t)*text++; } while (!(ISR & 0x40)) { } }
static void clocks_on(void) { REG(RCC + 0x58) |= 1 << 28 | 1 << 3; REG(RCC + 0x5c) |= 1; REG(RCC + 0x4c) |= 1; }
/* MSI 4 MHz * 60 / 2 = 120 MHz */
static void fast(void) { REG(RCC + 12) = 0x01003C01; REG(RCC) |= 1 << 24; while (!(REG(RCC) & (1 << 25))) { } REG(RCC + 8) |= 3; }
volatile uint32_t seen[4];
`;

function machineOf(main: string, notes: string[] = []): Machine {
  return createMachine({
    board: loadBoard('nucleo-l4r5zi'),
    image: buildProgram({ files: { 'main.c': prelude + main }, flashStart: 0x0800_0000 }),
    onNote: (text) => notes.push(text),
  });
}

function seen(machine: Machine): number[] {
  const { address } = machine.symbol('seen');
  return [0, 4, 8, 12].map((offset) => machine.readWord(address + offset));
}

describe.skipIf(!hasCompiler)('STM32 peripherals (needs arm-none-eabi-gcc)', () => {
  it('sends at the bit time that BRR and the kernel clock give, before and after the core clock changes', () => {
    const machine = machineOf(`int main(void) {
      clocks_on();
      REG(UART + 12) = 256 * 100; REG(UART) = 9; /* 100 ticks of PCLK1 a bit */
      put("a");
      REG(RCC + 0x88) = 2 << 10; REG(RCC) |= 1 << 8; /* from HSI16, four times the core's clock */
      put("b");
      fast();
      put("c");
      for (;;) __asm volatile("wfi");
    }`);
    const sent: number[] = [];
    machine.serial.onSent = () => sent.push(machine.cpu.counters().cycles);
    const start: number[] = [];
    machine.onMark('put', ({ cycles }) => start.push(cycles));
    expect(machine.run().stop).toBe('idle');
    const cycles = sent.map((end, index) => end - start[index]!);
    // 10 bits of 100 ticks: at 4 MHz, 16 MHz and 16 MHz; the core at 4, 4 and 120 MHz. The rest is the loop around it.
    for (const [index, expected] of [1000, 250, 7500].entries()) {
      expect(cycles[index]).toBeGreaterThanOrEqual(expected);
      expect(cycles[index]).toBeLessThan(expected + 60);
    }
    expect(machine.hardware.clocks.coreHz()).toBe(120e6);
    machine.close();
  });

  it('counts TIM5 in microseconds of the timer clock, through a change of clock, and interrupts at its updates', () => {
    const machine = machineOf(`
    static volatile uint32_t ticks;
    void TIM5_Handler(void) { REG(TIM5 + 0x10) = 0; ticks++; }
    int main(void) {
      clocks_on();
      REG(TIM5 + 0x28) = 3; REG(TIM5 + 0x14) = 1; REG(TIM5) = 1; /* 4 MHz / 4 */
      for (int i = 0; i < 1000; i++) __asm volatile("nop");
      uint32_t before = REG(TIM5 + 0x24);
      fast();
      REG(TIM5 + 0x28) = 119; REG(TIM5 + 0x14) = 1;
      for (int i = 0; i < 12000; i++) __asm volatile("nop");
      seen[0] = before; seen[1] = REG(TIM5 + 0x24);
      REG(TIM5 + 0x2c) = 99; REG(TIM5 + 0x24) = 0; REG(TIM5 + 0x10) = 0; REG(TIM5 + 0x0c) = 1;
      static uint32_t table[128] __attribute__((aligned(512)));
      table[16 + 50] = (uint32_t)TIM5_Handler; REG(0xE000ED08) = (uint32_t)table;
      REG(0xE000E104) = 1 << 18;
      while (ticks < 3) __asm volatile("wfi");
      seen[2] = REG(TIM5 + 0x24); seen[3] = ticks;
      REG(TIM5) = 0;
      for (;;) __asm volatile("wfi");
    }`);
    const marks: number[] = [];
    machine.onMark('TIM5_Handler', ({ cycles }) => marks.push(cycles));
    expect(machine.run().stop).toBe('idle');
    const [before, after, inHandler, ticks] = seen(machine);
    // The loops take 4 to 8 cycles a turn; a microsecond is 4, then 120 cycles.
    expect(before).toBeGreaterThan(900);
    expect(before).toBeLessThan(2200);
    expect(after).toBeGreaterThan(350);
    expect(after).toBeLessThan(900);
    expect(inHandler).toBe(0);
    expect(ticks).toBe(3);
    expect(marks[2]! - marks[1]!).toBe(100 * 120);
    machine.close();
  });

  it('receives by interrupt, one character time after another, and answers when asked', () => {
    const machine = machineOf(`
    void LPUART_Handler(void) { uint32_t c = REG(UART + 0x24); seen[0]++; if (c == '%') put("ok%"); }
    int main(void) {
      clocks_on(); fast();
      REG(UART + 12) = 0x411AB; REG(UART) = 0x2d;
      static uint32_t table[128] __attribute__((aligned(512)));
      table[16 + 70] = (uint32_t)LPUART_Handler; REG(0xE000ED08) = (uint32_t)table;
      REG(0xE000E108) = 1 << 6;
      put("ready");
      for (;;) __asm volatile("wfi");
    }`);
    const dialogue = new UartDialogue(machine);
    expect(dialogue.waitFor('ready')).toBe('ready');
    const start = machine.cpu.counters().cycles;
    expect(dialogue.ask('abc%', 'ok%')).toBe('ok%');
    const characterCycles = (10 * 0x411ab) / 256;
    const passed = machine.cpu.counters().cycles - start;
    expect(passed).toBeGreaterThan(7 * characterCycles);
    expect(passed).toBeLessThan(7 * characterCycles + 200);
    expect(seen(machine)[0]).toBe(4);
    expect(() => dialogue.waitFor('never', 1e6)).toThrow(/waiting for "never" on the UART: the run ended \(idle\)/);
    machine.close();
  });

  it('loses what comes while a character waits: overrun, until it is cleared', () => {
    const machine = machineOf(`int main(void) {
      clocks_on();
      REG(UART + 12) = 256 * 35; REG(UART) = 0xd;
      for (int i = 0; i < 2000; i++) __asm volatile("nop");
      seen[0] = ISR & 0x28; seen[1] = REG(UART + 0x24); seen[2] = ISR & 0x28;
      REG(UART + 0x20) = 8; seen[3] = ISR & 0x28;
      for (;;) __asm volatile("wfi");
    }`);
    machine.serial.feed(new TextEncoder().encode('xyz'));
    expect(machine.run().stop).toBe('idle');
    expect(seen(machine)).toEqual([0x28, 'x'.charCodeAt(0), 0x08, 0]);
    machine.close();
  });

  it('a device without its clock reads 0 and says what it needs; a register that is not modelled is named', () => {
    const notes: string[] = [];
    const machine = machineOf(
      `int main(void) {
      REG(0x48000000) = 5; seen[0] = REG(0x48000000); clocks_on(); seen[1] = REG(0x48000000);
      REG(TIM5 + 0x48) = 1; REG(TIM5 + 0x48) = 2; REG(0x40009999 & ~3) = 1;
      for (;;) __asm volatile("wfi");
    }`,
      notes,
    );
    machine.run();
    expect(seen(machine).slice(0, 2)).toEqual([0, 0xabff_ffff]);
    expect(notes).toEqual([
      'GPIOA is used while it is off; it needs RCC.AHB2ENR.0',
      'write of TIM5_DCR at 0x40000c48, which is not modelled',
      'write of an unmodelled register at 0x40009998',
    ]);
    machine.close();
  });

  it('pins: the host reads what the firmware drives and drives what it reads', () => {
    const machine = machineOf(`int main(void) {
      clocks_on();
      REG(0x48000000) = 1 << 10; REG(0x48000018) = 1 << 5; /* PA5 out, high; the rest in */
      REG(0x4800000c) = 1 << 2; /* pull-up on PA1 */
      seen[0] = REG(0x48000010);
      REG(0x48000018) = 1 << 21;
      for (;;) __asm volatile("wfi");
    }`);
    const [port] = machine.hardware.all(isGpioPort);
    port!.drive(3, 1);
    const levels: (0 | 1 | null)[] = [];
    port!.onChange = () => levels.push(port!.output(5));
    machine.run();
    expect(seen(machine)[0]).toBe((1 << 5) | (1 << 3) | (1 << 1));
    expect(port!.name).toBe('GPIOA');
    expect([...new Set(levels)]).toEqual([0, 1]);
    expect(port!.output(5)).toBe(0);
    expect(port!.output(3)).toBe(null);
    machine.close();
  });

  it('tells what the flash interface is set to, and when its caches are emptied', () => {
    const machine = machineOf(`int main(void) {
      REG(0x40022000) = 0x705; REG(0x40022000) = 0x105; REG(0x40022000) = 0x1905; REG(0x40022000) = 0x705;
      for (;;) __asm volatile("wfi");
    }`);
    const seenSettings: string[] = [];
    let flushes = 0;
    machine.hardware.flash.onChange(() => seenSettings.push(JSON.stringify(machine.hardware.flash.settings)));
    machine.hardware.flash.onFlush(() => flushes++);
    expect(machine.hardware.flash.settings).toMatchObject({
      waitStates: 0,
      lineBits: 64,
      instructionCache: true,
      prefetch: false,
    });
    machine.run();
    expect(seenSettings).toHaveLength(3);
    expect(machine.hardware.flash.settings).toEqual({
      waitStates: 5,
      lineBits: 64,
      prefetch: true,
      instructionCache: true,
      dataCache: true,
    });
    expect(flushes).toBe(1);
    machine.close();
  });

  it('the unique id can be read, and a system clock that is off ends the run', () => {
    const machine = machineOf(`int main(void) {
      seen[0] = REG(0x1fff7590); seen[1] = REG(0x1fff75e0);
      REG(RCC + 8) = 2; /* HSE: no crystal on this board */
      for (;;) { }
    }`);
    const result = machine.run();
    expect(seen(machine).slice(0, 2)).toEqual([0x0039_0033, 0xffff_0800]);
    expect(result.fault?.cause).toBe('RCC: the system clock was switched to an oscillator that is off');
    machine.close();
  });
});
