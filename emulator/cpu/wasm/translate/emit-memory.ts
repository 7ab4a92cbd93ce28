/**
 * Loads and stores in translated code. The first access of a group checks the range of all of them against the memories that were
 * seen there while the code was interpreted; anything else leaves to the interpreter before the instruction.
 */
import type { Expr } from '../../../isa/ir.ts';
import type { Part } from '../guest-memory.ts';
import type { Access, AccessPlan, Group, Place } from './access-groups.ts';
import { setCell } from './cell-locals.ts';
import type { ExpressionEmitter } from './emit-expression.ts';
import type { TimingEmitter } from './emit-timing.ts';
import { isMemoryCell, local } from './locals.ts';
import { candidates, type PlacedAccesses } from './slaves.ts';
import type { Opcode } from './wasm-writer.ts';

/** Memories tried for accesses that have not been seen. */
const UNSEEN_TRIES_MAX = 3;

type Load = Extract<Access, { k: 'load' }>;
type Store = Extract<Access, { k: 'store' }>;

const loadOpcode = (bytes: number, signed: boolean): Opcode => {
  if (bytes === 4) return 'i32.load';
  if (bytes === 2) return signed ? 'i32.load16_s' : 'i32.load16_u';
  return signed ? 'i32.load8_s' : 'i32.load8_u';
};
const storeOpcodes: Readonly<Record<1 | 2 | 4, Opcode>> = { 1: 'i32.store8', 2: 'i32.store16', 4: 'i32.store' };

export class MemoryEmitter {
  private readonly x: ExpressionEmitter;
  /** Writable memories first, where most accesses go. */
  private readonly parts: readonly Part[];
  private readonly bail: () => void;
  private readonly timing: TimingEmitter | null;
  private plan: AccessPlan = { places: new Map(), alignedStack: new Set(), groups: 0 };
  private byGroups: PlacedAccesses['byGroups'] = new Map();
  /** Constant cycles of the block before the current instruction. */
  cyclesBefore = 0;
  /** Where the memory of a group begins, for groups whose check has been passed. */
  private readonly checked = new Map<Group, number>();
  private readonly alignmentsKnown = new Map<Group, Set<number>>();
  /** Locals that groups of the largest block need. */
  groupsMax = 0;

  /** @param bail leaves the translated code in front of the current instruction @param timing null: all memories are zero-wait */
  constructor(x: ExpressionEmitter, parts: readonly Part[], timing: TimingEmitter | null, bail: () => void) {
    this.x = x;
    this.parts = parts;
    this.timing = timing;
    this.bail = bail;
  }

  /** A block begins: all checks are still to be made. */
  block({ plan, byGroups }: PlacedAccesses): void {
    this.plan = plan;
    this.byGroups = byGroups;
    this.checked.clear();
    this.alignmentsKnown.clear();
    this.groupsMax = Math.max(this.groupsMax, this.plan.groups);
  }

  load(statement: Load): void {
    const { x } = this;
    const { bytes, signed } = statement;
    const operation = loadOpcode(bytes, signed);
    const known = this.constantPlace(statement.address, bytes, statement.aligned);
    let offset: number;
    if (known !== null) {
      this.readAt(known);
      x.w.const(known);
      offset = 0;
    } else {
      offset = this.place(statement);
      this.read(statement, offset);
    }
    x.w.memory(operation, offset);
    x.changes(statement.cell);
    this.keep(statement.cell);
  }

  store(statement: Store): void {
    const { x } = this;
    const offset = this.place(statement);
    x.expression(statement.value);
    x.w.memory(storeOpcodes[statement.bytes], offset);
  }

  /** Counts the time of a load from a place in the WebAssembly memory. */
  private readAt(place: number): void {
    const { timing, parts } = this;
    const part = parts.find(({ offset, bytes }) => place >= offset && place - offset < bytes);
    if (timing?.times(part!) === true) timing.read(null, place, true, this.cyclesBefore);
  }

