/**
 * UART and UARTE of the nRF52 at one address (nRF52840 PS 6.33 and 6.34): the older one byte by byte, the newer by DMA, as ENABLE says.
 * With flow control the other end is always ready, and waits for this one in any case; parity takes its time on the line and is never wrong.
 */
import { clockOf, type DeviceContext, type PeripheralSpec } from '../device-context.ts';
import { storage } from '../register-device.ts';
import { UartLine, type UartState } from '../uart-line.ts';
import { event, task, taskTable, TaskDevice } from './task-device.ts';

const ENABLE_UART = 4;
const ENABLE_UARTE = 8;
/** BAUDRATE is the rate times 2^32 / 16 MHz. */
const BAUD_SCALE = 2 ** 32 / 16e6;
const FRAME_BITS = 10;
const FIFO_BYTES = 6;
/** Fields of CONFIG. */
const PARITY = 0x0e;
const TWO_STOP_BITS = 0x10;
const SHORT_ENDRX_STARTRX = 1 << 5;

const table = taskTable([
  task('STARTRX', 0x000),
  task('STOPRX', 0x004),
  task('STARTTX', 0x008),
  task('STOPTX', 0x00c),
  task('SUSPEND', 0x01c),
  task('FLUSHRX', 0x02c),
  event('CTS', 0x100),
  event('NCTS', 0x104),
  event('RXDRDY', 0x108),
  event('ENDRX', 0x110),
  event('TXDRDY', 0x11c),
  event('ENDTX', 0x120),
  event('ERROR', 0x124),
  event('RXTO', 0x144),
  event('RXSTARTED', 0x14c),
  event('TXSTARTED', 0x150),
  event('TXSTOPPED', 0x158),
  { name: 'ERRORSRC', offset: 0x480, oneClears: 0xf },
  ...storage('ENABLE - PSELRTS=0xffffffff PSELTXD=0xffffffff PSELCTS=0xffffffff PSELRXD=0xffffffff', 0x500),
  { name: 'RXD', offset: 0x518, writable: 0 },
  { name: 'TXD', offset: 0x51c, writeOnly: true },
  ...storage('BAUDRATE=0x04000000', 0x524),
  ...storage('RXD_PTR RXD_MAXCNT RXD_AMOUNT - TXD_PTR TXD_MAXCNT TXD_AMOUNT', 0x534),
  ...storage('CONFIG', 0x56c),
]);

/** As latched when it was started, so that the next can be set up meanwhile. */
interface ReceiveBuffer {
  readonly address: number;
  readonly bytes: number;
}

interface OwnState {
  readonly uart: UartState;
  readonly isSending: boolean;
  readonly isReceiving: boolean;
  readonly sentBytes: number;
  readonly receivedBytes: number;
  readonly buffer: ReceiveBuffer | null;
  /** DMA buffers as latched at the start of a transfer. */
  readonly transmit: readonly number[];
}

export class Nrf52Uart extends TaskDevice {
  private readonly uart: UartLine;
  private isSending = false;
  private isReceiving = false;
  private sentBytes = 0;
  private receivedBytes = 0;
  /** Null while no transfer is under way. */
  private buffer: ReceiveBuffer | null = null;
  private transmit: number[] = [];

  constructor(spec: PeripheralSpec, context: DeviceContext) {
    super(spec, context, table);
    const line = context.serialLine(spec.name);
    line.onIncoming = () => this.host.reschedule();
    this.uart = new UartLine({
      clock: clockOf(context, spec),
      line,
      frameTicks: () => this.frameTicks(),
      canSend: () => this.isOn(),
      canReceive: () => this.isOn() && this.isReceiving,
      depth: () => FIFO_BYTES,
      hasEvents: context.host.exceptions !== null,
    });
  }

  override reset(): void {
    super.reset();
    this.uart.reset();
    this.isSending = this.isReceiving = false;
    this.sentBytes = this.receivedBytes = 0;
    this.transmit = [];
    this.buffer = null;
  }

  nextEvent(): number {
    return this.uart.nextEvent();
  }

  advance(): void {
    const wasComplete = this.uart.isComplete();
    const before = this.uart.available();
    this.uart.advance();
    if (!wasComplete && this.uart.isComplete()) this.sent();
    if (this.isDma()) this.fetchReceived();
    else if (this.uart.available() > before) this.raise('RXDRDY');
    if (this.uart.overrun) {
      this.uart.overrun = false;
      this.set('ERRORSRC', this.get('ERRORSRC') | 1);
      this.raise('ERROR');
    }
  }

  drain(): void {
    this.uart.drain();
  }

