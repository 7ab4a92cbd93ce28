/**
 * Flash behind ST's adaptive real-time accelerator (RM0432 3.3.4, 3.3.5; RM0351 3.3): reads of whole lines with wait states, a cache for instructions, one
 * for data, and a prefetch of the next line. The flash has one port: what the core asks for waits its turn there, a prefetch gives way. Wait states, prefetch
 * and caches are as the firmware has set them up in FLASH_ACR. RAM and code that runs from it add nothing.
 */
import type { FlashControl, FlashSettings } from '../peripherals/flash-control.ts';
import { DataLines, NO_LINE } from './data-lines.ts';
import { LineCache } from './line-cache.ts';
import type { TranslatableMemory } from './memory-system.ts';

export interface ArtGeometry {
  /** Of the flash. */
  readonly start: number;
  readonly bytes: number;
  readonly instructionCacheBytes: number;
  readonly instructionCacheWays: number;
  /** 0: there is none. */
  readonly dataCacheBytes: number;
  readonly dataCacheWays: number;
  /** Memories with a port of their own, in the order of their slave numbers from 2 on; the flash is 1. */
  readonly slaves: readonly { readonly start: number; readonly bytes: number }[];
}

const BITS = 8;
/** Words of saveFetches() before the cache's. */
const OWN_WORDS = 5;

export class ArtMemory implements TranslatableMemory {
  readonly isTranslatable = true;
  readonly dataLines: DataLines;
  onChange: (() => void) | null = null;
  private readonly geometry: ArtGeometry;
  private readonly control: FlashControl;
  private settings: FlashSettings;
  private instructions: LineCache;
  private lineShift = 3;
  /** Line that instructions come from now. */
  private line = NO_LINE;
  private prefetched = NO_LINE;
  /** Address behind the last instruction: what comes from elsewhere has been branched to. */
  private following = NO_LINE;
  /** Counter at which the prefetched line is there, and the port is free of what the core has asked for. */
  private prefetchedAt = 0;
  private portFreeAt = 0;

  constructor(geometry: ArtGeometry, control: FlashControl) {
    this.geometry = geometry;
    this.control = control;
    this.settings = control.settings;
    this.dataLines = new DataLines(geometry, geometry.dataCacheBytes);
    this.instructions = this.reshape();
    control.onChange(() => {
      this.adopt();
    });
    control.onFlush(() => {
      this.flush();
    });
  }

  get lineBytes(): number {
    return 1 << this.lineShift;
  }

  /** The port is busy with what was asked for just before, and then the read itself. */
  get extraMax(): number {
    return 2 * this.settings.waitStates + 1;
  }

  get fetchWords(): number {
    return OWN_WORDS + this.instructions.tags.length;
  }

  slaveOf(address: number): number {
    const { start, bytes, slaves } = this.geometry;
    if (address >= start && address - start < bytes) return 1;
    for (let i = 0; i < slaves.length; i++) {
      const slave = slaves[i]!;
      if (address >= slave.start && address - slave.start < slave.bytes) return i + 2;
    }
    return 0;
  }

  fetch(address: number, bytes: number, now: number): number {
    const branched = address !== this.following;
    this.following = address + bytes;
    const first = address >>> this.lineShift;
    const last = (address + bytes - 1) >>> this.lineShift;
    if (last === this.line) return 0;
    if (!this.isFlash(address)) {
      this.line = NO_LINE;
      return 0;
    }
    const extra = first === this.line ? 0 : this.fetchLine(first, branched, now);
    return last === first ? extra : extra + this.fetchLine(last, false, now + extra);
  }

  access(address: number, isRead: boolean, now: number): number {
    if (!isRead || !this.isFlash(address) || this.dataLines.use(address)) return 0;
    return this.miss(now);
  }

  miss(now: number): number {
    const { waitStates } = this.settings;
    if (waitStates === 0) return 0;
    const ready = this.read(now);
    // A prefetch under way starts again.
    if (this.prefetched !== NO_LINE && this.prefetchedAt > now) this.prefetchedAt = ready + 1 + waitStates;
    return ready - now;
  }

