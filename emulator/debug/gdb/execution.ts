/**
 * Running under a debugger, over the Cpu and Machine interfaces alone: breakpoints are marks whose callback pauses the machine, one step
 * is a run of one instruction with marks on what may follow it. Work is done in slices, so that an interrupt can come in between.
 */
import type { Machine, RunResult } from '../../machine.ts';
import type { Core } from '../../cores/core.ts';
import { decodeInstruction, itStateAfter, type ReadHalfword } from '../../timing/decode.ts';
import type { Instruction } from '../../timing/instruction.ts';
import type { MarkPass } from '../../cpu/cpu.ts';
import { reg } from '../../cpu/cpu.ts';
import type { TargetMemory } from './target-memory.ts';
import { watchHit, type Watch, type WatchHit } from './watch.ts';

/** A slice takes some ten milliseconds: often enough to look for an interrupt, too seldom to cost anything. */
const SLICE_CYCLES = 2_000_000;
const SLICE_STEPS = 500;
/** IT covers four instructions at most; the one after them is unconditional. */
const FOLLOWING_MAX = 5;
/** From the last of four wide instructions back to their IT. */
const IT_REACH_BYTES = 14;
/** xPSR bits 26:25 and 15:10 (DDI 0403E B1.4.2). */
const IT_BITS = 0x0600_fc00;

export type ResumeAction =
  | { readonly kind: 'continue' }
  | { readonly kind: 'step' }
  /** Steps until pc leaves start..end, end excluded; at least once. */
  | { readonly kind: 'range'; readonly start: number; readonly end: number };

export type BreakpointKind = 'software' | 'hardware';

export type Stop =
  | { readonly kind: 'breakpoint'; readonly breakpoint: BreakpointKind }
  | { readonly kind: 'watch'; readonly hit: WatchHit }
  | { readonly kind: 'stepped' | 'interrupted' }
  /** The machine itself ended the run. */
  | { readonly kind: 'result'; readonly result: RunResult };

export class Execution {
  /** Address of the next instruction. */
  pc: number;
  private readonly machine: Machine;
  private readonly memory: TargetMemory;
  private readonly cyclesMax: number;
  private readonly stopsInsideIt: boolean;
  private readonly breakpoints = new Map<number, Set<BreakpointKind>>();
  private readonly watches = new Map<string, Watch>();
  private action: ResumeAction | null = null;
  /** Instructions executed when the run was resumed, while its first is yet to come: what stands at that one has been reported. */
  private resumedAt = -1;
  /** A BKPT that has been reported; running on passes it. */
  private reportedBkpt: number | null = null;

  /** @param cyclesMax absolute budget in cycles since reset; Infinity for none. */
  constructor(machine: Machine, memory: TargetMemory, cyclesMax: number) {
    this.machine = machine;
    this.memory = memory;
    this.cyclesMax = cyclesMax;
    this.stopsInsideIt = machine.cpu.stopsInsideIt ?? false;
    this.pc = 0;
    this.reset();
  }

  get running(): boolean {
    return this.action !== null;
  }

  /** Core and peripherals as after power-on, halted before the first instruction. */
  reset(): void {
    this.action = null;
    this.reportedBkpt = null;
    this.setPc(this.machine.reset());
  }

  setPc(address: number): void {
    this.pc = (address & ~1) >>> 0;
    this.reportedBkpt = null;
    // Elsewhere no IT block is open: its state belongs to the instructions it was set for.
    const { cpu } = this.machine;
    const xpsr = cpu.readRegister(reg.xpsr);
    if (itStateOf(xpsr) !== 0) cpu.writeRegister(reg.xpsr, (xpsr & ~IT_BITS) >>> 0);
  }

  /** False inside an IT block that the engine cannot stop in; gdb sets its breakpoints before such blocks by itself. */
  addBreakpoint(address: number, kind: BreakpointKind): boolean {
    if (!this.stopsInsideIt && isInsideIt((at) => this.halfword(at), address, this.machine.core)) return false;
    const known = this.breakpoints.get(address);
    if (known !== undefined) known.add(kind);
    else {
      this.breakpoints.set(address, new Set([kind]));
      this.machine.cpu.addMark(address, this.onMark);
    }
    return true;
  }

  removeBreakpoint(address: number, kind: BreakpointKind): void {
    const known = this.breakpoints.get(address);
    if (known?.delete(kind) !== true || known.size > 0) return;
    this.breakpoints.delete(address);
    this.machine.cpu.removeMark(address);
  }

  /** False for reads on an engine that passes IT blocks as a whole: what they read is not seen. Writes show in what changed. */
  addWatch(watch: Watch): boolean {
    if (!this.stopsInsideIt && watch.kind !== 'write') return false;
    this.watches.set(`${watch.kind} ${watch.address} ${watch.bytes}`, watch);
    return true;
  }

  removeWatch(watch: Watch): void {
    this.watches.delete(`${watch.kind} ${watch.address} ${watch.bytes}`);
  }

  /** Of a debugger that goes away. */
  removeAll(): void {
    for (const address of this.breakpoints.keys()) this.machine.cpu.removeMark(address);
    this.breakpoints.clear();
    this.watches.clear();
  }

  resume(action: ResumeAction): void {
    this.memory.settle();
    if (this.reportedBkpt === this.pc) this.passBkpt();
    this.action = action;
    this.resumedAt = this.instructions();
  }

  /** One slice of work. Returns why the target stopped, or null while it runs on. */
  slice(): Stop | null {
    const { action } = this;
    if (action === null) return null;
    const stop = action.kind === 'continue' && this.watches.size === 0 ? this.runSlice() : this.stepSlice(action);
    if (stop !== null) this.action = null;
    if (stop?.kind === 'result' && stop.result.stop === 'breakpoint') this.reportedBkpt = this.pc;
    return stop;
  }

