/** Loads and stores in translated code: a range check per memory; anything else leaves to the interpreter before the instruction. */
import type { Expr, Stmt } from '../../../isa/ir.ts';
import type { Region } from '../guest-memory.ts';
import type { ExpressionEmitter } from './emit-expression.ts';
import { isMemoryCell, local, localOfCell } from './locals.ts';
import { I32, type Opcode } from './wasm-writer.ts';

type Load = Extract<Stmt, { k: 'load' }>;
type Store = Extract<Stmt, { k: 'store' }>;

const loadOpcode = (bytes: number, signed: boolean): Opcode => {
  if (bytes === 4) return 'i32.load';
  if (bytes === 2) return signed ? 'i32.load16_s' : 'i32.load16_u';
  return signed ? 'i32.load8_s' : 'i32.load8_u';
};
const storeOpcodes: Readonly<Record<1 | 2 | 4, Opcode>> = { 1: 'i32.store8', 2: 'i32.store16', 4: 'i32.store' };

export class MemoryEmitter {
  private readonly x: ExpressionEmitter;
  /** Readable: writable memories first, where most accesses go. */
  private readonly regions: readonly Region[];
  private readonly bail: () => void;

  /** @param bail leaves the translated code in front of the current instruction */
  constructor(x: ExpressionEmitter, regions: readonly Region[], bail: () => void) {
    this.x = x;
    this.regions = [...regions].sort((a, b) => Number(b.writable) - Number(a.writable));
    this.bail = bail;
  }

  load(statement: Load): void {
    const { w } = this.x;
    const { bytes, signed } = statement;
    const operation = loadOpcode(bytes, signed);
    const region = this.constantRegion(statement.address, bytes, statement.aligned);
    if (region !== null) {
      w.const(region.at);
      w.memory(operation, 0);
    } else {
      this.address(statement);
      this.loadFrom(0, bytes, operation);
    }
    this.keep(statement.cell);
  }

  store(statement: Store): void {
    const { x } = this;
    const { w } = x;
    const { bytes } = statement;
    this.address(statement);
    for (const region of this.regions.filter(({ writable }) => writable)) {
      this.inRange(region, bytes);
      w.open('if');
      this.offsetInto(region);
      x.expression(statement.value);
      w.memory(storeOpcodes[bytes], region.offset);
      w.else();
    }
    this.bail();
    for (const region of this.regions) if (region.writable) w.end();
  }

  private keep(number: number): void {
    const { w } = this.x;
    if (!isMemoryCell(number)) {
      w.set(localOfCell(number));
      return;
    }
    w.set(local.work);
    w.const(0);
    w.get(local.work);
    w.memory('i32.store', number * 4);
  }

  /** A literal: its place is known now. */
  private constantRegion(address: Expr, bytes: number, aligned: boolean): { at: number } | null {
    if (address.k !== 'const') return null;
    const value = address.value >>> 0;
    if (aligned && (value & (bytes - 1)) !== 0) return null;
    const region = this.regions.find(({ start, bytes: size }) => value >= start && value + bytes <= start + size);
    return region === undefined ? null : { at: value - region.start + region.offset };
  }

  /** The address goes to its local; one that must be aligned and is not leaves. */
  private address(statement: Load | Store): void {
    const { w } = this.x;
    this.x.expression(statement.address);
    w.set(local.address);
    if (!statement.aligned || statement.bytes === 1) return;
    w.get(local.address);
    w.const(statement.bytes - 1);
    w.op('i32.and');
    w.open('if');
    this.bail();
    w.end();
  }

  private offsetInto(region: Region): void {
    const { w } = this.x;
    w.get(local.address);
    if (region.start === 0) return;
    w.const(region.start);
    w.op('i32.sub');
  }

  private inRange(region: Region, bytes: number): void {
    this.offsetInto(region);
    this.x.w.const(region.bytes - bytes + 1);
    this.x.w.op('i32.lt_u');
  }

  private loadFrom(index: number, bytes: number, operation: Opcode): void {
    const { w } = this.x;
    const region = this.regions[index];
    if (region === undefined) {
      this.bail();
      return;
    }
    this.inRange(region, bytes);
    w.open('if', I32);
    this.offsetInto(region);
    w.memory(operation, region.offset);
    w.else();
    this.loadFrom(index + 1, bytes, operation);
    w.end();
  }
}
