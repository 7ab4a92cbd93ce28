/** UARTs, DWT, SysTick and clock registers, each driven by firmware as a driver would. */
import { describe, expect, it } from 'vitest';
import { loadBoard } from '../../boards/load.ts';
import { createMachine } from '../../emulator/create-machine.ts';
import { simulate } from '../../emulator/sim.ts';
import { assembleFunctions, buildProgram, hasCompiler } from './support/assemble.ts';

const registers = `
#include <stdint.h>
#define REG(address) (*(volatile uint32_t *)(address))
#define DEMCR REG(0xE000EDFC)
#define DWT_CTRL REG(0xE0001000)
#define CYCCNT REG(0xE0001004)
`;

const cmsdkEcho = `${registers}
#define UART 0x40004000
static void put(const char *text) { while (*text) { while (REG(UART + 4) & 1) { } REG(UART) = (uint8_t)*text++; } }
int main(void) {
  REG(UART) = 'x'; /* transmitter still off: lost */
  REG(UART + 16) = 16; REG(UART + 8) = 3;
  put("hello\\n");
  while (REG(UART + 4) & 2) { char c[2] = { (char)(REG(UART) + 1), 0 }; put(c); }
  for (;;) __asm volatile("wfi");
}`;

const stm32Hello = `${registers}
#define RCC 0x40021000
#define UART 0x40008000
int main(void) {
  REG(RCC + 0x58) |= 1 << 28; REG(RCC + 0x5c) |= 1;
  REG(0x40022000) = 0x705; while ((REG(0x40022000) & 0xf) != 5) { }
  REG(0x40007080) = 0; REG(0x40007000) = 0x200; while (REG(0x40007014) & (1 << 10)) { }
  while (!(REG(RCC) & 2)) { }
  REG(RCC + 12) = 0x11003C01; REG(RCC) |= 1 << 24; while (!(REG(RCC) & (1 << 25))) { }
  REG(RCC + 8) |= 3; while (((REG(RCC + 8) >> 2) & 3) != 3) { }
  REG(UART + 12) = 0x411AB; REG(UART) = 0xd;
  while ((REG(UART + 0x1c) & (3 << 21)) != (3 << 21)) { }
  for (const char *text = "at 120 MHz\\n"; *text; text++) { while (!(REG(UART + 0x1c) & (1 << 7))) { } REG(UART + 0x28) = (uint8_t)*text; }
  while (!(REG(UART + 0x1c) & (1 << 6))) { }
  for (;;) { }
}`;

