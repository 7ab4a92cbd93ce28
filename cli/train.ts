/**
 * `thumbelina train har|kws|PROJECT.json`: trains a network, deploys it as a decision system, says how good it is on subjects it never saw.
 * `quantize PROJECT.json` does the same from the network that was trained.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { UserError } from '../common/errors.ts';
import { readCheckpoint } from '../learn/deep/checkpoint.ts';
import { trainingInputs } from '../learn/deep/config.ts';
import type { TrainResult } from '../learn/deep/train-system.ts';
import { DEFAULT_DIR } from './options.ts';
import { note, print, type JsonOption } from './output.ts';
import { progress } from './progress.ts';
import { loadProject, withFolders, type Project } from './project.ts';

interface TrainArguments extends JsonOption {
  readonly output: string;
  readonly data?: string;
  readonly fresh?: boolean;
}

export function addTrain(program: Command): void {
  program
    .command('train')
    .description('train an encoder with its head and write it as a decision system for a microcontroller')
    .argument('<project>', 'thumbelina.json, or a built-in recipe (har, kws)')
    .option('-o, --output <dir>', 'output folder', DEFAULT_DIR)
    .option('--data <folder>', "data set, in place of the project's")
    .option('--fresh', 'begin anew instead of resuming from the checkpoint in the output folder')
    .option('--json', 'print JSON')
    .action(async (path: string, options: TrainArguments) => {
      report(await deployed(loadProject(path, options.data), options, 'train'), options);
    });
}

/** Deploys what was trained once more, as `deploy` and `quantization` say now. */
export async function quantizeProject(path: string, options: Omit<TrainArguments, 'fresh'>): Promise<void> {
  const project = loadProject(path, options.data);
  const { file, key } = checkpointOf(project, options.output);
  const remedy = `run thumbelina train ${path} -o ${options.output}`;
  if (!existsSync(file)) throw new UserError(`${file}: no such file, nothing has been trained; ${remedy}`);
  const checkpoint = readCheckpoint(file, key);
  if (checkpoint === null)
    throw new UserError(`${file}: was trained from another configuration than ${path}; ${remedy}`);
  if (!checkpoint.finished) throw new UserError(`${file}: the training is at step ${checkpoint.step}; ${remedy}`);
  report(await deployed(project, options, 'quantize'), options);
}

function report(result: TrainResult, options: JsonOption): void {
  print(options, { schemaVersion: 1, ...result.summary }, () => format(result));
}

/** Where a project's training is kept, and what it has to be of. */
function checkpointOf({ config }: Project, output: string): { file: string; key: string } {
  const key = createHash('sha256').update(trainingInputs(config)).digest('hex');
  return { file: join(output, `${config.name}.checkpoint.json`), key };
}

/** Trains as far as the checkpoint is not finished, and writes the system. */
async function deployed(
  project: Project,
  options: Omit<TrainArguments, 'data'>,
  command: string,
): Promise<TrainResult> {
  const { config } = project;
  const usable = withFolders(project);
  // tfjs is no runtime dependency: only whoever trains needs it.
  const { trainSystem } = await import('../learn/deep/train-system.ts').catch((error: unknown) => {
    throw new UserError(`${command}: ${(error as Error).message.split('\n')[0]}; run npm install in the checkout`, 3);
  });
  mkdirSync(options.output, { recursive: true });
  const { file: checkpoint, key } = checkpointOf(project, options.output);
  if (options.fresh && existsSync(checkpoint))
    writeFileSync(checkpoint, JSON.stringify({ ...JSON.parse(readFileSync(checkpoint, 'utf8')), key: 'discarded' }));
  let bar: ReturnType<typeof progress> | null = null;
  const result = await trainSystem(usable, {
    checkpoint,
    key,
    report: ({ step, steps, point, samplesPerSecond }) => {
      bar ??= progress('training', steps);
      bar.update(step);
      const accuracy = point.accuracy === null ? '' : `, validation ${(100 * point.accuracy).toFixed(1)} %`;
      if (!process.stderr.isTTY)
        note(
          `step ${step}/${steps}, loss ${point.loss.toFixed(4)}${accuracy}, ${samplesPerSecond.toFixed(0)} samples/s`,
        );
    },
  });
  (bar as ReturnType<typeof progress> | null)?.stop();
  for (const [suffix, content] of result.files) writeFileSync(join(options.output, `${config.name}${suffix}`), content);
  return result;
}

function format({ summary, files }: TrainResult): string {
  const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
  return [
    `${summary.name}: kept step ${summary.best.step}, validation accuracy ${percent(summary.best.accuracy)}`,
    `unseen subjects  ${summary.test.windows} windows, ${percent(summary.test.accuracy)} right (integer system), ${percent(summary.test.accepted)} accepted`,
    `unknown classes  ${summary.test.unknownWindows} windows, ${percent(summary.test.unknownAccepted)} accepted`,
    ...(summary.test.taughtWindows > 0
      ? [`learned unknown  ${summary.test.taughtWindows} windows, ${percent(summary.test.taughtAccepted)} accepted`]
      : []),
    `written          ${[...files.keys()].map((suffix) => `${summary.name}${suffix}`).join(', ')}`,
  ].join('\n');
}