  protected override onRead(register: string, stored: number): number {
    this.advance();
    if (register === 'RXD') {
      const byte = this.uart.receive();
      if (this.uart.available() > 0) this.raise('RXDRDY');
      return byte;
    }
    return super.onRead(register, register.startsWith('EVENTS_') ? this.get(register) : stored);
  }

  protected override onWrite(register: string, value: number): void {
    this.advance();
    if (register === 'TXD') this.writeByte(value & 0xff);
    super.onWrite(register, value);
  }

  protected start(taskName: string): void {
    switch (taskName) {
      case 'STARTTX':
        this.isSending = true;
        if (this.isDma()) this.startDma();
        break;
      case 'STOPTX':
        this.isSending = false;
        this.transmit = [];
        if (this.isDma()) this.raise('TXSTOPPED');
        break;
      case 'STARTRX':
        this.isReceiving = true;
        if (!this.isDma()) break;
        this.startBuffer();
        this.raise('RXSTARTED');
        break;
      case 'STOPRX':
        this.isReceiving = false;
        if (this.buffer !== null) this.endBuffer();
        this.raise('RXTO');
        break;
      case 'FLUSHRX':
        if (!this.isDma()) break;
        this.startBuffer();
        this.fetchReceived();
        if (this.buffer !== null) this.endBuffer();
        break;
      default: // SUSPEND: nothing waits anywhere else
    }
  }

  protected override saveOwn(): OwnState {
    const { isSending, isReceiving, sentBytes, receivedBytes, buffer, transmit } = this;
    return {
      uart: this.uart.save(),
      isSending,
      isReceiving,
      sentBytes,
      receivedBytes,
      buffer,
      transmit: [...transmit],
    };
  }

  protected override restoreOwn(own: unknown): void {
    const { uart, transmit, ...rest } = own as OwnState;
    Object.assign(this, rest, { transmit: [...transmit] });
    this.uart.restore(uart);
    this.restoreInterrupt();
  }

  private isDma(): boolean {
    return this.get('ENABLE') === ENABLE_UARTE;
  }

  private isOn(): boolean {
    return this.isDma() || this.get('ENABLE') === ENABLE_UART;
  }

  private writeByte(byte: number): void {
    if (!this.isOn() || !this.isSending) {
      this.host.note(`a byte written to ${this.name} while its transmitter is off`);
      return;
    }
    this.uart.send(byte);
    if (this.uart.isComplete()) this.sent();
  }

  private startDma(): void {
    const bytes = this.host.readMemory(this.get('TXD_PTR'), this.get('TXD_MAXCNT') & 0xffff);
    if (bytes === null) {
      this.host.fail(`${this.name}: TXD.PTR is not in RAM`);
      return;
    }
    this.raise('TXSTARTED');
    this.transmit = [...bytes];
    this.sentBytes = 0;
    this.sendNext();
  }

  private sendNext(): void {
    while (this.transmit.length > 0 && this.uart.isComplete()) {
      this.uart.send(this.transmit.shift()!);
      if (!this.uart.isComplete()) return;
      this.sentBytes += 1;
      this.raise('TXDRDY');
    }
    if (this.transmit.length > 0 || !this.uart.isComplete()) return;
    this.set('TXD_AMOUNT', this.sentBytes);
    this.raise('ENDTX');
  }

  /** The last stop bit of a byte has left. */
  private sent(): void {
    this.raise('TXDRDY');
    if (!this.isDma()) return;
    this.sentBytes += 1;
    this.sendNext();
  }

  private startBuffer(): void {
    this.buffer = { address: this.get('RXD_PTR'), bytes: this.get('RXD_MAXCNT') & 0xffff };
    this.receivedBytes = 0;
  }

  private endBuffer(): void {
    this.buffer = null;
    this.set('RXD_AMOUNT', this.receivedBytes);
    this.raise('ENDRX');
    if (this.isReceiving && (this.get('SHORTS') & SHORT_ENDRX_STARTRX) !== 0) this.start('STARTRX');
  }

  private fetchReceived(): void {
    while (this.uart.available() > 0 && this.buffer !== null && this.receivedBytes < this.buffer.bytes) {
      const { address, bytes } = this.buffer;
      this.host.writeMemory(address + this.receivedBytes, Uint8Array.of(this.uart.receive()));
      this.receivedBytes += 1;
      this.raise('RXDRDY');
      if (this.receivedBytes >= bytes) this.endBuffer();
    }
  }

  private frameTicks(): number {
    const baud = this.get('BAUDRATE') / BAUD_SCALE;
    const config = this.get('CONFIG');
    const bits = FRAME_BITS + ((config & PARITY) === 0 ? 0 : 1) + ((config & TWO_STOP_BITS) === 0 ? 0 : 1);
    return (bits * 16e6) / baud;
  }
}
