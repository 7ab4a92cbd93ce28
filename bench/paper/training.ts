/**
 * `npm run paper:training [-- --quick] [--json]`: a HAR training from scratch to a decision system, its wall time, and its throughput against the
 * same network in plain tfjs. Nothing is cached: times are of this machine now.
 */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import { Command } from 'commander';
import { note, print, table } from '../../cli/output.ts';
import { packageRoot } from '../../common/package-root.ts';
import { isMotion, parseTrainConfig } from '../../learn/deep/config.ts';
import { trainSystem } from '../../learn/deep/train-system.ts';
import { wasmFolder, withoutThreads } from '../../learn/tfjs/start.ts';
import { runCommand } from './command.ts';
import { plainThroughput } from './plain-tfjs.ts';

const LIMIT_MINUTES = 20;
const CHANNELS = 6;

interface Options {
  readonly quick?: boolean;
  readonly json?: boolean;
  readonly data: string;
}

async function run(options: Options): Promise<void> {
  const path = join(packageRoot(), 'models', 'recipes', 'har.json');
  const recipe = parseTrainConfig(JSON.parse(readFileSync(path, 'utf8')), path);
  if (!isMotion(recipe)) throw new Error('internal: no motion');
  const schedule = options.quick ? { ...recipe.schedule, steps: 50 } : recipe.schedule;
  const config = { ...recipe, schedule, data: { ...recipe.data, folder: options.data } };
  const plain = {
    encoder: config.encoder,
    input: [config.data.windowFrames, 1, CHANNELS] as const,
    classes: config.data.classes.length,
    batch: schedule.batch,
  };
  // First, while tfjs is as it comes: our kernels are registered by the training.
  setWasmPaths(wasmFolder());
  withoutThreads();
  const wasm = await plainThroughput({ ...plain, backend: 'wasm', steps: 20 });
  const cpu = await plainThroughput({ ...plain, backend: 'cpu', steps: options.quick ? 2 : 10 });
  const start = performance.now();
  const { summary } = await trainSystem(config, {
    checkpoint: null,
    key: '',
    report: ({ step, steps, samplesPerSecond }) => note(`${step}/${steps}, ${samplesPerSecond.toFixed(0)} samples/s`),
  });
  const seconds = (performance.now() - start) / 1000;
  // With our gradient kernels registered, but tfjs's own normalisation.
  const completed = await plainThroughput({ ...plain, backend: 'wasm', steps: 20 });
  const speeds = [
    ['ours: wasm, our gradients and normalisation', { samplesPerSecond: summary.samplesPerSecond }],
    ['plain tfjs layers, wasm with our gradients', completed],
    ['plain tfjs layers, cpu', cpu],
    ['plain tfjs layers, wasm', wasm],
  ] as const;
  const document = {
    schemaVersion: 1,
    quick: options.quick === true,
    cores: availableParallelism(),
    seconds,
    windows: schedule.steps * schedule.batch,
    throughput: Object.fromEntries(speeds),
    limitSeconds: 60 * LIMIT_MINUTES,
    test: summary.test,
  };
  print(options, document, () => format(document, speeds, summary.test.accuracy));
}

function format(
  { quick, cores, seconds, windows }: { quick: boolean; cores: number; seconds: number; windows: number },
  speeds: readonly (readonly [string, { samplesPerSecond: number } | { error: string }])[],
  accuracy: number,
): string {
  const verdict = seconds < 60 * LIMIT_MINUTES ? 'within' : 'OVER';
  return [
    ...(quick ? ['QUICK RUN (an eighth of the training): not the time of the whole recipe.'] : []),
    `models/recipes/har.json from scratch, ${windows} windows, one thread on a machine of ${cores} cores: ${seconds.toFixed(0)} s to a judged decision system (${verdict} ${LIMIT_MINUTES} minutes); ${(100 * accuracy).toFixed(1)} % on unseen subjects`,
    '',
    table(
      ['training', 'samples/s'],
      speeds.map(([name, one]) => [name, 'error' in one ? `cannot: ${one.error}` : one.samplesPerSecond.toFixed(0)]),
    ),
    '',
    'ours includes drawing and augmenting windows and validation; plain tfjs trains on one ready batch',
  ].join('\n');
}

await runCommand(
  new Command('paper:training')
    .option('--quick', 'an eighth of the training; labelled as such')
    .option('--data <folder>', 'motion data set', join(packageRoot(), '..', 'shared', 'data', 'har-wisdm-watch'))
    .option('--json', 'print JSON')
    .action(run),
);
