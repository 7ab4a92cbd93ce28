/**
 * Runs a machine up to what a debugger waits for, over the Cpu and Machine interfaces alone: breakpoints are marks whose callback pauses
 * the machine, watchpoints are an access hook that stops it in front of the access, where the engine has one.
 */
import type { Counters, MarkPass, RunLimits } from '../../cpu/cpu.ts';
import { reg } from '../../cpu/cpu.ts';
import type { Machine } from '../../machine.ts';
import type { BreakpointKind, Stop } from './stop.ts';
import { overlap, type Watch, type WatchHit } from './watch.ts';

/** A slice takes some ten milliseconds: often enough to look for an interrupt, too seldom to cost anything. */
export const SLICE_CYCLES = 2_000_000;

/** What was interrupted: the handlers are done once the same instruction comes up again at the same level, on the same stack. */
interface ReturnPoint {
  readonly address: number;
  readonly sp: number;
  readonly exception: number;
}

/** A place where a run forwards would have stopped. */
export interface Hit {
  /** In front of the instruction. */
  readonly position: Counters;
  readonly stop: Stop;
}

export class RunControl {
  /** Address of the next instruction. */
  pc = 0;
  readonly machine: Machine;
  /** Whether every instruction can be stopped at; elsewhere an IT block is passed as a whole. */
  readonly isExact: boolean;
  /** Absolute budget in cycles since reset. */
  readonly cyclesMax: number;
  readonly watches = new Map<string, Watch>();
  /** Where the run was resumed: what stands at that very instruction has been reported. */
  private resumed: { readonly instructions: number; readonly pc: number } | null = null;
  private readonly breakpoints = new Map<number, Set<BreakpointKind>>();
  private returnPoint: ReturnPoint | null = null;
  private watchHit: WatchHit | null = null;
  /** Told of every hit instead of stopping there. */
  private onHit: ((hit: Hit) => void) | null = null;

  constructor(machine: Machine, cyclesMax: number) {
    this.machine = machine;
    this.cyclesMax = cyclesMax;
    this.isExact = machine.cpu.stopsInsideIt ?? false;
  }

  /** Whether watchpoints need the program to be stepped through. */
  get watchesByStepping(): boolean {
    return this.watches.size > 0 && this.machine.cpu.addAccessHook === undefined;
  }

  counters(): Counters {
    return this.machine.cpu.counters();
  }

  addBreakpoint(address: number, kind: BreakpointKind): void {
    const known = this.breakpoints.get(address);
    if (known !== undefined) known.add(kind);
    else {
      this.breakpoints.set(address, new Set([kind]));
      this.machine.cpu.addMark(address, this.onMark);
    }
  }

  removeBreakpoint(address: number, kind: BreakpointKind): void {
    const known = this.breakpoints.get(address);
    if (known?.delete(kind) !== true || known.size > 0) return;
    this.breakpoints.delete(address);
    this.machine.cpu.removeMark(address);
  }

  breakpointAt(address: number): Stop | null {
    const kinds = this.breakpoints.get(address);
    if (kinds === undefined) return null;
    return { kind: 'breakpoint', breakpoint: kinds.has('software') ? 'software' : 'hardware' };
  }

  /** False for reads on an engine that passes IT blocks as a whole: what they read is not seen. Writes show in what changed. */
  addWatch(watch: Watch): boolean {
    if (!this.isExact && watch.kind !== 'write') return false;
    this.watches.set(keyOf(watch), watch);
    this.machine.cpu.addAccessHook?.(this.onAccess);
    return true;
  }

  removeWatch(watch: Watch): void {
    this.watches.delete(keyOf(watch));
    if (this.watches.size === 0) this.machine.cpu.removeAccessHook?.(this.onAccess);
  }

  /** Of a debugger that goes away. */
  removeAll(): void {
    for (const address of this.breakpoints.keys()) this.machine.cpu.removeMark(address);
    this.breakpoints.clear();
    this.watches.clear();
    this.machine.cpu.removeAccessHook?.(this.onAccess);
  }

