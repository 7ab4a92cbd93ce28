/** The serial flash of the Pico (Winbond W25Q16JV, 8.1.2), as commands byte by byte on one lane. Reads in four lanes are the cache's and do not come here. */
import type { PeripheralHost } from '../peripheral.ts';

const COMMAND = {
  writeStatus: 0x01,
  program: 0x02,
  read: 0x03,
  writeDisable: 0x04,
  readStatus: 0x05,
  writeEnable: 0x06,
  writeStatus2: 0x31,
  readStatus2: 0x35,
  uniqueId: 0x4b,
  identify: 0x9f,
} as const;
const ERASE_BYTES: ReadonlyMap<number, number> = new Map([
  [0x20, 4096],
  [0x52, 32768],
  [0xd8, 65536],
]);
const JEDEC_ID = [0xef, 0x40, 0x15];
/** Ours. */
const UNIQUE_ID = [0xe6, 0x61, 0x41, 0x04, 0x03, 0x54, 0x4c, 0x2d];
const WRITE_ENABLED = 2;
const QUAD_ENABLED = 2;

export class FlashChip {
  private readonly host: PeripheralHost;
  private readonly start: number;
  private command: number[] = [];
  private status = [0, QUAD_ENABLED];

  /** @param start where its first byte is in the address space */
  constructor(host: PeripheralHost, start: number) {
    this.host = host;
    this.start = start;
  }

  /** What it sends while it receives this byte. */
  transfer(byte: number): number {
    const [code = byte] = this.command;
    const index = this.command.length;
    this.command.push(byte);
    if (index === 0) return 0xff;
    switch (code) {
      case COMMAND.readStatus:
        return this.status[0]!;
      case COMMAND.readStatus2:
        return this.status[1]!;
      case COMMAND.identify:
        return JEDEC_ID[(index - 1) % 3]!;
      case COMMAND.uniqueId:
        return index < 5 ? 0xff : UNIQUE_ID[(index - 5) % UNIQUE_ID.length]!;
      case COMMAND.read:
        return index < 4 ? 0xff : (this.host.readMemory(this.start + this.address() + index - 4, 1)?.[0] ?? 0xff);
      default:
        return 0xff;
    }
  }

  /** Chip select has gone up: what was asked for happens, at once. */
  deselect(): void {
    const [code, ...bytes] = this.command;
    if (code === undefined) return;
    const isEnabled = (this.status[0]! & WRITE_ENABLED) !== 0;
    const erased = ERASE_BYTES.get(code);
    if (code === COMMAND.writeEnable) this.status[0] = WRITE_ENABLED;
    else if (code === COMMAND.writeDisable) this.status[0] = 0;
    else if (isEnabled && code === COMMAND.writeStatus) this.status = [0, bytes[1] ?? 0];
    else if (isEnabled && code === COMMAND.writeStatus2) this.status = [0, bytes[0] ?? 0];
    else if (isEnabled && erased !== undefined) {
      const address = this.address();
      this.host.writeFlash(this.start + address - (address % erased), new Uint8Array(erased).fill(0xff));
      this.status[0] = 0;
    } else if (isEnabled && code === COMMAND.program) {
      this.program(bytes.slice(3));
      this.status[0] = 0;
    }
    this.command = [];
  }

  reset(): void {
    this.command = [];
    this.status = [0, QUAD_ENABLED];
  }

  save(): unknown {
    return { command: [...this.command], status: [...this.status] };
  }

  restore(state: unknown): void {
    const { command, status } = state as { command: number[]; status: number[] };
    this.command = [...command];
    this.status = [...status];
  }

  private address(): number {
    const [, high = 0, middle = 0, low = 0] = this.command;
    return high * 0x1_0000 + middle * 0x100 + low;
  }

  /** Bits are cleared only; past the end of a page of 256 bytes it goes on at the page's start. */
  private program(bytes: readonly number[]): void {
    const first = this.address();
    for (const [index, byte] of bytes.entries()) {
      const address = this.start + first - (first % 256) + ((first + index) % 256);
      const [old = 0xff] = this.host.readMemory(address, 1) ?? [];
      this.host.writeFlash(address, Uint8Array.of(old & byte));
    }
  }
}
