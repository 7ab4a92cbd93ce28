/** DebugMonitor (DDI 0403E C1.4, B1.5.6): QEMU's differs with the version, so these are the manual's sequences. */
import { describe, expect, it } from 'vitest';
import { loadBoard } from '../../../boards/load.ts';
import { simulate, type SimReport } from '../../../emulator/sim.ts';
import { buildProgram, hasCompiler } from '../support/assemble.ts';

const source = (main: string, handler: string): string => `
#include <stdint.h>
#define REG(address) (*(volatile uint32_t *)(address))
#define DEMCR REG(0xE000EDFC)
#define DFSR REG(0xE000ED30)
#define VTOR REG(0xE000ED08)
#define BYTE(address) (*(volatile uint8_t *)(address))
#define PUT(word) (*out++ = (word))
static volatile uint32_t seen[16], *volatile out = seen;
static uint32_t table[16] __attribute__((aligned(128)));
static void semihost(uint32_t operation, const void *parameter) {
  register uint32_t r0 __asm("r0") = operation;
  register const void *r1 __asm("r1") = parameter;
  __asm volatile("bkpt #0xab" : "+r"(r0) : "r"(r1) : "memory");
}
__attribute__((naked)) static void monitor(void) { __asm volatile("mrs r0, msp\\n push {r1, lr}\\n bl body\\n pop {r1, pc}"); }
__attribute__((used)) void body(uint32_t *frame) { (void)frame; ${handler} }
int main(void) {
  table[12] = (uint32_t)monitor;
  VTOR = (uint32_t)table;
  ${main}
  for (volatile uint32_t *at = seen; at < out; at++) {
    char text[10];
    for (int digit = 0; digit < 8; digit++) text[digit] = "0123456789abcdef"[(*at >> (28 - 4 * digit)) & 15];
    text[8] = '\\n'; text[9] = 0;
    semihost(4, text);
  }
  semihost(0x18, (void *)0x20026);
  for (;;) { }
}`;

/** Notes IPSR, DFSR and the halfword at the return address, clears DFSR and goes on behind the BKPT. */
const handler = `uint32_t number; __asm volatile("mrs %0, ipsr" : "=r"(number));
  PUT(number); PUT(DFSR); PUT(*(uint16_t *)frame[6]); DFSR = 2; PUT(DFSR); frame[6] += 2;`;

describe.skipIf(!hasCompiler)('DebugMonitor (needs arm-none-eabi-gcc)', () => {
  const run = (main: string, body = handler): { report: SimReport; seen: number[] } => {
    let text = '';
    const report = simulate({
      board: loadBoard('core-m4'),
      firmware: buildProgram({ files: { 'main.c': source(main, body) } }),
      firmwareName: 'monitor.elf',
      engine: 'wasm',
      maxCycles: 1e6,
      onConsole: (bytes) => (text += new TextDecoder().decode(bytes)),
    });
    return {
      report,
      seen: text
        .split('\n')
        .slice(0, -1)
        .map((line) => Number.parseInt(line, 16)),
    };
  };

  it('BKPT is taken at its own address, with DFSR.BKPT', () => {
    const { report, seen } = run('DEMCR = 1 << 16; __asm volatile("bkpt #5" ::: "memory"); PUT(0x77);');
    expect(report).toMatchObject({ stop: 'exit', exitCode: 0 });
    expect(seen).toEqual([12, 2, 0xbe05, 0, 0x77]);
  });

  it('MON_PEND makes it pending and shows that it is', () => {
    const main = `BYTE(0xE000ED20) = 0x40;
      __asm volatile("cpsid i"); DEMCR = 3 << 16; PUT(DEMCR); DEMCR = 1 << 16; PUT(DEMCR);
      DEMCR = 3 << 16; __asm volatile("cpsie i; isb" ::: "memory"); PUT(DEMCR);`;
    expect(run(main, 'PUT(0x12); PUT(DFSR);').seen).toEqual([0x3_0000, 0x1_0000, 0x12, 0, 0x1_0000]);
  });

  it.each([
    ['the monitor is off', '__asm volatile("bkpt #5");'],
    ['PRIMASK holds it back', 'DEMCR = 1 << 16; __asm volatile("cpsid i; bkpt #5");'],
    [
      'BASEPRI holds it back',
      'DEMCR = 1 << 16; BYTE(0xE000ED20) = 0x80; __asm volatile("msr basepri, %0; bkpt #5" : : "r"(0x40));',
    ],
  ])('BKPT ends the run where %s', (_, main) => {
    const { report, seen } = run(main);
    expect(report).toMatchObject({ stop: 'breakpoint', exitCode: null });
    expect(seen).toEqual([]);
  });

  it('MON_STEP ends the run', () => {
    const { report } = run('DEMCR = 1 << 18;');
    expect(report.fault?.cause).toBe('steps by DEMCR.MON_STEP, which are not modelled');
  });
});