  /** What stands at the next instruction does not stop it. */
  resumeHere(): void {
    this.resumed = { instructions: this.counters().instructions, pc: this.pc };
  }

  /** Whether the instruction about to run is the one the run was resumed at. */
  isResumedAt(pc: number, instructions: number): boolean {
    return this.resumed?.pc === pc && this.resumed.instructions === instructions;
  }

  /** Runs on from `pc`. Why it stopped, or null at a limit. */
  run(limits: RunLimits): Stop | null {
    const result = this.machine.resume(this.pc, { ...limits, cyclesMax: Math.min(limits.cyclesMax, this.cyclesMax) });
    this.pc = result.pc;
    this.resumed = null;
    for (const address of this.breakpoints.keys()) this.machine.cpu.takeMarkPasses(address);
    if (result.stop === 'paused') return this.pausedBy();
    return result.stop === 'limit' && result.cycles < this.cyclesMax ? null : { kind: 'result', result };
  }

  /** With a mark at an interrupted instruction, whose handlers run meanwhile; 'stepped' when it comes up again. */
  *returning<T>(work: Generator<undefined, T, undefined>): Generator<undefined, T, undefined> {
    const { cpu, exceptions } = this.machine;
    const address = this.pc;
    this.returnPoint = { address, sp: cpu.readRegister(reg.sp), exception: exceptions?.current() ?? 0 };
    if (!this.breakpoints.has(address)) cpu.addMark(address, this.onMark);
    try {
      return yield* work;
    } finally {
      this.returnPoint = null;
      if (!this.breakpoints.has(address)) cpu.removeMark(address);
    }
  }

  /** While the work is done, nothing stops at breakpoints and watchpoints; each is told to `onHit` instead. */
  *searching<T>(
    onHit: (hit: Hit) => void,
    work: Generator<undefined, T, undefined>,
  ): Generator<undefined, T, undefined> {
    this.onHit = onHit;
    try {
      return yield* work;
    } finally {
      this.onHit = null;
    }
  }

  /** A stop that the machine itself makes: a hit for who searches. */
  isIgnored(stop: Stop, position: Counters): boolean {
    this.onHit?.({ position, stop });
    return this.onHit !== null;
  }

  private pausedBy(): Stop | null {
    const hit = this.watchHit;
    this.watchHit = null;
    if (hit !== null) return { kind: 'watch', hit };
    return this.returnPoint?.address === this.pc ? { kind: 'stepped' } : this.breakpointAt(this.pc);
  }

  private readonly onMark = (pass: MarkPass): void => {
    const { address, cycles, instructions } = pass;
    if (this.isResumedAt(address, instructions)) return;
    if (this.hasReturned(address)) {
      this.machine.pause();
      return;
    }
    const stop = this.breakpointAt(address);
    if (stop === null || this.isIgnored(stop, { cycles, instructions })) return;
    this.machine.pause();
  };

  private hasReturned(address: number): boolean {
    const point = this.returnPoint;
    if (point?.address !== address) return false;
    const { cpu, exceptions } = this.machine;
    return cpu.readRegister(reg.sp) === point.sp && exceptions?.current() === point.exception;
  }

  private readonly onAccess = (access: 'read' | 'write', address: number, bytes: number): boolean => {
    const { cpu } = this.machine;
    const position = cpu.counters();
    if (this.isResumedAt(cpu.accessPc(), position.instructions)) return false;
    for (const watch of this.watches.values()) {
      const hit = overlap(watch, access, { start: address, bytes });
      if (hit === null) continue;
      if (this.isIgnored({ kind: 'watch', hit }, position)) continue;
      this.watchHit = hit;
      this.machine.pause();
      return true;
    }
    return false;
  };
}

const keyOf = ({ kind, address, bytes }: Watch): string => `${kind} ${address} ${bytes}`;
