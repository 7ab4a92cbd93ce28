/** `thumbelina inject`: what single flipped bits do to an inference, by region. */
import { join } from 'node:path';
import { InvalidArgumentError, type Command } from 'commander';
import { loadBoard } from '../boards/load.ts';
import { UserError } from '../common/errors.ts';
import { compileModel } from '../harness/compile.ts';
import {
  INJECT_OUTCOMES,
  INJECT_REGIONS,
  injectionTarget,
  type Campaign,
  type InjectRegion,
} from '../harness/inject/campaign.ts';
import { runCampaign } from '../harness/inject/pool.ts';
import { loadModel } from '../harness/model.ts';
import { boardOption, dirOption, nonNegativeInteger } from './options.ts';
import { print, table, type JsonOption } from './output.ts';
import { progress } from './progress.ts';
import { inputsOf } from './run.ts';

const COUNT_DEFAULT = 1000;

interface InjectArguments extends JsonOption {
  readonly board: string;
  readonly output: string;
  readonly count: number;
  readonly seed: number;
  readonly regions: readonly InjectRegion[];
  readonly input?: string;
  readonly lcg?: number;
}

export function addInject(program: Command): void {
  program
    .command('inject')
    .description(
      'flip single bits during one inference on the emulated board: silent corruption, detected, crash, hang',
    )
    .argument('<model>', '.tflite file')
    .addOption(boardOption())
    .addOption(dirOption())
    .option('--count <n>', 'injections, by turns in every region', nonNegativeInteger, COUNT_DEFAULT)
    .option('--seed <seed>', 'which bits at which cycles', nonNegativeInteger, 1)
    .option('--regions <list>', `of ${INJECT_REGIONS.join(',')}`, regionList, [...INJECT_REGIONS])
    .option('--input <file>', 'raw little-endian bytes of all inputs in order')
    .option('--lcg <seed>', 'inputs from the generator that CONTRACT defines (default: seed 1)', nonNegativeInteger)
    .option('--json', 'print JSON, with every injection')
    .action(async (path: string, options: InjectArguments) => {
      if (options.count === 0) throw new UserError('--count 0: nothing would be injected; give more');
      const board = loadBoard(options.board);
      const model = loadModel(path);
      const dir = join(options.output, 'inject');
      const compiled = await compileModel(model, dir, { board, bare: true, hooks: false, prune: true });
      const bar = progress('inject', options.count);
      const { seed, count, regions } = options;
      const inputs = inputsOf(model.graph, options);
      const settings = { board, seed, count, regions };
      const campaign = await runCampaign(injectionTarget(compiled), inputs, settings, (done) => bar.update(done));
      bar.stop();
      const document = { schemaVersion: 1, model: model.name, board: board.name, seed, ...campaign };
      print(options, document, () => formatCampaign(model.name, board.name, campaign));
    });
}

function regionList(text: string): InjectRegion[] {
  return text.split(',').map((item) => {
    const region = INJECT_REGIONS.find((known) => known === item);
    if (region === undefined) throw new InvalidArgumentError(`"${item}" is none of ${INJECT_REGIONS.join(', ')}.`);
    return region;
  });
}

function formatCampaign(model: string, board: string, { cycles, rows }: Campaign): string {
  return [
    `${model} on ${board}: single bits flipped at random cycles of an inference of ${cycles.toLocaleString('en-US')} cycles`,
    '',
    table(
      ['region', 'injections', ...INJECT_OUTCOMES],
      rows.map((row) => [row.region, row.injections, ...INJECT_OUTCOMES.map((outcome) => row.outcomes[outcome])]),
    ),
  ].join('\n');
}
