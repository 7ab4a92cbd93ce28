/** DebugMonitor (DDI 0403E C1.4, B1.5.6): QEMU's differs with the version, so these are the manual's sequences. */
import { describe, expect, it } from 'vitest';
import { hasCompiler } from '../support/assemble.ts';
import { runMonitored } from './support/monitored.ts';

/** Notes IPSR, DFSR and the halfword at the return address, clears DFSR and goes on behind the BKPT. */
const handler = `uint32_t number; __asm volatile("mrs %0, ipsr" : "=r"(number));
  PUT(number); PUT(DFSR); PUT(*(uint16_t *)frame[6]); DFSR = 2; PUT(DFSR); frame[6] += 2;`;

describe.skipIf(!hasCompiler)('DebugMonitor (needs arm-none-eabi-gcc)', () => {
  it('BKPT is taken at its own address, with DFSR.BKPT', () => {
    const { report, seen } = runMonitored({
      main: 'DEMCR = 1 << 16; __asm volatile("bkpt #5" ::: "memory"); PUT(0x77);',
      handler,
    });
    expect(report).toMatchObject({ stop: 'exit', exitCode: 0 });
    expect(seen).toEqual([12, 2, 0xbe05, 0, 0x77]);
  });

  it('MON_PEND makes it pending and shows that it is', () => {
    const main = `BYTE(0xE000ED20) = 0x40;
      __asm volatile("cpsid i"); DEMCR = 3 << 16; PUT(DEMCR); DEMCR = 1 << 16; PUT(DEMCR);
      DEMCR = 3 << 16; __asm volatile("cpsie i; isb" ::: "memory"); PUT(DEMCR);`;
    expect(runMonitored({ main, handler: 'PUT(0x12); PUT(DFSR);' }).seen).toEqual([
      0x3_0000, 0x1_0000, 0x12, 0, 0x1_0000,
    ]);
  });

  it.each([
    ['the monitor is off', '__asm volatile("bkpt #5");'],
    ['PRIMASK holds it back', 'DEMCR = 1 << 16; __asm volatile("cpsid i; bkpt #5");'],
    [
      'BASEPRI holds it back',
      'DEMCR = 1 << 16; BYTE(0xE000ED20) = 0x80; __asm volatile("msr basepri, %0; bkpt #5" : : "r"(0x40));',
    ],
  ])('BKPT ends the run where %s', (_, main) => {
    const { report, seen } = runMonitored({ main, handler });
    expect(report).toMatchObject({ stop: 'breakpoint', exitCode: null });
    expect(seen).toEqual([]);
  });
});
