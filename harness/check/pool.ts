/** Entries of a lock file measured in worker threads. */
import { inWorkers } from '../worker-pool.ts';
import type { MeasureJob } from './measure.ts';
import type { MeasureReply } from './worker.ts';

/** Replies in the order of the jobs. Rejects with what a worker did not expect: a bug of ours. */
export function measureAll(jobs: readonly MeasureJob[], onDone?: (done: number) => void): Promise<MeasureReply[]> {
  return inWorkers(new URL('./worker.js', import.meta.url), jobs, onDone);
}
