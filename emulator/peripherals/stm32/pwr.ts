/** Power control where a status bit of one register follows a control bit of another. */
import type { DeviceContext, PeripheralSpec } from '../device-context.ts';
import { RegisterDevice, type DeviceTable } from '../register-device.ts';
import { icacheTable } from './u5.ts';

export interface StatusFollow {
  readonly status: string;
  readonly control: string;
  readonly from: number;
  readonly to: number;
  readonly bits: number;
}

export const pwrFollowsF7: readonly StatusFollow[] = [{ status: 'CSR1', control: 'CR1', from: 16, to: 16, bits: 2 }];
export const pwrFollowsH7: readonly StatusFollow[] = [{ status: 'CSR1', control: 'SRDCR', from: 14, to: 14, bits: 2 }];
export const pwrFollowsU5: readonly StatusFollow[] = [
  { status: 'SVMSR', control: 'CR3', from: 1, to: 1, bits: 1 },
  { status: 'SVMSR', control: 'VOSR', from: 16, to: 16, bits: 2 },
];

export class Stm32Pwr extends RegisterDevice {
  private readonly statusFollows: readonly StatusFollow[];

  constructor(spec: PeripheralSpec, table: DeviceTable, follows: readonly StatusFollow[]) {
    super(spec.name, spec.base, table);
    this.statusFollows = follows;
  }

  protected override onRead(register: string, stored: number): number {
    let value = stored;
    for (const { status, control, from, to, bits } of this.statusFollows)
      if (status === register) value = (value & ~((2 ** bits - 1) << to)) | (this.field(control, from, bits) << to);
    return value;
  }
}

const ICACHE_EN = 1;
const ICACHE_INVALIDATE = 2;
const ICACHE_BSYENDF = 2;

/** RM0456 8.7: the cache in front of flash and external memory. Invalidating is over at once. */
export class Stm32Icache extends RegisterDevice {
  private readonly context: DeviceContext;

  constructor(spec: PeripheralSpec, context: DeviceContext) {
    super(spec.name, spec.base, icacheTable);
    this.context = context;
  }

  override reset(): void {
    super.reset();
    // After the reset invalidation the cache is idle.
    this.set('SR', 0);
    this.update();
  }

  protected override onWrite(register: string, value: number): void {
    if (register === 'FCR') this.set('SR', this.get('SR') & ~value);
    if (register !== 'CR') return;
    if ((value & ICACHE_INVALIDATE) !== 0) {
      this.context.flash.flush();
      this.set('CR', value & ~ICACHE_INVALIDATE);
      this.set('SR', ICACHE_BSYENDF);
    }
    this.update();
  }

  protected override restoreOwn(): void {
    this.update();
  }

  private update(): void {
    const { flash } = this.context;
    const isOn = (this.get('CR') & ICACHE_EN) !== 0;
    // It lies on the code bus, which constants are read over as well (RM0456 8.4.1).
    flash.set({ ...flash.settings, instructionCache: isOn, dataCache: isOn });
  }
}
