/** A campaign in worker threads, in parts that do not depend on how many cores there are. */
import { UserError } from '../../common/errors.ts';
import { inWorkers } from '../worker-pool.ts';
import { joinParts, type Campaign, type CampaignOptions, type InjectionTarget } from './campaign.ts';
import type { PartJob, PartReply } from './inject-worker.ts';

/** Enough that two cores end at about the same time; every part begins with a fault-free inference. */
const PARTS_MAX = 16;
const INJECTIONS_MIN = 50;

/** As runPart; onProgress says how many injections are done. */
export async function runCampaign(
  target: InjectionTarget,
  inputs: readonly Uint8Array[],
  options: CampaignOptions,
  onProgress: (done: number) => void = () => undefined,
): Promise<Campaign> {
  const step = Math.max(1, Math.min(PARTS_MAX, Math.floor(options.count / INJECTIONS_MIN)));
  const jobs = Array.from({ length: step }, (_, first): PartJob => ({
    target,
    inputs,
    options,
    part: { first, step },
  }));
  const url = new URL('./inject-worker.js', import.meta.url);
  const replies = await inWorkers<PartJob, PartReply>(url, jobs, (done) =>
    onProgress(Math.round((options.count * done) / step)),
  );
  const parts = replies.map((reply) => {
    if ('failure' in reply) throw new UserError(reply.failure.message, reply.failure.exitCode);
    return reply.result;
  });
  return joinParts(parts, options.regions);
}
