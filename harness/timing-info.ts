/** What the reports say about a core's timing table. */
import type { Core } from '../emulator/cores/core.ts';
import type { Cost } from '../emulator/timing/cost.ts';

/** Numbers of the core's timing that no document or measurement backs: what they are of, and what is known. */
export function assumedTiming({ timing }: Core): { readonly of: string; readonly source: string }[] {
  if (timing === null) return [];
  return Object.entries<Cost>({ ...timing.costs, ...timing.rules })
    .filter(([, cost]) => cost.confidence === 'assumed')
    .map(([of, { source }]) => ({ of, source }));
}

export const assumedTimingCount = (core: Core): number => assumedTiming(core).length;

/** Cycles as a report gives them: null on a core without a timing model, whose counter is only a clock of one tick an instruction. */
export function knownCycles({ timing }: Core, cycles: number): number | null {
  return timing === null ? null : cycles;
}

/** Why a report has no cycles; null when it has. */
export function timingGap({ name, timing }: Core): string | null {
  return timing === null ? `no timing model for ${name}: instructions are counted, cycles are not` : null;
}
