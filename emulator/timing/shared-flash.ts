/**
 * Flash without wait states whose one port serves instructions and data: it adds nothing itself, it tells the pipeline which loads take the place of a fetch
 * (shared-port.ts). All its lines are at hand.
 */
import { DataLines } from './data-lines.ts';
import type { TranslatableMemory } from './memory-system.ts';

export class SharedFlash implements TranslatableMemory {
  readonly isTranslatable = true;
  readonly dataLines: DataLines;
  readonly extraMax = 0;
  readonly fetchWords = 0;
  readonly lineBytes: number;
  /** Never called: there is nothing to set up. */
  onChange: (() => void) | null = null;
  private readonly start: number;
  private readonly bytes: number;

  constructor({
    start,
    bytes,
    lineBytes,
  }: {
    readonly start: number;
    readonly bytes: number;
    readonly lineBytes: number;
  }) {
    this.start = start;
    this.bytes = bytes;
    this.lineBytes = lineBytes;
    this.dataLines = new DataLines({ start, bytes }, 0);
  }

  slaveOf(address: number): number {
    return address >= this.start && address - this.start < this.bytes ? 1 : 0;
  }

  fetch(): number {
    return 0;
  }

  access(): number {
    return 0;
  }

  miss(): number {
    return 0;
  }

  countersReset(): void {}

  saveFetches(): void {}

  restoreFetches(): void {}

  save(): unknown {
    return null;
  }

  restore(): void {}
}
