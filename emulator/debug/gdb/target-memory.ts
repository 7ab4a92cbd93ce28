/** Memory as a debugger sees it: flash and RAM, device registers, and flash programming block by block as vFlash* asks for it. */
import type { Machine } from '../../machine.ts';
import { chipIdRegister } from '../chip-id.ts';
import { FLASH_BLOCK_BYTES } from './target-description.ts';

const ERASED = 0xff;
const ADDRESS_SPACE = 2 ** 32;
/** Polynomial of `qCRC` (GDB manual E.4.3): CRC-32 most significant bit first, starting with all ones, not inverted at the end. */
const CRC_POLYNOMIAL = 0x04c1_1db7;

export type FlashError = 'notFlash' | 'misaligned' | 'notErased';

export class TargetMemory {
  private readonly machine: Machine;
  /** Code may have been overwritten since the engine last ran. */
  private stale = false;
  /** Memory or a device is no longer what the program made it. */
  private touched = false;
  /** The image's symbols may no longer describe what is in flash. */
  flashChanged = false;

  constructor(machine: Machine) {
    this.machine = machine;
  }

  /** The bytes, or null when any of them is neither memory nor a device. Reading a device register has its side effects. */
  read(address: number, bytes: number): Uint8Array | null {
    if (address + bytes > ADDRESS_SPACE) return null;
    const memory = this.machine.memory.tryView(address, bytes);
    if (memory !== null) return memory.slice();
    const chipId = this.chipId(address, bytes);
    if (chipId !== null) return chipId;
    if (!this.isDevice(address, bytes)) return null;
    this.touched = true;
    const result = new Uint8Array(bytes);
    for (let offset = 0; offset < bytes;) {
      const size = accessSize(address + offset, bytes - offset);
      const value = this.machine.device(address + offset)?.read(address + offset, size) ?? 0;
      for (let byte = 0; byte < size; byte++) result[offset + byte] = (value >>> (byte * 8)) & 0xff;
      offset += size;
    }
    return result;
  }

  /** False when any of the bytes is neither memory nor a device; then nothing is written. Flash too is simply overwritten. */
  write(address: number, data: Uint8Array): boolean {
    if (address + data.length > ADDRESS_SPACE) return false;
    const memory = this.machine.memory.tryView(address, data.length);
    if (memory !== null) {
      memory.set(data);
      this.changed(address, data.length);
      return true;
    }
    if (!this.isDevice(address, data.length)) return false;
    this.touched = true;
    for (let offset = 0; offset < data.length;) {
      const size = accessSize(address + offset, data.length - offset);
      let value = 0;
      for (let byte = size - 1; byte >= 0; byte--) value = value * 256 + (data[offset + byte] ?? 0);
      this.machine.device(address + offset)?.write(address + offset, size, value);
      offset += size;
    }
    return true;
  }

  /** Sets whole blocks of flash to ones; the last block of a memory may be a short one. */
  eraseFlash(address: number, bytes: number): FlashError | null {
    const region = this.flashRegion(address, bytes);
    if (region === null) return 'notFlash';
    const offset = address - region.start;
    const reachesEnd = offset + bytes === region.bytes;
    if (offset % FLASH_BLOCK_BYTES !== 0 || (bytes % FLASH_BLOCK_BYTES !== 0 && !reachesEnd)) return 'misaligned';
    this.machine.memory.view(address, bytes).fill(ERASED);
    this.changed(address, bytes);
    return null;
  }

  /** Programs erased flash. Bytes that are not erased are refused, because a real flash would store neither old nor new there. */
  programFlash(address: number, data: Uint8Array): FlashError | null {
    if (this.flashRegion(address, data.length) === null) return 'notFlash';
    const target = this.machine.memory.view(address, data.length);
    if (target.some((byte) => byte !== ERASED)) return 'notErased';
    target.set(data);
    this.changed(address, data.length);
    return null;
  }

  /** As `qCRC` defines it, or null when the bytes are not all memory. */
  crc(address: number, bytes: number): number | null {
    const memory = this.machine.memory.tryView(address, bytes);
    if (memory === null) return null;
    let crc = 0xffff_ffff;
    for (const byte of memory) {
      crc ^= byte << 24;
      for (let bit = 0; bit < 8; bit++) crc = (crc & 0x8000_0000) !== 0 ? (crc << 1) ^ CRC_POLYNOMIAL : crc << 1;
    }
    return crc >>> 0;
  }

  /** To be called before the engine runs on: makes it translate overwritten code anew. */
  settle(): void {
    if (this.stale) this.machine.cpu.forgetCode();
    this.stale = false;
  }

  /** Whether the debugger has changed something since this was last asked. */
  takeChange(): boolean {
    const { touched } = this;
    this.touched = false;
    return touched;
  }

  private changed(address: number, bytes: number): void {
    this.stale = this.touched = true;
    if (this.flashRegion(address, bytes) !== null) this.flashChanged = true;
  }

  private flashRegion(address: number, bytes: number): { start: number; bytes: number } | null {
    const inside = (region: { start: number; bytes: number }): boolean =>
      address >= region.start && address + bytes <= region.start + region.bytes;
    return this.machine.board.memory.find((region) => region.kind === 'flash' && inside(region)) ?? null;
  }

  private chipId(address: number, bytes: number): Uint8Array | null {
    const id = chipIdRegister(this.machine.board);
    return id?.address === address && bytes === 4 ? new Uint8Array(Uint32Array.of(id.word).buffer) : null;
  }

  private isDevice(address: number, bytes: number): boolean {
    return this.machine.device(address) !== null && this.machine.device(address + Math.max(bytes, 1) - 1) !== null;
  }
}

/** Widest naturally aligned access of at most `rest` bytes: what a register of a device wants. */
function accessSize(address: number, rest: number): 1 | 2 | 4 {
  if (address % 4 === 0 && rest >= 4) return 4;
  return address % 2 === 0 && rest >= 2 ? 2 : 1;
}
