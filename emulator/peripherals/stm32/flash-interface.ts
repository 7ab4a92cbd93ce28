/** The flash interface of an STM32: a register table, what its control register says about the way to the flash, and how it is programmed. */
import type { DeviceContext, PeripheralSpec } from '../device-context.ts';
import type { FlashSettings } from '../flash-control.ts';
import { RegisterDevice, type DeviceTable } from '../register-device.ts';
import { FlashLock, LOCK, type FlashProgramming, type ProgrammingParts } from './flash-programming.ts';

export interface FlashFamily {
  readonly table: DeviceTable;
  /** What these registers say; the rest is another device's. */
  readonly settings: (flash: RegisterDevice) => Partial<FlashSettings>;
  /** Bits of ACR whose setting empties the caches. */
  readonly flushBits: number;
  /** Absent: programming is not modelled, a store to flash is a fault. */
  readonly programming?: (parts: ProgrammingParts) => FlashProgramming;
}

export class Stm32Flash extends RegisterDevice {
  private readonly context: DeviceContext;
  private readonly family: FlashFamily;
  private readonly lock: FlashLock;
  private readonly programming: FlashProgramming | null;

  constructor(spec: PeripheralSpec, context: DeviceContext, family: FlashFamily) {
    super(spec.name, spec.base, family.table);
    this.context = context;
    this.family = family;
    this.lock = new FlashLock(this);
    const parts = { registers: this, host: context.host, array: context.flashArray };
    this.programming = family.programming?.(parts) ?? null;
    if (this.programming !== null) context.flash.store = this.programming.store;
    this.update();
  }

  override reset(): void {
    super.reset();
    this.lock.reset();
    this.programming?.reset();
    this.update();
  }

  protected override onWrite(register: string, value: number, old: number): void {
    if (register === 'ACR') {
      if ((value & this.family.flushBits) !== 0) this.context.flash.flush();
      this.update();
    } else if (this.programming !== null && register === 'KEYR') this.lock.key(value);
    else if (this.programming !== null && register === 'CR') {
      if ((old & LOCK) !== 0) this.set('CR', old);
      else this.programming.control(this.get('CR'));
    }
  }

  protected override saveOwn(): unknown {
    return { lock: this.lock.save(), programming: this.programming?.save() };
  }

  protected override restoreOwn(own: unknown): void {
    const { lock, programming } = own as { lock: unknown; programming: unknown };
    this.lock.restore(lock);
    this.programming?.restore(programming);
    this.update();
  }

  private update(): void {
    const { flash } = this.context;
    flash.set({ ...flash.settings, ...this.family.settings(this) });
  }
}
