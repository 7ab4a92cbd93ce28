/**
 * Breakpoints and watchpoints of the core itself: what the comparators of FPB and DWT ask for, and what happens when one matches (DDI
 * 0403E C1.4, DDI 0553B B12.3): DebugMonitor is taken where it is on and its priority suffices, else the event is lost; nobody halts the core
 * through a debug port. A breakpoint is seen in front of its instruction, a watchpoint after it.
 */
import type { AccessHook, Cpu } from '../cpu/cpu.ts';
import type { Stateful } from '../state/stateful.ts';
import { debugFaultStatus, exception } from './exception.ts';
import type { ExceptionState } from './exception-state.ts';
import type { ExceptionUnit } from './exception-unit.ts';
import { demcr, type SystemState } from './system-state.ts';

export interface Watchpoint {
  readonly on: 'read' | 'write' | 'access' | 'instruction';
  /** First byte; for 'instruction' its address. */
  readonly address: number;
  /** A power of two of which the address is a multiple; 1 for 'instruction'. */
  readonly bytes: number;
  /** Sets MATCHED. */
  readonly onMatch: () => void;
}

export interface DebugEventParts {
  readonly cpu: Cpu;
  readonly unit: ExceptionUnit;
  readonly state: ExceptionState;
  readonly system: SystemState;
}

export class DebugEvents implements Stateful {
  private readonly parts: DebugEventParts;
  private breakpoints: ReadonlySet<number> = new Set();
  private watchpoints: readonly Watchpoint[] = [];
  private watchesData = false;
  /** Where the engine stops. */
  private armed: ReadonlySet<number> = new Set();
  /** Address of the instruction that runs next in spite of a breakpoint there. */
  private passed: number | null = null;
  /** Counter of instructions after which the event comes, and its bit of DFSR. */
  private step: { readonly instructions: number; readonly status: number } | null = null;

  constructor(parts: DebugEventParts) {
    this.parts = parts;
  }

  reset(): void {
    this.passed = null;
    this.step = null;
  }

  save(): unknown {
    return { passed: this.passed, step: this.step };
  }

  restore(state: unknown): void {
    Object.assign(this, state);
  }

  /** By the FPB: instead of those before. */
  setBreakpoints(addresses: ReadonlySet<number>): void {
    this.breakpoints = addresses;
    this.arm();
  }

  /** By the DWT: instead of those before. */
  setWatchpoints(watchpoints: readonly Watchpoint[]): void {
    this.watchpoints = watchpoints;
    this.arm();
    const { cpu } = this.parts;
    const watchesData = watchpoints.some(({ on }) => on !== 'instruction');
    if (watchesData === this.watchesData) return;
    this.watchesData = watchesData;
    if (watchesData) cpu.addAccessHook?.(this.onAccess);
    else cpu.removeAccessHook?.(this.onAccess);
  }

  /** In front of the next instruction: what is due; an exception that it makes pending is for the caller to take. */
  poll(): void {
    const { cpu, unit, system } = this.parts;
    const { instructions } = cpu.counters();
    if (this.step !== null && instructions >= this.step.instructions) {
      const { status } = this.step;
      this.step = null;
      this.respond(status);
    }
    // MON_STEP: one instruction of what DebugMonitor may interrupt (C1.4.1).
    const steps = (system.debugMonitorControl & demcr.monitorStep) !== 0 && unit.monitors();
    if (steps && this.step === null) this.step = { instructions: instructions + 1, status: debugFaultStatus.halted };
  }

  /** Instructions after which poll() has something to do. */
  nextStep(): number {
    return this.step?.instructions ?? Infinity;
  }

  /** Whether the instruction at `pc` runs in spite of a breakpoint; once. */
  takePass(pc: number): boolean {
    const passes = this.passed === pc;
    this.passed = null;
    return passes;
  }

  /** The engine stopped in front of one of them. Whether DebugMonitor has to be taken there; else the run goes on. */
  reached(pc: number): boolean {
    const { unit, cpu } = this.parts;
    if (this.breakpoints.has(pc) && unit.monitors()) return true;
    for (const { on, address, onMatch } of this.watchpoints) {
      if (on !== 'instruction' || address !== pc) continue;
      onMatch();
      this.step = { instructions: cpu.counters().instructions + 1, status: debugFaultStatus.watchpoint };
    }
    this.passed = pc;
    return false;
  }

  /** After an instruction. */
  private respond(status: number): void {
    const { state, system, unit, cpu } = this.parts;
    if (!unit.monitors()) return;
    system.debugFaultStatus |= status;
    state.setPending(exception.debugMonitor, true);
    cpu.stop();
  }

  private readonly onAccess: AccessHook = (access, address, bytes) => {
    for (const { on, address: start, bytes: size, onMatch } of this.watchpoints) {
      if (on === 'instruction' || (on !== 'access' && on !== access)) continue;
      if (address >= start + size || start >= address + bytes) continue;
      onMatch();
      this.respond(debugFaultStatus.watchpoint);
    }
    return false;
  };

  /** Only for a change: the engine forgets all code it has translated, and every reset and restored state comes through here. */
  private arm(): void {
    const instructions = this.watchpoints.filter(({ on }) => on === 'instruction').map(({ address }) => address);
    const wanted = new Set([...this.breakpoints, ...instructions]);
    if (wanted.size === this.armed.size && [...wanted].every((address) => this.armed.has(address))) return;
    this.armed = wanted;
    this.parts.cpu.setHardwareBreakpoints?.(wanted);
  }
}
