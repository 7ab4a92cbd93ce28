/**
 * STM32 USART and LPUART with ISR and TDR (RM0432 chapters 49 and 50): asynchronous characters at the bit time that BRR and the kernel
 * clock give, one-byte buffers or FIFOs, interrupts, DMA requests. Parity, synchronous, smartcard and IrDA modes are not modelled.
 */
import type { DeviceContext, PeripheralSpec } from '../device-context.ts';
import { UsartDevice } from './usart-device.ts';
import { CR1, CR2, CR3, FIFO_BYTES, ISR, PRESCALERS, RQR, THRESHOLD_BYTES, usartTable } from './usart-registers.ts';

/** PCE, MME, WAKE, RTOIE and what else changes frames. */
const CR1_NOT_MODELLED = (1 << 10) | (1 << 13);
/** CLKEN, LINEN, ABREN. */
const CR2_NOT_MODELLED = (1 << 11) | (1 << 14) | (1 << 20);
/** IREN, HDSEL, SCEN. */
const CR3_NOT_MODELLED = (1 << 1) | (1 << 3) | (1 << 5);
/** Half bits of stop: STOP = 1, 0.5, 2, 1.5. */
const STOP_BITS = [1, 0.5, 2, 1.5] as const;

/** @param isLowPower LPUART: BRR counts 256ths of the kernel clock */
export class Stm32Usart extends UsartDevice {
  private readonly isLowPower: boolean;

  constructor(spec: PeripheralSpec, context: DeviceContext, isLowPower: boolean) {
    super(spec, context, usartTable, CR1.UE);
    this.isLowPower = isLowPower;
  }

  protected override onRead(register: string, stored: number): number {
    if (register === 'ISR') {
      this.advance();
      return this.status();
    }
    if (register !== 'RDR') return stored;
    this.advance();
    return this.receive();
  }

  protected written(register: string, value: number, old: number): void {
    switch (register) {
      case 'CR1':
        if ((value & ~old & (1 << CR1.UE)) !== 0 && this.get('BRR') === 0)
          this.host.note(`${this.name} enabled with BRR 0; it has no bit time and stays silent`);
        this.refuse('CR1', value & CR1_NOT_MODELLED);
        if ((value & (1 << CR1.UE)) === 0) this.disabled();
        break;
      case 'CR2':
        this.refuse('CR2', value & CR2_NOT_MODELLED);
        break;
      case 'CR3':
        this.refuse('CR3', value & CR3_NOT_MODELLED);
        break;
      case 'ICR':
        if ((value & (1 << ISR.ORE)) !== 0) this.uart.overrun = false;
        if ((value & (1 << ISR.IDLE)) !== 0) this.uart.idle = false;
        if ((value & (1 << ISR.TC)) !== 0) this.transmitComplete = false;
        break;
      case 'RQR':
        if ((value & (1 << RQR.RXFRQ)) !== 0) this.uart.flushReceived();
        if ((value & (1 << RQR.TXFRQ)) !== 0) this.uart.flushToSend();
        break;
      case 'TDR':
        this.transmit(value & 0xff);
    }
  }

  protected override overwrites(): boolean {
    return this.bit('CR3', CR3.OVRDIS);
  }

  protected override depth(): number {
    return this.bit('CR1', CR1.FIFOEN) ? FIFO_BYTES : 1;
  }

  protected status(): number {
    const { uart } = this;
    // Read in every turn of a polling loop: no arrays, one look at the control register.
    const control = this.get('CR1');
    const flag = (bit: number, isSet: boolean): number => (isSet ? 1 << bit : 0);
    const isOn = ((control >>> CR1.UE) & 1) === 1;
    const hasFifo = ((control >>> CR1.FIFOEN) & 1) === 1;
    const received = uart.available();
    const word =
      flag(ISR.ORE, uart.overrun) |
      flag(ISR.IDLE, uart.idle) |
      flag(ISR.RXNE, received > 0) |
      flag(ISR.TC, this.transmitComplete) |
      flag(ISR.TXE, uart.hasRoom()) |
      flag(ISR.BUSY, uart.isReceiving()) |
      flag(ISR.TEACK, isOn && ((control >>> CR1.TE) & 1) === 1) |
      flag(ISR.REACK, isOn && ((control >>> CR1.RE) & 1) === 1) |
      flag(ISR.TXFE, hasFifo && uart.isEmpty()) |
      flag(ISR.RXFF, hasFifo && received >= FIFO_BYTES) |
      (hasFifo ? this.thresholds(received) : 0);
    return word >>> 0;
  }

  private thresholds(received: number): number {
    const bytesOf = (bit: number): number => THRESHOLD_BYTES[this.field('CR3', bit, 3)] ?? FIFO_BYTES;
    const free = FIFO_BYTES - this.uart.waitingToSend();
    const isFull = received >= bytesOf(CR3.RXFTCFG);
    const isFree = free >= bytesOf(CR3.TXFTCFG);
    return (isFull ? 1 << ISR.RXFT : 0) | (isFree ? 1 << ISR.TXFT : 0);
  }

  protected wantsMore(status: number): boolean {
    return (
      (this.bit('CR3', CR3.EIE) && this.uart.overrun) || (this.bit('CR1', CR1.FIFOEN) && this.wantsForFifo(status))
    );
  }

  private wantsForFifo(status: number): boolean {
    const control = this.get('CR1');
    const asked =
      (((control >>> CR1.TXFEIE) & 1) << ISR.TXFE) |
      (((control >>> CR1.RXFFIE) & 1) << ISR.RXFF) |
      (this.field('CR3', CR3.TXFTIE, 1) << ISR.TXFT) |
      (this.field('CR3', CR3.RXFTIE, 1) << ISR.RXFT);
    return (asked & status) !== 0;
  }

  protected frameTicks(): number {
    const brr = this.get('BRR');
    const prescaler = PRESCALERS[this.get('PRESC')] ?? 256;
    const dataBits = this.bit('CR1', CR1.M1) ? 7 : this.bit('CR1', CR1.M0) ? 9 : 8;
    const bits = 1 + dataBits + STOP_BITS[this.field('CR2', CR2.STOP, 2) as 0 | 1 | 2 | 3];
    return bits * this.bitTicks(brr) * prescaler;
  }

  /** RM0432 49.5.7 and 50.4.7: BRR is the divider, with OVER8 of twice the clock, in an LPUART of 256 times the clock. */
  private bitTicks(brr: number): number {
    if (this.isLowPower) return (brr & 0xf_ffff) / 256;
    const divider = brr & 0xffff;
    return this.bit('CR1', CR1.OVER8) ? ((divider & 0xfff0) | ((divider & 7) << 1)) / 2 : divider;
  }
}
