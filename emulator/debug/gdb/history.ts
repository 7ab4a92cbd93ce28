/**
 * The past of a run under a debugger: whole states at some of its moments, from which it is executed again, exactly as it was, up to any
 * moment in between. What the debugger changes begins a new present: the future it replaces is forgotten.
 */
import type { Counters } from '../../cpu/cpu.ts';
import type { Machine } from '../../machine.ts';
import type { MachineState } from '../../state/machine-state.ts';

/** Of moments kept; beyond it every second one is given up, so that the steps back to one become longer. */
const MOMENTS_MAX = 200;
/** Cycles between moments at first: some tenth of a second to execute again. */
const INTERVAL_CYCLES = 20_000_000;

export interface Moment extends Counters {
  readonly state: MachineState;
  /** The debugger's program counter, which may differ from the engine's. */
  readonly pc: number;
  /** Follows a change by the debugger: nothing that ran before leads to it. */
  readonly fixed: boolean;
}

/** Exceptions take cycles but no instructions; nothing takes neither. */
export function isBefore(one: Counters, other: Counters): boolean {
  return one.cycles < other.cycles || (one.cycles === other.cycles && one.instructions < other.instructions);
}

export class History {
  private readonly machine: Machine;
  /** Ascending. */
  private moments: Moment[] = [];
  private intervalCycles = INTERVAL_CYCLES;
  private latest: Counters = { cycles: 0, instructions: 0 };

  constructor(machine: Machine) {
    this.machine = machine;
  }

  get isEmpty(): boolean {
    return this.moments.length === 0;
  }

  /** The latest position that has ever been reached: up to there everything has been seen before. */
  get furthest(): Counters {
    return this.latest;
  }

  clear(): void {
    this.moments = [];
    this.intervalCycles = INTERVAL_CYCLES;
    this.latest = { cycles: 0, instructions: 0 };
  }

  /** What is about to run begins here, and replaces what was once run from here on. */
  begin(pc: number): void {
    const here = this.machine.cpu.counters();
    this.moments = this.moments.filter((moment) => isBefore(moment, here));
    this.latest = here;
    this.moments.push(this.momentAt(pc, true));
  }

  /** The run has got here; takes a moment if the last one is far enough. */
  reached(pc: number): void {
    const here = this.machine.cpu.counters();
    if (!isBefore(this.latest, here)) return;
    this.latest = here;
    const last = this.moments.at(-1);
    if (last !== undefined && here.cycles - last.cycles < this.intervalCycles) return;
    this.moments.push(this.momentAt(pc, false));
    if (this.moments.length > MOMENTS_MAX) this.thinOut();
  }

  /** Takes a moment in the midst of what is known: steps back from near it are then cheap. */
  refine(pc: number): void {
    const here = this.machine.cpu.counters();
    const index = this.moments.findLastIndex((moment) => isBefore(moment, here));
    const next = this.moments[index + 1];
    if (index < 0 || (next !== undefined && !isBefore(here, next))) return;
    this.moments.splice(index + 1, 0, this.momentAt(pc, false));
  }

  first(): Moment | null {
    return this.moments[0] ?? null;
  }

  /** The last moment that is not after the position, or null. */
  at(position: Counters): Moment | null {
    return this.moments.findLast((moment) => !isBefore(position, moment)) ?? null;
  }

  /** The last moment before the position, or null. */
  before(position: Counters): Moment | null {
    return this.moments.findLast((moment) => isBefore(moment, position)) ?? null;
  }

  /** Puts the machine there. Returns its program counter. */
  restore(moment: Moment): number {
    this.machine.restore(moment.state);
    return moment.pc;
  }

  private momentAt(pc: number, fixed: boolean): Moment {
    return { ...this.machine.cpu.counters(), state: this.machine.save(), pc, fixed };
  }

  private thinOut(): void {
    this.moments = this.moments.filter(({ fixed }, index) => fixed || index % 2 === 0);
    this.intervalCycles *= 2;
    // So many changes by the debugger: the past begins later.
    if (this.moments.length > MOMENTS_MAX) this.moments = this.moments.slice(-MOMENTS_MAX / 2);
  }
}
