/**
 * The run of a machine: lets the engine go up to the next event, and decides at each of its stops how the program goes on or why it is
 * over. Ends asked for from inside the run (a device, a mark) carry the counters of that moment.
 */
import type { Counters, Cpu, CpuStop, RunLimits } from './cpu/cpu.ts';
import { faultCause, makeFault, type Fault } from './fault.ts';
import type { SymbolTable } from './image.ts';
import type { CoreExceptions } from './exceptions/core-exceptions.ts';
import type { RecordedFault, Verdict } from './exceptions/verdict.ts';
import type { PeripheralBus } from './peripherals/bus.ts';
import type { Pause, RunResult, StopKind } from './run-result.ts';

/** About an instruction the engine stopped at: run on behind it, run on at it again, or end. */
export type Decision = 'step-over' | 'retry' | { readonly exit: number };

export interface RunLoopParts {
  readonly cpu: Cpu;
  readonly bus: PeripheralBus;
  readonly exceptions: CoreExceptions | null;
  readonly symbols: SymbolTable;
  /** Stop handlers, asked before anything else. */
  readonly decide: (stop: CpuStop) => Decision | null;
  /** AIRCR.SYSRESETREQ; returns where the program begins anew. */
  readonly reset: () => number;
  /** Counter at which the host wants to look at the memory next; at most `cycles` when it is due, Infinity: never. */
  readonly nextPoll: (cycles: number) => number;
  readonly poll: () => void;
}

/** These end the call of a function, which has no one to handle them. */
const isFaultStop = ({ kind }: CpuStop): boolean =>
  kind === 'access' || kind === 'undefined' || kind === 'invalidState';

export class RunLoop {
  /** Set by SEV, cleared by the WFE it lets through (DDI 0403E B1.5.18); on engines without exceptions. */
  eventRegister = false;
  private readonly parts: RunLoopParts;
  private pendingFault: { readonly fault: Fault; readonly counters: Counters } | null = null;
  private pendingExit: { readonly code: number; readonly counters: Counters } | null = null;
  private resumePc = 0;
  /** Cycles up to which the engine runs now; -Infinity between runs. */
  private runLimit = -Infinity;
  private paused = false;
  /** The program has changed code that the engine may have translated. */
  private hasStaleCode = false;

  constructor(parts: RunLoopParts) {
    this.parts = parts;
  }

  /** Forgets ends asked for, and the event register. */
  clear(): void {
    this.pendingFault = null;
    this.pendingExit = null;
    this.eventRegister = false;
  }

  /** Runs to the end, up to the return address of a call if there is one. */
  execute(start: number, returnAddress: number | null, maxCycles: number): RunResult {
    this.resumePc = start;
    for (;;) {
      const result = this.step({ cyclesMax: maxCycles }, returnAddress);
      if (result === null) continue;
      if (result.stop !== 'limit') this.parts.bus.drain();
      this.parts.poll();
      const recorded = result.stop === 'limit' ? (this.parts.exceptions?.unfinishedFault() ?? null) : null;
      return recorded === null ? result : this.faulted(recorded);
    }
  }

  /** Until the run ends, a limit is reached or pause() is called. */
  resume(pc: number, limits: RunLimits): RunResult | Pause {
    this.paused = false;
    this.resumePc = pc;
    for (;;) {
      const result = this.step(limits, null);
      if (result !== null) {
        if (result.stop !== 'limit') {
          this.parts.bus.drain();
          this.parts.poll();
        }
        return result;
      }
      if (this.paused) return { ...this.parts.cpu.counters(), stop: 'paused', pc: this.resumePc };
    }
  }

  pause(): void {
    this.paused = true;
    this.parts.cpu.stop();
  }

  /** The run ends with this fault, unless an earlier one does. */
  fail(fault: Fault): void {
    this.pendingFault ??= { fault, counters: this.parts.cpu.counters() };
    this.parts.cpu.stop();
  }

  /** Flash has been programmed; 'now': the engine stops for it, else it is told when it stops next. */
  codeChanged(when: 'now' | 'later'): void {
    this.hasStaleCode = true;
    if (when === 'now') this.parts.cpu.stop();
  }

  exit(code: number, counters: Counters): void {
    this.pendingExit ??= { code, counters };
    this.parts.cpu.stop();
  }

  /** A peripheral's next event may be earlier than it was. */
  reschedule(): void {
    if (this.parts.bus.nextEvent() < this.runLimit) this.parts.cpu.stop();
  }

  /** As pass(), and no further than the host's next poll, whose limit does not end the run. */
  private step(limits: RunLimits, returnAddress: number | null): RunResult | null {
    const { cycles } = this.parts.cpu.counters();
    if (this.parts.nextPoll(cycles) <= cycles) this.parts.poll();
    const cyclesMax = Math.min(limits.cyclesMax, this.parts.nextPoll(cycles));
    const result = this.pass({ ...limits, cyclesMax }, returnAddress);
    if (result?.stop !== 'limit') return result;
    const { instructionsMax = Infinity } = limits;
    if (result.cycles >= limits.cyclesMax || result.instructions >= instructionsMax) return result;
    this.resumePc = result.pc;
    return null;
  }

