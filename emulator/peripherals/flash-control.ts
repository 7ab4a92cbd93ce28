/** How the firmware has set up the way to its flash: what a timing model of the memory needs to know, from the registers of the chip. */

export interface FlashSettings {
  /** Cycles of the core that a read takes beyond the first. */
  readonly waitStates: number;
  /** Bits that one read of the flash array gives. */
  readonly lineBits: number;
  readonly prefetch: boolean;
  readonly instructionCache: boolean;
  readonly dataCache: boolean;
}

/** A store to flash: true when its controller has taken it. */
export type FlashStore = (address: number, bytes: number, value: number) => boolean;

export class FlashControl {
  /** Of the chip's flash controller; absent: nothing can be programmed, a store to flash is a fault. */
  store: FlashStore = () => false;
  private now: FlashSettings;
  private readonly listeners: (() => void)[] = [];
  private readonly flushes: (() => void)[] = [];

  constructor(afterReset: FlashSettings) {
    this.now = afterReset;
  }

  get settings(): FlashSettings {
    return this.now;
  }

  /** Called after every change; what changed holds from the instruction after the write. */
  onChange(listener: () => void): void {
    this.listeners.push(listener);
  }

  /** Called when the firmware empties the caches (ICRST, DCRST and the like). */
  onFlush(listener: () => void): void {
    this.flushes.push(listener);
  }

  /** From the flash interface's registers. */
  set(settings: FlashSettings): void {
    const keys = Object.keys(settings) as (keyof FlashSettings)[];
    if (keys.every((key) => settings[key] === this.now[key])) return;
    this.now = settings;
    for (const listener of this.listeners) listener();
  }

  flush(): void {
    for (const listener of this.flushes) listener();
  }
}
