/** DWT (DDI 0403E C1.8) with CYCCNT counting model cycles while DEMCR.TRCENA and CYCCNTENA are set; comparators are not modelled. */
import type { Peripheral, PeripheralHost } from './peripheral.ts';

const CTRL = 0x000;
const CYCCNT = 0x004;

/** NUMCOMP 4, as on the Cortex-M4. */
const CTRL_NUMCOMP = 0x4000_0000;
const CTRL_CYCCNTENA = 1;
/** NUMCOMP, NOTRCPKT, NOEXTTRIG, NOCYCCNT, NOPRFCNT: writes to them change nothing. */
const CTRL_READ_ONLY = 0xff00_0000;

export class Dwt implements Peripheral {
  readonly name = 'DWT';
  readonly base = 0xe000_1000;
  readonly bytes = 0x1000;
  private readonly host: PeripheralHost;
  private readonly traceEnabled: () => boolean;
  private enabled = false;
  /** CYCCNT when it does not count; while it counts, CYCCNT minus the cycle counter. */
  private held = 0;

  constructor(host: PeripheralHost, traceEnabled: () => boolean) {
    this.host = host;
    this.traceEnabled = traceEnabled;
  }

  reset(): void {
    this.enabled = false;
    this.held = 0;
  }

  save(): unknown {
    return { enabled: this.enabled, held: this.held };
  }

  restore(state: unknown): void {
    ({ enabled: this.enabled, held: this.held } = state as { enabled: boolean; held: number });
  }

  read(offset: number): number | null {
    switch (offset) {
      case CTRL:
        return CTRL_NUMCOMP | (this.enabled ? CTRL_CYCCNTENA : 0);
      case CYCCNT:
        return this.count();
      default:
        return null;
    }
  }

  write(offset: number, value: number): boolean {
    switch (offset) {
      case CTRL:
        this.setEnabled((value & CTRL_CYCCNTENA) !== 0 && this.traceEnabled());
        // Of what else it enables (profiling counters, trace packets) nothing is there.
        return (value & ~(CTRL_READ_ONLY | CTRL_CYCCNTENA)) === 0;
      case CYCCNT:
        this.held = this.enabled ? value - this.host.cycles() : value;
        return true;
      default:
        return false;
    }
  }

  private count(): number {
    const value = this.enabled ? this.held + this.host.cycles() : this.held;
    // Cycle counts pass 2^32 and 2^53 is far: reduce without 32-bit operators first.
    return ((value % 2 ** 32) + 2 ** 32) % 2 ** 32;
  }

  private setEnabled(enabled: boolean): void {
    if (enabled === this.enabled) return;
    const now = this.host.cycles();
    this.held = enabled ? this.held - now : this.count();
    this.enabled = enabled;
  }
}
