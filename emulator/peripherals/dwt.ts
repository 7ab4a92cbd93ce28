/**
 * DWT (DDI 0403E C1.8, DDI 0419C C1.8, DDI 0553B D1.2): CYCCNT counts model cycles while DEMCR.TRCENA and CYCCNTENA are set, the comparators stop
 * the core. Armv6-M and v8-M Baseline have no cycle counter. The profiling counters and the packets of the trace port are not modelled.
 */
import { DwtComparators, type DwtFormat } from './dwt-comparators.ts';
import type { Peripheral, PeripheralHost } from './peripheral.ts';

const CTRL = 0x000;
const CYCCNT = 0x004;
/** CoreSight's lock (DDI 0403E C1.11.1): taken, and never closed, so that LSR reads as 0. */
const LAR = 0xfb0;
const LSR = 0xfb4;

/** DWT_COMP0. */
const COMPARATORS = 0x020;

/** NOTRCPKT, NOEXTTRIG, NOCYCCNT, NOPRFCNT: all of them, where there is no cycle counter. */
const CTRL_NONE = 0x0f00_0000;
const CTRL_CYCCNTENA = 1;
/** NUMCOMP, NOTRCPKT, NOEXTTRIG, NOCYCCNT, NOPRFCNT: writes to them change nothing. */
const CTRL_READ_ONLY = 0xff00_0000;

export interface DwtFacts extends DwtFormat {
  readonly hasCycleCounter: boolean;
}

interface DwtSnapshot {
  readonly enabled: boolean;
  readonly held: number;
  readonly comparators: unknown;
}

export class Dwt implements Peripheral {
  readonly name = 'DWT';
  readonly base = 0xe000_1000;
  readonly bytes = 0x1000;
  private readonly host: PeripheralHost;
  private readonly traceEnabled: () => boolean;
  private readonly facts: DwtFacts;
  private readonly comparators: DwtComparators;
  private enabled = false;
  /** CYCCNT when it does not count; while it counts, CYCCNT minus the cycle counter. */
  private held = 0;

  constructor(host: PeripheralHost, traceEnabled: () => boolean, facts: DwtFacts) {
    this.host = host;
    this.traceEnabled = traceEnabled;
    this.facts = facts;
    this.comparators = new DwtComparators(
      facts,
      () => this.updateWatchpoints(),
      (cause) => host.note(cause),
    );
  }

  reset(): void {
    this.enabled = false;
    this.held = 0;
    this.comparators.reset();
    this.updateWatchpoints();
  }

  save(): DwtSnapshot {
    return { enabled: this.enabled, held: this.held, comparators: this.comparators.save() };
  }

  restore(state: unknown): void {
    const { enabled, held, comparators } = state as DwtSnapshot;
    [this.enabled, this.held] = [enabled, held];
    this.comparators.restore(comparators);
    this.updateWatchpoints();
  }

  /** Also after a change of DEMCR.TRCENA, without which nothing is watched. */
  updateWatchpoints(): void {
    const watchpoints = this.traceEnabled() ? this.comparators.watchpoints() : [];
    this.host.exceptions?.debug.setWatchpoints(watchpoints);
  }

  read(offset: number): number | null {
    switch (offset) {
      case CTRL:
        return this.identity() | (this.enabled ? CTRL_CYCCNTENA : 0);
      case CYCCNT:
        return this.facts.hasCycleCounter ? this.count() : null;
      case LSR:
        return 0;
      default:
        return offset >= COMPARATORS ? this.comparators.read(offset - COMPARATORS) : null;
    }
  }

  write(offset: number, value: number): boolean {
    switch (offset) {
      case CTRL:
        if (!this.facts.hasCycleCounter) return true;
        this.setEnabled((value & CTRL_CYCCNTENA) !== 0 && this.traceEnabled());
        // Of what else it enables (profiling counters, trace packets) nothing is there.
        return (value & ~(CTRL_READ_ONLY | CTRL_CYCCNTENA)) === 0;
      case CYCCNT:
        if (!this.facts.hasCycleCounter) return false;
        this.held = this.enabled ? value - this.host.cycles() : value;
        return true;
      case LAR:
        return true;
      default:
        return offset >= COMPARATORS && this.comparators.write(offset - COMPARATORS, value);
    }
  }

  private identity(): number {
    const { comparators, hasCycleCounter } = this.facts;
    return (comparators << 28) | (hasCycleCounter ? 0 : CTRL_NONE);
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
