/**
 * System control block of Armv6-M and v8-M Baseline (DDI 0419C B3.2, DDI 0553B D1.2): HardFault is the only fault, so there are no status
 * and address registers of faults, no priority groups, and only SVCall, PendSV and SysTick have a priority. What is absent reads as 0 and ignores
 * writes.
 */
import type { Core } from '../cores/core.ts';
import { isV8 } from '../cores/core-facts.ts';
import type { ExceptionHost } from './peripheral.ts';
import { SystemControlBlock, type ControlBlockOptions } from './system-control-block.ts';

const CPUID = 0xd00;
const ICSR = 0xd04;
const VTOR = 0xd08;
const AIRCR = 0xd0c;
const SCR = 0xd10;
const CCR = 0xd14;
const SHPR2 = 0xd1c;
const SHPR3 = 0xd20;
const SHCSR = 0xd24;

const ALL = 0xffff_ffff;
const AIRCR_PRIGROUP = 0x700;
/** SHCSR without the three configurable faults and the debug monitor. */
const SHCSR_BITS = 0x8c80;
const ICSR_RETTOBASE = 1 << 11;

export class BaselineControlBlock extends SystemControlBlock {
  /** Bits that exist in each register; the others have none. */
  private readonly bits: ReadonlyMap<number, number>;

  constructor(host: ExceptionHost, options: ControlBlockOptions, core: Core) {
    super(host, options);
    const v8 = isV8(core);
    this.bits = new Map([
      [CPUID, ALL],
      [ICSR, v8 ? ALL : ALL & ~ICSR_RETTOBASE],
      [VTOR, core.hasVtor ? ALL : 0],
      [AIRCR, ALL & ~AIRCR_PRIGROUP],
      [SCR, ALL],
      [CCR, ALL],
      [SHPR2, 0xff00_0000],
      [SHPR3, 0xffff_0000],
      [SHCSR, v8 ? SHCSR_BITS : 0],
    ]);
  }

  override read(offset: number): number {
    return (super.read(offset) & (this.bits.get(offset) ?? 0)) >>> 0;
  }

  override write(offset: number, value: number, bytes?: 1 | 2 | 4, lanes?: number): boolean {
    const bits = this.bits.get(offset) ?? 0;
    // CCR has nothing to write: what it shows is always 1.
    if (bits === 0 || offset === CCR) return true;
    return super.write(offset, (value & bits) >>> 0, bytes, lanes);
  }
}
