/** Serial communication block of the PSoC 62 as UART (architecture TRM 002-24526, SCB). */
import { clockOf, InterruptLine, type DeviceContext, type PeripheralSpec } from '../device-context.ts';
import type { PeripheralHost } from '../peripheral.ts';
import { RegisterDevice, storage, type DeviceTable } from '../register-device.ts';
import { UartLine, type UartState } from '../uart-line.ts';

const FIFO_BYTES = 128;
const CTRL_ENABLED = 31;
const MODE_UART = 2;
const INTR_TX = { TRIGGER: 0, NOT_FULL: 1, EMPTY: 4, UART_DONE: 9 } as const;
const INTR_RX = { TRIGGER: 0, NOT_EMPTY: 2, FULL: 3, OVERFLOW: 5, UNDERFLOW: 6 } as const;
/** What an empty FIFO reads as. */
const NOTHING_RECEIVED = 0xffff_ffff;

const scbTable: DeviceTable = {
  bytes: 0x1_0000,
  registers: [
    { name: 'CTRL', offset: 0x00, reset: 0x0300_000f },
    { name: 'STATUS', offset: 0x04, writable: 0 },
    ...storage('UART_CTRL=0x3000000 UART_TX_CTRL=0x2 UART_RX_CTRL=0xa0002', 0x40),
    { name: 'UART_RX_STATUS', offset: 0x4c, writable: 0 },
    ...storage('UART_FLOW_CTRL', 0x50),
    ...storage('TX_CTRL=0x107 TX_FIFO_CTRL', 0x200),
    { name: 'TX_FIFO_STATUS', offset: 0x208, writable: 0 },
    { name: 'TX_FIFO_WR', offset: 0x240, writeOnly: true },
    ...storage('RX_CTRL=0x107 RX_FIFO_CTRL', 0x300),
    { name: 'RX_FIFO_STATUS', offset: 0x308, writable: 0 },
    ...storage('RX_MATCH', 0x310),
    { name: 'RX_FIFO_RD', offset: 0x340, writable: 0 },
    { name: 'INTR_CAUSE', offset: 0xe00, writable: 0 },
    { name: 'INTR_TX', offset: 0xf80, oneClears: 0xffff_ffff },
    ...storage('INTR_TX_SET INTR_TX_MASK', 0xf84),
    { name: 'INTR_TX_MASKED', offset: 0xf8c, writable: 0 },
    { name: 'INTR_RX', offset: 0xfc0, oneClears: 0xffff_ffff },
    ...storage('INTR_RX_SET INTR_RX_MASK', 0xfc4),
    { name: 'INTR_RX_MASKED', offset: 0xfcc, writable: 0 },
  ],
};

/** Serial communication block as a standard UART: FIFOs of 128 bytes, bit time of OVS + 1 ticks of its peripheral clock. */
export class Psoc6Scb extends RegisterDevice {
  private readonly host: PeripheralHost;
  private readonly interrupt: InterruptLine;
  private readonly uart: UartLine;

  constructor(spec: PeripheralSpec, context: DeviceContext) {
    super(spec.name, spec.base, scbTable);
    this.host = context.host;
    this.interrupt = new InterruptLine(context.host, spec.irq);
    const line = context.serialLine(spec.name);
    line.onIncoming = () => this.host.reschedule();
    const isOn = (): boolean => this.bit('CTRL', CTRL_ENABLED) && this.field('CTRL', 24, 2) === MODE_UART;
    this.uart = new UartLine({
      clock: clockOf(context, spec),
      line,
      frameTicks: () => 10 * (this.field('CTRL', 0, 4) + 1),
      canSend: isOn,
      canReceive: isOn,
      depth: () => FIFO_BYTES,
      hasEvents: context.host.exceptions !== null,
    });
  }

  override reset(): void {
    super.reset();
    this.uart.reset();
    this.update();
  }

  nextEvent(): number {
    return this.uart.nextEvent();
  }

  advance(): void {
    const wasComplete = this.uart.isComplete();
    this.uart.advance();
    if (!wasComplete && this.uart.isComplete()) this.raise('INTR_TX', INTR_TX.UART_DONE);
    this.update();
  }

  drain(): void {
    this.uart.drain();
  }

  protected override onRead(register: string, stored: number): number {
    this.advance();
    switch (register) {
      case 'TX_FIFO_STATUS':
        return this.uart.waitingToSend() | (this.uart.isComplete() ? 0 : 1 << 15);
      case 'RX_FIFO_STATUS':
        return this.uart.available() | (this.uart.isReceiving() ? 1 << 15 : 0);
      case 'RX_FIFO_RD': {
        if (this.uart.available() === 0) {
          this.raise('INTR_RX', INTR_RX.UNDERFLOW);
          return NOTHING_RECEIVED;
        }
        const byte = this.uart.receive();
        this.update();
        this.host.reschedule();
        return byte;
      }
      case 'INTR_TX':
      case 'INTR_RX':
        return this.get(register);
      case 'INTR_TX_MASKED':
        return this.get('INTR_TX') & this.get('INTR_TX_MASK');
      case 'INTR_RX_MASKED':
        return this.get('INTR_RX') & this.get('INTR_RX_MASK');
      default:
        return stored;
    }
  }

  protected override onWrite(register: string, value: number): void {
    this.advance();
    if (register === 'TX_FIFO_WR') this.uart.send(value & 0xff);
    else if (register === 'INTR_TX_SET' || register === 'INTR_RX_SET')
      this.set(register.slice(0, -4), this.get(register.slice(0, -4)) | value);
    else if (register === 'UART_FLOW_CTRL' && (value & (1 << 24)) !== 0)
      this.host.note(`${this.name}_UART_FLOW_CTRL: flow control is not modelled`);
    this.update();
    this.host.reschedule();
  }

  protected override saveOwn(): unknown {
    return this.uart.save();
  }

  protected override restoreOwn(own: unknown): void {
    this.uart.restore(own as UartState);
    this.interrupt.restore(this.wants());
  }

  private raise(register: 'INTR_TX' | 'INTR_RX', bit: number): void {
    this.set(register, this.get(register) | (1 << bit));
  }

  /** The FIFO's bits become set again as long as their cause lasts. */
  private update(): void {
    const { uart } = this;
    if (uart.hasRoom()) this.raise('INTR_TX', INTR_TX.NOT_FULL);
    if (uart.isEmpty()) this.raise('INTR_TX', INTR_TX.EMPTY);
    if (uart.waitingToSend() < this.field('TX_FIFO_CTRL', 0, 8)) this.raise('INTR_TX', INTR_TX.TRIGGER);
    if (uart.available() > 0) this.raise('INTR_RX', INTR_RX.NOT_EMPTY);
    if (uart.available() > this.field('RX_FIFO_CTRL', 0, 8)) this.raise('INTR_RX', INTR_RX.TRIGGER);
    if (uart.available() >= FIFO_BYTES) this.raise('INTR_RX', INTR_RX.FULL);
    if (uart.overrun) {
      uart.overrun = false;
      this.raise('INTR_RX', INTR_RX.OVERFLOW);
    }
    this.interrupt.set(this.wants());
  }

  private wants(): boolean {
    return (
      (this.get('INTR_TX') & this.get('INTR_TX_MASK')) !== 0 || (this.get('INTR_RX') & this.get('INTR_RX_MASK')) !== 0
    );
  }
}
