/** Regions of PMSAv8 (DDI 0553 B8.3): base and limit; an address in more than one of them is refused. */
import { EXECUTE, READ, RegionRegisters, WRITE, type RegionSet } from './region-set.ts';

const ENABLE = 1;
const EXECUTE_NEVER = 1;

/** By AP (RBAR[2:1]): what privileged and what other code may do. */
const ACCESS: readonly (readonly [number, number])[] = [
  [READ | WRITE, 0],
  [READ | WRITE, READ | WRITE],
  [READ, 0],
  [READ, READ],
];

export class PmsaV8Regions extends RegionRegisters implements RegionSet {
  readonly hasAttributes = true;

  read(region: number, second: boolean): number {
    return (second ? this.second[region] : this.base[region]) ?? 0;
  }

  write(region: number, second: boolean, value: number, number: number): number {
    if (region >= this.count) return number;
    // RLAR bit 4 is reserved before Armv8.1-M.
    if (second) this.second[region] = value & ~0x10;
    else this.base[region] = value;
    return number;
  }

  edges(): number[] {
    const starts = [...this.base].map((base) => (base & ~0x1f) >>> 0);
    const ends = [...this.second].map((limit) => ((limit | 0x1f) >>> 0) + 1);
    return [...starts, ...ends];
  }

  permissions(address: number, privileged: boolean): number | null {
    let found: number | null = null;
    for (let region = 0; region < this.count; region++) {
      const limit = this.second[region] ?? 0;
      if ((limit & ENABLE) === 0) continue;
      const base = this.base[region] ?? 0;
      if (address < (base & ~0x1f) >>> 0 || address > (limit | 0x1f) >>> 0) continue;
      if (found !== null) return 0;
      const [forPrivileged, forUser] = ACCESS[(base >>> 1) & 3] ?? [0, 0];
      const access = privileged ? forPrivileged : forUser;
      found = (access & READ) !== 0 && (base & EXECUTE_NEVER) === 0 ? access | EXECUTE : access;
    }
    return found;
  }
}
