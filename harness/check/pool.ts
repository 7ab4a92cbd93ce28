/** Entries measured in worker threads, as many at a time as there are cores. The workers are those of dist/: threads run JavaScript. */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { MeasureJob } from './measure.ts';
import type { MeasureReply } from './worker.ts';

/** Replies in the order of the jobs. Rejects with what a worker did not expect: a bug of ours. */
export async function measureAll(
  jobs: readonly MeasureJob[],
  onDone: (done: number) => void = () => undefined,
): Promise<MeasureReply[]> {
  const replies: MeasureReply[] = [];
  const queue = [...jobs.entries()].reverse();
  let done = 0;
  const work = async (): Promise<void> => {
    const worker = new Worker(new URL('./worker.js', import.meta.url));
    try {
      for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
        const [index, job] = next;
        replies[index] = await ask(worker, job);
        onDone(++done);
      }
    } finally {
      await worker.terminate();
    }
  };
  await Promise.all(Array.from({ length: Math.min(jobs.length, availableParallelism()) }, work));
  return replies;
}

function ask(worker: Worker, job: MeasureJob): Promise<MeasureReply> {
  return new Promise((resolve, reject) => {
    const onMessage = (reply: MeasureReply): void => {
      worker.off('error', reject);
      resolve(reply);
    };
    worker.once('message', onMessage);
    worker.once('error', reject);
    worker.postMessage(job);
  });
}
