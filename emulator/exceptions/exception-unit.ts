/**
 * Exception entry and return on the registers and stack of an engine (DDI 0403E B1.5.6 to B1.5.8): stacking, vector fetch, tail-chaining,
 * late arrival, escalation, lock-up. Decisions about priorities are ExceptionState's; frames are stack-frame.ts's.
 */
import { hex32 } from '../../common/units.ts';
import type { Cpu, ExceptionPort } from '../cpu/cpu.ts';
import { reg } from '../cpu/cpu.ts';
import { debugFaultStatus, exception, faultStatus, hardFaultStatus } from './exception.ts';
import type { ExceptionFeatures } from './exception-features.ts';
import type { ExceptionState } from './exception-state.ts';
import { FpContext } from './fp-context.ts';
import type { Refusal, StackAccess, StackingRefusal } from './stack-access.ts';
import { popFrame, pushFrame } from './stack-frame.ts';
import { ccr, fpccr, scr, type SystemState } from './system-state.ts';

/** Where execution goes on; lock-up: the core has stopped for good (B1.5.15). */
export type Continuation = number | { readonly lockUp: string };

/** An exception was taken or has returned; `cycles` is the counter behind it. */
export interface ExceptionEvent {
  readonly kind: 'enter' | 'return';
  readonly number: number;
  readonly cycles: number;
}

/** What a frame that cannot be stored raises. */
const STACKING_FAULTS: Readonly<Record<StackingRefusal, readonly [number, number]>> = {
  bus: [exception.busFault, faultStatus.stackingBus],
  denied: [exception.memManage, faultStatus.stackingProtection],
  limit: [exception.usageFault, faultStatus.stackOverflow],
};
const READY_BITS = [
  [exception.hardFault, fpccr.hardFaultReady],
  [exception.memManage, fpccr.memManageReady],
  [exception.busFault, fpccr.busFaultReady],
  [exception.debugMonitor, fpccr.monitorReady],
] as const;
const IPSR_MASK = 0x1ff;
const THUMB = 0x0100_0000;
/** IT and ICI state in xPSR: bits 26:25 and 15:10. */
const IT_STATE = 0x0600_fc00;
const SPSEL = 2;
const SYSTEM_SPACE = 0xe000_0000;

export class ExceptionUnit {
  readonly state: ExceptionState;
  readonly system: SystemState;
  readonly fp: FpContext;
  /** The last return went back to a thread that sleeps until the next exception (SCR.SLEEPONEXIT). */
  sleepsOnExit = false;
  /** For profilers. */
  onEvent: ((event: ExceptionEvent) => void) | null = null;
  private readonly cpu: Cpu;
  private readonly port: ExceptionPort;
  private readonly features: ExceptionFeatures;
  private readonly stack: StackAccess;
  private readonly advance: () => void;

  /** @param advance lets devices do what is due at the present cycle: an exception may arrive during the entry of another */
  constructor(
    cpu: Cpu,
    port: ExceptionPort,
    state: ExceptionState,
    system: SystemState,
    features: ExceptionFeatures,
    stack: StackAccess,
    advance: () => void,
  ) {
    this.cpu = cpu;
    this.port = port;
    this.state = state;
    this.system = system;
    this.features = features;
    this.stack = stack;
    this.advance = advance;
    this.fp = new FpContext(cpu, port, stack, system, features);
  }

  /** Number of the exception whose handler runs; 0 in Thread mode. */
  current(): number {
    return this.cpu.readRegister(reg.xpsr) & IPSR_MASK;
  }

  executionPriority(): number {
    return this.state.executionPriority({
      primask: this.cpu.readRegister(reg.primask),
      faultmask: this.cpu.readRegister(reg.faultmask),
      basepri: this.cpu.readRegister(reg.basepri),
    });
  }

