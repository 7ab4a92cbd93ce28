/** The flash interface of an STM32: a register table, and what its control register says about the way to the flash. */
import type { DeviceContext, PeripheralSpec } from '../device-context.ts';
import type { FlashSettings } from '../flash-control.ts';
import { RegisterDevice, type DeviceTable } from '../register-device.ts';

export interface FlashFamily {
  readonly table: DeviceTable;
  /** What these registers say; the rest is another device's. */
  readonly settings: (flash: RegisterDevice) => Partial<FlashSettings>;
  /** Bits of ACR whose setting empties the caches. */
  readonly flushBits: number;
}

export class Stm32Flash extends RegisterDevice {
  private readonly context: DeviceContext;
  private readonly family: FlashFamily;

  constructor(spec: PeripheralSpec, context: DeviceContext, family: FlashFamily) {
    super(spec.name, spec.base, family.table);
    this.context = context;
    this.family = family;
    this.update();
  }

  override reset(): void {
    super.reset();
    this.update();
  }

  protected override onWrite(register: string, value: number): void {
    if (register !== 'ACR') return;
    if ((value & this.family.flushBits) !== 0) this.context.flash.flush();
    this.update();
  }

  protected override restoreOwn(): void {
    this.update();
  }

  private update(): void {
    const { flash } = this.context;
    flash.set({ ...flash.settings, ...this.family.settings(this) });
  }
}
