/**
 * Memory protection unit: its registers as firmware sees them, and what they allow. PMSAv7 (DDI 0403E B3.5) and PMSAv8 (DDI 0553 B8)
 * share control, region number and the rule that everything is asked per 32 bytes, the smallest region; each has its own regions.
 */
import type { AccessKind, LeavesOpen } from '../cpu/cpu.ts';
import type { Stateful } from '../state/stateful.ts';
import { EXECUTE, READ, WRITE, type RegionSet } from './region-set.ts';

/** Offsets from MPU_TYPE, 0xE000ED90. */
const offset = { type: 0, control: 4, number: 8, firstPair: 0xc, attributes: 0x30 } as const;
/** RBAR with RASR or RLAR, and three aliases of both. */
const PAIRS_BYTES = 4 * 8;
const ENABLE = 1;
const FAULTS_PROTECTED = 2;
const DEFAULT_FOR_PRIVILEGED = 4;
const GRANULE_BITS = 5;
/** Private peripheral bus: not protected (B3.5.1). */
const isPrivateBus = (address: number): boolean => address >>> 20 === 0xe00;
/** From here on the default map never executes, and neither do peripherals and external devices (B3.1). */
const isExecuteNever = (address: number): boolean =>
  (address >= 0x4000_0000 && address < 0x6000_0000) || address >= 0xa000_0000;

const CACHE_ENTRIES = 1024;
const NEEDED: Readonly<Record<AccessKind, number>> = { read: READ, write: WRITE, fetch: EXECUTE };

interface MpuSnapshot {
  readonly control: number;
  readonly number: number;
  readonly attributes: readonly number[];
  readonly regions: unknown;
}

export class Mpu implements Stateful {
  private readonly regions: RegionSet;
  private control = 0;
  private number = 0;
  /** MAIR0, MAIR1 of PMSAv8: kept, memory attributes change nothing here. */
  private attributes: number[] = [0, 0];
  /** Granule and privilege of what `allowed` holds; direct-mapped. */
  private readonly tags = new Int32Array(CACHE_ENTRIES).fill(-1);
  /** What leavesOpen() has found since the last write: unprivileged, privileged. */
  private open: [boolean | null, boolean | null] = [null, null];
  private readonly allowed = new Uint8Array(CACHE_ENTRIES);

  constructor(regions: RegionSet) {
    this.regions = regions;
  }

  isEnabled(): boolean {
    return (this.control & ENABLE) !== 0;
  }

  /** Whether it also acts in HardFault, NMI and under FAULTMASK (HFNMIENA). */
  protectsFaultHandlers(): boolean {
    return (this.control & FAULTS_PROTECTED) !== 0;
  }

  /** Only asked while it is enabled. @param bytes 1 to 4 */
  allows(access: AccessKind, address: number, bytes: number, privileged: boolean): boolean {
    const needed = NEEDED[access];
    const last = (address + bytes - 1) >>> 0;
    if ((this.permissions(address, privileged) & needed) !== needed) return false;
    return (
      address >>> GRANULE_BITS === last >>> GRANULE_BITS || (this.permissions(last, privileged) & needed) === needed
    );
  }

  /** Only asked while it is enabled: whether programs may do to all of the memories what programs do; the same memories every time. */
  leavesOpen(memories: Parameters<LeavesOpen>[0], privileged: boolean): boolean {
    const index = privileged ? 1 : 0;
    return (this.open[index] ??= memories.every(({ start, bytes, writable }) => {
      const needed = writable ? READ | WRITE : READ | EXECUTE;
      const edges = this.regions.edges().filter((edge) => edge > start && edge < start + bytes);
      return [start, ...edges].every((address) => (this.lookUp(address, privileged) & needed) === needed);
    }));
  }

  read(at: number): number {
    const pair = pairOf(at);
    if (pair !== null) return this.regions.read(this.regionAt(pair.alias), pair.second);
    switch (at) {
      case offset.type:
        return this.regions.count << 8;
      case offset.control:
        return this.control;
      case offset.number:
        return this.number;
      default:
        return this.regions.hasAttributes ? (this.attributes[(at - offset.attributes) / 4] ?? 0) : 0;
    }
  }

  write(at: number, value: number): void {
    if (this.regions.count === 0) return; // no MPU: all its registers are 0
    const pair = pairOf(at);
    if (pair !== null) this.number = this.regions.write(this.regionAt(pair.alias), pair.second, value, this.number);
    else if (at === offset.control) this.control = value & (ENABLE | FAULTS_PROTECTED | DEFAULT_FOR_PRIVILEGED);
    else if (at === offset.number) this.number = value & 0xff;
    else if (at >= offset.attributes && this.regions.hasAttributes)
      this.attributes[(at - offset.attributes) / 4] = value >>> 0;
    this.forget();
  }

  reset(): void {
    this.control = 0;
    this.number = 0;
    this.attributes = [0, 0];
    this.regions.reset();
    this.forget();
  }

  save(): MpuSnapshot {
    const { control, number, attributes } = this;
    return { control, number, attributes: [...attributes], regions: this.regions.save() };
  }

  restore(state: unknown): void {
    const { control, number, attributes, regions } = state as MpuSnapshot;
    this.control = control;
    this.number = number;
    this.attributes = [...attributes];
    this.regions.restore(regions);
    this.forget();
  }

  private forget(): void {
    this.tags.fill(-1);
    this.open = [null, null];
  }

  /** Region of an alias: RBAR_A1 is the one after RNR, rounded down to 4, in PMSAv8; in PMSAv7 all are RNR's. */
  private regionAt(alias: number): number {
    return this.regions.hasAttributes && alias > 0 ? (this.number & ~3) + alias : this.number;
  }

  private permissions(address: number, privileged: boolean): number {
    const tag = (address >>> GRANULE_BITS) * 2 + (privileged ? 1 : 0);
    const slot = (tag ^ (tag >>> 10)) & (CACHE_ENTRIES - 1);
    if (this.tags[slot] === tag) return this.allowed[slot] ?? 0;
    const permissions = this.lookUp(address, privileged);
    this.tags[slot] = tag;
    this.allowed[slot] = permissions;
    return permissions;
  }

  private lookUp(address: number, privileged: boolean): number {
    if (isPrivateBus(address)) return READ | WRITE;
    const background = privileged && (this.control & DEFAULT_FOR_PRIVILEGED) !== 0;
    const found = this.regions.permissions(address, privileged) ?? (background ? READ | WRITE | EXECUTE : 0);
    return isExecuteNever(address) ? found & ~EXECUTE : found;
  }
}

function pairOf(at: number): { alias: number; second: boolean } | null {
  const within = at - offset.firstPair;
  if (within < 0 || within >= PAIRS_BYTES) return null;
  return { alias: within >> 3, second: (within & 4) !== 0 };
}
