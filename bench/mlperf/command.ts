/** The command line of the official runner's bench. */
import { InvalidArgumentError, Option, type Command } from 'commander';
import { nonNegativeInteger, timingOption } from '../../cli/options.ts';
import { print, table } from '../../cli/output.ts';
import { benchMlperf, type MlperfOptions } from './bench.ts';
import { TEST_IDS, type TestId } from './tests.ts';

interface MlperfArguments {
  readonly runner: string;
  readonly python: string;
  readonly mode: 'p' | 'a';
  readonly tests: readonly TestId[];
  readonly board: string;
  readonly timing?: 'exact' | 'flat';
  readonly image?: MlperfOptions['images'];
  readonly samples?: number;
  readonly realtime: boolean;
  readonly json?: boolean;
}

export function addMlperf(program: Command, dir: string): void {
  program
    .command('mlperf')
    .description('the official MLPerf Tiny runner against firmware on an emulated board (docs/hil.md)')
    .requiredOption('--runner <dir>', 'benchmark/runner of a checkout of mlcommons/tiny')
    .option('--python <program>', "Python with the runner's packages", 'python3')
    .addOption(new Option('-m, --mode <mode>', 'performance or accuracy').choices(['p', 'a']).default('p'))
    .option('--tests <list>', `of ${TEST_IDS.join(',')}`, (text) => text.split(',').map(testId), [...TEST_IDS])
    .option('--board <name>', 'board', 'mps2-an386')
    .addOption(timingOption())
    .option('--image <test=file...>', 'firmware built elsewhere instead of ours', image)
    .option('--samples <count>', 'accuracy: the first so many inputs (default: all)', nonNegativeInteger)
    .option('--no-realtime', 'as fast as the computer can, not by the clock')
    .option('--json', 'print JSON')
    .action(async ({ image: images = {}, samples, ...options }: MlperfArguments) => {
      const rows = await benchMlperf(dir, { ...options, images, samples: samples ?? null });
      const header = ['test', 'firmware', 'inputs', 'median inf/s', 'top-1', 'reference', 'same', 'errors', 'seconds'];
      const cells = rows.map((row) => [
        row.test,
        row.firmware,
        row.inputs,
        row.medianThroughput?.toFixed(3) ?? null,
        row.top1Pct?.toFixed(1) ?? null,
        row.referenceTop1Pct?.toFixed(1) ?? null,
        row.sameAsReference,
        row.errors.join('; ') || '-',
        row.seconds.toFixed(0),
      ]);
      print(options, { schemaVersion: 1, rows }, () => table(header, cells));
      const failed = rows.some((row) => row.errors.length > 0 || (row.mode === 'p' && row.medianThroughput === null));
      process.exitCode = failed || rows.some((row) => (row.sameAsReference ?? row.inputs) < row.inputs) ? 1 : 0;
    });
}

function testId(text: string): TestId {
  const id = TEST_IDS.find((known) => known === text);
  if (id === undefined) throw new InvalidArgumentError(`"${text}" is none of ${TEST_IDS.join(', ')}.`);
  return id;
}

function image(text: string, before: MlperfOptions['images'] = {}): MlperfOptions['images'] {
  const [id = '', ...path] = text.split('=');
  return { ...before, [testId(id)]: path.join('=') };
}
