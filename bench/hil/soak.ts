/**
 * npm run bench:hil: many emulated boards driven in parallel over lines that damage a share of all bytes and go away at random, while
 * boards are switched off and on. Every answer is compared with the reference kernels; a job that is not answered in the end is lost.
 */
import { join } from 'node:path';
import { loadBoard } from '../../boards/load.ts';
import { compileModel } from '../../harness/compile.ts';
import { runLab, type JobOutcome, type JobResult, type LabServices } from '../../harness/hil/lab-run.ts';
import type { LabFile } from '../../harness/hil/lab-file.ts';
import { loadModel } from '../../harness/model.ts';
import { openSerial } from '../../harness/protocol/serial-link.ts';
import { createRandom } from '../../learn/random.ts';
import { BoardProcess } from './boards.ts';
import { noisyLink, type NoiseCount } from './noisy-link.ts';

export interface SoakOptions {
  readonly model: string;
  readonly board: string;
  readonly boards: number;
  readonly seconds: number;
  /** Share of bytes corrupted or dropped, 0..1. */
  readonly noise: number;
  /** Mean time until an open line goes away. */
  readonly reconnectSeconds: number;
  /** Mean time until a board is switched off and on; Infinity: never. */
  readonly restartSeconds: number;
  readonly attempts: number;
  readonly seed: number;
  readonly onProgress?: (done: number) => void;
}

export interface SoakSummary {
  readonly schemaVersion: 1;
  readonly outcome: 'ok' | 'wrong-answer' | 'jobs-lost';
  readonly model: string;
  readonly boards: number;
  readonly seconds: number;
  readonly seed: number;
  readonly jobs: number;
  readonly jobsPerBoard: { readonly min: number; readonly max: number };
  readonly outcomes: Readonly<Partial<Record<JobOutcome, number>>>;
  readonly wrongAnswers: number;
  readonly lostJobs: number;
  readonly failedAttempts: number;
  /** Why, without the names of ports. */
  readonly failures: Readonly<Record<string, number>>;
  readonly retransmissions: number;
  readonly restarts: number;
  readonly line: NoiseCount;
  /** Reasons of jobs that were lost. */
  readonly reasons: readonly string[];
}

const BAUD = 115200;
const HARNESS = { protocol: 'device', mlperfId: 'soak', input: 'raw' } as const;

export async function soak(dir: string, options: SoakOptions): Promise<SoakSummary> {
  const { seed, seconds } = options;
  const model = loadModel(options.model);
  const board = loadBoard(options.board);
  const compiled = await compileModel(model, join(dir, 'hil'), {
    board,
    bare: false,
    hooks: false,
    prune: true,
    harness: HARNESS,
  });
  const line: NoiseCount = { bytes: 0, damaged: 0, losses: 0 };
  const processes = Array.from(
    { length: options.boards },
    (_, index) => new BoardProcess(compiled.image.elfPath, options.board, join(dir, 'hil', `port${index}`)),
  );
  const results: JobResult[][] = processes.map(() => []);
  let restarts = 0;
  try {
    await Promise.all(processes.map((process) => process.start()));
    const end = performance.now() + 1000 * seconds;
    const work = async (process: BoardProcess, index: number): Promise<void> => {
      const random = createRandom(seed + index);
      const services: LabServices = {
        open: async ({ port, baud }) =>
          noisyLink(
            await openSerial(port!, baud),
            { share: options.noise, secondsBetweenLosses: options.reconnectSeconds, random: () => random.uniform() },
            line,
          ),
        run: () => Promise.resolve(),
        flash: () => Promise.resolve(),
        compile: () => Promise.resolve(compiled),
      };
      for (let job = 0; performance.now() < end; job++) {
        const [result] = await runLab(labOf(options, process, index, job), services);
        results[index]!.push(result!);
        options.onProgress?.(results.reduce((sum, list) => sum + list.length, 0));
      }
    };
    const restart = async (process: BoardProcess, index: number): Promise<void> => {
      const random = createRandom(seed + 1000 + index);
      for (;;) {
        const wait = -Math.log(1 - random.uniform()) * options.restartSeconds * 1000;
        if (!(performance.now() + wait < end)) return;
        await new Promise((done) => setTimeout(done, wait));
        await process.stop();
        await process.start();
        restarts++;
      }
    };
    await Promise.all([...processes.map(work), ...processes.map(restart)]);
  } finally {
    await Promise.all(processes.map((process) => process.stop()));
  }
  return summarise(options, model.name, results, { restarts, line });
}

function labOf({ model, board, attempts }: SoakOptions, { port }: BoardProcess, index: number, job: number): LabFile {
  return {
    schemaVersion: 1,
    boards: [{ name: `board ${index}`, board, port, baud: BAUD }],
    jobs: [{ model, lcg: 1 + job }],
    attempts,
  };
}

function summarise(
  { boards, seconds, seed }: SoakOptions,
  model: string,
  perBoard: readonly (readonly JobResult[])[],
  { restarts, line }: Pick<SoakSummary, 'restarts' | 'line'>,
): SoakSummary {
  const results = perBoard.flat();
  const outcomes: Partial<Record<JobOutcome, number>> = {};
  for (const { outcome } of results) outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  const wrongAnswers = outcomes['wrong-answer'] ?? 0;
  const lost = results.filter(({ outcome }) => outcome !== 'ok' && outcome !== 'wrong-answer');
  const sum = (value: (result: JobResult) => number): number => results.reduce((total, one) => total + value(one), 0);
  return {
    schemaVersion: 1,
    outcome: wrongAnswers > 0 ? 'wrong-answer' : lost.length > 0 ? 'jobs-lost' : 'ok',
    model,
    boards,
    seconds,
    seed,
    jobs: results.length,
    jobsPerBoard: {
      min: Math.min(...perBoard.map((list) => list.length)),
      max: Math.max(...perBoard.map((list) => list.length)),
    },
    outcomes,
    wrongAnswers,
    lostJobs: lost.length,
    failedAttempts: sum(({ reasons }) => reasons.length),
    failures: tally(results.flatMap(({ reasons }) => reasons.map((reason) => reason.replaceAll(/\/\S*: /g, '')))),
    retransmissions: sum(({ retransmissions }) => retransmissions),
    restarts,
    line,
    reasons: lost.flatMap(({ board, outcome, reasons }) => reasons.map((reason) => `${board}: ${outcome}: ${reason}`)),
  };
}

function tally(texts: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const text of texts) counts[text] = (counts[text] ?? 0) + 1;
  return counts;
}
