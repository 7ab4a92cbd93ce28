/**
 * What the USARTs of all STM32 generations have in common: characters by a UartLine, flags and their enables at the same bits of the status register
 * and CR1, DMA requests by CR3. Registers of their own and bit times are the subclasses'.
 */
import { clockOf, InterruptLine, type DeviceContext, type PeripheralSpec } from '../device-context.ts';
import type { DmaRequests } from '../dma.ts';
import type { PeripheralHost } from '../peripheral.ts';
import { RegisterDevice, type DeviceTable } from '../register-device.ts';
import { UartLine, type UartState } from '../uart-line.ts';

/** Flags of SR and ISR (RM0090 30.6.1, RM0432 49.8.9). */
export const FLAG = { ORE: 3, IDLE: 4, RXNE: 5, TC: 6, TXE: 7 } as const;
const CR1 = { RE: 2, TE: 3, IDLEIE: 4, RXNEIE: 5, TCIE: 6, TXEIE: 7 } as const;
const CR3 = { DMAR: 6, DMAT: 7 } as const;
const DMA_ENABLES = (1 << CR3.DMAR) | (1 << CR3.DMAT);

interface SavedUsart {
  readonly uart: UartState;
  readonly transmitComplete: boolean;
  readonly level: boolean;
}

export abstract class UsartDevice extends RegisterDevice {
  protected readonly host: PeripheralHost;
  protected readonly uart: UartLine;
  protected transmitComplete = true;
  private readonly interrupt: InterruptLine;
  private readonly dma: DmaRequests;
  /** UE of CR1, which has moved between generations. */
  private readonly enableBit: number;

  constructor(spec: PeripheralSpec, context: DeviceContext, table: DeviceTable, enableBit: number) {
    super(spec.name, spec.base, table);
    this.host = context.host;
    this.enableBit = enableBit;
    this.interrupt = new InterruptLine(context.host, spec.irq);
    this.dma = context.dma;
    const line = context.serialLine(spec.name);
    line.onIncoming = () => this.incoming();
    this.uart = new UartLine({
      clock: clockOf(context, spec),
      line,
      frameTicks: () => this.frameTicks(),
      canSend: () => this.canSend(),
      canReceive: () => this.isUsed() && this.bit('CR1', CR1.RE),
      overwrites: () => this.overwrites(),
      depth: () => this.depth(),
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

  /** In ticks of the kernel clock. */
  protected abstract frameTicks(): number;
  /** SR or ISR. */
  protected abstract status(): number;
  /** Beside the flags that CR1 enables. @param status as status() gives it */
  protected abstract wantsMore(status: number): boolean;
  protected abstract written(register: string, value: number, old: number): void;

  /** A byte that finds the buffer full takes the place of the last. */
  protected overwrites(): boolean {
    return false;
  }

  /** Bytes of each buffer. */
  protected depth(): number {
    return 1;
  }

  protected override onWrite(register: string, value: number, old: number): void {
    this.advance();
    this.written(register, value, old);
    this.update();
    this.host.reschedule();
  }

  protected override saveOwn(): SavedUsart {
    return { uart: this.uart.save(), transmitComplete: this.transmitComplete, level: this.wants() };
  }

  protected override restoreOwn(own: unknown): void {
    const { uart, transmitComplete, level } = own as SavedUsart;
    this.uart.restore(uart);
    this.transmitComplete = transmitComplete;
    this.interrupt.restore(level);
  }

  protected receive(): number {
    const byte = this.uart.receive();
    this.update();
    this.host.reschedule();
    return byte;
  }

  protected transmit(byte: number): void {
    if (!this.canSend()) {
      this.host.note(`a byte written to ${this.name} while its transmitter is off`);
      return;
    }
    this.transmitComplete = false;
    this.uart.send(byte);
    if (this.uart.isComplete()) this.transmitComplete = true;
  }

  /** UE cleared: buffers and flags are as after reset (RM0432 49.8.1). */
  protected disabled(): void {
    this.uart.drain();
    this.uart.reset();
    this.transmitComplete = true;
  }

  protected refuse(register: string, bits: number): void {
    if (bits !== 0)
      this.host.note(`${this.name}_${register} bits 0x${bits.toString(16)} ask for a mode that is not modelled`);
  }

  private wants(): boolean {
    const status = this.status();
    const control = this.get('CR1');
    const both = (enable: number, flag: number): boolean => ((control >>> enable) & (status >>> flag) & 1) === 1;
    return (
      both(CR1.RXNEIE, FLAG.RXNE) ||
      both(CR1.RXNEIE, FLAG.ORE) ||
      both(CR1.TXEIE, FLAG.TXE) ||
      both(CR1.TCIE, FLAG.TC) ||
      both(CR1.IDLEIE, FLAG.IDLE) ||
      this.wantsMore(status)
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

  private canSend(): boolean {
    return this.isUsed() && this.bit('CR1', CR1.TE);
  }

  private isUsed(): boolean {
    return this.bit('CR1', this.enableBit);
  }

  private isOn(): boolean {
    return this.isUsed() && this.isEnabled?.() !== false;
  }
}