  interrupt(): Stop {
    this.action = null;
    return { kind: 'interrupted' };
  }

  private readonly onMark = (pass: MarkPass): void => {
    if (pass.instructions !== this.resumedAt) this.machine.pause();
  };

  private runSlice(): Stop | null {
    const { cycles } = this.machine.cpu.counters();
    const limit = Math.min(this.cyclesMax, cycles + SLICE_CYCLES);
    const result = this.machine.resume(this.pc, { cyclesMax: limit });
    this.pc = result.pc;
    this.resumedAt = -1;
    if (result.stop === 'paused') return this.breakpointAt(this.pc);
    return result.stop === 'limit' && result.cycles < this.cyclesMax ? null : { kind: 'result', result };
  }

  private stepSlice(action: ResumeAction): Stop | null {
    for (let steps = 0; steps < SLICE_STEPS; steps++) {
      const stop = this.stepOnce();
      if (stop !== null) return stop;
      const inRange = action.kind === 'range' && this.pc >= action.start && this.pc < action.end;
      if (action.kind === 'step' || (action.kind === 'range' && !inRange)) return { kind: 'stepped' };
      const breakpoint = this.breakpointAt(this.pc);
      if (breakpoint !== null) return breakpoint;
    }
    return null;
  }

  /** One instruction; an IT block as a whole on an engine that cannot stop inside one. */
  private stepOnce(): Stop | null {
    const { following, hit, first } = this.lookAhead();
    const before = this.instructions();
    if (hit !== null && before !== this.resumedAt) return { kind: 'watch', hit };
    this.resumedAt = before;
    const opensIt = !this.stopsInsideIt && first?.timing === 'ifThen';
    const watched = opensIt ? this.watchedBytes() : null;
    const { cpu } = this.machine;
    const added = following.filter((address) => !this.breakpoints.has(address));
    for (const address of added) cpu.addMark(address, this.onMark);
    try {
      const result = this.machine.resume(this.pc, { cyclesMax: this.cyclesMax, instructionsMax: before + 1 });
      this.pc = result.pc;
      this.resumedAt = -1;
      const goesOn = result.stop === 'paused' || (result.stop === 'limit' && result.cycles < this.cyclesMax);
      if (!goesOn) return { kind: 'result', result };
      return watched === null ? null : this.changedSince(watched);
    } finally {
      for (const address of added) cpu.removeMark(address);
    }
  }

  /** The next instruction, the watch it is about to hit, and the addresses at one of which execution goes on in sequence. */
  private lookAhead(): { first: Instruction | null; following: number[]; hit: WatchHit | null } {
    const { cpu } = this.machine;
    const xpsr = cpu.readRegister(reg.xpsr);
    const following: number[] = [];
    let first: Instruction | null = null;
    let address = this.pc;
    let itState = itStateOf(xpsr);
    for (let count = 0; count < FOLLOWING_MAX; count++) {
      const instruction = decodeInstruction((at) => this.halfword(at), address, itState, this.machine.core);
      if (instruction === null) break;
      first ??= instruction;
      itState = itStateAfter(instruction, itState);
      address = (address + instruction.size) >>> 0;
      if (itState === 0 || this.stopsInsideIt) following.push(address);
      if (itState === 0) break;
    }
    if (first === null || this.watches.size === 0) return { first, following, hit: null };
    const hit = watchHit(first, this.watches.values(), (number) => cpu.readRegister(number), xpsr);
    return { first, following, hit };
  }

  private watchedBytes(): Map<Watch, Uint8Array | null> {
    const { memory } = this.machine;
    return new Map(
      [...this.watches.values()].map((watch) => [watch, memory.tryView(watch.address, watch.bytes)?.slice() ?? null]),
    );
  }

  private changedSince(before: ReadonlyMap<Watch, Uint8Array | null>): Stop | null {
    for (const [{ kind, address, bytes }, old] of before) {
      const now = this.machine.memory.tryView(address, bytes);
      const offset = now?.findIndex((byte, index) => byte !== old?.[index]) ?? -1;
      if (offset >= 0) return { kind: 'watch', hit: { kind, address: address + offset } };
    }
    return null;
  }

  private breakpointAt(address: number): Stop | null {
    const kinds = this.breakpoints.get(address);
    if (kinds === undefined) return null;
    return { kind: 'breakpoint', breakpoint: kinds.has('software') ? 'software' : 'hardware' };
  }

  private passBkpt(): void {
    this.pc = this.machine.cpu.stepOver();
    this.reportedBkpt = null;
  }

  private instructions(): number {
    return this.machine.cpu.counters().instructions;
  }

  private halfword(address: number): number | null {
    const bytes = this.machine.memory.tryView(address, 2);
    return bytes === null ? null : (bytes[0] ?? 0) | ((bytes[1] ?? 0) << 8);
  }
}

function itStateOf(xpsr: number): number {
  return ((xpsr >>> 25) & 3) | ((xpsr >>> 8) & 0xfc);
}

/** Whether one of the up to four instructions before the address is an IT that covers it. */
function isInsideIt(read: ReadHalfword, address: number, core: Core): boolean {
  for (let start = address - 2; start >= address - IT_REACH_BYTES; start -= 2) {
    const opening = start < 0 ? null : decodeInstruction(read, start, 0, core);
    if (opening?.timing !== 'ifThen') continue;
    let itState = itStateAfter(opening, 0);
    for (let at = start + 2; at <= address && itState !== 0;) {
      if (at === address) return true;
      const instruction = decodeInstruction(read, at, itState, core);
      if (instruction === null) break;
      itState = itStateAfter(instruction, itState);
      at += instruction.size;
    }
  }
  return false;
}
