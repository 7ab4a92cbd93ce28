/** STM32F4 USART with SR and DR (RM0090 chapter 30): as usart.ts, with the registers of the older generation. */
import type { DeviceContext, PeripheralSpec } from '../device-context.ts';
import { storage, type DeviceTable } from '../register-device.ts';
import { FLAG, UsartDevice } from './usart-device.ts';

const CR1 = { PCE: 10, M: 12, UE: 13, OVER8: 15 } as const;
/** CLKEN and LINEN of CR2; IREN, HDSEL, SCEN of CR3. */
const CR2_NOT_MODELLED = (1 << 11) | (1 << 14);
const CR3_NOT_MODELLED = (1 << 1) | (1 << 3) | (1 << 5);
const CR3 = { EIE: 0, DMAR: 6 } as const;
const STOP_BITS = [1, 0.5, 2, 1.5] as const;

const table: DeviceTable = {
  bytes: 0x400,
  registers: [{ name: 'SR', offset: 0x00, writable: 0 }, ...storage('DR BRR CR1 CR2 CR3 GTPR', 0x04)],
};

export class Stm32UsartV1 extends UsartDevice {
  /** SR has been read with these flags set: reading DR now clears them. */
  private statusRead = false;

  constructor(spec: PeripheralSpec, context: DeviceContext) {
    super(spec, context, table, CR1.UE);
  }

  override reset(): void {
    this.statusRead = false;
    super.reset();
  }

  protected override onRead(register: string, stored: number): number {
    if (register !== 'SR' && register !== 'DR') return stored;
    this.advance();
    if (register === 'SR') {
      this.statusRead = true;
      return this.status();
    }
    if (this.statusRead) this.uart.overrun = this.uart.idle = false;
    this.statusRead = false;
    return this.receive();
  }

  protected written(register: string, value: number): void {
    if (register === 'DR') this.transmit(value & 0xff);
    else if (register === 'SR' && (value & (1 << FLAG.TC)) === 0) this.transmitComplete = false;
    else if (register === 'CR1') {
      this.refuse('CR1', value & (1 << CR1.PCE));
      if ((value & (1 << CR1.UE)) === 0) this.disabled();
    } else if (register === 'CR2') this.refuse('CR2', value & CR2_NOT_MODELLED);
    else if (register === 'CR3') this.refuse('CR3', value & CR3_NOT_MODELLED);
  }

  protected override saveOwn(): ReturnType<UsartDevice['saveOwn']> & { readonly statusRead: boolean } {
    return { ...super.saveOwn(), statusRead: this.statusRead };
  }

  protected override restoreOwn(own: unknown): void {
    super.restoreOwn(own);
    this.statusRead = (own as { statusRead: boolean }).statusRead;
  }

  protected status(): number {
    const { uart } = this;
    let word = 0;
    if (uart.overrun) word |= 1 << FLAG.ORE;
    if (uart.idle) word |= 1 << FLAG.IDLE;
    if (uart.available() > 0) word |= 1 << FLAG.RXNE;
    if (this.transmitComplete) word |= 1 << FLAG.TC;
    if (uart.hasRoom()) word |= 1 << FLAG.TXE;
    return word;
  }

  protected wantsMore(): boolean {
    return this.bit('CR3', CR3.EIE) && this.bit('CR3', CR3.DMAR) && this.uart.overrun;
  }

  /** RM0090 30.3.4: BRR is the divider in 16ths; with OVER8 in eighths, its low three bits. */
  protected frameTicks(): number {
    const brr = this.get('BRR') & 0xffff;
    const bit = this.bit('CR1', CR1.OVER8) ? ((brr & 0xfff0) | ((brr & 7) << 1)) / 2 : brr;
    const dataBits = this.bit('CR1', CR1.M) ? 9 : 8;
    return (1 + dataBits + STOP_BITS[this.field('CR2', 12, 2) as 0 | 1 | 2 | 3]) * bit;
  }
}
