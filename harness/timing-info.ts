/** What the reports say about the timing table. */
import { cortexM4, type Cost } from '../emulator/timing/cortex-m4.ts';

/** Numbers of the table that no document or measurement backs. */
export function assumedTimingCount(): number {
  return Object.values<Cost>(cortexM4).filter((cost) => cost.confidence === 'assumed').length;
}
