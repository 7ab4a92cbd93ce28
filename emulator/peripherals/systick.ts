/** SysTick (DDI 0403E B3.3): a 24-bit down counter on model cycles. Enabling its interrupt on an engine without exceptions ends the run. */
import { exception } from '../exceptions/exception.ts';
import type { Peripheral, PeripheralHost } from './peripheral.ts';

const CSR = 0x0;
const RVR = 0x4;
const CVR = 0x8;
const CALIB = 0xc;

const CSR_ENABLE = 1 << 0;
const CSR_TICKINT = 1 << 1;
const CSR_CLKSOURCE = 1 << 2;
const CSR_COUNTFLAG = 1 << 16;
/** No reference clock, skewed, no calibration value. */
const CALIB_VALUE = 0xc000_0000;
const MASK = 0xff_ffff;

export class SysTick implements Peripheral {
  readonly name = 'SysTick';
  readonly base = 0xe000_e010;
  readonly bytes = 0x10;
  private readonly host: PeripheralHost;
  private csr = 0;
  private reload = 0;
  /** Counter value at startCycle, when the counter was last written, started or read for its flag. */
  private startValue = 0;
  private startCycle = 0;
  /** Wraps already reported through COUNTFLAG. */
  private wrapsSeen = 0;
  /** COUNTFLAG from before startCycle. */
  private flagged = false;
  /** Wraps that have made the exception pending. */
  private wrapsPended = 0;

  constructor(host: PeripheralHost) {
    this.host = host;
  }

  reset(): void {
    this.csr = this.reload = this.startValue = this.startCycle = this.wrapsSeen = this.wrapsPended = 0;
    this.flagged = false;
  }

  save(): unknown {
    const { csr, reload, startValue, startCycle, wrapsSeen, wrapsPended, flagged } = this;
    return { csr, reload, startValue, startCycle, wrapsSeen, wrapsPended, flagged };
  }

  restore(state: unknown): void {
    const { csr, reload, startValue, startCycle, wrapsSeen, wrapsPended, flagged } = state as SysTick;
    Object.assign(this, { csr, reload, startValue, startCycle, wrapsSeen, wrapsPended, flagged });
  }

  read(offset: number): number | null {
    switch (offset) {
      case CSR: {
        const wraps = this.position().wraps;
        const flag = this.flagged || wraps > this.wrapsSeen ? CSR_COUNTFLAG : 0;
        this.flagged = false;
        this.wrapsSeen = wraps;
        return this.csr | CSR_CLKSOURCE | flag;
      }
      case RVR:
        return this.reload;
      case CVR:
        return this.position().value;
      case CALIB:
        return CALIB_VALUE;
      default:
        return null;
    }
  }

  write(offset: number, value: number): boolean {
    const isKnown = this.writeRegister(offset, value);
    this.host.reschedule();
    return isKnown;
  }

  private writeRegister(offset: number, value: number): boolean {
    switch (offset) {
      case CSR:
        if (this.host.exceptions === null && (value & (CSR_ENABLE | CSR_TICKINT)) === (CSR_ENABLE | CSR_TICKINT)) {
          this.host.fail('SysTick interrupt enabled (SYST_CSR.TICKINT); exceptions are not modelled by this engine');
        }
        this.restart(this.position().value);
        this.csr = value & (CSR_ENABLE | CSR_TICKINT);
        return true;
      case RVR:
        this.restart(this.position().value);
        this.reload = value & MASK;
        return true;
      case CVR:
        this.restart(0); // any write clears the counter and the flag
        this.flagged = false;
        return true;
      default:
        return offset === CALIB;
    }
  }

  /** The count reaches 0 with the interrupt enabled. */
  nextEvent(): number {
    if ((this.csr & (CSR_ENABLE | CSR_TICKINT)) !== (CSR_ENABLE | CSR_TICKINT)) return Infinity;
    if (this.reload === 0)
      return this.startValue > 0 && this.wrapsPended === 0 ? this.startCycle + this.startValue : Infinity;
    const period = this.reload + 1;
    const first = this.startCycle + (this.startValue > 0 ? this.startValue : period);
    return first + this.wrapsPended * period;
  }

  advance(): void {
    const { wraps } = this.position();
    if (wraps <= this.wrapsPended) return;
    this.wrapsPended = wraps;
    if ((this.csr & CSR_TICKINT) === 0) return;
    this.host.exceptions?.state.setPending(exception.sysTick, true);
    this.host.exceptions?.changed();
  }

  /** Counts on from `value`; what happened until now is done and remembered. */
  private restart(value: number): void {
    this.advance();
    this.flagged ||= this.position().wraps > this.wrapsSeen;
    this.startValue = value;
    this.startCycle = this.host.cycles();
    this.wrapsSeen = 0;
    this.wrapsPended = 0;
  }

  /** Counter value and how often it has reached 0 since it was restarted. From 0 the next cycle loads RVR. */
  private position(): { value: number; wraps: number } {
    if ((this.csr & CSR_ENABLE) === 0) return { value: this.startValue, wraps: 0 };
    const elapsed = this.host.cycles() - this.startCycle;
    if (elapsed <= this.startValue)
      return { value: this.startValue - elapsed, wraps: elapsed === this.startValue && elapsed > 0 ? 1 : 0 };
    // RVR 0 stops the counter at its next 0 (B3.3.4).
    if (this.reload === 0) return { value: 0, wraps: this.startValue > 0 ? 1 : 0 };
    const period = this.reload + 1;
    const since = elapsed - this.startValue - 1;
    return {
      value: this.reload - (since % period),
      wraps: (this.startValue > 0 ? 1 : 0) + Math.floor((since + 1) / period),
    };
  }
}
