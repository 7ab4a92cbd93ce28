/**
 * Slow flash behind one cache (PSoC 6, RP2040, nRF52): a read of the flash takes wait states and brings one sector of a line. Whether the cache serves
 * instructions and data, or instructions alone, wait states and prefetch are as the chip's registers say (FlashControl). Without the cache the last sector
 * read by either side is still at hand. RAM, code that runs from it and stores add nothing. Translated code counts it where data is not cached.
 */
import type { FlashControl, FlashSettings } from '../peripherals/flash-control.ts';
import { CodeBus } from './code-bus.ts';
import { DataLines, LINE_BYTES_MIN } from './data-lines.ts';
import { FlashPort, PORT_WORDS } from './flash-port.ts';
import { LineCache } from './line-cache.ts';
import type { TranslatableMemory } from './memory-system.ts';
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
/** Words of saveFetches() before the port's and the cache's. */
const OWN_WORDS = 2;

export class CachedFlash implements TranslatableMemory {
  /** The sector that data comes from now, where it is not cached. */
  readonly dataLines: DataLines;
  onChange: (() => void) | null = null;
  private readonly geometry: FlashCacheGeometry;
  private readonly control: FlashControl;
  private readonly port = new FlashPort();
  private readonly codeBus = new CodeBus();
  private cache: SectorCache | LineCache;
  private settings: FlashSettings;
  private sectorBytes: number;
  /** Sector that instructions come from now. */
  private sector = NO_SECTOR;
  /** Address behind the last instruction: what comes from elsewhere has been branched to. */
  private following = NO_SECTOR;

  constructor(geometry: FlashCacheGeometry, control: FlashControl) {
    this.geometry = geometry;
    this.control = control;
    this.settings = control.settings;
    this.sectorBytes = this.settings.lineBits / BITS;
    this.cache = this.emptyCache();
    this.dataLines = new DataLines(geometry, 0);
    this.dataLines.shape(this.sectorBytes, 1);
    control.onChange(() => {
      this.adopt();
    });
    control.onFlush(() => {
      this.flush();
    });
  }

  get isTranslatable(): boolean {
    const { cache, sectorBytes, settings, geometry } = this;
    const isPlain = cache instanceof LineCache && sectorBytes >= LINE_BYTES_MIN;
    return isPlain && !settings.dataCache && !geometry.sharedBus;
  }

  get lineBytes(): number {
    return this.sectorBytes;
  }

  /** The port is busy with what was asked for just before, and then the read itself. */
  get extraMax(): number {
    return 2 * this.settings.waitStates + 1;
  }

  get fetchWords(): number {
    return OWN_WORDS + PORT_WORDS + (this.cache instanceof LineCache ? this.cache.tags.length : 0);
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
    const isLast = this.dataLines.use(address);
    const isThere = this.settings.dataCache ? this.cache.use(Math.floor(address / this.sectorBytes)) : isLast;
    return isThere ? 0 : this.miss(now);
  }

  miss(now: number): number {
    const { waitStates } = this.settings;
    return waitStates === 0 ? 0 : this.port.read(now, waitStates) - now;
  }

  saveFetches(words: Int32Array, now: number): void {
    words[0] = this.sector;
    words[1] = this.following;
    this.port.saveWords(words, OWN_WORDS, now);
    if (this.cache instanceof LineCache) words.set(this.cache.tags, OWN_WORDS + PORT_WORDS);
  }

  restoreFetches(words: Int32Array, now: number): void {
    this.sector = words[0]!;
    this.following = words[1]! >>> 0;
    this.port.restoreWords(words, OWN_WORDS, now);
    if (!(this.cache instanceof LineCache)) return;
    const { tags } = this.cache;
    for (let at = 0; at < tags.length; at++) tags[at] = words[OWN_WORDS + PORT_WORDS + at]!;
  }

  countersReset(): void {
    this.port.countersReset();
    this.codeBus.countersReset();
  }

  save(): unknown {
    const { sector, following } = this;
    return {
      own: { sector, following },
      data: this.dataLines.save(),
      port: this.port.save(),
      codeBus: this.codeBus.save(),
      cache: this.cache.save(),
    };
  }

  restore(state: unknown): void {
    const { own, data, port, codeBus, cache } = state as {
      own: Record<string, number>;
      data: Int32Array;
      port: number[];
      codeBus: number[];
      cache: unknown;
    };
    this.adopt();
    Object.assign(this, own);
    this.port.restore(port);
    this.codeBus.restore(codeBus);
    this.dataLines.restore(data);
    if (this.cache instanceof LineCache) this.cache.restore(cache as Int32Array);
    else this.cache.restore(cache as ReturnType<SectorCache['save']>);
  }

  private fetchSector(sector: number, branched: boolean, now: number): number {
    const { instructionCache, prefetch, waitStates } = this.settings;
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

  private emptyCache(): SectorCache | LineCache {
    const { cacheBytes, ways, lineBytes } = this.geometry;
    if (lineBytes <= this.sectorBytes) return new LineCache(cacheBytes / lineBytes, ways);
    return new SectorCache(cacheBytes / lineBytes, ways, lineBytes / this.sectorBytes);
  }

  private adopt(): void {
    const { settings } = this.control;
    if (settings === this.settings) return;
    this.settings = settings;
    const sectorBytes = settings.lineBits / BITS;
    if (sectorBytes !== this.sectorBytes) {
      this.sectorBytes = sectorBytes;
      this.cache = this.emptyCache();
      this.dataLines.shape(sectorBytes, 1);
      this.flush();
    }
    this.onChange?.();
  }

  private flush(): void {
    this.cache.clear();
    this.port.forget();
    this.dataLines.clear();
    this.sector = NO_SECTOR;
  }
}
