/** `npm run bench -- NAME`: measurements that take long or need files outside this repository; tests never run these. */
import { Command } from 'commander';
import { note, print, reportError, table } from '../cli/output.ts';
import { benchBoards } from './boards.ts';
import { benchKws } from './kws-accuracy.ts';
import { addMlperf } from './mlperf/command.ts';
import { nonNegativeInteger, weightsOption, type WeightsMemory } from '../cli/options.ts';
import { benchPeers } from './peers.ts';
import { benchCandidates, type CandidateRow } from './quantize-candidates.ts';
import { benchQuantize } from './quantize-accuracy.ts';

const DIR = './build/bench';

const program = new Command('bench').description('measurements; every table in the documents names one of these');

program
  .command('kws')
  .description('1000 real keyword inputs on the emulated firmware: accuracy, agreement with the reference, speed')
  .option('--json', 'print JSON')
  .action(async (options: { json?: boolean }) => {
    const result = await benchKws(DIR);
    print(options, result, () =>
      [
        `top-1 ${result.top1Pct.toFixed(1)} % of ${result.inputs} inputs, ${result.sameAsReference} outputs equal the reference's`,
        `${result.inputsPerSecond.toFixed(1)} inputs per second, ${result.cyclesMin.toLocaleString('en-US')} to ${result.cyclesMax.toLocaleString('en-US')} cycles`,
      ].join('\n'),
    );
  });

program
  .command('peers')
  .description('the MLPerf Tiny int8 models against other runtimes: cycles, flash, RAM (--bare images on mps2-an386)')
  .option('--files <dir>', 'peer firmware <model>.elf with bench_invoke and bench_done, counted on the same emulator')
  .option('--no-prune', 'keep constant channels')
  .option('--json', 'print JSON')
  .action(async (options: { files?: string; prune: boolean; json?: boolean }) => {
    const rows = await benchPeers(DIR, { files: options.files ?? null, prune: options.prune });
    const header = [
      'model',
      'cycles',
      'cycles/MAC',
      'TFLM + CMSIS-NN',
      'ratio',
      'flash',
      '/ CMSIS-NN',
      'RAM',
      '/ CMSIS-NN',
    ];
    const cells = rows.map((row) => [
      row.model,
      row.cycles,
      row.cyclesPerMac.toFixed(2),
      row.tflmCycles,
      row.cyclesRatio.toFixed(3),
      row.flashBytes,
      row.flashRatio.toFixed(3),
      row.ramBytes,
      row.ramRatio.toFixed(3),
    ]);
    print(options, { schemaVersion: 1, rows }, () => table(header, cells));
  });

program
  .command('quantize')
  .description('our static int8 of the MLPerf Tiny float models against the published int8 ones, on the same data')
  .option('--samples <count>', 'test samples per model (default: all)', nonNegativeInteger)
  .option('--firmware-samples <count>', 'of them on the emulated core', nonNegativeInteger, 5)
  .option('--models <list>', 'of kws, ad, ic, vww')
  .option('--json', 'print JSON')
  .action(async (options: { samples?: number; firmwareSamples: number; models?: string; json?: boolean }) => {
    const rows = await benchQuantize(DIR, {
      samples: options.samples ?? null,
      firmwareSamples: options.firmwareSamples,
      models: options.models?.split(',') ?? null,
    });
    const points = (difference: (typeof rows)[number]['difference']): string =>
      difference === null
        ? '-'
        : `${difference.points.toFixed(2)} (${difference.interval.low.toFixed(2)} .. ${difference.interval.high.toFixed(2)})`;
    const header = [
      'model',
      'samples',
      'ours - published, points',
      'ours - float',
      'MAE to float',
      'published',
      'firmware',
      'holds',
    ];
    const cells = rows.map((row) => [
      row.model,
      row.samples,
      points(row.difference),
      points(row.ours.top1Difference),
      row.ours.maeOutput.toPrecision(3),
      row.published.maeOutput.toPrecision(3),
      `${row.firmwareEqual}/${row.firmwareSamples} equal`,
      row.holds ? 'yes' : 'NO',
    ]);
    print(options, { schemaVersion: 1, rows }, () => table(header, cells));
  });

