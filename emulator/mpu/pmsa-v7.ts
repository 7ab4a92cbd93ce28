/** Regions of PMSAv7 (DDI 0403E B3.5.6 to B3.5.9): powers of two with eight subregions; the highest-numbered match decides. */
import { EXECUTE, READ, RegionRegisters, WRITE, type RegionSet } from './region-set.ts';

const ENABLE = 1;
const EXECUTE_NEVER = 1 << 28;
const RBAR_VALID = 1 << 4;
const RBAR_REGION = 0xf;
/** SIZE below this is reserved: regions have at least 32 bytes. */
const SIZE_MIN = 4;
/** Regions of at least 256 bytes have subregions. */
const SUBREGION_SIZE_MIN = 7;
const RASR_WRITABLE = 0x173f_ff3f;

/** By AP (RASR[26:24]): what privileged and what other code may do (table B3-15). Reserved: nothing. */
const ACCESS: readonly (readonly [number, number])[] = [
  [0, 0],
  [READ | WRITE, 0],
  [READ | WRITE, READ],
  [READ | WRITE, READ | WRITE],
  [0, 0],
  [READ, 0],
  [READ, READ],
  [READ, READ],
];

export class PmsaV7Regions extends RegionRegisters implements RegionSet {
  readonly hasAttributes = false;

  read(region: number, second: boolean): number {
    if (region >= this.count) return 0;
    if (second) return this.second[region] ?? 0;
    return ((this.base[region] ?? 0) | (region & RBAR_REGION)) >>> 0;
  }

  write(region: number, second: boolean, value: number, number: number): number {
    if (second) {
      if (region < this.count) this.second[region] = value & RASR_WRITABLE;
      return number;
    }
    const target = (value & RBAR_VALID) !== 0 ? value & RBAR_REGION : region;
    if (target < this.count) this.base[target] = value & ~0x1f;
    return (value & RBAR_VALID) !== 0 ? target : number;
  }

  permissions(address: number, privileged: boolean): number | null {
    for (let region = this.count - 1; region >= 0; region--) {
      const attributes = this.second[region] ?? 0;
      if ((attributes & ENABLE) === 0 || !this.covers(region, attributes, address)) continue;
      const [forPrivileged, forUser] = ACCESS[(attributes >>> 24) & 7] ?? [0, 0];
      const access = privileged ? forPrivileged : forUser;
      const executes = (access & READ) !== 0 && (attributes & EXECUTE_NEVER) === 0;
      return executes ? access | EXECUTE : access;
    }
    return null;
  }

  edges(): number[] {
    return Array.from({ length: this.count }, (_, region) => region).flatMap((region) => {
      const attributes = this.second[region] ?? 0;
      if ((attributes & ENABLE) === 0) return [];
      const bytes = 2 ** (((attributes >>> 1) & 0x1f) + 1);
      const base = this.base[region] ?? 0;
      // Of its subregions, whether it has any or not.
      return Array.from({ length: 9 }, (_, eighth) => base - (base % bytes) + (eighth * bytes) / 8);
    });
  }

  private covers(region: number, attributes: number, address: number): boolean {
    const sizeField = (attributes >>> 1) & 0x1f;
    if (sizeField < SIZE_MIN) return false;
    const bytes = 2 ** (sizeField + 1);
    const base = this.base[region] ?? 0;
    const start = base - (base % bytes);
    if (address < start || address - start >= bytes) return false;
    if (sizeField < SUBREGION_SIZE_MIN) return true;
    const subregion = Math.floor(((address - start) * 8) / bytes);
    return ((attributes >>> (8 + subregion)) & 1) === 0;
  }
}
