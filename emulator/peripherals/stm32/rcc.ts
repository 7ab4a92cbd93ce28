/**
 * Reset and clock control of the STM32 families: one register table each, and a function that turns the registers into the rates of the
 * chip's clocks. Ready bits follow at once; oscillators the board has no crystal for never get ready.
 */
import type { ClockRates } from '../clocks.ts';
import type { DeviceContext, PeripheralSpec } from '../device-context.ts';
import { RegisterDevice, withOscillators, type DeviceTable } from '../register-device.ts';

/** How a family computes its clocks, `core` among them. */
export type RatesOf = (registers: RegisterDevice, oscillators: DeviceContext['oscillators']) => ClockRates;

export class Stm32Rcc extends RegisterDevice {
  private readonly context: DeviceContext;
  private readonly ratesOf: RatesOf;

  constructor(spec: PeripheralSpec, context: DeviceContext, table: DeviceTable, ratesOf: RatesOf) {
    super(spec.name, spec.base, withOscillators(table, context.oscillators));
    this.context = context;
    this.ratesOf = ratesOf;
    this.update();
  }

  override reset(): void {
    super.reset();
    this.update();
  }

  protected override onWrite(): void {
    this.update();
  }

  private update(): void {
    const { clocks, host, oscillators } = this.context;
    const rates = this.ratesOf(this, oscillators);
    if (rates['core'] === 0) {
      host.fail(`${this.name}: the system clock was switched to an oscillator that is off`);
      return;
    }
    clocks.update(rates);
    host.reschedule();
  }
}

/** AHB prescaler: HPRE of all STM32 families but the F0 (RM0432 6.4.3). There is no 32. */
export function ahbDivider(field: number): number {
  return field < 8 ? 1 : ([2, 4, 8, 16, 64, 128, 256, 512][field - 8] ?? 1);
}

/** APB prescaler: PPRE, 3 bits. */
export function apbDivider(field: number): number {
  return field < 4 ? 1 : 2 ** (field - 3);
}

/** Timers run at twice their bus unless the bus is undivided (RM0432 6.2.15). */
export function timerClock(busHz: number, apbField: number): number {
  return apbField < 4 ? busHz : busHz * 2;
}