  /** Whether WFI ends: something pending would be taken, were it not for PRIMASK. */
  wakes(): boolean {
    const { cpu } = this;
    return this.state.wakes({
      primask: 0,
      faultmask: cpu.readRegister(reg.faultmask),
      basepri: cpu.readRegister(reg.basepri),
    });
  }

  /** Takes the pending exception whose priority is high enough, in front of the instruction at `pc`; null: there is none. */
  poll(pc: number): Continuation | null {
    return this.wouldTake() ? this.enter(pc) : null;
  }

  /** Whether poll() would take something now. */
  wouldTake(): boolean {
    return this.state.preempting(this.executionPriority()) !== null;
  }

  /** SVC, whose next instruction is at `next`. */
  supervisorCall(next: number): Continuation {
    return this.synchronous(exception.supervisorCall, next);
  }

  /** Whether DebugMonitor is on and its priority suffices: debug events that it does not take are lost (DDI 0403E C1.4). */
  monitors(): boolean {
    return this.isTakable(exception.debugMonitor);
  }

  /** A breakpoint at `address`, where its handler returns to; null: DebugMonitor does not take it. */
  breakpoint(address: number): Continuation | null {
    if (!this.monitors()) return null;
    this.system.debugFaultStatus |= debugFaultStatus.breakpoint;
    return this.synchronous(exception.debugMonitor, address);
  }

  /** @param status bits of CFSR; @param returnAddress goes to the frame: the faulting instruction, or the one that was to come */
  fault(number: number, status: number, returnAddress: number): Continuation {
    this.system.faultStatus = (this.system.faultStatus | status) >>> 0;
    return this.synchronous(number, returnAddress);
  }

  /**
   * The frame left open for FPU registers cannot be stored in front of the FPU instruction at `pc`. What was ready when it was left open
   * decides on escalation; a fault that cannot be taken now waits, and the instruction runs without the frame (FPCCR, B3.2.21).
   */
  lazyFault(refused: Refusal, pc: number): Continuation {
    const { system, state } = this;
    const [wanted, status, ready] =
      refused === 'bus'
        ? ([exception.busFault, faultStatus.lazyBus, fpccr.busFaultReady] as const)
        : ([exception.memManage, faultStatus.lazyProtection, fpccr.memManageReady] as const);
    system.faultStatus = (system.faultStatus | status) >>> 0;
    const isReady = (bit: number): boolean => (system.fpContextControl & bit) !== 0;
    if (!isReady(ready)) {
      if (!isReady(fpccr.hardFaultReady)) return this.lockUp(wanted, pc);
      system.hardFaultStatus = (system.hardFaultStatus | hardFaultStatus.forced) >>> 0;
    }
    state.setPending(isReady(ready) ? wanted : exception.hardFault, true);
    const taken = this.poll(pc);
    if (taken !== null) return taken;
    this.fp.giveUp();
    return pc;
  }

  /** A branch to an EXC_RETURN value in Handler mode. */
  returnFrom(excReturn: number): Continuation {
    const { state, cpu } = this;
    const number = this.current();
    const isBase = state.activeExceptions() === 1;
    const wasActive = state.isActive(number);
    const target = wasActive ? this.returnTarget(excReturn, isBase) : null;
    if (wasActive) state.leave(number);
    if (number !== exception.nmi) cpu.writeRegister(reg.faultmask, 0);
    this.onEvent?.({ kind: 'return', number, cycles: cpu.counters().cycles });
    if (target === null) return this.derived(exception.usageFault, faultStatus.invalidPc, excReturn);
    if (state.preempting(this.executionPriority()) !== null) return this.tailChain(excReturn);
    return this.unstack(excReturn, target, isBase);
  }

  /** SVC and faults: taken now, or as HardFault, or the core locks up. */
  private synchronous(wanted: number, returnAddress: number): Continuation {
    const number = this.escalate(wanted);
    if (number === null) return this.lockUp(wanted, returnAddress);
    this.state.setPending(number, true);
    return this.enter(returnAddress);
  }

