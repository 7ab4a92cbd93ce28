/**
 * The guest's memories in one WebAssembly memory: page 0 holds the state cells, then every mapped region. It never grows, because that
 * would detach the views given out; what is not touched costs nothing.
 */
import { UserError } from '../../../common/errors.ts';
import { hex32 } from '../../../common/units.ts';
import type {
  AccessHook,
  AccessKind,
  AccessRefusal,
  DeviceCallbacks,
  LeavesOpen,
  MemoryMapping,
  Protection,
} from '../cpu.ts';
import { createMemory, type WasmMemory } from './wasm-api.ts';

const PAGE_BYTES = 65536;
const MEMORY_PAGES = 4096;
/** State cells and scratch. */
const FIRST_REGION_OFFSET = PAGE_BYTES;

export interface Region extends MemoryMapping {
  /** Where the region begins in the WebAssembly memory. */
  readonly offset: number;
  /** Where accesses in a row to different memories have a time of their own, each of those is a part; else only the region. */
  parts: readonly Part[];
}

export interface Part extends MemoryMapping {
  readonly offset: number;
  /** Stands for the part in `touched`. */
  readonly bit: number;
  readonly slave: number;
}

/** Stands for everything that is not memory in `touched`. */
const ELSEWHERE = 1 << 30;

interface Device {
  readonly start: number;
  readonly bytes: number;
  readonly callbacks: DeviceCallbacks;
}

/** Thrown through the interpreter and translated code; the instruction that caused it has had no effect on registers but loaded ones. */
export class AccessFault extends Error {
  readonly access: AccessKind;
  readonly reason: AccessRefusal;
  readonly address: number;

  constructor(access: AccessKind, reason: AccessRefusal, address: number) {
    super(`${reason} ${access} at ${hex32(address)}`);
    this.access = access;
    this.reason = reason;
    this.address = address;
  }
}

/** Thrown through the interpreter when the access hook asks to stop in front of the instruction; always this one object. */
export const ACCESS_STOP = new Error('the access hook asked to stop');

/** Each is told of every access. */
function allOf(hooks: readonly AccessHook[]): AccessHook | null {
  if (hooks.length < 2) return hooks[0] ?? null;
  return (access, address, bytes) => hooks.map((hook) => hook(access, address, bytes)).some((stops) => stops);
}

/** Memories are told apart in steps of this. */
const SPLIT_BYTES = 4096;

function bitOf({ parts }: Region, address: number): number {
  let index = parts.length - 1;
  while (index > 0 && address < parts[index]!.start) index--;
  return parts[index]!.bit;
}

export class GuestMemory {
  readonly wasm: WasmMemory;
  readonly view: DataView;
  readonly regions: Region[] = [];
  /** Told by read() and write(): of what the interpreter executes. Null while nobody looks. */
  hook: AccessHook | null = null;
  /** Told of every read() and write() that is allowed; null: nobody counts their time. */
  timing: ((address: number, isRead: boolean) => void) | null = null;
  /** Asked before read() and write(); null: everything is allowed. */
  protection: Protection | null = null;
  /** Of the protection. */
  leavesOpen: LeavesOpen = () => false;
  /** Whether the core, as it is now, does not get through to a device; such an access is a bus fault. */
  refuses: (address: number, asUser: boolean) => boolean = () => false;
  /** The access under way is an unprivileged one (LDRT, STRT). */
  asUser = false;
  /** What reads and writes have reached since it was last set to 0: bits of regions. */
  touched = 0;
  private readonly hooks = new Set<AccessHook>();
  private readonly devices: Device[] = [];
  private end = FIRST_REGION_OFFSET;
  private parts = 0;
  private last: Region | null = null;

  constructor() {
    this.wasm = createMemory(MEMORY_PAGES);
    this.view = new DataView(this.wasm.buffer);
  }

  /** Nothing in memory is refused to the core as it is now; devices and what is not mapped are asked for at every access. */
  isOpen(): boolean {
    return this.protection === null || this.leavesOpen(this.regions);
  }

  addHook(hook: AccessHook): void {
    this.hooks.add(hook);
    this.hook = allOf([...this.hooks]);
  }

  removeHook(hook: AccessHook): void {
    this.hooks.delete(hook);
    this.hook = allOf([...this.hooks]);
  }

  mapMemory(mapping: MemoryMapping): Uint8Array {
    const offset = this.end;
    if (offset + mapping.bytes > MEMORY_PAGES * PAGE_BYTES) {
      throw new UserError(
        `${mapping.bytes} bytes of memory at ${hex32(mapping.start)} exceed the ${(MEMORY_PAGES * PAGE_BYTES) >> 20} MiB of the wasm engine; use --engine unicorn`,
      );
    }
    this.end = offset + mapping.bytes;
    const { start, bytes, writable, store } = mapping;
    const part = { start, bytes, writable, offset, bit: this.nextBit(), slave: 0 };
    this.regions.push({ start, bytes, writable, offset, parts: [part], ...(store === undefined ? {} : { store }) });
    return new Uint8Array(this.wasm.buffer, offset, mapping.bytes);
  }