program
  .command('quantize-candidates')
  .description(
    'options of quantize, scored on held-out calibration samples, then each tested once against the published models',
  )
  .option('--models <list>', 'of kws, ad, ic, vww')
  .option('--candidates <list>', 'names, separated by semicolons')
  .option('--no-test', 'only score them on calibration samples')
  .option('--json', 'print JSON')
  .action((options: { models?: string; candidates?: string; test: boolean; json?: boolean }) => {
    const points = (difference: CandidateRow['againstFloat']): string =>
      difference === null
        ? '-'
        : `${difference.points.toFixed(2)} (${difference.interval.low.toFixed(2)} .. ${difference.interval.high.toFixed(2)})`;
    const cellsOf = (row: CandidateRow): string[] => [
      ...[row.model, row.candidate, row.heldOutSqnrDb.toFixed(1)],
      row.sameTop1Share === null ? '-' : (100 * row.sameTop1Share).toFixed(2),
      ...[row.maeOutput?.toPrecision(3) ?? '-', points(row.againstFloat), points(row.againstPublished)],
    ];
    const chosen = {
      models: options.models?.split(',') ?? null,
      candidates: options.candidates?.split(';') ?? null,
      test: options.test,
    };
    const rows = benchCandidates(chosen, (row) => note(cellsOf(row).join('  ')));
    const header = [
      ...['model', 'candidate', 'held-out SQNR dB', 'same class as float %', 'MAE to float'],
      ...['ours - float', 'ours - published'],
    ];
    print(options, { schemaVersion: 1, rows }, () => table(header, rows.map(cellsOf)));
  });

program
  .command('boards')
  .description(
    'the MLPerf Tiny int8 models on the boards that can hold them (--bare images): cycles, ms, flash, RAM, energy',
  )
  .option('--board <name...>', 'only these')
  .option('--task <name...>', 'only these of ad, ic, kws, vww')
  .addOption(weightsOption())
  .option('--ops', 'cycles per MAC of every op, and how far that is from two MACs a cycle')
  .option('--json', 'print JSON, ops included')
  .action(
    async (options: { board?: string[]; task?: string[]; weights: WeightsMemory; ops?: boolean; json?: boolean }) => {
      const rows = await benchBoards(DIR, {
        boards: options.board,
        tasks: options.task,
        weightsInRam: options.weights === 'ram',
      });
      const header = ['board', 'model', 'cycles', 'timing', 'ms', 'flash', 'RAM', 'uJ (estimate)', '/ silicon record'];
      const cells = rows.map((row) => [
        row.board,
        row.model,
        row.refused ?? row.cycles,
        row.timingMode,
        row.latencyMs?.toFixed(2) ?? null,
        row.flashBytes,
        row.ramBytes,
        row.microjoules?.toFixed(1) ?? null,
        row.silicon?.ratio?.toFixed(3) ?? null,
      ]);
      const ops = rows.flatMap(({ board, model, ops }) =>
        ops.map(({ index, opcode, cyclesPerMac, timesLimit }) => [
          board,
          model,
          index,
          opcode,
          cyclesPerMac.toFixed(2),
          timesLimit.toFixed(2),
        ]),
      );
      const opHeader = ['board', 'model', 'op', 'kind', 'cycles/MAC', '/ limit of 0.5'];
      print(options, { schemaVersion: 1, rows }, () =>
        [table(header, cells), ...(options.ops === true ? ['', table(opHeader, ops)] : [])].join('\n'),
      );
    },
  );

addMlperf(program, DIR);

try {
  await program.parseAsync(process.argv);
} catch (error) {
  process.exitCode = reportError(error);
}
