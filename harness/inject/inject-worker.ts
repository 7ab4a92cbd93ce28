/** A worker thread of `inject`: runs parts of a campaign, one at a time. */
import { parentPort } from 'node:worker_threads';
import { defined, UserError, type ExitCode } from '../../common/errors.ts';
import { runPart, type CampaignOptions, type CampaignPart, type InjectionTarget, type PartResult } from './campaign.ts';

export interface PartJob {
  readonly target: InjectionTarget;
  readonly inputs: readonly Uint8Array[];
  readonly options: CampaignOptions;
  readonly part: CampaignPart;
}

export type PartReply =
  { readonly result: PartResult } | { readonly failure: { readonly message: string; readonly exitCode: ExitCode } };

const port = defined(parentPort, 'the port of a worker thread');

function reply({ target, inputs, options, part }: PartJob): PartReply {
  try {
    return { result: runPart(target, inputs, options, part) };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { failure: { message: error.message, exitCode: error.exitCode } };
  }
}

port.on('message', (job: PartJob) => port.postMessage(reply(job)));
