/** `thumbelina hil LAB.json`: models on all boards of a desk, emulated or real, in parallel. */
import { join } from 'node:path';
import type { Command } from 'commander';
import { loadBoard } from '../boards/load.ts';
import { UserError } from '../common/errors.ts';
import { compileModel } from '../harness/compile.ts';
import { flashImage } from '../harness/flash/flash.ts';
import { readLabFile, type LabBoard } from '../harness/hil/lab-file.ts';
import { OUTCOME_EXIT, runLab, type JobOutcome, type JobResult } from '../harness/hil/lab-run.ts';
import type { Link } from '../harness/protocol/link.ts';
import { findPort, openSerial } from '../harness/protocol/serial-link.ts';
import { lastLine, runProgram } from '../harness/run-program.ts';
import { dirOption } from './options.ts';
import { note, print, table, type JsonOption } from './output.ts';

/** The worst first: what the document's outcome and the exit code are. */
const SEVERITY: readonly JobOutcome[] = [
  'wrong-answer',
  'regression',
  'faulted',
  'flash-failed',
  'no-boot',
  'timeout',
  'error',
];

export function addHil(program: Command): void {
  program
    .command('hil')
    .description('run the jobs of a lab file on its boards, in parallel (docs/hil.md)')
    .argument('<lab>', 'LAB.json')
    .addOption(dirOption())
    .option('--json', 'print JSON')
    .action(async (path: string, options: JsonOption & { readonly output: string }) => {
      const lab = readLabFile(path);
      const results = await runLab(lab, {
        open: openBoard,
        run: async (command, secondsMax) => {
          const { code, output } = await runProgram(command, secondsMax);
          if (code !== 0) throw new UserError(`${command[0]}: exit code ${code}: ${lastLine(output)}`, 4);
        },
        flash: (tool, request) => flashImage(tool, request, () => undefined),
        compile: (model, boardType) => {
          const board = loadBoard(boardType);
          const harness = { protocol: 'device', mlperfId: model.name, input: 'raw' } as const;
          const dir = join(options.output, 'hil', `${model.name}-${board.name}`);
          return compileModel(model, dir, { board, bare: false, hooks: false, prune: true, harness });
        },
        onResult: ({ board, model, outcome }) => note(`${board}: ${model}: ${outcome}`),
      });
      const outcome = SEVERITY.find((kind) => results.some((result) => result.outcome === kind)) ?? 'ok';
      print(options, { schemaVersion: 1, outcome, results }, () => formatResults(results));
      process.exitCode = OUTCOME_EXIT[outcome];
    });
}

async function openBoard({ name, port, usbSerial, baud }: LabBoard): Promise<Link> {
  const path = port ?? (await findPort(usbSerial!));
  if (path === null) throw new UserError(`${name}: no port with USB serial number ${usbSerial}; is it plugged in?`, 3);
  return openSerial(path, baud);
}

function formatResults(results: readonly JobResult[]): string {
  const rows = results.map((result) => [
    result.board,
    result.model,
    result.outcome,
    result.source,
    result.cycles,
    result.outputCrc32,
    result.reasons.length,
  ]);
  const reasons = results.flatMap(({ board, model, reasons: list }) =>
    list.map((text) => `${board}: ${model}: ${text}`),
  );
  return [
    table(['board', 'model', 'outcome', 'source', 'cycles', 'output CRC-32', 'failed attempts'], rows),
    ...(reasons.length === 0 ? [] : ['', ...reasons]),
  ].join('\n');
}
