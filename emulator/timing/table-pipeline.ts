/** Pipeline of the Cortex-M0+, whose two stages tie no instruction to another: everything costs what the table says. */
import { assert } from '../../common/errors.ts';
import { NEVER_EXECUTED, type CoreTiming } from './cost.ts';
import type { Instruction } from './instruction.ts';
import { REFILLED, type Outcome, type Pipeline, type PipelineStep } from './pipeline.ts';

export class TablePipeline implements Pipeline {
  private readonly timing: CoreTiming;

  constructor(timing: CoreTiming) {
    this.timing = timing;
  }

  step(_state: number, instruction: Instruction, outcome: Outcome): PipelineStep {
    const { timing, words, branch } = instruction;
    if (NEVER_EXECUTED.has(timing)) return { cycles: 1, next: REFILLED };
    const cost = this.timing.costs[timing];
    assert(cost !== undefined, `the core's timing table has no class ${timing}`);
    const refill = outcome.taken || branch === 'always' ? (cost.refill ?? 0) : 0;
    return { cycles: cost.cycles + (cost.perWord ?? 0) * words + refill, next: REFILLED };
  }

  nameOf(): string {
    return '';
  }

  stateNamed(): number {
    return REFILLED;
  }
}
