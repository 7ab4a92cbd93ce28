/** What the reports say about a core's timing table. */
import type { Core } from '../emulator/cores/core.ts';
import type { Cost } from '../emulator/timing/cost.ts';

/** Numbers of the table that no document or measurement backs; 0 without a table. */
export function assumedTimingCount({ timing }: Core): number {
  if (timing === null) return 0;
  return Object.values<Cost>(timing.costs).filter((cost) => cost.confidence === 'assumed').length;
}

/** Cycles as a report gives them: null on a core without a timing model, whose counter is only a clock of one tick an instruction. */
export function knownCycles({ timing }: Core, cycles: number): number | null {
  return timing === null ? null : cycles;
}

/** Why a report has no cycles; null when it has. */
export function timingGap({ name, timing }: Core): string | null {
  return timing === null ? `no timing model for ${name}: instructions are counted, cycles are not` : null;
}
