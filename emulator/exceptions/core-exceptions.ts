/**
 * What the stops of an engine mean on a core with exceptions: faults become the architecture's, SVC and interrupts are taken, WFI, WFE
 * and endless loops sleep until something happens. A fault whose handler ends in an endless loop, in sleep for ever or in lock-up ends the
 * run with the cause and the counters of the fault itself.
 */
import { isV8 } from '../cores/core-facts.ts';
import { reg, type Counters, type CpuStop, type RunLimits } from '../cpu/cpu.ts';
import { makeFault, faultCause } from '../fault.ts';
import { endlessLoopCycles } from '../timing/endless-loop.ts';
import type { ExceptionHost } from '../peripherals/peripheral.ts';
import type { Stateful } from '../state/stateful.ts';
import { catchesOf, DebugEvents } from './debug-events.ts';
import { exceptionFeatures } from './exception-features.ts';
import { exception, exceptionName, faultStatus, isFault } from './exception.ts';
import { Mpu } from '../mpu/mpu.ts';
import { PmsaV7Regions } from '../mpu/pmsa-v7.ts';
import { PmsaV8Regions } from '../mpu/pmsa-v8.ts';
import { ExceptionState } from './exception-state.ts';
import { ExceptionUnit, type Continuation } from './exception-unit.ts';
import { faultOf, type StopFault } from './stop-faults.ts';
import { StackAccess } from './stack-access.ts';
import { CPACR_FPU, resetSystemState, scr, type SystemState } from './system-state.ts';
import type { CoreExceptionParts, RecordedFault, Verdict } from './verdict.ts';

const UNPRIVILEGED = 1;

const isReached = ({ cycles, instructions }: Counters, cyclesMax: number, instructionsMax: number): boolean =>
  cycles >= cyclesMax || instructions >= instructionsMax;

export class CoreExceptions implements ExceptionHost, Stateful {
  readonly state: ExceptionState;
  readonly system: SystemState;
  readonly unit: ExceptionUnit;
  readonly mpu: Mpu;
  readonly debug: DebugEvents;
  /** Cycles slept in WFI, WFE and endless loops. */
  sleepCycles = 0;
  private readonly parts: CoreExceptionParts;
  private recorded: RecordedFault | null = null;
  /** Set by SEV and by exceptions, cleared by the WFE it lets through (DDI 0403E B1.5.18). */
  private eventRegister = false;
  private resetRequested = false;
  /** Whether the core sleeps at its program counter without a WFI there (SLEEPONEXIT). */
  private sleeping = false;

  constructor(parts: CoreExceptionParts) {
    const { cpu, port, core } = parts;
    const features = exceptionFeatures(core);
    this.parts = parts;
    this.state = new ExceptionState(core.interruptLines, core.priorityBits);
    this.system = resetSystemState(features, parts.vectorTable);
    this.mpu = new Mpu(isV8(core) ? new PmsaV8Regions(core.mpuRegions) : new PmsaV7Regions(core.mpuRegions));
    const stack = new StackAccess(port, this.mpu);
    this.unit = new ExceptionUnit(cpu, port, this.state, this.system, features, stack, parts.advance);
    this.debug = new DebugEvents({ cpu, unit: this.unit, state: this.state, system: this.system });
    this.state.onPending = () => {
      if ((this.system.sleep & scr.sendEventOnPending) !== 0) this.eventRegister = true;
    };
    port.onMaskChange = () => {
      this.unit.fp.refresh();
      this.changed();
    };
  }

  /** Of the core; the registers' values are the system control block's. */
  reset(): void {
    this.parts.port.resetStackLimits();
    this.recorded = null;
    this.eventRegister = false;
    this.resetRequested = false;
    this.sleeping = false;
    this.sleepCycles = 0;
    this.unit.sleepsOnExit = false;
    this.debug.reset();
    this.unit.fp.refresh();
  }

  changed(): void {
    if (this.state.nextPending() !== null) this.parts.cpu.stop();
  }

  protectionChanged(): void {
    const { port, cpu } = this.parts;
    port.setProtection(
      this.mpu.isEnabled()
        ? (access, address, bytes, asUser) =>
            (port.isBelowZero() && !this.mpu.protectsFaultHandlers()) ||
            this.mpu.allows(access, address, bytes, !asUser && port.isPrivileged())
        : null,
      (memories) => this.mpu.leavesOpen(memories, port.isPrivileged()),
    );
    cpu.stop();
  }

  configurationChanged(): void {
    this.parts.port.setConfiguration(this.system.configuration);
  }

  fpuChanged(): void {
    this.unit.fp.refresh();
  }

