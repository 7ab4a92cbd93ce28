/**
 * Programming and erasing the flash of an STM32 from its registers, by the core or by a debugger: unlocking (RM0090 3.6.1, RM0432 3.3.5) and
 * what the families share. Everything takes no time: BSY is never seen set. A store that is not allowed at all is left to be a fault.
 */
import type { FlashStore } from '../flash-control.ts';
import type { PeripheralHost } from '../peripheral.ts';
import type { RegisterDevice } from '../register-device.ts';

/** What a family's flash does besides reading. */
export interface FlashProgramming {
  /** The control register has been written, while it was not locked. */
  control(value: number): void;
  readonly store: FlashStore;
  reset(): void;
  save(): unknown;
  restore(state: unknown): void;
}

export interface FlashArray {
  readonly start: number;
  readonly bytes: number;
}

export interface ProgrammingParts {
  readonly registers: RegisterDevice;
  readonly host: PeripheralHost;
  readonly array: FlashArray;
}

export const LOCK = (1 << 31) >>> 0;
export const STRT = 1 << 16;
const ERASED = 0xff;
const FIRST_KEY = 0x4567_0123;
const SECOND_KEY = 0xcdef_89ab;

/** KEYR: two keys in this order clear LOCK; anything else locks until the next reset. */
export class FlashLock {
  private readonly registers: RegisterDevice;
  private step: 'first' | 'second' | 'shut' = 'first';

  constructor(registers: RegisterDevice) {
    this.registers = registers;
  }

  reset(): void {
    this.step = 'first';
  }

  save(): unknown {
    return this.step;
  }

  restore(state: unknown): void {
    this.step = state as typeof this.step;
  }

  key(value: number): void {
    if (this.step === 'first' && value === FIRST_KEY) this.step = 'second';
    else if (this.step === 'second' && value === SECOND_KEY) {
      this.step = 'first';
      this.registers.set('CR', this.registers.get('CR') & ~LOCK);
    } else this.step = 'shut';
  }
}

export function eraseFlash({ host }: ProgrammingParts, address: number, bytes: number): void {
  host.writeFlash(address, new Uint8Array(bytes).fill(ERASED));
}

export function littleEndian(value: number, bytes: number): Uint8Array {
  return Uint8Array.from({ length: bytes }, (_, index) => value >>> (8 * index));
}