  /** Counts the time of a load. @param offset from the place of its group */
  private read(access: Load, offset: number): void {
    const { timing } = this;
    if (timing === null) return;
    const { group } = this.plan.places.get(access) ?? this.alone(access);
    const reached = this.candidates(group);
    const isTimed = (part: Part): boolean => timing.times(part);
    if (reached.some(isTimed))
      timing.read(local.group + group.index, offset, reached.every(isTimed), this.cyclesBefore);
  }

  private keep(number: number): void {
    const { w } = this.x;
    if (!isMemoryCell(number)) {
      setCell(w, number);
      return;
    }
    w.set(local.work);
    w.const(0);
    w.get(local.work);
    w.memory('i32.store', number * 4);
  }

  /** A literal: its place is known now. */
  private constantPlace(address: Expr, bytes: number, aligned: boolean): number | null {
    if (address.k !== 'const') return null;
    const value = address.value >>> 0;
    if (aligned && (value & (bytes - 1)) !== 0) return null;
    const region = this.parts.find(({ start, bytes: size }) => value >= start && value + bytes <= start + size);
    return region === undefined ? null : value - region.start + region.offset;
  }

  /** Leaves the place of the group's lowest byte on the stack and returns the access's distance from it. */
  private place(access: Access): number {
    const { w } = this.x;
    const place = this.plan.places.get(access) ?? this.alone(access);
    const { group } = place;
    this.checkAlignment(access, place);
    const inLocal = local.group + group.index;
    let base = this.checked.get(group);
    if (base === undefined) {
      this.timing?.settle();
      this.x.expression(access.address);
      if (group.low !== group.firstDelta) {
        w.const(group.low - group.firstDelta);
        w.op('i32.add');
      }
      w.set(local.address);
      base = this.checkRange(group, inLocal);
      this.checked.set(group, base);
    }
    w.get(inLocal);
    return base + place.delta - group.low;
  }

  /** A store to a constant address. */
  private alone(access: Access): Place {
    const group: Group = {
      low: 0,
      high: access.bytes - 1,
      stores: access.k === 'store',
      steps: new Set(),
      first: access,
      firstDelta: 0,
      index: this.plan.groups,
    };
    this.groupsMax = Math.max(this.groupsMax, this.plan.groups + 1);
    return { group, delta: 0, isAligned: false };
  }

  private checkAlignment(access: Access, { group, delta, isAligned }: Place): void {
    const { bytes } = access;
    if (!access.aligned || bytes === 1 || isAligned) return;
    let known = this.alignmentsKnown.get(group);
    if (known === undefined) this.alignmentsKnown.set(group, (known = new Set()));
    const kind = bytes * 4 + (delta & 3);
    if (known.has(kind)) return;
    known.add(kind);
    const { w } = this.x;
    this.timing?.settle();
    this.x.expression(access.address);
    w.const(bytes - 1);
    w.op('i32.and');
    w.open('if');
    this.bail();
    w.end();
  }

  /** Memories the group may lie in, by what its instructions have touched so far. */
  private candidates(group: Group): readonly Part[] {
    let seen = 0;
    for (const step of group.steps) seen |= step.touched;
    const found = candidates(this.parts, group.stores, seen);
    const slave = this.byGroups.get(group);
    if (slave !== undefined) return found.filter((part) => part.slave === slave);
    return seen === 0 ? found.slice(0, UNSEEN_TRIES_MAX) : found;
  }

  /** From the lowest address to its place in `inLocal`; what is to be added to it in the access is returned. */
  private checkRange(group: Group, inLocal: number): number {
    const { w } = this.x;
    const reached = this.candidates(group);
    if (reached.length === 0) {
      this.bail();
      return 0;
    }
    const base = Math.min(...reached.map(({ offset }) => offset));
    const bytes = group.high - group.low + 1;
    let open = 0;
    for (const region of reached) {
      w.get(local.address);
      if (region.start !== 0) {
        w.const(region.start);
        w.op('i32.sub');
      }
      w.tee(inLocal);
      w.const(region.bytes - bytes + 1);
      w.op('i32.lt_u');
      w.open('if');
      if (region.offset !== base) {
        w.get(inLocal);
        w.const(region.offset - base);
        w.op('i32.add');
        w.set(inLocal);
      }
      w.else();
      open++;
    }
    this.bail();
    for (; open > 0; open--) w.end();
    return base;
  }
}
