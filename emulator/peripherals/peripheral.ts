/** What a memory-mapped device is to the bus, and what the machine is to a device. */
import type { DebugEvents } from '../exceptions/debug-events.ts';
import type { ExceptionState } from '../exceptions/exception-state.ts';
import type { SystemState } from '../exceptions/system-state.ts';
import type { Mpu } from '../mpu/mpu.ts';
import type { Stateful } from '../state/stateful.ts';

/** save() and restore() are absent only where a device has no state. */
export interface Peripheral extends Partial<Stateful> {
  readonly name: string;
  readonly base: number;
  readonly bytes: number;
  /** Value of the word register at `offset` (a multiple of 4), or null if this model does not have it. */
  read(offset: number): number | null;
  /**
   * `bytes` is the width of the access, for ports that take it as part of the data; `lanes` has ones where the value was written.
   * False if this model does not have the register.
   */
  write(offset: number, value: number, bytes?: 1 | 2 | 4, lanes?: number): boolean;
  /** Name of the register at `offset` as the manual has it, modelled or not; null or absent: not known. */
  nameOf?(offset: number): string | null;
  /** Absent: always. While false, registers read as 0 and ignore writes: the device has no clock. */
  isEnabled?(): boolean;
  /** What makes isEnabled() true, for messages. */
  readonly enabledBy?: string;
  /** Back to the values after power-on. */
  reset(): void;
  /** A reset by AIRCR.SYSRESETREQ, where it differs from power-on. */
  systemReset?(): void;
  /** Absolute cycle at which the device next does something of its own accord; Infinity: never. Absent: never. */
  nextEvent?(): number;
  /** Does what is due by now. */
  advance?(): void;
  /** The run is over: what is on its way to the host arrives. */
  drain?(): void;
}

/** The core's exceptions as devices see them. */
export interface ExceptionHost {
  readonly state: ExceptionState;
  readonly system: SystemState;
  /** Something may now be taken, or no longer: looked at after the instruction under way. */
  changed(): void;
  readonly mpu: Mpu;
  readonly debug: DebugEvents;
  /** A register of the MPU was written. */
  protectionChanged(): void;
  /** CCR may have another value. */
  configurationChanged(): void;
  /** CPACR, FPCCR or the like was written. */
  fpuChanged(): void;
  isPrivileged(): boolean;
  /** IPSR. */
  current(): number;
  /** AIRCR.SYSRESETREQ: the machine resets after the instruction under way. */
  requestReset(): void;
}

export interface PeripheralHost {
  /** Null on an engine that takes no exceptions. */
  readonly exceptions: ExceptionHost | null;
  /** The next event of a device may be earlier than before. */
  reschedule(): void;
  /** Model cycles since power-on, at the access being made; they never go back. */
  cycles(): number;
  setFpuEnabled(enabled: boolean): void;
  /** For DMA: bytes of flash or RAM; null where there is none. */
  readMemory(address: number, bytes: number): Uint8Array | null;
  /** For DMA. False where no RAM is. */
  writeMemory(address: number, bytes: Uint8Array): boolean;
  /** For flash controllers: puts bytes into flash. False where no flash is. */
  writeFlash(address: number, bytes: Uint8Array): boolean;
  /** Something the firmware asked for that cannot be done; the run ends with this fault. */
  fail(cause: string): void;
  /** Something the firmware asked for that has no effect here; told once, or a fault in strict mode. */
  note(cause: string): void;
}

/** Registers that only keep what is written: enough where nothing downstream depends on them. */
export class RegisterFile implements Peripheral {
  readonly name: string;
  readonly base: number;
  readonly bytes: number;
  private readonly resetValues: ReadonlyMap<number, number>;
  protected readonly values = new Map<number, number>();

  constructor(name: string, base: number, bytes: number, resetValues: readonly (readonly [number, number])[]) {
    this.name = name;
    this.base = base;
    this.bytes = bytes;
    this.resetValues = new Map(resetValues);
    this.values = new Map(this.resetValues);
  }

  get(offset: number): number {
    return this.values.get(offset) ?? 0;
  }

  read(offset: number): number | null {
    return this.get(offset);
  }

  write(offset: number, value: number): boolean {
    this.values.set(offset, value);
    return true;
  }

  reset(): void {
    this.values.clear();
    for (const [offset, value] of this.resetValues) this.values.set(offset, value);
  }

  save(): unknown {
    return new Map(this.values);
  }

  restore(state: unknown): void {
    this.values.clear();
    for (const [offset, value] of state as ReadonlyMap<number, number>) this.values.set(offset, value);
  }
}
