/** `thumbelina train har|kws|CONFIG.json`: trains a network, deploys it as a decision system, says how good it is on subjects it never saw. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { UserError } from '../common/errors.ts';
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
    .argument('<config>', 'a built-in recipe (har, kws) or a .json file')
    .option('-o, --output <dir>', 'output folder', DEFAULT_DIR)
    .option('--data <folder>', "data set, in place of the configuration's")
    .option('--fresh', 'begin anew instead of resuming from the checkpoint in the output folder')
    .option('--json', 'print JSON')
    .action(async (config: string, options: TrainArguments) => {
      const result = await run(loadProject(config, options.data), options);
      print(options, { schemaVersion: 1, ...result.summary }, () => format(result));
    });
}

async function run(project: Project, options: TrainArguments): Promise<TrainResult> {
  const { config } = project;
  const usable = withFolders(project);
  // tfjs is no runtime dependency: only whoever trains needs it.
  const { trainSystem } = await import('../learn/deep/train-system.ts').catch((error: unknown) => {
    throw new UserError(`train: ${(error as Error).message.split('\n')[0]}; run npm install in the checkout`, 3);
  });
  mkdirSync(options.output, { recursive: true });
  const stem = join(options.output, config.name);
  const checkpoint = `${stem}.checkpoint.json`;
  const key = createHash('sha256').update(trainingInputs(config)).digest('hex');
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
  for (const [suffix, content] of result.files) writeFileSync(`${stem}${suffix}`, content);
  return result;
}

function format({ summary, files }: TrainResult): string {
  const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
  return [
    `${summary.name}: kept step ${summary.best.step}, validation accuracy ${percent(summary.best.accuracy)}`,
    `unseen subjects  ${summary.test.windows} windows, ${percent(summary.test.accuracy)} right (integer system), ${percent(summary.test.accepted)} accepted`,
    `unknown classes  ${summary.test.unknownWindows} windows, ${percent(summary.test.unknownAccepted)} accepted`,
    `written          ${[...files.keys()].map((suffix) => `${summary.name}${suffix}`).join(', ')}`,
  ].join('\n');
}
