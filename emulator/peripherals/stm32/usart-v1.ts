/** STM32F4 USART with SR and DR (RM0090 chapter 30): as usart.ts, with the registers of the older generation. */
import { clockOf, InterruptLine, type DeviceContext, type PeripheralSpec } from '../device-context.ts';
import type { DmaRequests } from '../dma.ts';
import type { PeripheralHost } from '../peripheral.ts';
import { RegisterDevice, storage, type DeviceTable } from '../register-device.ts';
import { UartLine, type UartState } from '../uart-line.ts';

const SR = { ORE: 3, IDLE: 4, RXNE: 5, TC: 6, TXE: 7 } as const;
const CR1 = { RE: 2, TE: 3, IDLEIE: 4, RXNEIE: 5, TCIE: 6, TXEIE: 7, PCE: 10, M: 12, UE: 13, OVER8: 15 } as const;
/** CLKEN and LINEN of CR2; IREN, HDSEL, SCEN of CR3. */
const CR2_NOT_MODELLED = (1 << 11) | (1 << 14);
const CR3_NOT_MODELLED = (1 << 1) | (1 << 3) | (1 << 5);
const CR3 = { EIE: 0, DMAR: 6, DMAT: 7 } as const;
const DMA_ENABLES = (1 << CR3.DMAR) | (1 << CR3.DMAT);
const STOP_BITS = [1, 0.5, 2, 1.5] as const;

const table: DeviceTable = {
  bytes: 0x400,
  registers: [{ name: 'SR', offset: 0x00, writable: 0 }, ...storage('DR BRR CR1 CR2 CR3 GTPR', 0x04)],
};

export class Stm32UsartV1 extends RegisterDevice {
  private readonly host: PeripheralHost;
  private readonly interrupt: InterruptLine;
  private readonly uart: UartLine;
  private readonly dma: DmaRequests;
  private transmitComplete = true;
  /** SR has been read with these flags set: reading DR now clears them. */
  private statusRead = false;

  constructor(spec: PeripheralSpec, context: DeviceContext) {
    super(spec.name, spec.base, table);
    this.host = context.host;
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
      depth: () => 1,
      hasEvents: context.host.exceptions !== null,
    });
    const advance = (): void => this.advance();
    this.dma.add(spec.dma?.receive ?? [], { isRequesting: () => this.asksToBeRead(), advance });
    this.dma.add(spec.dma?.transmit ?? [], { isRequesting: () => this.asksForBytes(), advance });
  }

  override reset(): void {
    super.reset();
    this.uart.reset();
    this.transmitComplete = true;
    this.statusRead = false;
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
    if (register !== 'SR' && register !== 'DR') return stored;
    this.advance();
    if (register === 'SR') {
      this.statusRead = true;
      return this.status();
    }
    if (this.statusRead) this.uart.overrun = this.uart.idle = false;
    this.statusRead = false;
    const byte = this.uart.receive();
    this.update();
    this.host.reschedule();
    return byte;
  }

  protected override onWrite(register: string, value: number): void {
    this.advance();
    if (register === 'DR') this.transmit(value & 0xff);
    else if (register === 'SR' && (value & (1 << SR.TC)) === 0) this.transmitComplete = false;
    else if (register === 'CR1') this.control(value);
    else if (register === 'CR2') this.refuse('CR2', value & CR2_NOT_MODELLED);
    else if (register === 'CR3') this.refuse('CR3', value & CR3_NOT_MODELLED);
    this.update();
    this.host.reschedule();
  }

  protected override saveOwn(): unknown {
    const { transmitComplete, statusRead } = this;
    return { uart: this.uart.save(), transmitComplete, statusRead, level: this.wants() };
  }

  protected override restoreOwn(own: unknown): void {
    const state = own as { uart: UartState; transmitComplete: boolean; statusRead: boolean; level: boolean };
    this.uart.restore(state.uart);
    this.transmitComplete = state.transmitComplete;
    this.statusRead = state.statusRead;
    this.interrupt.restore(state.level);
  }

  private control(value: number): void {
    this.refuse('CR1', value & (1 << CR1.PCE));
    if ((value & (1 << CR1.UE)) !== 0) return;
    this.uart.drain();
    this.uart.reset();
    this.transmitComplete = true;
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

  private refuse(register: string, bits: number): void {
    if (bits !== 0)
      this.host.note(`${this.name}_${register} bits 0x${bits.toString(16)} ask for a mode that is not modelled`);
  }

  private status(): number {
    const { uart } = this;
    let word = 0;
    if (uart.overrun) word |= 1 << SR.ORE;
    if (uart.idle) word |= 1 << SR.IDLE;
    if (uart.available() > 0) word |= 1 << SR.RXNE;
    if (this.transmitComplete) word |= 1 << SR.TC;
    if (uart.hasRoom()) word |= 1 << SR.TXE;
    return word;
  }

  private wants(): boolean {
    const status = this.status();
    const control = this.get('CR1');
    const both = (enable: number, flag: number): boolean => ((control >>> enable) & (status >>> flag) & 1) === 1;
    return (
      both(CR1.RXNEIE, SR.RXNE) ||
      both(CR1.RXNEIE, SR.ORE) ||
      both(CR1.TXEIE, SR.TXE) ||
      both(CR1.TCIE, SR.TC) ||
      both(CR1.IDLEIE, SR.IDLE) ||
      (this.bit('CR3', CR3.EIE) && this.bit('CR3', CR3.DMAR) && this.uart.overrun)
    );
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

  /** RM0090 30.3.4: BRR is the divider in 16ths; with OVER8 in eighths, its low three bits. */
  private frameTicks(): number {
    const brr = this.get('BRR') & 0xffff;
    const bit = this.bit('CR1', CR1.OVER8) ? ((brr & 0xfff0) | ((brr & 7) << 1)) / 2 : brr;
    const dataBits = this.bit('CR1', CR1.M) ? 9 : 8;
    return (1 + dataBits + STOP_BITS[this.field('CR2', 12, 2) as 0 | 1 | 2 | 3]) * bit;
  }
}
