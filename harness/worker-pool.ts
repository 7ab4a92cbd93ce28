/** Jobs in worker threads, as many at a time as there are cores. Threads run JavaScript: the workers are those of dist/. */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';

/**
 * Replies in the order of the jobs. Rejects with what a worker did not expect: a bug of ours.
 * @param url of a worker that answers every message with one
 */
export async function inWorkers<Job, Reply>(
  url: URL,
  jobs: readonly Job[],
  onDone: (done: number) => void = () => undefined,
): Promise<Reply[]> {
  const replies: Reply[] = [];
  const queue = [...jobs.entries()].reverse();
  let done = 0;
  const work = async (): Promise<void> => {
    const worker = new Worker(url);
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

function ask<Job, Reply>(worker: Worker, job: Job): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const onMessage = (reply: Reply): void => {
      worker.off('error', reject);
      resolve(reply);
    };
    worker.once('message', onMessage);
    worker.once('error', reject);
    worker.postMessage(job);
  });
}
