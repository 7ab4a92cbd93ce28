/** `thumbelina boards`: the boards known here, with what is and is not modelled of each. */
import type { Command } from 'commander';
import { boardNames, loadBoard } from '../boards/load.ts';
import type { Board } from '../boards/schema.ts';
import { coreOf } from '../emulator/cores/core.ts';
import { assumedTiming } from '../harness/timing-info.ts';
import { print, table, type JsonOption } from './output.ts';

export function addBoards(program: Command): void {
  program
    .command('boards')
    .description('list the boards: core, clock, memory, and how far their timing is modelled')
    .option('--timing', 'list the numbers of the timing models that are assumed, by core')
    .option('--json', 'print JSON')
    .action((options: JsonOption & { readonly timing?: boolean }) => {
      const boards = boardNames().map(loadBoard);
      if (options.timing === true) {
        const cores = assumedByCore(boards);
        print(options, { schemaVersion: 1, cores }, () => formatAssumed(cores));
        return;
      }
      print(options, { schemaVersion: 1, boards }, () => formatBoards(boards));
    });
}

const memoryTiming: Readonly<Record<Board['timing']['memory'], string>> = {
  'zero-wait': 'zero wait states',
  'stm32-art': 'wait states, prefetch, caches',
  'flash-cache': 'wait states, cache',
  l1: 'L1 caches',
  'shared-flash': 'one port',
  'not-modelled': 'wait states not modelled',
};

function formatBoards(boards: readonly Board[]): string {
  const rows = boards.map((board) => [
    board.name,
    board.core + (board.fpu === 'none' ? '' : ' + FPU'),
    board.clockHz / 1e6,
    kibibytes(board, 'flash'),
    kibibytes(board, 'ram'),
    memoryTiming[board.timing.memory],
  ]);
  const notes = boards.flatMap((board) => (board.timing.note ? [`${board.name}: ${board.timing.note}`] : []));
  return [table(['board', 'core', 'MHz', 'flash KiB', 'RAM KiB', 'memory timing'], rows), '', ...notes].join('\n');
}

function kibibytes(board: Board, kind: 'flash' | 'ram'): number {
  return board.memory.filter((region) => region.kind === kind).reduce((sum, region) => sum + region.bytes, 0) / 1024;
}

type AssumedByCore = Readonly<
  Record<string, { readonly model: boolean; readonly assumed: ReturnType<typeof assumedTiming> }>
>;

function assumedByCore(boards: readonly Board[]): AssumedByCore {
  const cores = new Map(boards.map((board) => [board.core, coreOf(board)]));
  return Object.fromEntries(
    [...cores].map(([name, core]) => [name, { model: core.timing !== null, assumed: assumedTiming(core) }]),
  );
}

function formatAssumed(cores: AssumedByCore): string {
  const rows = Object.entries(cores).flatMap(([name, { model, assumed }]) =>
    model ? assumed.map(({ of, source }) => [name, of, source]) : [[name, '-', 'no timing model: cycles are null']],
  );
  return table(['core', 'assumed', 'what is known'], rows);
}
