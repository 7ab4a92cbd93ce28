/** What the reports say about a core's timing table. */
import type { Core } from '../emulator/cores/core.ts';
import type { Cost } from '../emulator/timing/cost.ts';

/** Numbers of the table that no document or measurement backs; 0 without a table. */
export function assumedTimingCount({ timing }: Core): number {
  if (timing === null) return 0;
  return Object.values<Cost>(timing.costs).filter((cost) => cost.confidence === 'assumed').length;
}
