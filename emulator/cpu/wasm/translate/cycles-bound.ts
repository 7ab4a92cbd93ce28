/** Upper bounds of the cycles that a block takes. */
import { DIVIDE_CYCLES_MAX } from '../../../timing/cortex-m4.ts';
import type { Block } from '../block.ts';
import type { TimedMemory } from './emit-timing.ts';
import type { CodeSource, Node } from './region.ts';

/** @param timed null: all memories are zero-wait */
export function cyclesMost({ block, state, accesses }: Node, source: CodeSource, timed: TimedMemory | null): number {
  let sum = timed === null ? 0 : waitsMost(block, timed);
  let before = state;
  for (const step of block.steps) {
    const { sequential, taken, skipped } = source.costsIn(before, step, accesses.bySteps.get(step) ?? 0);
    sum += Math.max(taken.cycles, sequential.cycles, skipped.cycles);
    if (step.instruction.divide !== null) sum += DIVIDE_CYCLES_MAX;
    before = sequential.next;
  }
  return sum;
}

/** Cycles that lines and accesses may add to a block. */
function waitsMost({ start, end, steps }: Block, { extraMax, lineBytes }: TimedMemory): number {
  const lines = Math.floor((end - 1) / lineBytes) - Math.floor(start / lineBytes) + 1;
  const accesses = steps.filter(({ accessesMemory }) => accessesMemory);
  const words = accesses.reduce((sum, { instruction }) => sum + Math.max(instruction.words, 1), 0);
  return (lines + words) * extraMax;
}
