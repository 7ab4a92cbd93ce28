/**
 * STM32 USART and LPUART with ISR and TDR (RM0432 chapters 49 and 50): asynchronous characters at the bit time that BRR and the kernel
 * clock give, one-byte buffers or FIFOs, interrupts, DMA requests. Parity, synchronous, smartcard and IrDA modes are not modelled.
 */
import { clockOf, InterruptLine, type DeviceContext, type PeripheralSpec } from '../device-context.ts';
import type { DmaRequests } from '../dma.ts';
import type { PeripheralHost } from '../peripheral.ts';
import { RegisterDevice } from '../register-device.ts';
import { UartLine, type UartState } from '../uart-line.ts';
import { CR1, CR2, CR3, FIFO_BYTES, ISR, PRESCALERS, RQR, THRESHOLD_BYTES, usartTable } from './usart-registers.ts';

/** PCE, MME, WAKE, RTOIE and what else changes frames. */
const CR1_NOT_MODELLED = (1 << 10) | (1 << 13);
/** CLKEN, LINEN, ABREN. */
const CR2_NOT_MODELLED = (1 << 11) | (1 << 14) | (1 << 20);
/** IREN, HDSEL, SCEN. */
const CR3_NOT_MODELLED = (1 << 1) | (1 << 3) | (1 << 5);
const DMA_ENABLES = (1 << CR3.DMAR) | (1 << CR3.DMAT);
/** Half bits of stop: STOP = 1, 0.5, 2, 1.5. */
const STOP_BITS = [1, 0.5, 2, 1.5] as const;

/** @param isLowPower LPUART: BRR counts 256ths of the kernel clock */
export class Stm32Usart extends RegisterDevice {
  private readonly host: PeripheralHost;
  private readonly interrupt: InterruptLine;
  private readonly uart: UartLine;
  private readonly isLowPower: boolean;
  private readonly dma: DmaRequests;
  private transmitComplete = true;

  constructor(spec: PeripheralSpec, context: DeviceContext, isLowPower: boolean) {
    super(spec.name, spec.base, usartTable);
    this.host = context.host;
    this.isLowPower = isLowPower;
    this.interrupt = new InterruptLine(context.host, spec.irq);
    this.dma = context.dma;
    const line = context.serialLine(spec.name);
    line.onIncoming = () => this.incoming();
    this.uart = new UartLine({
      clock: clockOf(context, spec),
      line,
      frameTicks: () => this.frameTicks(),
      canSend: () => this.bit('CR1', CR1.UE) && this.bit('CR1', CR1.TE),
      canReceive: () => this.bit('CR1', CR1.UE) && this.bit('CR1', CR1.RE),
      overwrites: () => this.bit('CR3', CR3.OVRDIS),
      depth: () => (this.bit('CR1', CR1.FIFOEN) ? FIFO_BYTES : 1),
      hasEvents: context.host.exceptions !== null,
    });
    const advance = (): void => this.advance();
    this.dma.add(spec.dma?.receive ?? [], {
      isRequesting: () => this.asksToBeRead(),
      advance,
    });
    this.dma.add(spec.dma?.transmit ?? [], {
      isRequesting: () => this.asksForBytes(),
      advance,
    });
  }

  override reset(): void {
    super.reset();
    this.uart.reset();
    this.transmitComplete = true;
    this.update();
  }

  nextEvent(): number {
    return this.uart.nextEvent();
  }

  advance(): void {
    const wasComplete = this.uart.isComplete();
    this.uart.advance();
    if (!wasComplete && this.uart.isComplete()) this.transmitComplete = true;
    this.update();
  }

  drain(): void {
    this.uart.drain();
  }

  protected override onRead(register: string, stored: number): number {
    if (register === 'ISR') {
      this.advance();
      return this.status();
    }
    if (register !== 'RDR') return stored;
    this.advance();
    const byte = this.uart.receive();
    this.update();
    this.host.reschedule();
    return byte;
  }

  protected override onWrite(register: string, value: number, old: number): void {
    this.advance();
    this.write1(register, value, old);
    this.update();
    this.host.reschedule();
  }

  protected override saveOwn(): unknown {
    return {
      uart: this.uart.save(),
      transmitComplete: this.transmitComplete,
      level: this.wants(),
    };
  }

  protected override restoreOwn(own: unknown): void {
    const { uart, transmitComplete, level } = own as {
      uart: UartState;
      transmitComplete: boolean;
      level: boolean;
    };
    this.uart.restore(uart);
    this.transmitComplete = transmitComplete;
    this.interrupt.restore(level);
  }

  private write1(register: string, value: number, old: number): void {
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

  private transmit(byte: number): void {
    if (!this.bit('CR1', CR1.UE) || !this.bit('CR1', CR1.TE)) {
      this.host.note(`a byte written to ${this.name} while its transmitter is off`);
      return;
    }
    this.transmitComplete = false;
    this.uart.send(byte);
    if (this.uart.isComplete()) this.transmitComplete = true;
  }

  /** UE cleared: buffers and flags are as after reset (RM0432 49.8.1). */
  private disabled(): void {
    this.uart.drain();
    this.uart.reset();
    this.transmitComplete = true;
  }

  private refuse(register: string, bits: number): void {
    if (bits !== 0)
      this.host.note(`${this.name}_${register} bits 0x${bits.toString(16)} ask for a mode that is not modelled`);
  }

  private status(): number {
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

  private wants(): boolean {
    const status = this.status();
    const control = this.get('CR1');
    const both = (enable: number, flag: number): boolean => ((control >>> enable) & (status >>> flag) & 1) === 1;
    return (
      both(CR1.RXNEIE, ISR.RXNE) ||
      both(CR1.RXNEIE, ISR.ORE) ||
      both(CR1.TXEIE, ISR.TXE) ||
      both(CR1.TCIE, ISR.TC) ||
      both(CR1.IDLEIE, ISR.IDLE) ||
      (this.bit('CR3', CR3.EIE) && this.uart.overrun) ||
      (this.bit('CR1', CR1.FIFOEN) && this.wantsForFifo(control, status))
    );
  }

  private wantsForFifo(control: number, status: number): boolean {
    const asked =
      (((control >>> CR1.TXFEIE) & 1) << ISR.TXFE) |
      (((control >>> CR1.RXFFIE) & 1) << ISR.RXFF) |
      (this.field('CR3', CR3.TXFTIE, 1) << ISR.TXFT) |
      (this.field('CR3', CR3.RXFTIE, 1) << ISR.RXFT);
    return (asked & status) !== 0;
  }

  private update(): void {
    this.interrupt.set(this.wants());
    if ((this.get('CR3') & DMA_ENABLES) !== 0) this.dma.changed();
  }

  private incoming(): void {
    this.host.reschedule();
    // Where no time passes for devices, what comes is there at once.
    if (this.host.exceptions === null) this.update();
  }

  private asksToBeRead(): boolean {
    if (!this.bit('CR3', CR3.DMAR) || !this.bit('CR1', CR1.RE) || !this.isOn()) return false;
    if (this.host.exceptions === null) this.uart.advance();
    return this.uart.available() > 0;
  }

  private asksForBytes(): boolean {
    return this.bit('CR3', CR3.DMAT) && this.bit('CR1', CR1.TE) && this.isOn() && this.uart.hasRoom();
  }

  private isOn(): boolean {
    return this.bit('CR1', CR1.UE) && this.isEnabled?.() !== false;
  }

  private frameTicks(): number {
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