  countersReset(): void {
    this.portFreeAt = this.prefetchedAt = 0;
  }

  saveFetches(words: Int32Array, now: number): void {
    words[0] = this.line;
    words[1] = this.following;
    words[2] = this.prefetched;
    // What lies in the past delays nothing.
    words[3] = this.prefetched === NO_LINE ? 0 : Math.max(this.prefetchedAt - now, 0);
    words[4] = Math.max(this.portFreeAt - now, 0);
    words.set(this.instructions.tags, OWN_WORDS);
  }

  restoreFetches(words: Int32Array, now: number): void {
    this.line = words[0]!;
    this.following = words[1]! >>> 0;
    this.prefetched = words[2]!;
    this.prefetchedAt = now + words[3]!;
    this.portFreeAt = now + words[4]!;
    const { tags } = this.instructions;
    for (let at = 0; at < tags.length; at++) tags[at] = words[OWN_WORDS + at]!;
  }

  save(): unknown {
    const { line, prefetched, following, prefetchedAt, portFreeAt } = this;
    const own = { line, prefetched, following, prefetchedAt, portFreeAt };
    return { own, instructions: this.instructions.save(), data: this.dataLines.save() };
  }

  restore(state: unknown): void {
    const { own, instructions, data } = state as {
      own: Record<string, number>;
      instructions: Int32Array;
      data: Int32Array;
    };
    this.adopt();
    Object.assign(this, own);
    this.instructions.restore(instructions);
    this.dataLines.restore(data);
  }

  private fetchLine(line: number, branched: boolean, now: number): number {
    const { instructionCache, prefetch, waitStates } = this.settings;
    this.line = line;
    if (waitStates === 0) return 0;
    const isCached = instructionCache && this.instructions.use(line);
    const ready = isCached ? now : this.readyAt(line, branched, now);
    if (prefetch && this.prefetched !== line + 1 && !(instructionCache && this.instructions.has(line + 1))) {
      this.prefetched = line + 1;
      this.prefetchedAt = ready + 1 + waitStates;
    }
    return ready - now;
  }

  /** Counter at which a line is there that is in no cache. */
  private readyAt(line: number, branched: boolean, now: number): number {
    // A branch asks for its target when it is known; in a straight line the queue asks just as late once it is full.
    const wasPrefetched = this.settings.prefetch && !branched && this.prefetched === line;
    return wasPrefetched ? Math.max(this.prefetchedAt, now) : this.read(now);
  }

  /** Counter at which a read of the flash that is asked for at `now` is there. */
  private read(now: number): number {
    const ready = Math.max(now, this.portFreeAt) + this.settings.waitStates;
    this.portFreeAt = ready + 1;
    return ready;
  }

  private isFlash(address: number): boolean {
    return address >= this.geometry.start && address - this.geometry.start < this.geometry.bytes;
  }

  /** Caches as the lines are long now, empty. */
  private reshape(): LineCache {
    const { instructionCacheBytes, instructionCacheWays, dataCacheWays } = this.geometry;
    const lineBytes = this.settings.lineBits / BITS;
    this.lineShift = Math.log2(lineBytes);
    const lines = instructionCacheBytes / lineBytes;
    this.dataLines.shape(lineBytes, dataCacheWays);
    this.dataLines.enable(this.settings.dataCache);
    return new LineCache(lines, Math.min(instructionCacheWays, lines));
  }

  private adopt(): void {
    const { settings: before } = this;
    const { settings } = this.control;
    if (settings === before) return;
    this.settings = settings;
    if (settings.lineBits !== before.lineBits) {
      this.instructions = this.reshape();
      this.flush();
    }
    // What has been read past a cache is not in it.
    if (settings.instructionCache !== before.instructionCache) this.line = NO_LINE;
    if (settings.dataCache !== before.dataCache) this.dataLines.enable(settings.dataCache);
    this.onChange?.();
  }

  private flush(): void {
    this.instructions.clear();
    this.dataLines.clear();
    this.line = this.prefetched = NO_LINE;
  }
}
