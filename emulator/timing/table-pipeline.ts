/**
 * Pipeline of the cores whose instructions cost what a table says, but for what ties one to its predecessor: a load that pipelines with the
 * one before it, an FPU result used by the very next instruction (Cortex-M3, M4). Cortex-M0+ has neither.
 */
import { assert } from '../../common/errors.ts';
import { FP_RESULT_USE_PENALTY, PIPELINED_SAVING, SKIPPED_CYCLES } from './cortex-m4.ts';
import type { CoreTiming, StoppingClass, TimingClass } from './cost.ts';
import type { Instruction } from './instruction.ts';
import { REFILLED, StateTable, type Outcome, type Pipeline, type PipelineStep } from './pipeline.ts';

/** Never executed, and so of no cost: the run stops before them. */
const NEVER_EXECUTED: ReadonlySet<TimingClass> = new Set<StoppingClass>([
  'security',
  'coprocessorAbsent',
  'fpUndefined',
]);

interface State {
  /** Core registers that the instruction before loads, if a load or store after it can pipeline; -1: it cannot. */
  readonly loaded: number;
  /** Single-precision registers the instruction before has computed. */
  readonly fpWrites: number;
}

const INDEPENDENT: State = { loaded: -1, fpWrites: 0 };

export class TablePipeline implements Pipeline {
  private readonly timing: CoreTiming;
  private readonly states = new StateTable<State>(INDEPENDENT);

  constructor(timing: CoreTiming) {
    this.timing = timing;
  }

  step(state: number, instruction: Instruction, outcome: Outcome): PipelineStep {
    const taken = outcome.taken || (instruction.branch === 'always' && outcome.executed);
    const next = taken ? REFILLED : this.states.numberOf(this.after(instruction));
    return { cycles: this.cycles(this.states.at(state), instruction, outcome.executed, taken), next };
  }

  nameOf(state: number): string {
    return this.states.nameOf(state);
  }

  stateNamed(name: string): number {
    return this.states.stateNamed(name);
  }

  private cycles(before: State, instruction: Instruction, executed: boolean, taken: boolean): number {
    if (NEVER_EXECUTED.has(instruction.timing)) return 1;
    if (!executed) return SKIPPED_CYCLES;
    if (instruction.timing === 'divide') return 0;
    const cost = this.timing.costs[instruction.timing];
    assert(cost !== undefined, `the core's timing table has no class ${instruction.timing}`);
    const alone = cost.cycles + (cost.perWord ?? 0) * instruction.words + (taken ? (cost.refill ?? 0) : 0);
    if (instruction.condition !== null) return alone;
    return (
      alone -
      (pipelines(instruction, before) ? PIPELINED_SAVING : 0) +
      ((before.fpWrites & instruction.fpReads) !== 0 ? FP_RESULT_USE_PENALTY : 0)
    );
  }

  /**
   * Conditional instructions (inside IT) neither pipeline nor let their successor pipeline: whether the neighbour ran is then not a matter of
   * the text alone, and the TRM says nothing about it.
   */
  private after({ timing, condition, loadedRegisters, fpArithmeticWrites }: Instruction): State {
    if (!this.timing.pipelines || condition !== null) return INDEPENDENT;
    const loads = timing === 'load' || timing === 'exclusive';
    return { loaded: loads ? loadedRegisters : -1, fpWrites: fpArithmeticWrites };
  }
}

/** Loads, exclusives and stores with a register offset start their address phase under the data phase of a load before them. */
function pipelines({ timing, addressRegisters }: Instruction, { loaded }: State): boolean {
  if (loaded < 0 || (loaded & addressRegisters) !== 0) return false;
  return timing === 'load' || timing === 'exclusive' || timing === 'storeRegister';
}
