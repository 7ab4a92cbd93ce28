/** DMA between a UART and memory on every sort of controller that STM32s have, as a HAL sets it up: whole buffers, rings with idle line, errors. */
import { describe, expect, it } from 'vitest';
import { loadBoard } from '../../boards/load.ts';
import { createMachine, type EngineName } from '../../emulator/create-machine.ts';
import type { Machine } from '../../emulator/machine.ts';
import { cpuFlags } from '../../firmware-gen/emit/build-flags.ts';
import { UartDialogue } from '../../harness/uart-dialogue.ts';
import { buildProgram, hasCompiler } from './support/assemble.ts';
import { controllers, dmaPrelude, type Controller } from './support/dma-programs.ts';

function machineOf(board: string, main: string, notes: string[] = [], engine: EngineName = 'wasm'): Machine {
  const description = loadBoard(board);
  const files = { 'main.c': dmaPrelude(board) + main };
  const ram = board === 'nucleo-h7a3zi-q' ? { ramStart: 0x2400_0000 } : {};
  return createMachine({
    board: description,
    image: buildProgram({ files, flashStart: 0x0800_0000, ramBytes: 0x1_0000, cpu: cpuFlags(description), ...ram }),
    engine,
    onNote: (text) => notes.push(text),
  });
}

function seen(machine: Machine): number[] {
  const { address } = machine.symbol('seen');
  return Array.from({ length: 8 }, (_, index) => machine.readWord(address + 4 * index));
}

const SEND = `int main(void) {
  start();
  send_dma("whole buffer", 12);
  while (!(tx_flags() & TX_COMPLETE)) { }
  seen[0] = tx_left(); seen[1] = tx_flags() & (TX_HALF | TX_COMPLETE | TX_ERROR); seen[2] = tx_is_on();
  while (!(STATUS & 0x40)) { }
  for (;;) __asm volatile("wfi");
}`;

const RING = `
static uint8_t ring[8];
static volatile uint32_t idles;
void uart_handler(void) {
  if (!(STATUS & 0x10)) return;
  clear_idle(); idles++; seen[0] = 8 - rx_left();
}
void dma_handler(void) {
  uint32_t flags = rx_flags();
  if (flags & RX_HALF) seen[1]++;
  if (flags & RX_COMPLETE) seen[2]++;
  if (flags & RX_ERROR) seen[3]++;
  rx_clear();
}
int main(void) {
  start();
  handlers(uart_handler, dma_handler);
  receive_dma(ring, 8);
  put("ready");
  for (uint32_t answered = 0;;) {
    while (idles == answered) __asm volatile("wfi");
    answered++;
    put((char[]){'i', (char)('0' + seen[0]), 0});
    seen[4] = ring[0] << 24 | ring[1] << 16 | ring[2] << 8 | ring[3]; seen[5] = ring[4] << 24 | ring[5] << 16 | ring[6] << 8 | ring[7];
  }
}`;

const word = (text: string): number => [...text].reduce((value, letter) => value * 256 + letter.charCodeAt(0), 0);