  isPrivileged(): boolean {
    return this.current() !== 0 || (this.parts.cpu.readRegister(reg.control) & UNPRIVILEGED) === 0;
  }

  current(): number {
    return this.unit.current();
  }

  requestReset(): void {
    this.resetRequested = true;
    this.parts.cpu.stop();
  }

  /** Whether a reset was asked for that has not been made; asking takes it over. */
  takeResetRequest(): boolean {
    const requested = this.resetRequested;
    this.resetRequested = false;
    return requested;
  }

  /** For function calls: Thread mode, whatever the run before left active, and the FPU may be used without a start-up. */
  startCall(mayUseFpu: boolean): void {
    this.parts.port.resetStackLimits();
    this.recorded = null;
    this.sleeping = false;
    this.state.clearActive();
    if (mayUseFpu) this.system.coprocessorAccess |= CPACR_FPU;
  }

  save(): unknown {
    const { recorded, eventRegister, resetRequested, sleeping, sleepCycles } = this;
    return { own: { recorded, eventRegister, resetRequested, sleeping, sleepCycles }, debug: this.debug.save() };
  }

  restore(saved: unknown): void {
    const { own, debug } = saved as { own: object; debug: unknown };
    Object.assign(this, own);
    this.debug.restore(debug);
    this.unit.fp.refresh();
  }

  /** Asynchronous exceptions in front of the instruction at `pc`; a core that slept there when a limit cut it off sleeps on. */
  poll(pc: number, cyclesMax: number): Verdict {
    if (this.sleeping) {
      const woken = this.sleep(pc, cyclesMax, () => this.unit.wakes());
      if (woken?.kind !== 'continue') return woken;
    }
    if (this.debug.poll()) return { kind: 'halt', pc };
    const taken = this.unit.poll(pc);
    return taken === null ? { kind: 'continue', pc } : this.continued(taken);
  }

  /** @param limits of the run; nothing sleeps beyond them */
  handle(stop: CpuStop, limits: RunLimits): Verdict {
    const { cpu, advance } = this.parts;
    const { cyclesMax, instructionsMax = Infinity } = limits;
    switch (stop.kind) {
      case 'limit':
      case 'requested':
        advance();
        if (this.resetRequested) return { kind: 'reset' };
        return stop.kind === 'limit' && isReached(cpu.counters(), cyclesMax, instructionsMax)
          ? null
          : { kind: 'continue', pc: stop.pc };
      case 'supervisorCall':
        return this.continued(this.unit.supervisorCall(cpu.stepOver()));
      case 'exceptionReturn':
        return this.returnFrom(stop.value, cyclesMax);
      case 'waitForInterrupt':
        return this.sleep(stop.pc, cyclesMax, () => this.unit.wakes());
      case 'sendEvent':
        this.eventRegister = true;
        return { kind: 'continue', pc: cpu.stepOver() };
      case 'waitForEvent':
        return this.waitForEvent(stop.pc, cyclesMax);
      case 'endlessLoop':
        return this.loop(stop.pc, cyclesMax);
      case 'fpuDisabled':
        return this.fpu(stop);
      case 'breakpoint':
        if (this.debug.haltsAt()) return { kind: 'halt', pc: stop.pc };
        // A fault handler that gives up by BKPT: what the run ends with is the fault.
        if (this.recorded !== null && isFault(this.current())) return { kind: 'fault', recorded: this.recorded };
        return this.breakpoint(stop.pc);
      case 'hardwareBreakpoint':
        return this.hardwareBreakpoint(stop.pc);
      default: {
        const fault = faultOf(stop);
        return fault === null ? null : this.fault(fault, stop);
      }
    }
  }

  private hardwareBreakpoint(pc: number): Verdict {
    const found = this.debug.reached(pc);
    if (found === 'monitor') return this.breakpoint(pc);
    return { kind: found === 'halt' ? 'halt' : 'continue', pc };
  }

  /** Null ends the run there: nobody would hear of the breakpoint otherwise. */
  private breakpoint(pc: number): Verdict {
    const taken = this.unit.breakpoint(pc);
    return taken === null ? null : this.continued(taken);
  }

  private fpu(stop: CpuStop): Verdict {
    const prepared = this.unit.fp.prepare();
    if (prepared === 'ready') return { kind: 'continue', pc: stop.pc };
    if (prepared === 'forbidden')
      return this.fault({ number: exception.usageFault, status: faultStatus.noCoprocessor }, stop);
    const next = this.unit.lazyFault(prepared, stop.pc);
    if (next !== stop.pc) this.record(stop);
    return this.continued(next);
  }

  /** The fault whose handler is still at work; a run that is cut off there ends with it. */
  unfinishedFault(): RecordedFault | null {
    return isFault(this.current()) ? this.recorded : null;
  }