  /** The exception itself if it is enabled and its priority suffices, else HardFault; null when not even that can be taken. */
  private escalate(wanted: number): number | null {
    const { features, system } = this;
    const isKnown = !features.onlyHardFault || wanted === exception.supervisorCall;
    if (isKnown && this.isTakable(wanted)) return wanted;
    if (wanted !== exception.hardFault)
      system.hardFaultStatus = (system.hardFaultStatus | hardFaultStatus.forced) >>> 0;
    return this.isTakable(exception.hardFault) ? exception.hardFault : null;
  }

  private isTakable(number: number): boolean {
    const { state } = this;
    return state.isEnabled(number) && state.groupPriority(state.priorityOf(number)) < this.executionPriority();
  }

  private lockUp(wanted: number, address: number): Continuation {
    return { lockUp: `lock-up: exception ${wanted} at ${hex32(address)} while faults are not allowed` };
  }

  /** Stacks the context, waits out the latency, and starts the handler of whatever is first in line by then. */
  private enter(returnAddress: number): Continuation {
    const { cpu, port, features, state } = this;
    const priority = this.executionPriority();
    const ready = this.readyBits(priority);
    const frame = pushFrame(cpu, this.stack, returnAddress, this.fp, { alignsTo8: this.alignsTo8(), ready });
    if (frame.refused !== null) this.pendStackingFault(frame.refused);
    port.addCounters(features.cost.entry + frame.extraCycles, 0);
    this.advance();
    const number = state.preempting(priority);
    if (number === null) return this.lockUp(exception.hardFault, returnAddress);
    return this.activate(number, this.excReturn(frame.hasFp, frame.wasHandler, frame.onProcessStack));
  }

  private alignsTo8(): boolean {
    return (this.system.configuration & ccr.stackAlign) !== 0;
  }

  /** FPCCR's RDY bits for code of this priority. */
  private readyBits(priority: number): number {
    let bits = 0;
    for (const [number, bit] of READY_BITS) if (this.state.isReady(number, priority)) bits |= bit;
    return bits;
  }

  private excReturn(hasFp: boolean, toHandler: boolean, onProcessStack: boolean): number {
    const mode = (toHandler ? 0 : 8) | (onProcessStack ? 4 : 0);
    if (this.features.isV8) return (0xffff_ffa0 | (hasFp ? 0 : 0x10) | mode) >>> 0;
    return ((hasFp ? 0xffff_ffe0 : 0xffff_fff0) | mode | 1) >>> 0;
  }

  /** Fetches the vector and enters Handler mode. */
  private activate(number: number, excReturn: number): Continuation {
    const { cpu, port, state, system } = this;
    const vector = port.readWord((system.vectorTable + number * 4) >>> 0);
    if (vector === null) {
      if (number === exception.hardFault || number === exception.nmi)
        return { lockUp: `lock-up: no vector for exception ${number} at ${hex32(system.vectorTable + number * 4)}` };
      // Derived from this entry, whose exception stays pending behind it (B1.5.11).
      system.hardFaultStatus |= hardFaultStatus.vectorTable;
      return this.activate(exception.hardFault, excReturn);
    }
    cpu.writeRegister(reg.lr, excReturn);
    const xpsr = cpu.readRegister(reg.xpsr) & ~(IPSR_MASK | IT_STATE);
    cpu.writeRegister(reg.xpsr, (xpsr | number | THUMB) >>> 0);
    const control = cpu.readRegister(reg.control);
    cpu.writeRegister(reg.control, control & ~(SPSEL | FpContext.ACTIVE));
    state.enter(number);
    port.clearExclusive();
    this.fp.refresh();
    const pc = (vector & ~1) >>> 0;
    cpu.writeRegister(reg.pc, pc);
    this.onEvent?.({ kind: 'enter', number, cycles: cpu.counters().cycles });
    return this.goTo(pc, (vector & 1) !== 0);
  }

