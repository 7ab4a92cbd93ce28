/**
 * Flash patch and breakpoint unit: the comparators that stop the core in front of an instruction. Version 1 (Cortex-M3, M4, and as BPU
 * M0 and M0+: DDI 0403E C1.11, DDI 0419C C1.9) knows words below 0x20000000 and which half of each; version 2 (M7, M23, M33: DDI 0553B D1.2)
 * any address. Remapping, which only version 1 has, is not modelled.
 */
import { RegisterFile, type PeripheralHost } from './peripheral.ts';

const CTRL = 0x000;
const REMAP = 0x004;
const COMP0 = 0x008;

const CTRL_ENABLE = 1;
const CTRL_KEY = 2;
const COMP_ENABLE = 1;
/** Both halves of the word, by REPLACE; 0 would remap it. */
const halves: readonly (readonly number[])[] = [[], [0], [2], [0, 2]];

export interface FpbFacts {
  readonly version: 1 | 2;
  readonly comparators: number;
  /** Version 1, for remapped literals: they break nothing. */
  readonly literals: number;
  /** Absent in a BPU. */
  readonly hasRemap: boolean;
}

export class Fpb extends RegisterFile {
  private readonly host: PeripheralHost;
  private readonly facts: FpbFacts;

  constructor(host: PeripheralHost, facts: FpbFacts) {
    super('FPB', 0xe000_2000, 0x1000, []);
    this.host = host;
    this.facts = facts;
  }

  override reset(): void {
    super.reset();
    this.apply();
  }

  /** Breakpoints are the debugger's: only power-on removes them (DDI 0403E C1.11.2). */
  systemReset(): void {
    return;
  }

  override restore(state: unknown): void {
    super.restore(state);
    this.apply();
  }

  override read(offset: number): number | null {
    const { version, comparators, literals, hasRemap } = this.facts;
    // NUM_CODE is split over bits 14..12 and 7..4, NUM_LIT is in 11..8, REV in 31..28.
    const identity = ((version - 1) << 28) | (comparators << 4) | (literals << 8);
    if (offset === CTRL) return (identity | (this.get(CTRL) & CTRL_ENABLE)) >>> 0;
    // RMPSPT.
    if (offset === REMAP) return hasRemap ? 0x2000_0000 | this.get(REMAP) : 0;
    return this.comparatorAt(offset) === null ? null : this.get(offset);
  }

  override write(offset: number, value: number): boolean {
    if (offset === CTRL) {
      if ((value & CTRL_KEY) !== 0) super.write(CTRL, value & CTRL_ENABLE);
    } else if (offset === REMAP) super.write(REMAP, this.facts.hasRemap ? value & 0x1fff_ffe0 : 0);
    else if (this.comparatorAt(offset) === null) return false;
    // Version 1: REPLACE, COMP, ENABLE.
    else super.write(offset, (this.facts.version === 1 ? value & 0xdfff_fffd : value) >>> 0);
    this.apply();
    return true;
  }

  private comparatorAt(offset: number): number | null {
    const index = (offset - COMP0) / 4;
    return index >= 0 && index < this.facts.comparators + this.facts.literals ? index : null;
  }

  private apply(): void {
    const { version, comparators, literals } = this.facts;
    const addresses = new Set<number>();
    if ((this.get(CTRL) & CTRL_ENABLE) !== 0) {
      for (let index = 0; index < comparators + literals; index++) {
        const word = this.get(COMP0 + 4 * index);
        if ((word & COMP_ENABLE) === 0) continue;
        if (version === 2) addresses.add((word & ~1) >>> 0);
        else if (index >= comparators || word >>> 30 === 0)
          this.host.note(`FPB comparator ${index} remaps an address, which is not modelled`);
        else for (const half of halves[word >>> 30] ?? []) addresses.add((word & 0x1fff_fffc) + half);
      }
    }
    this.host.exceptions?.debug.setBreakpoints(addresses);
  }
}