  /** From resumePc up to the next stop of the engine. The result if the run is over. */
  private pass(limits: RunLimits, returnAddress: number | null): RunResult | null {
    const { cpu, bus, exceptions } = this.parts;
    const reached = this.limitReached(limits);
    if (reached !== null) return reached;
    if (exceptions !== null) {
      const verdict = exceptions.poll(this.resumePc, limits.cyclesMax);
      const over = this.follow(verdict);
      if (over !== null || verdict?.kind === 'halt') return over;
    }
    this.runLimit = Math.min(limits.cyclesMax, bus.nextEvent());
    if (this.hasStaleCode) cpu.forgetCode();
    this.hasStaleCode = false;
    const stop = cpu.run(this.resumePc, this.engineLimits(limits));
    this.runLimit = -Infinity;
    return this.judge(stop, limits, returnAddress);
  }

  /** No further than the next event of a device or of the debug units. */
  private engineLimits({ instructionsMax = Infinity }: RunLimits): RunLimits {
    const debug = this.parts.exceptions?.debug;
    return {
      cyclesMax: this.runLimit,
      instructionsMax: Math.min(instructionsMax, debug?.nextStep() ?? Infinity),
      passesBreakpoint: debug?.takePass(this.resumePc) ?? false,
    };
  }

  /** Before anything is taken: a run that stops here and one that is resumed here must not differ. */
  private limitReached({ cyclesMax, instructionsMax = Infinity }: RunLimits): RunResult | null {
    const counters = this.parts.cpu.counters();
    if (counters.cycles < cyclesMax && counters.instructions < instructionsMax) return null;
    return { ...counters, stop: 'limit', exitCode: null, fault: null, pc: this.resumePc };
  }

  /** Goes on as the exceptions say; the result if they end the run. */
  private follow(verdict: Verdict): RunResult | null {
    if (verdict === null) return null;
    switch (verdict.kind) {
      case 'continue':
        this.resumePc = verdict.pc;
        return null;
      case 'reset':
        this.resumePc = this.parts.reset();
        return null;
      case 'halt':
        this.resumePc = verdict.pc;
        this.paused = true;
        return null;
      case 'fault':
        return this.faulted(verdict.recorded);
      default: {
        const exitCode = verdict.kind === 'idle' ? 0 : null;
        return { ...this.parts.cpu.counters(), stop: verdict.kind, exitCode, fault: null, pc: verdict.pc };
      }
    }
  }

  private faulted({ counters, fault }: RecordedFault): RunResult {
    return { ...counters, stop: 'fault', exitCode: null, fault, pc: fault.address };
  }

  /** Instructions that stop the engine but not the program: YIELD, SEV, and WFE after an event. */
  private isTransparent(stop: CpuStop): boolean {
    if (stop.kind === 'yieldHint') return true;
    if (stop.kind !== 'sendEvent' && stop.kind !== 'waitForEvent') return false;
    const eventWasSet = this.eventRegister;
    this.eventRegister = stop.kind === 'sendEvent';
    return stop.kind === 'sendEvent' || eventWasSet;
  }

  /** The result if the run is over, or null to go on at resumePc. */
  private judge(stop: CpuStop, limits: RunLimits, returnAddress: number | null): RunResult | null {
    const { cpu, exceptions } = this.parts;
    const counters = cpu.counters();
    const end = (kind: StopKind, exitCode: number | null, fault: Fault | null): RunResult => ({
      ...counters,
      stop: kind,
      exitCode,
      fault,
      pc: stop.pc,
    });
    if (this.pendingFault !== null)
      return { ...end('fault', null, this.pendingFault.fault), ...this.pendingFault.counters };
    if (this.pendingExit !== null) return { ...end('exit', this.pendingExit.code, null), ...this.pendingExit.counters };
    if (returnAddress !== null && stop.pc === returnAddress) return end('return', 0, null);
    const decision = this.parts.decide(stop);
    if (decision !== null) {
      if (typeof decision === 'object') return end('exit', decision.exit, null);
      this.resumePc = decision === 'step-over' ? cpu.stepOver() : stop.pc;
      return null;
    }
    if (exceptions !== null && (returnAddress === null || !isFaultStop(stop))) {
      const verdict = exceptions.handle(stop, limits);
      if (verdict !== null) return this.follow(verdict);
    }
    if (this.isTransparent(stop)) {
      this.resumePc = cpu.stepOver();
      return null;
    }
    return this.ended(stop, end);
  }

  private ended(
    stop: CpuStop,
    end: (kind: StopKind, exitCode: number | null, fault: Fault | null) => RunResult,
  ): RunResult | null {
    const cause = faultCause(stop);
    if (cause !== null) {
      const fault = makeFault(cause.kind, cause.cause, stop.pc, this.parts.symbols);
      return end(stop.kind === 'breakpoint' ? 'breakpoint' : 'fault', null, fault);
    }
    if (stop.kind === 'limit') return end('limit', null, null);
    if (stop.kind !== 'requested') return end('idle', 0, null);
    this.resumePc = stop.pc;
    return null;
  }
}
