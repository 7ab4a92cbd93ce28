/** PL011 UART (Arm DDI 0183), as the RP2040 has it: FIFOs of 32, interrupts, bit time from IBRD and FBRD. Parity and flow control are not modelled. */
import { clockOf, InterruptLine, type DeviceContext, type PeripheralSpec } from './device-context.ts';
import type { PeripheralHost } from './peripheral.ts';
import { RegisterDevice, storage } from './register-device.ts';
import { UartLine, type UartState } from './uart-line.ts';

const FIFO_BYTES = 32;
const FR = { BUSY: 3, RXFE: 4, TXFF: 5, RXFF: 6, TXFE: 7 } as const;
const LCR = { PEN: 1, STP2: 3, FEN: 4, WLEN: 5 } as const;
const CR = { UARTEN: 0, TXE: 8, RXE: 9 } as const;
/** RIS, IMSC, ICR. */
const INTERRUPT = { RX: 4, TX: 5, RT: 6, OE: 10 } as const;

export class Pl011 extends RegisterDevice {
  private readonly host: PeripheralHost;
  private readonly interrupt: InterruptLine;
  private readonly uart: UartLine;
  /** TX becomes set by passing its level, not by being below it. */
  private txRaised = false;

  constructor(spec: PeripheralSpec, context: DeviceContext) {
    super(spec.name, spec.base, {
      bytes: 0x1000,
      hasAtomicViews: true,
      registers: [
        ...storage('DR RSR'),
        { name: 'FR', offset: 0x18, writable: 0 },
        ...storage('ILPR IBRD FBRD LCR_H CR=0x300 IFLS=0x12 IMSC', 0x20),
        { name: 'RIS', offset: 0x3c, writable: 0 },
        { name: 'MIS', offset: 0x40, writable: 0 },
        { name: 'ICR', offset: 0x44, writeOnly: true },
        ...storage('DMACR', 0x48),
      ],
    });
    this.host = context.host;
    this.interrupt = new InterruptLine(context.host, spec.irq);
    const line = context.serialLine(spec.name);
    line.onIncoming = () => this.host.reschedule();
    this.uart = new UartLine({
      clock: clockOf(context, spec),
      line,
      frameTicks: () => this.frameTicks(),
      canSend: () => this.bit('CR', CR.UARTEN) && this.bit('CR', CR.TXE),
      canReceive: () => this.bit('CR', CR.UARTEN) && this.bit('CR', CR.RXE),
      depth: () => (this.bit('LCR_H', LCR.FEN) ? FIFO_BYTES : 1),
      hasEvents: context.host.exceptions !== null,
    });
  }

  override reset(): void {
    super.reset();
    this.uart.reset();
    this.txRaised = false;
    this.update();
  }

  nextEvent(): number {
    return this.uart.nextEvent();
  }

  advance(): void {
    const level = this.sendLevel();
    const above = this.uart.waitingToSend() > level;
    this.uart.advance();
    if (above && this.uart.waitingToSend() <= level) this.txRaised = true;
    this.update();
  }

  drain(): void {
    this.uart.drain();
  }

  protected override onRead(register: string, stored: number): number {
    switch (register) {
      case 'DR': {
        this.advance();
        const byte = this.uart.receive();
        this.update();
        this.host.reschedule();
        return byte;
      }
      case 'FR':
        this.advance();
        return this.flags();
      case 'RIS':
      case 'MIS':
        this.advance();
        return register === 'RIS' ? this.raised() : this.raised() & this.get('IMSC');
      default:
        return stored;
    }
  }

  protected override onWrite(register: string, value: number): void {
    this.advance();
    if (register === 'DR') this.transmit(value & 0xff);
    else if (register === 'ICR') {
      if ((value & (1 << INTERRUPT.TX)) !== 0) this.txRaised = false;
      if ((value & (1 << INTERRUPT.OE)) !== 0) this.uart.overrun = false;
      if ((value & (1 << INTERRUPT.RT)) !== 0) this.uart.idle = false;
    } else if (register === 'LCR_H' && (value & (1 << LCR.PEN)) !== 0)
      this.host.note(`${this.name}_LCR_H: parity is not modelled`);
    else if (register === 'CR' && (value & 0xc000) !== 0)
      this.host.note(`${this.name}_CR: flow control is not modelled`);
    this.update();
    this.host.reschedule();
  }

  protected override saveOwn(): unknown {
    return { uart: this.uart.save(), txRaised: this.txRaised };
  }

  protected override restoreOwn(own: unknown): void {
    const { uart, txRaised } = own as { uart: UartState; txRaised: boolean };
    this.uart.restore(uart);
    this.txRaised = txRaised;
    this.interrupt.restore((this.raised() & this.get('IMSC')) !== 0);
  }

  private transmit(byte: number): void {
    if (!this.bit('CR', CR.UARTEN) || !this.bit('CR', CR.TXE))
      this.host.note(`a byte written to ${this.name} while its transmitter is off`);
    else this.uart.send(byte);
  }

  private flags(): number {
    const { uart } = this;
    let word = 0;
    if (!uart.isComplete()) word |= 1 << FR.BUSY;
    if (uart.available() === 0) word |= 1 << FR.RXFE;
    if (!uart.hasRoom()) word |= 1 << FR.TXFF;
    if (uart.available() >= (this.bit('LCR_H', LCR.FEN) ? FIFO_BYTES : 1)) word |= 1 << FR.RXFF;
    if (uart.isEmpty()) word |= 1 << FR.TXFE;
    return word;
  }

  private raised(): number {
    const { uart } = this;
    const receiveLevel = this.bit('LCR_H', LCR.FEN) ? this.level(this.field('IFLS', 3, 3)) : 1;
    let word = 0;
    if (uart.available() >= receiveLevel) word |= 1 << INTERRUPT.RX;
    if (this.txRaised) word |= 1 << INTERRUPT.TX;
    if (uart.idle && uart.available() > 0) word |= 1 << INTERRUPT.RT;
    if (uart.overrun) word |= 1 << INTERRUPT.OE;
    return word;
  }

  private sendLevel(): number {
    return this.bit('LCR_H', LCR.FEN) ? this.level(this.field('IFLS', 0, 3)) : 0;
  }

  /** IFLS: 1/8, 1/4, 1/2, 3/4, 7/8 of the FIFO. */
  private level(field: number): number {
    return FIFO_BYTES * ([1 / 8, 1 / 4, 1 / 2, 3 / 4, 7 / 8][field] ?? 1 / 2);
  }

  private update(): void {
    this.interrupt.set((this.raised() & this.get('IMSC')) !== 0);
  }

  private frameTicks(): number {
    const bits = 1 + 5 + this.field('LCR_H', LCR.WLEN, 2) + (this.bit('LCR_H', LCR.STP2) ? 2 : 1);
    return bits * 16 * (this.field('IBRD', 0, 16) + this.field('FBRD', 0, 6) / 64);
  }
}
