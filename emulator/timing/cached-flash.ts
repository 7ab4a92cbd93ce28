/**
 * Slow flash behind one cache (PSoC 6, RP2040, nRF52): a read of the flash takes wait states and brings one sector of a line. Whether the cache serves
 * instructions and data, or instructions alone, wait states and prefetch are as the chip's registers say (FlashControl). Without the cache the last sector
 * read by either side is still at hand. RAM, code that runs from it and stores add nothing.
 */
import type { FlashControl } from '../peripherals/flash-control.ts';
import { CodeBus } from './code-bus.ts';
import { FlashPort } from './flash-port.ts';
import type { MemorySystem } from './memory-system.ts';
import { SectorCache } from './sector-cache.ts';

export interface FlashCacheGeometry {
  /** Of the flash. */
  readonly start: number;
  readonly bytes: number;
  readonly cacheBytes: number;
  readonly ways: number;
  /** What one tag stands for; a multiple of what one read of the flash brings. */
  readonly lineBytes: number;
  /** Instructions and data from the flash share one bus of 32 bits. */
  readonly sharedBus: boolean;
  /** Memories with a port of their own, in the order of their slave numbers from 2 on; the flash is 1. */
  readonly slaves: readonly { readonly start: number; readonly bytes: number }[];
}

const NO_SECTOR = -1;
const BITS = 8;

export class CachedFlash implements MemorySystem {
  private readonly geometry: FlashCacheGeometry;
  private readonly control: FlashControl;
  private readonly port = new FlashPort();
  private readonly codeBus = new CodeBus();
  private cache: SectorCache;
  private sectorBytes: number;
  /** Sectors that instructions and data come from now. */
  private sector = NO_SECTOR;
  private dataSector = NO_SECTOR;
  /** Address behind the last instruction: what comes from elsewhere has been branched to. */
  private following = NO_SECTOR;

  constructor(geometry: FlashCacheGeometry, control: FlashControl) {
    this.geometry = geometry;
    this.control = control;
    this.sectorBytes = control.settings.lineBits / BITS;
    this.cache = this.emptyCache();
    control.onChange(() => {
      this.adopt();
    });
    control.onFlush(() => {
      this.flush();
    });
  }

  slaveOf(address: number): number {
    if (this.isFlash(address)) return 1;
    const index = this.geometry.slaves.findIndex(({ start, bytes }) => address >= start && address - start < bytes);
    return index < 0 ? 0 : index + 2;
  }

  fetch(address: number, bytes: number, now: number): number {
    const branched = address !== this.following;
    this.following = address + bytes;
    const first = Math.floor(address / this.sectorBytes);
    const last = Math.floor((address + bytes - 1) / this.sectorBytes);
    if (!this.isFlash(address)) {
      this.sector = NO_SECTOR;
      return 0;
    }
    const extra = this.fetchSectors(first, last, branched, now);
    if (!this.geometry.sharedBus) return extra;
    return extra + this.codeBus.fetch(address, bytes, branched, now + extra);
  }

  private fetchSectors(first: number, last: number, branched: boolean, now: number): number {
    if (last === this.sector) return 0;
    const extra = first === this.sector ? 0 : this.fetchSector(first, branched, now);
    return last === first ? extra : extra + this.fetchSector(last, false, now + extra);
  }

  access(address: number, isRead: boolean, now: number): number {
    if (!isRead || !this.isFlash(address)) return 0;
    this.codeBus.data();
    const sector = Math.floor(address / this.sectorBytes);
    const { dataCache, waitStates } = this.control.settings;
    const isThere = dataCache ? this.cache.use(sector) : sector === this.dataSector;
    this.dataSector = sector;
    return isThere || waitStates === 0 ? 0 : this.port.read(now, waitStates) - now;
  }

  countersReset(): void {
    this.port.countersReset();
    this.codeBus.countersReset();
  }

  save(): unknown {
    const { sector, dataSector, following } = this;
    return {
      own: { sector, dataSector, following },
      port: this.port.save(),
      codeBus: this.codeBus.save(),
      cache: this.cache.save(),
    };
  }

  restore(state: unknown): void {
    const { own, port, codeBus, cache } = state as {
      own: Record<string, number>;
      port: number[];
      codeBus: number[];
      cache: ReturnType<SectorCache['save']>;
    };
    this.adopt();
    Object.assign(this, own);
    this.port.restore(port);
    this.codeBus.restore(codeBus);
    this.cache.restore(cache);
  }

  private fetchSector(sector: number, branched: boolean, now: number): number {
    const { instructionCache, prefetch, waitStates } = this.control.settings;
    this.sector = sector;
    if (waitStates === 0) return 0;
    const isCached = instructionCache && this.cache.use(sector);
    const ready = isCached ? now : this.port.fetch(sector, branched, now, waitStates);
    if (prefetch && !(instructionCache && this.cache.has(sector + 1)))
      this.port.prefetch(sector + 1, ready, waitStates);
    return ready - now;
  }

  private isFlash(address: number): boolean {
    return address >= this.geometry.start && address - this.geometry.start < this.geometry.bytes;
  }

  private emptyCache(): SectorCache {
    const { cacheBytes, ways, lineBytes } = this.geometry;
    return new SectorCache(cacheBytes / lineBytes, ways, Math.max(1, lineBytes / this.sectorBytes));
  }

  private adopt(): void {
    const sectorBytes = this.control.settings.lineBits / BITS;
    if (sectorBytes === this.sectorBytes) return;
    this.sectorBytes = sectorBytes;
    this.cache = this.emptyCache();
    this.flush();
  }

  private flush(): void {
    this.cache.clear();
    this.port.forget();
    this.sector = this.dataSector = NO_SECTOR;
  }
}
