/**
 * Breakpoints and watchpoints of the core itself: what the comparators of FPB and DWT ask for, and what happens when one matches (DDI
 * 0403E C1.4, DDI 0553B B12.3): with halting debug on, by a debugger at the debug port, the core halts; else DebugMonitor is taken where it is
 * on and its priority suffices, else the event is lost. A breakpoint is seen in front of its instruction, a watchpoint after it.
 */
import type { AccessHook, Cpu } from '../cpu/cpu.ts';
import type { Stateful } from '../state/stateful.ts';
import { debugFaultStatus, exception, faultStatus } from './exception.ts';
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

/** A debugger at the debug port. */
export interface HaltingDebugger {
  /** DHCSR.C_DEBUGEN. */
  readonly isEnabled: boolean;
  /** The core is in Debug state, in front of the instruction it will run next. */
  halted(): void;
  /** The core has been reset. */
  wasReset(): void;
}

export interface DebugEventParts {
  readonly cpu: Cpu;
  readonly unit: ExceptionUnit;
  readonly state: ExceptionState;
  readonly system: SystemState;
}

export class DebugEvents implements Stateful {
  /** Null: nobody is at the debug port. */
  debugger: HaltingDebugger | null = null;
  private readonly parts: DebugEventParts;
  /** The core halts in front of its next instruction. */
  private haltRequested = false;
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
    this.haltRequested = false;
  }

  /** DHCSR.C_DEBUGEN. */
  get canHalt(): boolean {
    return this.debugger?.isEnabled === true;
  }

  /** The core halts before it runs on; `status`: bit of DFSR. */
  requestHalt(status: number): void {
    this.parts.system.debugFaultStatus |= status;
    this.haltRequested = true;
    this.parts.cpu.stop();
  }

  /** After a reset by AIRCR: vector catch (C1.6.5). */
  afterReset(): void {
    this.debugger?.wasReset();
    if (this.canHalt && (this.parts.system.debugMonitorControl & demcr.catchReset) !== 0)
      this.requestHalt(debugFaultStatus.vectorCatch);
  }

  /** An exception was taken that these bits of DEMCR catch. */
  caught(bits: number): void {
    if (this.canHalt && (this.parts.system.debugMonitorControl & bits) !== 0)
      this.requestHalt(debugFaultStatus.vectorCatch);
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

  /** In front of the next instruction: what is due; an exception that it makes pending is for the caller to take. True: the core halts. */
  poll(): boolean {
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
    if (!this.haltRequested) return false;
    this.haltRequested = false;
    this.debugger?.halted();
    return true;
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

  /** The engine stopped in front of one of them: whether the core halts there, DebugMonitor has to be taken, or the run goes on. */
  reached(pc: number): 'halt' | 'monitor' | 'pass' {
    const { unit, cpu } = this.parts;
    if (this.breakpoints.has(pc) && this.haltsAt()) return 'halt';
    if (this.breakpoints.has(pc) && unit.monitors()) return 'monitor';
    for (const { on, address, onMatch } of this.watchpoints) {
      if (on !== 'instruction' || address !== pc) continue;
      onMatch();
      this.step = { instructions: cpu.counters().instructions + 1, status: debugFaultStatus.watchpoint };
    }
    this.passed = pc;
    return 'pass';
  }

  /** A breakpoint, by the FPB or BKPT: whether the core halts in front of it. */
  haltsAt(): boolean {
    if (!this.canHalt) return false;
    this.parts.system.debugFaultStatus |= debugFaultStatus.breakpoint;
    this.debugger?.halted();
    return true;
  }

  /** After an instruction. */
  private respond(status: number): void {
    const { state, system, unit, cpu } = this.parts;
    if (this.canHalt) {
      this.requestHalt(status);
      return;
    }
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

/** Bits of DEMCR that catch this exception; @param status of CFSR, for UsageFault */
export function catchesOf(number: number, status: number): number {
  if (number === exception.hardFault) return demcr.catchHardFault;
  if (number === exception.memManage) return demcr.catchMemManage;
  if (number === exception.busFault) return demcr.catchBusFault;
  if (number !== exception.usageFault) return 0;
  if (status === faultStatus.noCoprocessor) return demcr.catchNoCoprocessor;
  const isChecking = status === faultStatus.unaligned || status === faultStatus.divideByZero;
  return isChecking ? demcr.catchChecking : demcr.catchState;
}