  /** Before anything has run. @param slaveOf constant within a page */
  splitBySlaves(slaveOf: (address: number) => number): void {
    this.parts = 0;
    for (const region of this.regions) {
      const parts: Part[] = [];
      const { writable } = region;
      const end = region.start + region.bytes;
      for (let start = region.start; start < end;) {
        const slave = slaveOf(start);
        let next = start + SPLIT_BYTES;
        while (next < end && slaveOf(next) === slave) next += SPLIT_BYTES;
        const offset = region.offset + start - region.start;
        parts.push({ start, bytes: Math.min(next, end) - start, writable, offset, bit: this.nextBit(), slave });
        start = next;
      }
      region.parts = parts;
    }
  }

  /** Room for an engine's own tables, zeroed; null when there is none. */
  reserve(bytes: number): number | null {
    if (this.end + bytes > MEMORY_PAGES * PAGE_BYTES) return null;
    const offset = this.end;
    this.end += bytes;
    return offset;
  }

  mapDevice(start: number, bytes: number, callbacks: DeviceCallbacks): void {
    this.devices.push({ start, bytes, callbacks });
  }

  /** The region that holds all of the bytes, or null. */
  regionOf(address: number, bytes: number): Region | null {
    const last = this.last;
    if (last !== null && address >= last.start && address + bytes <= last.start + last.bytes) return last;
    for (const region of this.regions) {
      if (address >= region.start && address + bytes <= region.start + region.bytes) return (this.last = region);
    }
    return null;
  }

  /** Halfword of code, or null where no memory is. */
  halfword(address: number): number | null {
    const region = this.regionOf(address, 2);
    return region === null ? null : this.view.getUint16(address - region.start + region.offset, true);
  }

  /** @throws AccessFault, ACCESS_STOP */
  read(signedAddress: number, bytes: number): number {
    const address = signedAddress >>> 0;
    if (this.protection?.('read', address, bytes, this.asUser) === false)
      throw new AccessFault('read', 'denied', address);
    if (this.hook?.('read', address, bytes) === true) throw ACCESS_STOP;
    this.timing?.(address, true);
    const region = this.regionOf(address, bytes);
    if (region !== null) {
      this.touched |= bitOf(region, address);
      const at = address - region.start + region.offset;
      if (bytes === 4) return this.view.getInt32(at, true);
      return bytes === 2 ? this.view.getUint16(at, true) : this.view.getUint8(at);
    }
    this.touched |= ELSEWHERE;
    for (const device of this.devices) {
      if (address < device.start || address - device.start >= device.bytes) continue;
      if (this.refuses(address, this.asUser)) throw new AccessFault('read', 'privileged', address);
      return device.callbacks.read(address, bytes) & (bytes === 4 ? -1 : (1 << (bytes * 8)) - 1);
    }
    throw new AccessFault('read', 'unmapped', this.firstMissing(address, bytes));
  }

  /** @throws AccessFault, ACCESS_STOP */
  write(signedAddress: number, bytes: number, value: number): void {
    const address = signedAddress >>> 0;
    if (this.protection?.('write', address, bytes, this.asUser) === false)
      throw new AccessFault('write', 'denied', address);
    if (this.hook?.('write', address, bytes) === true) throw ACCESS_STOP;
    this.timing?.(address, false);
    const region = this.regionOf(address, bytes);
    if (region !== null) {
      this.touched |= bitOf(region, address);
      if (!region.writable) {
        if (region.store?.(address, bytes, value) !== true) throw new AccessFault('write', 'protected', address);
        return;
      }
      const at = address - region.start + region.offset;
      if (bytes === 4) this.view.setInt32(at, value, true);
      else if (bytes === 2) this.view.setInt16(at, value, true);
      else this.view.setInt8(at, value);
      return;
    }
    this.touched |= ELSEWHERE;
    for (const device of this.devices) {
      if (address < device.start || address - device.start >= device.bytes) continue;
      if (this.refuses(address, this.asUser)) throw new AccessFault('write', 'privileged', address);
      const mask = bytes === 4 ? 0xffff_ffff : (1 << (bytes * 8)) - 1;
      device.callbacks.write(address, bytes, (value & mask) >>> 0);
      return;
    }
    throw new AccessFault('write', 'unmapped', this.firstMissing(address, bytes));
  }

  private nextBit(): number {
    return 1 << Math.min(this.parts++, 29);
  }

  /** An access across the end of a memory fails at the first byte beyond it. */
  private firstMissing(address: number, bytes: number): number {
    for (let offset = 0; offset < bytes; offset++) {
      if (this.regionOf((address + offset) >>> 0, 1) === null) return (address + offset) >>> 0;
    }
    return address;
  }
}
