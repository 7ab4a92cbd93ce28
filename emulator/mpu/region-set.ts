/** The regions of a memory protection unit, as its two architectures describe them. */
import type { Stateful } from '../state/stateful.ts';

/** What a region allows. */
export const READ = 1;
export const WRITE = 2;
export const EXECUTE = 4;

export interface RegionSet extends Stateful {
  readonly count: number;
  /** Has MAIR registers and region aliases of its own (PMSAv8). */
  readonly hasAttributes: boolean;
  /** RBAR, or with `second` RASR or RLAR, of a region; 0 where there is none. */
  read(region: number, second: boolean): number;
  /** Returns the new region number: RBAR of PMSAv7 may set it. */
  write(region: number, second: boolean, value: number, number: number): number;
  /** READ, WRITE, EXECUTE at an address, or null when no region covers it. */
  permissions(address: number, privileged: boolean): number | null;
  /** Addresses at which permissions may change, besides 0; in no order. */
  edges(): number[];
  reset(): void;
}

/** The two registers of every region, kept as written. */
export class RegionRegisters {
  readonly count: number;
  readonly base: Uint32Array;
  readonly second: Uint32Array;

  constructor(count: number) {
    this.count = count;
    this.base = new Uint32Array(count);
    this.second = new Uint32Array(count);
  }

  reset(): void {
    this.base.fill(0);
    this.second.fill(0);
  }

  save(): unknown {
    return { base: this.base.slice(), second: this.second.slice() };
  }

  restore(state: unknown): void {
    const { base, second } = state as { base: Uint32Array; second: Uint32Array };
    this.base.set(base);
    this.second.set(second);
  }
}
