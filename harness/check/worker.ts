/** A worker thread of `check`: measures what it is sent, one entry at a time. */
import { parentPort } from 'node:worker_threads';
import { defined, UserError, type ExitCode } from '../../common/errors.ts';
import { measureEntry, type MeasureJob, type Measurement } from './measure.ts';

/** What went wrong with an entry: the user's line and exit code. */
export interface MeasureFailure {
  readonly message: string;
  readonly exitCode: ExitCode;
}

export type MeasureReply = { readonly measurement: Measurement } | { readonly failure: MeasureFailure };

const port = defined(parentPort, 'the port of a worker thread');

async function reply(job: MeasureJob): Promise<MeasureReply> {
  try {
    return { measurement: await measureEntry(job) };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { failure: { message: error.message, exitCode: error.exitCode } };
  }
}

port.on('message', (job: MeasureJob) => {
  void reply(job).then((answer) => port.postMessage(answer));
});
