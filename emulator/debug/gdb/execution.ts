/** A machine under a debugger: halted or running, forwards or backwards, in slices so that an interrupt can come in between. */
import { assert } from '../../../common/errors.ts';
import type { Machine } from '../../machine.ts';
import { reg } from '../../cpu/cpu.ts';
import { isInsideIt, itStateOf, readHalfword } from './coarse-step.ts';
import { History, isBefore } from './history.ts';
import { RunControl, SLICE_CYCLES } from './run-control.ts';
import { Stepper } from './stepper.ts';
import type { BreakpointKind, Sliced, Stop } from './stop.ts';
import type { TargetMemory } from './target-memory.ts';
import { TimeTravel } from './time-travel.ts';
import type { Watch } from './watch.ts';

const SLICE_STEPS = 500;
/** xPSR bits 26:25 and 15:10 (DDI 0403E B1.4.2). */
const IT_BITS = 0x0600_fc00;

export type ResumeAction =
  | { readonly kind: 'continue' | 'step' | 'continueBack' | 'stepBack' }
  /** Steps until pc leaves start..end, end excluded; at least once. */
  | { readonly kind: 'range'; readonly start: number; readonly end: number };

export class Execution {
  private readonly control: RunControl;
  private readonly stepper: Stepper;
  private readonly machine: Machine;
  private readonly memory: TargetMemory;
  /** Null on an engine that cannot give its state. */
  private readonly history: History | null;
  private readonly timeTravel: TimeTravel | null;
  private work: Sliced<Stop> | null = null;
  /** A BKPT that has been reported; running on passes it. */
  private reportedBkpt: number | null = null;
  private registersChanged = false;

  /** @param cyclesMax absolute budget in cycles since reset; Infinity for none. */
  constructor(machine: Machine, memory: TargetMemory, cyclesMax: number) {
    this.machine = machine;
    this.memory = memory;
    this.control = new RunControl(machine, cyclesMax);
    this.stepper = new Stepper(this.control);
    this.history = machine.cpu.save === undefined ? null : new History(machine);
    this.timeTravel = this.history === null ? null : new TimeTravel(this.control, this.stepper, this.history);
    this.reset();
  }

  /** Address of the next instruction. */
  get pc(): number {
    return this.control.pc;
  }

  get running(): boolean {
    return this.work !== null;
  }

  get canGoBack(): boolean {
    return this.timeTravel !== null;
  }

  /** Whether a step ends at the first instruction of the handler of an interrupt that was pending. */
  set entersHandlers(enters: boolean) {
    this.stepper.entersHandlers = enters;
  }

  /** Core and peripherals as after power-on, halted before the first instruction. */
  reset(): void {
    this.work = null;
    this.reportedBkpt = null;
    this.history?.clear();
    this.setPc(this.machine.reset());
  }

  setPc(address: number): void {
    this.control.pc = (address & ~1) >>> 0;
    this.reportedBkpt = null;
    this.registersChanged = true;
    // Elsewhere no IT block is open: its state belongs to the instructions it was set for.
    const { cpu } = this.machine;
    const xpsr = cpu.readRegister(reg.xpsr);
    if (itStateOf(xpsr) !== 0) cpu.writeRegister(reg.xpsr, (xpsr & ~IT_BITS) >>> 0);
  }

  /** The debugger has written a register. */
  noteRegisterChange(): void {
    this.registersChanged = true;
  }

  /** False inside an IT block that the engine cannot stop in; gdb sets its breakpoints before such blocks by itself. */
  addBreakpoint(address: number, kind: BreakpointKind): boolean {
    const { control, machine } = this;
    if (!control.isExact && isInsideIt((at) => readHalfword(control, at), address, machine.core)) return false;
    control.addBreakpoint(address, kind);
    return true;
  }

  removeBreakpoint(address: number, kind: BreakpointKind): void {
    this.control.removeBreakpoint(address, kind);
  }

  /** False for what the engine cannot see. */
  addWatch(watch: Watch): boolean {
    return this.control.addWatch(watch);
  }

  removeWatch(watch: Watch): void {
    this.control.removeWatch(watch);
  }

  /** Of a debugger that goes away. */
  removeAll(): void {
    this.control.removeAll();
  }

  resume(action: ResumeAction): void {
    this.memory.settle();
    this.keepHistory();
    const goesBack = action.kind === 'continueBack' || action.kind === 'stepBack';
    if (!goesBack && this.reportedBkpt === this.pc) this.control.pc = this.machine.cpu.stepOver();
    this.reportedBkpt = null;
    this.control.resumeHere();
    this.work = goesBack ? this.backwards(action.kind) : this.forwards(action);
  }

  /** One slice of work. Returns why the target stopped, or null while it runs on. */
  slice(): Stop | null {
    const { work } = this;
    if (work === null) return null;
    const { value, done } = work.next();
    if (done !== true) return null;
    this.work = null;
    if (value.kind === 'result' && value.result.stop === 'breakpoint') this.reportedBkpt = this.pc;
    return value;
  }

  interrupt(): Stop {
    const stop: Stop = { kind: 'interrupted' };
    // Runs what the work has to put back.
    this.work?.return(stop);
    this.work = null;
    return stop;
  }

  /** What the debugger has changed, or the very beginning, is where a stretch of the past begins. */
  private keepHistory(): void {
    const changed = this.memory.takeChange() || this.registersChanged;
    this.registersChanged = false;
    if (changed || this.history?.isEmpty === true) this.history?.begin(this.pc);
  }

  private *forwards(action: ResumeAction): Sliced<Stop> {
    const { control } = this;
    for (let steps = 1; ; steps++) {
      const isFree = action.kind === 'continue' && !control.watchesByStepping;
      const stop = isFree ? this.runSlice() : yield* this.stepper.step();
      this.history?.reached(control.pc);
      if (stop !== null) return yield* this.settled(stop);
      if (action.kind === 'step') return { kind: 'stepped' };
      if (action.kind === 'range' && (control.pc < action.start || control.pc >= action.end))
        return { kind: 'stepped' };
      const breakpoint = isFree ? null : control.breakpointAt(control.pc);
      if (breakpoint !== null) return breakpoint;
      if (isFree || steps % SLICE_STEPS === 0) yield;
    }
  }

  /** What has been seen before is not shown again. */
  private runSlice(): Stop | null {
    const { control, history, machine } = this;
    const here = control.counters();
    const isKnown = history !== null && isBefore(here, history.furthest);
    machine.mute(isKnown);
    const end = here.cycles + SLICE_CYCLES;
    return control.run({
      cyclesMax: isKnown ? Math.min(end, Math.max(history.furthest.cycles, here.cycles + 1)) : end,
    });
  }

  /** A fault ends the run wherever its handler has given up; the debugger wants to see what it was like in front of it. */
  private *settled(stop: Stop): Sliced<Stop> {
    const { control, timeTravel } = this;
    if (stop.kind !== 'result' || stop.result.stop !== 'fault') return stop;
    if (timeTravel !== null && (yield* timeTravel.goTo(stop.result))) control.pc = stop.result.pc;
    return stop;
  }

  private backwards(kind: 'continueBack' | 'stepBack'): Sliced<Stop> {
    const { timeTravel } = this;
    assert(timeTravel !== null, 'going back needs states');
    return kind === 'continueBack' ? timeTravel.continueBack() : timeTravel.stepBack();
  }
}