  private tailChain(excReturn: number): Continuation {
    this.port.addCounters(this.features.cost.tailChain, 0);
    this.advance();
    const number = this.state.preempting(this.executionPriority());
    return number === null ? this.lockUp(exception.hardFault, excReturn) : this.activate(number, excReturn);
  }

  /** A fault of the return itself: its handler gets the frame that was to be popped. */
  private derived(wanted: number, status: number, excReturn: number): Continuation {
    this.system.faultStatus = (this.system.faultStatus | status) >>> 0;
    const number = this.escalate(wanted);
    if (number === null) return this.lockUp(wanted, excReturn);
    this.state.setPending(number, true);
    return this.tailChain(excReturn);
  }

  private pendStackingFault(refused: StackingRefusal): void {
    const [wanted, status] = STACKING_FAULTS[refused];
    this.system.faultStatus = (this.system.faultStatus | status) >>> 0;
    const number = this.escalate(wanted);
    if (number !== null) this.state.setPending(number, true);
  }

  /** Mode and stack an EXC_RETURN value names, or null when it is none (B1.5.8). */
  private returnTarget(excReturn: number, isBase: boolean): { toHandler: boolean; onProcessStack: boolean } | null {
    const low = excReturn & 0xf;
    const toHandler = (low & 8) === 0;
    const onProcessStack = (low & 4) !== 0;
    const expected = this.features.isV8 ? [0x0, 0x8, 0xc] : [0x1, 0x9, 0xd];
    if (!expected.includes(low)) return null;
    const hasFp = (excReturn & 0x10) === 0;
    if (hasFp && !this.features.hasFpu) return null;
    const mayLeave = isBase || this.features.isV8 || (this.system.configuration & 1) !== 0;
    if (!toHandler && !mayLeave) return null;
    return { toHandler, onProcessStack };
  }

  private unstack(
    excReturn: number,
    target: { toHandler: boolean; onProcessStack: boolean },
    isBase: boolean,
  ): Continuation {
    const { cpu, port, features, system } = this;
    const frame = { ...target, alignsTo8: this.alignsTo8() };
    const popped = popFrame(cpu, this.stack, frame, (excReturn & 0x10) === 0, this.fp);
    if (popped === 'bus') return this.derived(exception.busFault, faultStatus.unstackingBus, excReturn);
    if (popped === 'denied') return this.derived(exception.memManage, faultStatus.unstackingProtection, excReturn);
    const { xpsr, pc, extraCycles } = popped;
    if (target.toHandler !== ((xpsr & IPSR_MASK) !== 0))
      return this.derived(exception.usageFault, faultStatus.invalidPc, excReturn);
    popped.commit();
    cpu.writeRegister(reg.xpsr, xpsr);
    const control = cpu.readRegister(reg.control) & ~SPSEL;
    cpu.writeRegister(reg.control, control | (target.onProcessStack ? SPSEL : 0));
    this.fp.returned((excReturn & 0x10) === 0);
    port.clearExclusive();
    port.addCounters(features.cost.exit + extraCycles, 0);
    cpu.writeRegister(reg.pc, pc);
    const isRunnable = (xpsr & THUMB) !== 0 && pc < SYSTEM_SPACE;
    this.sleepsOnExit = isRunnable && isBase && !target.toHandler && (system.sleep & scr.sleepOnExit) !== 0;
    return this.goTo(pc, (xpsr & THUMB) !== 0);
  }

  /**
   * A program counter from a vector or a frame. Without EPSR.T the first instruction there is an INVSTATE fault; the system space is
   * execute-never, and EXC_RETURN values mean something only to branches.
   */
  private goTo(pc: number, isThumb: boolean): Continuation {
    if (!isThumb) return this.fault(exception.usageFault, faultStatus.invalidState, pc);
    return pc >= SYSTEM_SPACE ? this.fault(exception.memManage, faultStatus.instructionAccess, pc) : pc;
  }
}
