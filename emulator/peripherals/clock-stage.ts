/** A device whose registers decide a stage of the clock tree, where a chip's clocks are set up by several. */
import type { ClockRates, Clocks } from './clocks.ts';
import type { DeviceContext, PeripheralSpec } from './device-context.ts';
import { RegisterDevice, type DeviceTable } from './register-device.ts';

export abstract class ClockStage extends RegisterDevice {
  protected readonly clocks: Clocks;

  constructor(spec: PeripheralSpec, { clocks }: DeviceContext, table: DeviceTable) {
    super(spec.name, spec.base, table);
    this.clocks = clocks;
    clocks.addStage((before) => this.rates(before));
  }

  override reset(): void {
    super.reset();
    this.clocks.recompute();
  }

  protected override onWrite(register: string, value: number): void {
    this.clocks.recompute();
    this.changed?.(register, value);
  }

  /** A register was written, and the rates are what it makes of them. */
  protected changed?(register: string, value: number): void;

  /** What this device makes of the rates before it. First asked while it is being constructed: from its registers alone. */
  protected abstract rates(before: ClockRates): ClockRates;
}