  /** What the run ends with if the fault's handler gives up. */
  private record(stop: CpuStop): void {
    const cause = faultCause(stop);
    if (cause === null) return;
    const fault = makeFault(cause.kind, cause.cause, stop.pc, this.parts.symbols);
    this.recorded ??= { fault, counters: this.parts.cpu.counters() };
  }

  private fault({ number, status }: StopFault, stop: CpuStop): Verdict {
    if (stop.kind === 'access') {
      if ((status & faultStatus.memManageAddressValid) !== 0) this.system.memManageAddress = stop.address;
      if ((status & faultStatus.busAddressValid) !== 0) this.system.busFaultAddress = stop.address;
    }
    this.record(stop);
    const next = this.unit.fault(number, status, stop.pc);
    this.debug.caught(catchesOf(this.current(), status));
    return this.continued(next);
  }

  private continued(next: Continuation): Verdict {
    this.eventRegister = true;
    if (typeof next === 'number') return { kind: 'continue', pc: next };
    return this.ended(next.lockUp);
  }

  private ended(cause: string): Verdict {
    const { cpu, symbols } = this.parts;
    const fault = makeFault('exception', cause, cpu.readRegister(reg.pc), symbols);
    return { kind: 'fault', recorded: this.recorded ?? { fault, counters: cpu.counters() } };
  }

  private returnFrom(excReturn: number, cyclesMax: number): Verdict {
    if (isFault(this.current())) this.recorded = null;
    const next = this.unit.returnFrom(excReturn);
    if (typeof next === 'number' && this.unit.sleepsOnExit) {
      this.unit.sleepsOnExit = false;
      this.eventRegister = true;
      this.sleeping = true;
      return this.sleep(next, cyclesMax, () => this.unit.wakes());
    }
    return this.continued(next);
  }

  private waitForEvent(pc: number, cyclesMax: number): Verdict {
    if (this.eventRegister) {
      this.eventRegister = false;
      return { kind: 'continue', pc: this.parts.cpu.stepOver() };
    }
    // Unlike WFI's, PRIMASK keeps interrupts from ending it (B1.5.18).
    const verdict = this.sleep(pc, cyclesMax, () => this.eventRegister || this.unit.wouldTake());
    if (verdict?.kind === 'continue') this.eventRegister = false;
    return verdict;
  }

  /** Time passes until `wakes`; nothing that can happen: idle, or the fault whose handler sleeps here. */
  private sleep(pc: number, cyclesMax: number, wakes: () => boolean): Verdict {
    const { cpu, port, nextEvent, advance } = this.parts;
    advance();
    while (!wakes()) {
      const next = nextEvent();
      if (next === Infinity) return this.stuck('idle', pc);
      const { cycles } = cpu.counters();
      const until = Math.min(next, cyclesMax);
      this.sleepCycles += Math.max(0, until - cycles);
      port.addCounters(Math.max(0, until - cycles), 0);
      // What wakes the core at the limit itself must find it asleep.
      advance();
      if (this.resetRequested) return { kind: 'reset' };
      if (until >= cyclesMax && !wakes()) return { kind: 'limit', pc };
    }
    if (this.sleeping) {
      this.sleeping = false;
      return { kind: 'continue', pc };
    }
    return { kind: 'continue', pc: cpu.stepOver() };
  }

  /** Runs `b .` up to the next event in one step. */
  private loop(pc: number, cyclesMax: number): Verdict {
    const { cpu, core, port, nextEvent, advance } = this.parts;
    advance();
    if (this.unit.wouldTake()) return { kind: 'continue', pc };
    const next = nextEvent();
    if (next === Infinity || this.unfinishedFault() !== null) return this.stuck('loop', pc);
    const loopCycles = endlessLoopCycles(core, pc);
    const turns = Math.max(1, Math.ceil((Math.min(next, cyclesMax) - cpu.counters().cycles) / loopCycles));
    this.sleepCycles += turns * loopCycles;
    port.addCounters(turns * loopCycles, turns);
    if (cpu.counters().cycles >= cyclesMax) return { kind: 'limit', pc };
    advance();
    return this.resetRequested ? { kind: 'reset' } : { kind: 'continue', pc };
  }

  private stuck(how: 'idle' | 'loop', pc: number): Verdict {
    const number = this.current();
    const recorded = this.unfinishedFault();
    if (recorded !== null) return { kind: 'fault', recorded };
    return how === 'loop' && number !== 0
      ? this.ended(`endless loop in the handler of ${exceptionName(number)}`)
      : { kind: 'idle', pc };
  }
}
