/**
 * Backwards: from a moment of the history the program is executed again, up to the last stop before the present one. Whatever it prints
 * on the way has been printed before.
 */
import type { Counters } from '../../cpu/cpu.ts';
import { isBefore, type History, type Moment } from './history.ts';
import { SLICE_CYCLES, type Hit, type RunControl } from './run-control.ts';
import type { Stepper } from './stepper.ts';
import type { Sliced, Stop } from './stop.ts';

/** Cycles before the present from which a step back is looked for at first. */
const STEP_BACK_CYCLES = 100;
/** Farther than this from the last moment, one more is worth its while: one step back is seldom the last. */
const REFINE_CYCLES = 10_000;

export class TimeTravel {
  private readonly control: RunControl;
  private readonly stepper: Stepper;
  private readonly history: History;

  constructor(control: RunControl, stepper: Stepper, history: History) {
    this.control = control;
    this.stepper = stepper;
    this.history = history;
  }

  /** Stops at breakpoints in front of their instruction, at watchpoints behind theirs, where the step back over it shows the change. */
  *continueBack(): Sliced<Stop> {
    let end = this.control.counters();
    for (;;) {
      const moment = this.history.before(end);
      if (moment === null) return this.atStart();
      this.goBack(moment);
      const found = yield* this.lastHit(end);
      if (found !== null) {
        this.goBack(moment);
        yield* this.runTo(found.position);
        if (found.stop.kind === 'watch')
          yield* this.runTo({ cycles: found.position.cycles, instructions: found.position.instructions + 1 });
        return found.stop;
      }
      end = moment;
    }
  }

  /** Undoes one step of the debugger: where the interrupts of a step are passed over forwards, they are backwards. */
  *stepBack(): Sliced<Stop> {
    const here = this.control.counters();
    const level = this.level();
    for (let distance = STEP_BACK_CYCLES; ; distance *= 8) {
      const start = { cycles: here.cycles - distance, instructions: 0 };
      const moment = this.history.at(start) ?? this.history.before(here);
      if (moment === null) return this.atStart();
      this.goBack(moment);
      yield* this.runTo(start);
      const isNearEnough = isBefore(this.control.counters(), here) && this.level() === level;
      // At a moment that is as far as one can go in one piece; what lies before it has another state.
      if (!isNearEnough && isBefore(moment, start)) continue;
      if (!isNearEnough) this.goBack(moment);
      const base = this.baseFor(moment);
      const previous = yield* this.lastStepBefore(here);
      this.goBack(base);
      yield* this.runTo(previous);
      return { kind: 'stepped' };
    }
  }

  /** The state there, executed anew; nothing changes if it is not known. */
  *goTo(position: Counters): Sliced<boolean> {
    const moment = this.history.at(position);
    if (moment === null) return false;
    this.goBack(moment);
    yield* this.runTo(position);
    return true;
  }

  /** From where a step is looked for: a moment nearby, so that the next steps back are cheap, too. */
  private baseFor(moment: Moment): Moment {
    const { control, history } = this;
    const here = control.counters();
    if (here.cycles - moment.cycles > REFINE_CYCLES) history.refine(control.pc);
    return history.at(here) ?? moment;
  }

  /** Positions of steps from the present one on; the last that is before `here`. */
  private *lastStepBefore(here: Counters): Sliced<Counters> {
    const { control, stepper } = this;
    const { entersHandlers } = stepper;
    try {
      for (;;) {
        const previous = control.counters();
        const { pc } = control;
        yield* control.searching(() => undefined, stepper.step());
        const reached = control.counters();
        if (isBefore(reached, here)) continue;
        if (!isBefore(here, reached) || stepper.entersHandlers) return previous;
        // The present lies inside a handler: go into it from the step before.
        yield* this.goTo(previous);
        control.pc = pc;
        stepper.entersHandlers = true;
      }
    } finally {
      stepper.entersHandlers = entersHandlers;
    }
  }

  private *lastHit(end: Counters): Sliced<Hit | null> {
    let last: Hit | null = null;
    yield* this.control.searching((hit) => (last = hit), this.execute(end));
    return last;
  }

  private runTo(position: Counters): Sliced<void> {
    return this.control.searching(() => undefined, this.execute(position));
  }

  /** Up to the first boundary between instructions that is not before the position. */
  private *execute(position: Counters): Sliced<void> {
    const { control } = this;
    const { cpu } = control.machine;
    for (;;) {
      const here = control.counters();
      if (!isBefore(here, position)) return;
      const limits =
        here.cycles < position.cycles
          ? { cyclesMax: Math.min(here.cycles + SLICE_CYCLES, position.cycles) }
          : { cyclesMax: Infinity, instructionsMax: position.instructions };
      const stop = control.run(limits);
      if (stop?.kind === 'result') {
        if (stop.result.stop !== 'breakpoint') return;
        control.isIgnored(stop, control.counters());
        control.pc = cpu.stepOver();
      }
      yield;
    }
  }

  private goBack(moment: Moment): void {
    this.control.machine.mute(true);
    this.control.pc = this.history.restore(moment);
  }

  private atStart(): Stop {
    const first = this.history.first();
    if (first !== null) this.goBack(first);
    return { kind: 'historyStart' };
  }

  private level(): number {
    return this.control.machine.exceptions?.current() ?? 0;
  }
}