describe.skipIf(!hasCompiler)('peripherals (needs arm-none-eabi-gcc)', () => {
  it('cmsdk-uart: sends, receives, and loses what is sent while it is off', () => {
    const notes: string[] = [];
    const report = simulate({
      board: loadBoard('mps2-an386'),
      firmware: buildProgram({ files: { 'main.c': cmsdkEcho } }),
      firmwareName: 'echo.elf',
      uartInput: new TextEncoder().encode('HAL'),
      onNote: (text) => notes.push(text),
    });
    expect(report).toMatchObject({ stop: 'idle', uart: 'hello\nIBM', fault: null });
    expect(notes).toEqual(['a byte written to the UART while its transmitter is off']);
  });

  it('stm32-lpuart: a standard clock set-up to 120 MHz goes through and the UART speaks', () => {
    const notes: string[] = [];
    const report = simulate({
      board: loadBoard('nucleo-l4r5zi'),
      firmware: buildProgram({ files: { 'main.c': stm32Hello }, flashStart: 0x0800_0000 }),
      firmwareName: 'hello.elf',
      strict: true,
      onNote: (text) => notes.push(text),
    });
    expect(report).toMatchObject({ stop: 'idle', uart: 'at 120 MHz\n', fault: null });
    expect(notes).toEqual([]);
  });

  it('DWT_CTRL notes what it is asked to enable besides CYCCNT', () => {
    const notesOf = (value: string): string[] => {
      const notes: string[] = [];
      simulate({
        board: loadBoard('core-m4'),
        firmware: buildProgram({
          files: { 'main.c': `${registers}int main(void) { DWT_CTRL = ${value}; return 0; }` },
        }),
        firmwareName: 'dwt.elf',
        onNote: (text) => notes.push(text),
      });
      return notes;
    };
    expect(notesOf('0x40000001u')).toEqual([]);
    expect(notesOf('0x00020001u')).toEqual([expect.stringMatching(/unmodelled DWT register at 0xe0001000/)]);
  });

  it('CYCCNT counts model cycles, exactly, from where it is enabled', () => {
    const prologue = 'ldr r1, =0xE000EDFC; ldr r2, =0x01000000; ldr r3, =0xE0001000';
    const machine = createMachine({
      board: loadBoard('core-m4'),
      image: assembleFunctions({
        main: `${prologue}; str r2, [r1]; movs r2, #1; str r2, [r3]; ldr r0, [r3, #4]; nop; nop; ldr r1, [r3, #4]; subs r0, r1, r0; bx lr`,
        off: `${prologue}; movs r2, #1; str r2, [r3]; nop; ldr r0, [r3, #4]; bx lr`,
        stopped: `${prologue}; str r2, [r1]; movs r2, #1; str r2, [r3]; nop; movs r2, #0; str r2, [r3]; nop; nop; ldr r0, [r3, #4]; bx lr`,
        written: `${prologue}; str r2, [r1]; movs r2, #1; str r2, [r3]; mvn r2, #0; str r2, [r3, #4]; nop; ldr r0, [r3, #4]; bx lr`,
      }),
    });
    // Read, nop, nop, read: the first load takes 2, each nop 1.
    expect(machine.call('main').value).toBe(4);
    machine.call('main');
    expect(createAndCall('off')).toBe(0);
    expect(createAndCall('stopped')).toBe(3); // str, nop, movs between enabling and disabling
    expect(createAndCall('written')).toBe(1); // -1, then str and nop
    machine.close();

    function createAndCall(name: string): number {
      const fresh = createMachine({ board: loadBoard('core-m4'), image: machine.image });
      const { value } = fresh.call(name);
      fresh.close();
      return value;
    }
  });

  it('SysTick counts down, reloads and raises COUNTFLAG once', () => {
    const start = 'ldr r1, =0xE000E010; movs r2, #9; str r2, [r1, #4]; str r2, [r1, #8]; movs r2, #5; str r2, [r1]';
    const machine = createMachine({
      board: loadBoard('core-m4'),
      image: assembleFunctions({
        main: `${start}; nop; nop; nop; ldr r0, [r1, #8]; bx lr`,
        flag: `${start}; .rept 12; nop; .endr; ldr r0, [r1]; ldr r2, [r1]; lsrs r0, r0, #16; lsrs r2, r2, #16; lsls r2, r2, #4; orrs r0, r2; bx lr`,
      }),
    });
    // The store that enables it takes a cycle, then three nops: 0 reloads to 9 with the first cycle, and three more follow.
    expect(machine.call('main').value).toBe(9 - 3);
    expect(machine.call('flag').value).toBe(1);
    machine.close();
  });

  it('SysTick stops at 0 when RVR is 0, and keeps COUNTFLAG across writes of CSR and RVR', () => {
    const start = 'ldr r1, =0xE000E010; movs r2, #9; str r2, [r1, #4]; str r2, [r1, #8]; movs r2, #5; str r2, [r1]';
    const stop = `${start}; nop; nop; movs r3, #0; str r3, [r1, #4]`;
    const wait = '.rept 40; nop; .endr';
    const machine = createMachine({
      board: loadBoard('core-m4'),
      image: assembleFunctions({
        main: `${stop}; ldr r0, [r1, #8]; cmp r0, #0; beq 1f; ${wait}; ldr r0, [r1, #8]; ldr r3, [r1]; lsrs r3, r3, #16; adds r0, r0, r3; bx lr; 1: movs r0, #99; bx lr`,
        flag: `${start}; ${wait}; str r2, [r1]; str r2, [r1, #4]; ldr r0, [r1]; lsrs r0, r0, #16; bx lr`,
        cleared: `${start}; ${wait}; movs r2, #4; str r2, [r1]; str r2, [r1, #8]; ldr r0, [r1]; lsrs r0, r0, #16; bx lr`,
      }),
    });
    // Counter 0 and the flag of the last wrap.
    expect(machine.call('main').value).toBe(1);
    expect(machine.call('flag').value).toBe(1);
    expect(machine.call('cleared').value).toBe(0);
    machine.close();
  });

  it('halfwords and bytes reach their lanes', () => {
    const machine = createMachine({
      board: loadBoard('nucleo-l4r5zi'),
      image: assembleFunctions(
        {
          main: 'ldr r1, =0x40021010; ldr r2, =0x11223344; str r2, [r1]; movs r2, #0x55; strb r2, [r1, #1]; ldr r0, [r1]; ldrh r3, [r1, #2]; eors r0, r3; bx lr',
        },
        0x0800_0000,
      ),
    });
    expect(machine.call('main').value).toBe(0x1122_5544 ^ 0x1122);
    machine.close();
  });
});
