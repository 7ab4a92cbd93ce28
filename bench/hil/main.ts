/** `npm run bench:hil`: see soak.ts; docs/hil.md has the figures. */
import { Command } from 'commander';
import { nonNegativeInteger } from '../../cli/options.ts';
import { print, reportError } from '../../cli/output.ts';
import { soak, type SoakSummary } from './soak.ts';

const DIR = './build/bench';

const program = new Command('bench:hil')
  .description('emulated boards on noisy lines: are all jobs answered, and right?')
  .option('--model <file>', '.tflite', 'models/har_wisdm_watch.tflite')
  .option('--board <name>', 'board', 'mps2-an386')
  .option('--boards <count>', 'how many', nonNegativeInteger, 16)
  .option('--seconds <n>', 'how long', nonNegativeInteger, 600)
  .option('--noise <share>', 'of all bytes corrupted or dropped', Number, 0.01)
  .option('--reconnect <seconds>', 'mean time until an open line goes away', Number, 30)
  .option('--restart <seconds>', 'mean time until a board is switched off and on', Number, 240)
  .option('--attempts <n>', 'tries of a job', nonNegativeInteger, 8)
  .option('--seed <seed>', 'of the noise', nonNegativeInteger, 1)
  .option('--json', 'print JSON')
  .action(async ({ reconnect, restart, json, ...options }: Arguments) => {
    const summary = await soak(DIR, { ...options, reconnectSeconds: reconnect, restartSeconds: restart });
    print({ json: json ?? false }, summary, () => describe(summary));
    process.exitCode = summary.outcome === 'ok' ? 0 : 1;
  });

interface Arguments {
  readonly model: string;
  readonly board: string;
  readonly boards: number;
  readonly seconds: number;
  readonly noise: number;
  readonly reconnect: number;
  readonly restart: number;
  readonly attempts: number;
  readonly seed: number;
  readonly json?: boolean;
}

function describe({ jobs, boards, wrongAnswers, lostJobs, line, reasons, ...rest }: SoakSummary): string {
  return [
    `${jobs} jobs on ${boards} boards in ${rest.seconds} s (${rest.jobsPerBoard.min} to ${rest.jobsPerBoard.max} each): ${wrongAnswers} wrong answers, ${lostJobs} lost`,
    `${line.bytes} bytes, ${line.damaged} of them damaged; ${line.losses} lost lines, ${rest.restarts} boards restarted`,
    `${rest.retransmissions} requests sent again, ${rest.failedAttempts} attempts failed`,
    ...reasons,
  ].join('\n');
}

try {
  await program.parseAsync(process.argv);
} catch (error) {
  process.exitCode = reportError(error);
}
