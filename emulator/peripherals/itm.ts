/**
 * Instrumentation trace macrocell (DDI 0403E C1.7, DDI 0553B D1.2): what the program writes to stimulus port 0 goes to the host as the bytes
 * that a trace probe would get. Its FIFO is never full, so a write costs what a store costs; time stamps and the packets of the DWT are not made.
 */
import { RegisterFile, type PeripheralHost } from './peripheral.ts';
import { RegisterDevice, type DeviceTable } from './register-device.ts';
import type { SerialLine } from './serial-line.ts';

const PORTS_END = 0x80;
const TER = 0xe00;
const TPR = 0xe40;
const TCR = 0xe80;
const LAR = 0xfb0;
const LSR = 0xfb4;

const TCR_ITMENA = 1;
/** ITMENA, TSENA, SYNCENA, TXENA, SWOENA, TSPrescale, GTSFREQ, TraceBusID; BUSY reads as 0. */
const TCR_WRITABLE = 0x007f_0f1f;
/** One bit for eight of the 32 ports. */
const TPR_WRITABLE = 0xf;
const UNLOCK_KEY = 0xc5ac_ce55;
const FIFO_READY = 1;
/** Armv8-M only. */
const PORT_DISABLED = 2;
/** Lock implemented; locked. */
const LSR_PRESENT = 1;
const LSR_LOCKED = 2;

export interface ItmOptions {
  readonly isV8: boolean;
  /** DEMCR.TRCENA. */
  readonly traceEnabled: () => boolean;
  /** Takes the bytes of port 0. */
  readonly line: SerialLine;
}

interface ItmSnapshot {
  readonly registers: unknown;
  readonly locked: boolean;
}

export class Itm extends RegisterFile {
  readonly enabledBy = 'DEMCR.TRCENA';
  private readonly host: PeripheralHost;
  private readonly options: ItmOptions;
  /** Software lock of the control registers, set by reset. Parts with Armv8-M have none. */
  private locked: boolean;

  constructor(host: PeripheralHost, options: ItmOptions) {
    super('ITM', 0xe000_0000, 0x1000, []);
    this.host = host;
    this.options = options;
    this.locked = !options.isV8;
  }

  isEnabled(): boolean {
    return this.options.traceEnabled();
  }

  override reset(): void {
    super.reset();
    this.locked = !this.options.isV8;
  }

  override save(): ItmSnapshot {
    return { registers: super.save(), locked: this.locked };
  }

  override restore(state: unknown): void {
    const { registers, locked } = state as ItmSnapshot;
    super.restore(registers);
    this.locked = locked;
  }

  override read(offset: number): number | null {
    if (offset < PORTS_END) {
      if (this.takes(offset / 4)) return FIFO_READY;
      return this.options.isV8 ? PORT_DISABLED : 0;
    }
    switch (offset) {
      case TER:
      case TPR:
      case TCR:
        return this.get(offset);
      case LAR:
        return 0;
      case LSR:
        return this.options.isV8 ? 0 : LSR_PRESENT | (this.locked ? LSR_LOCKED : 0);
      default:
        return null;
    }
  }

  override write(offset: number, value: number, bytes: 1 | 2 | 4 = 4): boolean {
    if (offset < PORTS_END) {
      if (this.takes(offset / 4)) this.send(offset / 4, value, bytes);
      return true;
    }
    switch (offset) {
      case TER:
        this.set(offset, this.isPrivileged() ? value : this.userEnables(value));
        return true;
      case TPR:
        if (this.isPrivileged()) this.set(offset, value & TPR_WRITABLE);
        return true;
      case TCR:
        if (this.isPrivileged()) this.set(offset, value & TCR_WRITABLE);
        return true;
      case LAR:
        if (!this.options.isV8 && this.isPrivileged()) this.locked = value !== UNLOCK_KEY;
        return true;
      default:
        return offset === LSR;
    }
  }

  private set(offset: number, value: number): void {
    if (this.locked)
      this.host.note('the ITM is set up while it is locked, which does nothing; write 0xC5ACCE55 to ITM_LAR first');
    else super.write(offset, value >>> 0);
  }

  /** TER as unprivileged code can change it: only the ports that TPR leaves to it. */
  private userEnables(value: number): number {
    let mine = 0;
    for (let group = 0; group < 4; group++) if (((this.get(TPR) >>> group) & 1) === 0) mine |= 0xff << (group * 8);
    return (this.get(TER) & ~mine) | (value & mine);
  }

  /** Whether a write to the port by the code that runs now would be sent. */
  private takes(port: number): boolean {
    if ((this.get(TCR) & TCR_ITMENA) === 0 || ((this.get(TER) >>> port) & 1) === 0) return false;
    return this.isPrivileged() || ((this.get(TPR) >>> (port >>> 3)) & 1) === 0;
  }

  private isPrivileged(): boolean {
    return this.host.exceptions?.isPrivileged() ?? true;
  }

  private send(port: number, value: number, bytes: number): void {
    if (port !== 0) {
      this.host.note(`data is sent to ITM stimulus port ${port}; only that of port 0 is shown`);
      return;
    }
    for (let byte = 0; byte < bytes; byte++) this.options.line.send((value >>> (byte * 8)) & 0xff);
  }
}

/**
 * TPIU of the M3 and M4 (DDI 0439D 11.2) as far as start-up code sets up its pin: all of it is about the wire, of which nothing is modelled.
 * Formatter: FFCR after reset has EnFCont and TrigIn; FFSR says that it cannot be stopped.
 */
const tpiuTable: DeviceTable = {
  bytes: 0x1000,
  registers: [
    { name: 'SSPSR', offset: 0x000, reset: 0xb, writable: 0 },
    { name: 'CSPSR', offset: 0x004, reset: 0x1 },
    { name: 'ACPR', offset: 0x010, writable: 0x1fff },
    { name: 'SPPR', offset: 0x0f0, reset: 0x1, writable: 0x3 },
    { name: 'FFSR', offset: 0x300, reset: 0x8, writable: 0 },
    { name: 'FFCR', offset: 0x304, reset: 0x102, writable: 0x2 },
    { name: 'FSCR', offset: 0x308, writable: 0 },
    { name: 'LAR', offset: 0xfb0, writeOnly: true },
    { name: 'DEVID', offset: 0xfc8, reset: 0xca1, writable: 0 },
  ],
};

export function tpiu(): RegisterDevice {
  return new RegisterDevice('TPIU', 0xe004_0000, tpiuTable);
}
