/**
 * The one definition of what an instruction costs, shared by all engines. It depends on the instruction, on the instruction executed
 * just before it at the preceding address (null when it was reached by a branch or is the first of a run), and on the outcome; never
 * on how an engine cuts code into blocks, so that every engine arrives at equal cycles.
 */
import { FP_RESULT_USE_PENALTY, PIPELINED_SAVING, SKIPPED_CYCLES } from './cortex-m4.ts';
import { assert } from '../../common/errors.ts';
import type { CoreTiming, StoppingClass, TimingClass } from './cost.ts';
import type { Instruction } from './instruction.ts';

export interface Outcome {
  /** False when the IT condition failed. */
  readonly executed: boolean;
  /** A branch left the sequence: the next instruction is not the one after it in memory. Always true for branch 'always'. */
  readonly taken: boolean;
  /** UDIV, SDIV: divideCycles of the operands. */
  readonly divideCycles?: number;
}

/** Outcome of an instruction that runs and goes on to the next address. */
export const SEQUENTIAL: Outcome = { executed: true, taken: false };
export const TAKEN: Outcome = { executed: true, taken: true };
export const SKIPPED: Outcome = { executed: false, taken: false };

/** What an instruction advances the clock by on a core without a timing table: instructions are counted then, not cycles. */
const CLOCK_TICK = 1;
const NEVER_EXECUTED: ReadonlySet<TimingClass> = new Set<StoppingClass>(['security', 'fpAbsent']);

/**
 * Cycles on a core with this table; null: it has none. Conditional instructions (inside IT) neither pipeline nor let their successor pipeline: whether the neighbour ran is then
 * not a matter of the text alone, and the TRM says nothing about it.
 */
export function instructionCost(
  timing: CoreTiming | null,
  instruction: Instruction,
  previous: Instruction | null,
  outcome: Outcome,
): number {
  if (timing === null || NEVER_EXECUTED.has(instruction.timing)) return CLOCK_TICK;
  if (!outcome.executed) return SKIPPED_CYCLES;
  const cost = timing.costs[instruction.timing];
  assert(cost !== undefined, `the core's timing table has no class ${instruction.timing}`);
  if (instruction.timing === 'divide') return outcome.divideCycles ?? cost.cycles;
  const refill = outcome.taken || instruction.branch === 'always' ? (cost.refill ?? 0) : 0;
  const alone = cost.cycles + (cost.perWord ?? 0) * instruction.words + refill;
  if (!timing.pipelines || previous === null || previous.condition !== null || instruction.condition !== null)
    return alone;
  return (
    alone -
    (pipelines(instruction, previous) ? PIPELINED_SAVING : 0) +
    (usesFpResult(instruction, previous) ? FP_RESULT_USE_PENALTY : 0)
  );
}

/** Loads, exclusives and stores with a register offset start their address phase under the data phase of a load before them. */
function pipelines(instruction: Instruction, previous: Instruction): boolean {
  if (previous.timing !== 'load' && previous.timing !== 'exclusive') return false;
  if (instruction.timing !== 'load' && instruction.timing !== 'exclusive' && instruction.timing !== 'storeRegister')
    return false;
  return (previous.loadedRegisters & instruction.addressRegisters) === 0;
}

function usesFpResult(instruction: Instruction, previous: Instruction): boolean {
  return (previous.fpArithmeticWrites & instruction.fpReads) !== 0;
}

/** Cycles of one turn of `b .`. */
export function endlessLoopCycles(timing: CoreTiming | null): number {
  const branch = timing?.costs.branch;
  return branch === undefined ? CLOCK_TICK : branch.cycles + (branch.refill ?? 0);
}
