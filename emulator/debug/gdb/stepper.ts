/**
 * One instruction at a time. A step takes exactly what a free run would: interrupts are never masked. One that is pending in front of the
 * instruction runs first, with everything it does, and the step is the instruction's own; or, if the debugger wants to see handlers, the
 * step ends at the handler's first instruction.
 */
import { coarseStep } from './coarse-step.ts';
import { SLICE_CYCLES, type RunControl } from './run-control.ts';
import type { Sliced, Stop } from './stop.ts';

export class Stepper {
  /** A pending interrupt is a step of its own. */
  entersHandlers = false;
  private readonly control: RunControl;

  constructor(control: RunControl) {
    this.control = control;
  }

  /** Null: the step is done. */
  *step(): Sliced<Stop | null> {
    const { control } = this;
    const { exceptions } = control.machine;
    if (exceptions?.unit.wouldTake() === true) {
      if (this.entersHandlers) return this.enterHandler();
      const stop = yield* control.returning(this.runHandlers());
      if (stop.kind !== 'stepped') return stop;
    }
    if (!control.isExact) return coarseStep(control);
    return control.run({ cyclesMax: Infinity, instructionsMax: control.counters().instructions + 1 });
  }

  private *runHandlers(): Sliced<Stop> {
    const { control } = this;
    for (;;) {
      const stop = control.run({ cyclesMax: control.counters().cycles + SLICE_CYCLES });
      if (stop !== null) return stop;
      yield;
    }
  }

  private enterHandler(): Stop | null {
    const { control } = this;
    const verdict = control.machine.exceptions?.poll(control.pc, Infinity);
    if (verdict?.kind === 'continue') {
      control.pc = verdict.pc;
      return null;
    }
    // Lock-up: the run that follows ends with it.
    return control.run({ cyclesMax: Infinity });
  }
}
