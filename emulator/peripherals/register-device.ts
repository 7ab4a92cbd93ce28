/**
 * A device described by a table of its registers. What the table says is enough for most: a register keeps its writable bits, ready bits
 * follow their enable bits. Devices with a life of their own override onRead and onWrite. An offset that is not in the table is not modelled.
 */
import { assert } from '../../common/errors.ts';
import type { Peripheral } from './peripheral.ts';

/** Bits that read as others were written: a ready bit behind its enable bit, the status of a switch behind the switch. */
export interface Follow {
  readonly from: number;
  readonly to: number;
  /** Default 1. */
  readonly bits?: number;
  /** An oscillator the board must have for it: without its crystal it never gets ready. */
  readonly needs?: 'hse' | 'lse';
}

export interface RegisterSpec {
  /** As the manual spells it, without the device's name. */
  readonly name: string;
  readonly offset: number;
  /** After power-on; default 0. */
  readonly reset?: number;
  /** Bits that keep what is written; default all. */
  readonly writable?: number;
  /** Bits that a written 1 clears. */
  readonly oneClears?: number;
  /** Reads as 0 whatever was written: keys, commands. */
  readonly writeOnly?: boolean;
  readonly follows?: readonly Follow[];
}

/** Names of registers that exist in the manual and not here, by offset. */
export type UnmodelledRegisters = ReadonlyMap<number, string>;

export interface DeviceTable {
  readonly bytes: number;
  readonly registers: readonly RegisterSpec[];
  readonly unmodelled?: UnmodelledRegisters;
  /**
   * RP2040 2.1.2: three more views of the registers, 4 KiB apart, whose writes flip, set and clear bits. Writes narrower than a word reach the
   * whole register there.
   */
  readonly hasAtomicViews?: boolean;
}

const VIEW_BYTES = 0x1000;
const VIEWS = 4;

const ALL = 0xffff_ffff;

export class RegisterDevice implements Peripheral {
  readonly name: string;
  readonly base: number;
  readonly bytes: number;
  isEnabled?: () => boolean;
  private readonly views: boolean;
  private readonly byOffset: ReadonlyMap<number, RegisterSpec>;
  private readonly byName: ReadonlyMap<string, RegisterSpec>;
  private readonly unmodelled: UnmodelledRegisters;
  private readonly values = new Map<string, number>();

  constructor(name: string, base: number, table: DeviceTable) {
    this.name = name;
    this.base = base;
    this.views = table.hasAtomicViews === true;
    this.bytes = this.views ? VIEW_BYTES * VIEWS : table.bytes;
    this.unmodelled = table.unmodelled ?? new Map();
    this.byOffset = new Map(table.registers.map((spec) => [spec.offset, spec]));
    this.byName = new Map(table.registers.map((spec) => [spec.name, spec]));
    assert(this.byOffset.size === table.registers.length, `${name}: two registers at one offset`);
    assert(this.byName.size === table.registers.length, `${name}: two registers of one name`);
    this.load();
  }

  has(register: string): boolean {
    return this.byName.has(register);
  }

  /** What a register holds, without the side effects of a read by the firmware. */
  get(register: string): number {
    const value = this.values.get(register);
    assert(value !== undefined, `${this.name} has no register ${register}`);
    return value;
  }

  /** Sets what a register holds, writable or not. */
  set(register: string, value: number): void {
    assert(this.byName.has(register), `${this.name} has no register ${register}`);
    this.values.set(register, value >>> 0);
  }

  field(register: string, shift: number, bits: number): number {
    return (this.get(register) >>> shift) & (2 ** bits - 1);
  }

  bit(register: string, bit: number): boolean {
    return ((this.get(register) >>> bit) & 1) === 1;
  }

  read(offset: number): number | null {
    const spec = this.specAt(offset);
    if (spec === undefined) return null;
    const stored = spec.writeOnly === true ? 0 : this.get(spec.name);
    return (this.onRead?.(spec.name, stored) ?? stored) >>> 0;
  }

