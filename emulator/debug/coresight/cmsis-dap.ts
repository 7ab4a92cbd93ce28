/**
 * A CMSIS-DAP probe (Arm's CMSIS-DAP 2, "Commands"): one command packet in, one response out, over SWD to the debug port. JTAG, SWO and what
 * depends on a real wire (clock, turnaround, delays) are answered but mean nothing. While the core is not halted it runs a little with
 * every command, so that the same commands always give the same answers.
 */
import type { DebugPort } from './debug-port.ts';

export const PACKET_BYTES = 512;
/** What the core runs for every command. */
const CYCLES_PER_COMMAND = 10_000;

const id = {
  info: 0x00,
  hostStatus: 0x01,
  connect: 0x02,
  disconnect: 0x03,
  transferConfigure: 0x04,
  transfer: 0x05,
  transferBlock: 0x06,
  writeAbort: 0x08,
  delay: 0x09,
  resetTarget: 0x0a,
  pins: 0x10,
  clock: 0x11,
  sequence: 0x12,
  swdConfigure: 0x13,
} as const;
const information: ReadonlyMap<number, readonly number[]> = new Map([
  [0x01, text('Thumbelina')],
  [0x02, text('Emulated CMSIS-DAP')],
  [0x03, text('emulated')],
  [0x04, text('2.1.0')],
  [0xf0, [1]], // SWD
  [0xfe, [1]],
  [0xff, [PACKET_BYTES & 0xff, PACKET_BYTES >> 8]],
]);
const OK = 0;
const ERROR = 0xff;
const SWD = 1;
const ack = { ok: 1, fault: 4, mismatch: 0x10 } as const;
/** Bits of a transfer request; A[3:2] between them. */
const request = { accessPort: 1, read: 2, address: 0x0c, matchValue: 0x10, matchMask: 0x20 } as const;
const PIN_RESET = 0x80;
/** All pins but nRESET as they are on an idle wire: SWCLK, SWDIO, nTRST. */
const IDLE_PINS = 0x23;

export class CmsisDap {
  private readonly port: DebugPort;
  private matchRetries = 0;
  private matchMask = 0xffff_ffff;

  constructor(port: DebugPort) {
    this.port = port;
  }

  /** The response to a command packet; one this probe does not know is answered with 0xff. */
  execute(packet: Uint8Array): Uint8Array {
    const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
    this.runCore();
    const command = packet[0] ?? ERROR;
    try {
      return Uint8Array.from(this.answer(command, view));
    } catch (error) {
      // A packet that ends before its command does.
      if (error instanceof RangeError) return Uint8Array.of(ERROR);
      throw error;
    }
  }

  private answer(command: number, view: DataView): readonly number[] {
    switch (command) {
      case id.info: {
        const data = information.get(view.getUint8(1)) ?? [];
        return [command, data.length, ...data];
      }
      case id.connect:
        return [command, view.getUint8(1) <= SWD ? SWD : 0];
      case id.transferConfigure:
        this.matchRetries = view.getUint16(4, true);
        return [command, OK];
      case id.transfer:
        return [command, ...this.transfer(view)];
      case id.transferBlock:
        return [command, ...this.transferBlock(view)];
      case id.writeAbort:
        this.port.abort(view.getUint32(2, true));
        return [command, OK];
      case id.resetTarget:
        return [command, OK, 0];
      case id.pins:
        return [command, this.pins(view.getUint8(1), view.getUint8(2))];
      case id.hostStatus:
      case id.disconnect:
      case id.delay:
      case id.clock:
      case id.sequence:
      case id.swdConfigure:
        return [command, OK];
      default:
        return [ERROR];
    }
  }

  private pins(output: number, selected: number): number {
    if ((selected & PIN_RESET) !== 0) this.port.core.holdReset((output & PIN_RESET) === 0);
    return IDLE_PINS | ((selected & PIN_RESET) === 0 ? PIN_RESET : output & PIN_RESET);
  }

  private transfer(view: DataView): number[] {
    const count = view.getUint8(2);
    const data: number[] = [];
    let at = 3;
    let done = 0;
    let response: number = ack.ok;
    while (done < count && response === ack.ok) {
      const bits = view.getUint8(at++);
      const hasData = (bits & request.read) === 0 || (bits & request.matchValue) !== 0;
      const value = hasData ? view.getUint32(at, true) : 0;
      if (hasData) at += 4;
      if ((bits & request.read) === 0) {
        if ((bits & request.matchMask) !== 0) this.matchMask = value;
        else response = this.write(bits, value);
      } else if ((bits & request.matchValue) !== 0) response = this.match(bits, value);
      else {
        const read = this.read(bits);
        response = this.response(bits);
        if (response === ack.ok) data.push(...bytesOf(read));
      }
      if (response === ack.ok) done++;
    }
    return [done, response, ...data];
  }

  private transferBlock(view: DataView): number[] {
    const count = view.getUint16(2, true);
    const bits = view.getUint8(4);
    const data: number[] = [];
    let done = 0;
    let response: number = ack.ok;
    for (; done < count && response === ack.ok; done++) {
      if ((bits & request.read) === 0) response = this.write(bits, view.getUint32(5 + 4 * done, true));
      else {
        const read = this.read(bits);
        response = this.response(bits);
        if (response === ack.ok) data.push(...bytesOf(read));
      }
    }
    if (response !== ack.ok) done--;
    return [done & 0xff, done >> 8, response, ...data];
  }

  private match(bits: number, wanted: number): number {
    for (let tries = 0; tries <= this.matchRetries; tries++) {
      const value = this.read(bits);
      if (this.response(bits) !== ack.ok) return this.response(bits);
      if ((value & this.matchMask) >>> 0 === wanted) return ack.ok;
      this.runCore();
    }
    return ack.mismatch;
  }

  private read(bits: number): number {
    const address = bits & request.address;
    return (bits & request.accessPort) === 0 ? this.port.readPort(address) : this.port.readAccess(address);
  }

  private write(bits: number, value: number): number {
    const address = bits & request.address;
    if ((bits & request.accessPort) === 0) this.port.writePort(address, value);
    else this.port.writeAccess(address, value);
    return this.response(bits);
  }

  /** The debug port's own registers answer whatever has failed. */
  private response(bits: number): number {
    return (bits & request.accessPort) !== 0 && this.port.hasFailed ? ack.fault : ack.ok;
  }

  private runCore(): void {
    const { core } = this.port;
    core.run(core.machine.cpu.counters().cycles + CYCLES_PER_COMMAND);
  }
}

function text(value: string): readonly number[] {
  return [...new TextEncoder().encode(value), 0];
}

const bytesOf = (word: number): number[] => [word & 0xff, (word >>> 8) & 0xff, (word >>> 16) & 0xff, word >>> 24];
