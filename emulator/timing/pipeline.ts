/**
 * The one definition of what an instruction costs, shared by all engines: a core's pipeline as a pure state machine. A state holds all that
 * carries over from the instructions executed before (a load whose data phase is still to come, a result that is not ready, how full the fetch queue
 * is); it never depends on how an engine cuts code into blocks, so that every engine arrives at equal cycles. States are small integers that
 * engines may index tables with.
 */
import { assert } from '../../common/errors.ts';
import type { Instruction } from './instruction.ts';

export interface Outcome {
  /** False when the IT condition failed. */
  readonly executed: boolean;
  /** A branch left the sequence: the next instruction is not the one after it in memory. Taken for granted for branch 'always'. */
  readonly taken: boolean;
  /** Memory that its accesses go to, where two in a row to one memory cost less than to different ones; default 0. */
  readonly slave?: number;
}

/** An instruction that runs and goes on to the next address. */
export const SEQUENTIAL: Outcome = { executed: true, taken: false };
export const TAKEN: Outcome = { executed: true, taken: true };
/** An instruction whose IT condition failed. */
export const SKIPPED: Outcome = { executed: false, taken: false };

export interface PipelineStep {
  /** With zero-wait memories. A divide's are without those that depend on its operands (divideCycles). */
  readonly cycles: number;
  /** State before the instruction that is executed next. */
  readonly next: number;
}

/**
 * What engines rely on: after a taken branch the state is `refilled`, whatever was before; whether the IT condition of an instruction that
 * is not a taken branch holds changes its cycles, never the next state.
 */
export interface Pipeline {
  step(state: number, instruction: Instruction, outcome: Outcome): PipelineStep;
  /** A state as text, for snapshots: its number may be another one in another process. */
  nameOf(state: number): string;
  stateNamed(name: string): number;
}

/** State of every pipeline before the first instruction after reset, a taken branch or an exception's entry or return. */
export const REFILLED = 0;

/** Numbers states by their contents, in the order in which they are first met. */
export class StateTable<S> {
  private readonly states: S[] = [];
  private readonly numbers = new Map<string, number>();

  /** @param refilled gets the number REFILLED */
  constructor(refilled: S) {
    assert(this.numberOf(refilled) === REFILLED, 'the first state is the refilled one');
  }

  numberOf(state: S): number {
    const name = JSON.stringify(state);
    const known = this.numbers.get(name);
    if (known !== undefined) return known;
    const number = this.states.push(state) - 1;
    this.numbers.set(name, number);
    return number;
  }

  at(number: number): S {
    const state = this.states[number];
    assert(state !== undefined, `pipeline state ${number} exists`);
    return state;
  }

  nameOf(number: number): string {
    return JSON.stringify(this.at(number));
  }

  /** @param name from nameOf, of this process or another */
  stateNamed(name: string): number {
    return this.numberOf(JSON.parse(name) as S);
  }
}

/** Cores without a timing table: instructions are counted, one tick of the clock each. */
export const tickPipeline: Pipeline = {
  step: () => ({ cycles: 1, next: REFILLED }),
  nameOf: () => '',
  stateNamed: () => REFILLED,
};