  write(offset: number, value: number, bytes: 1 | 2 | 4 = 4, lanes = ALL): boolean {
    const spec = this.specAt(offset);
    if (spec === undefined) return false;
    const old = this.get(spec.name);
    if (this.views) return this.store(spec, throughView(Math.floor(offset / VIEW_BYTES), old, value), old, 4, ALL);
    return this.store(spec, value, old, bytes, lanes);
  }

  nameOf(offset: number): string | null {
    const register = this.views ? offset % VIEW_BYTES : offset;
    return this.byOffset.get(register)?.name ?? this.unmodelled.get(register) ?? null;
  }

  reset(): void {
    this.load();
  }

  save(): unknown {
    return { registers: new Map(this.values), own: this.saveOwn?.() };
  }

  restore(state: unknown): void {
    const { registers, own } = state as { registers: ReadonlyMap<string, number>; own: unknown };
    for (const [name, value] of registers) this.values.set(name, value);
    this.restoreOwn?.(own);
  }

  /** @param stored what the table says the register reads as */
  protected onRead?(register: string, stored: number): number;

  /** The register holds what the table makes of the write. @param value as written; @param old what it held before */
  protected onWrite?(register: string, value: number, old: number, bytes: 1 | 2 | 4): void;

  /** What a subclass keeps besides its registers, as plain data. */
  protected saveOwn?(): unknown;

  protected restoreOwn?(own: unknown): void;

  private specAt(offset: number): RegisterSpec | undefined {
    return this.byOffset.get(this.views ? offset % VIEW_BYTES : offset);
  }

  private store(spec: RegisterSpec, value: number, old: number, bytes: 1 | 2 | 4, lanes: number): true {
    const reached = bytes === 4 ? ALL : lanes;
    const writable = (spec.writable ?? ALL) & ~(spec.oneClears ?? 0) & reached;
    const kept = ((old & ~writable) | (value & writable)) & ~(value & (spec.oneClears ?? 0) & reached);
    this.values.set(spec.name, withFollowers(kept, spec.follows ?? []));
    this.onWrite?.(spec.name, value >>> 0, old, bytes);
    return true;
  }

  private load(): void {
    for (const { name, reset = 0, follows = [] } of this.byName.values())
      this.values.set(name, withFollowers(reset, follows));
  }
}

function throughView(view: number, old: number, value: number): number {
  const results = [value, old ^ value, old | value, old & ~value];
  return (results[view] ?? value) >>> 0;
}

function withFollowers(value: number, follows: readonly Follow[]): number {
  let result = value;
  for (const { from, to, bits = 1 } of follows) {
    const mask = 2 ** bits - 1;
    result = (result & ~(mask << to)) | (((value >>> from) & mask) << to);
  }
  return result >>> 0;
}

/** A table whose ready bits need a crystal that the board does not have never shows them. */
export function withOscillators(
  table: DeviceTable,
  present: { readonly hse?: unknown; readonly lse?: unknown },
): DeviceTable {
  return {
    ...table,
    registers: table.registers.map((spec) =>
      spec.follows === undefined
        ? spec
        : { ...spec, follows: spec.follows.filter(({ needs }) => needs === undefined || present[needs] !== undefined) },
    ),
  };
}

/** Registers that only keep what is written, as `NAME` or `NAME=reset value`, word by word from `first` on; `-` skips a word. */
export function storage(text: string, first = 0): RegisterSpec[] {
  return text
    .trim()
    .split(/\s+/)
    .flatMap((item, index) => {
      const [name = '', reset = '0'] = item.split('=');
      return name === '-' ? [] : [{ name, offset: first + index * 4, reset: Number(reset) }];
    });
}

/** Names of registers that are known and not modelled, in the same notation. */
export function unmodelled(text: string, first = 0): [number, string][] {
  return storage(text, first).map(({ name, offset }) => [offset, name]);
}