describe.skipIf(!hasCompiler)('DMA of the STM32 (needs arm-none-eabi-gcc)', () => {
  describe.each(Object.entries(controllers))('%s', (board, controller: Controller) => {
    it('sends a buffer, a character at a time at the bit rate, and tells half and end', () => {
      const notes: string[] = [];
      const machine = machineOf(board, SEND, notes);
      const ends: number[] = [];
      machine.serial.onSent = () => ends.push(machine.cpu.counters().cycles);
      expect(machine.run({ maxCycles: 1e6 }).stop).toBe('idle');
      expect(machine.serial.text()).toBe('whole buffer');
      const [left, flags, isOn] = seen(machine);
      expect([left, flags, isOn]).toEqual([0, controller.halfAndComplete, controller.staysOn ? 1 : 0]);
      const gaps = ends.slice(1).map((end, index) => end - ends[index]!);
      // Ten bits of BIT_TICKS; an event waits for the end of the instructions under way.
      for (const gap of gaps) expect(Math.abs(gap - 1000)).toBeLessThan(60);
      expect(notes).toEqual([]);
      machine.close();
    });

    it('receives into a ring without end: idle line, how much is left, half and complete', () => {
      const notes: string[] = [];
      const machine = machineOf(board, RING, notes);
      const dialogue = new UartDialogue(machine);
      dialogue.waitFor('ready', 1e6);
      dialogue.ask('abc', 'i3', 1e6);
      dialogue.ask('defghijkl', 'i4', 1e6);
      dialogue.ask('m', 'i5', 1e6);
      const [, halves, completes, errors, low, high] = seen(machine);
      expect([halves, completes, errors]).toEqual([2, 1, 0]);
      expect([low, high]).toEqual([word('ijkl'), word('efgh')]);
      expect(notes).toEqual([]);
      machine.close();
    });

    it('reports an address where nothing is as a transfer error, and stops', () => {
      const machine = machineOf(
        board,
        `int main(void) {
          start(); send_dma((const char *)0x60000000, 4);
          seen[0] = tx_flags() & (TX_COMPLETE | TX_ERROR); seen[1] = tx_is_on();
          for (;;) __asm volatile("wfi");
        }`,
      );
      expect(machine.run({ maxCycles: 1e6 }).stop).toBe('idle');
      expect(seen(machine).slice(0, 2)).toEqual([controller.error, 0]);
      expect(machine.serial.text()).toBe('');
      machine.close();
    });

    it('says so when its clock is off, and when nobody can ask for what it waits for', () => {
      const notes: string[] = [];
      const machine = machineOf(
        board,
        `int main(void) {
          start(); dma_clock(0); send_dma("never", 5); dma_clock(1);
          wrong_request(); send_dma_as_selected("never", 5);
          for (;;) __asm volatile("wfi");
        }`,
        notes,
      );
      expect(machine.run({ maxCycles: 1e6 }).stop).toBe('idle');
      expect(machine.serial.text()).toBe('');
      expect(notes).toEqual([
        expect.stringMatching(controller.clockNote),
        expect.stringMatching(controller.requestNote),
      ]);
      machine.close();
    });
  });

  it.each(['nucleo-l4r5zi', 'stm32f4-discovery'])(
    '%s sends by DMA on the engine without time for devices, too',
    (board) => {
      const machine = machineOf(board, SEND, [], 'unicorn');
      expect(machine.run({ maxCycles: 1e6 }).stop).toBe('idle');
      expect(machine.serial.text()).toBe('whole buffer');
      machine.close();
    },
  );

  it.each(['nucleo-l4r5zi', 'stm32f4-discovery', 'nucleo-u575zi-q'])(
    '%s goes on in the middle of a buffer after restore()',
    (board) => {
      const machine = machineOf(board, SEND);
      const start = machine.start() as number;
      const pause = machine.resume(start, { cyclesMax: 4500 });
      const state = machine.save();
      const first = machine.resume(pause.pc, { cyclesMax: 1e6 });
      machine.restore(state);
      const second = machine.resume(pause.pc, { cyclesMax: 1e6 });
      expect(second.cycles).toBe(first.cycles);
      expect(machine.serial.text()).toBe('whole buffer');
      machine.close();
    },
  );

  it('does not reach memory that is the core alone: CCM of the F4, DTCM of the H7', () => {
    for (const [board, address] of [
      ['stm32f4-discovery', '0x10000000'],
      ['nucleo-h7a3zi-q', '0x20000000'],
    ] as const) {
      const machine = machineOf(
        board,
        `int main(void) {
          start(); send_dma((const char *)${address}, 4); seen[0] = tx_flags() & TX_ERROR;
          for (;;) __asm volatile("wfi");
        }`,
      );
      expect(machine.run({ maxCycles: 1e6 }).stop).toBe('idle');
      expect(seen(machine)[0]).toBe(controllers[board]!.error);
      machine.close();
    }
  });

  it('code that has been translated sees what DMA has written since', () => {
    const machine = machineOf(
      'nucleo-l4r5zi',
      `static uint8_t ring[8];
      int main(void) {
        start(); receive_dma(ring, 8); put("ready");
        while (((volatile uint8_t *)ring)[0] != 'x') seen[0]++; /* hot long before the byte comes */
        put("seen");
        for (;;) __asm volatile("wfi");
      }`,
    );
    const dialogue = new UartDialogue(machine);
    dialogue.waitFor('ready', 1e6);
    const { cycles } = machine.cpu.counters();
    dialogue.send('x');
    dialogue.waitFor('seen', 1e6);
    expect(machine.cpu.counters().cycles - cycles).toBeLessThan(1000 + 4 * 1000 + 500);
    expect(seen(machine)[0]).toBeGreaterThan(50);
    machine.close();
  });

  it('devices that share an interrupt line hold it together (timers 3 and 4 of the G0)', () => {
    const machine = machineOf(
      'nucleo-g0b1re',
      `int main(void) {
        REG(0x4002103c) |= 6;
        REG(0x4000040c) = 1; REG(0x4000080c) = 1; REG(0x40000414) = 1; REG(0x40000814) = 1;
        REG(0x40000410) = 0; REG(0xe000e280) = 1 << 16; seen[0] = REG(0xe000e200) >> 16 & 1;
        REG(0x40000810) = 0; REG(0xe000e280) = 1 << 16; seen[1] = REG(0xe000e200) >> 16 & 1;
        for (;;) __asm volatile("wfi");
      }`,
    );
    expect(machine.run({ maxCycles: 1e6 }).stop).toBe('idle');
    expect(seen(machine).slice(0, 2)).toEqual([1, 0]);
    machine.close();
  });
});
