/** `thumbelina system NAME.system.json`: a decision system as C and firmware, fed with recorded frames on an emulated board. */
import type { Command } from 'commander';
import { loadBoard } from '../boards/load.ts';
import { UserError } from '../common/errors.ts';
import type { TimingMode } from '../emulator/board-timing.ts';
import type { EngineName } from '../emulator/create-machine.ts';
import { ANALYSE, systemStages } from '../firmware-gen/emit/system-source.ts';
import { pushedValues } from '../firmware-gen/ir/system.ts';
import { EmulatedSystem, compileSystem, loadSystem, type FedDecision } from '../harness/decision-system.ts';
import { readInputFile } from '../harness/input-file.ts';
import {
  boardOption,
  dirOption,
  engineOption,
  timingMode,
  timingOption,
  weightsOption,
  type WeightsMemory,
} from './options.ts';
import { print, table, type JsonOption } from './output.ts';

interface SystemArguments extends JsonOption {
  readonly board: string;
  readonly output: string;
  readonly engine: EngineName;
  readonly timing?: TimingMode;
  readonly weights: WeightsMemory;
  readonly input?: string;
}

export function addSystem(program: Command): void {
  program
    .command('system')
    .description('generate and build a decision system; with --input, feed it and report decisions and cycles by stage')
    .argument('<system>', 'NAME.system.json')
    .addOption(boardOption())
    .addOption(dirOption())
    .addOption(engineOption())
    .addOption(timingOption())
    .addOption(weightsOption())
    .option('--input <file>', 'little-endian int16: frames of raw counts, channels interleaved, or samples of sound')
    .option('--json', 'print JSON')
    .action(runSystem);
}

async function runSystem(path: string, options: SystemArguments): Promise<void> {
  const board = loadBoard(options.board);
  const loaded = loadSystem(path);
  const { system } = loaded;
  const timing = timingMode(options.timing, board);
  const frames = options.input === undefined ? null : readFrames(options.input, pushedValues(system));
  const image = await compileSystem(loaded, options.output, board, options.weights === 'ram');
  const { flashBytes, dataBytes, bssBytes } = image;
  const decisions: FedDecision[] = [];
  let stackBytes: number | null = null;
  if (frames !== null) {
    const target = new EmulatedSystem(image.elf, board, system, options.engine, timing);
    const values = system.stream.hop * pushedValues(system);
    for (let at = 0; at < frames.length; at += values) {
      const decision = target.feed(frames.subarray(at, at + values));
      if (decision) decisions.push(decision);
    }
    stackBytes = target.stackBytes();
    target.close();
  }
  const named = decisions.map((one) => ({
    ...one,
    label: system.classes[one.label],
    smoothed: system.classes[one.smoothed],
  }));
  const memory = { flashBytes, ramBytes: dataBytes + bssBytes + (stackBytes ?? 0), stackBytes };
  const document = {
    schemaVersion: 1,
    system: system.name,
    board: board.name,
    source: 'emulated',
    timing,
    weights: options.weights,
    decisions: named,
    memory,
  };
  const isSound = system.frontEnd.kind === 'mfcc';
  print(options, document, () => {
    const stages = systemStages(system);
    const rows = named.map((one, index) => [
      ...[
        index,
        one.accepted ? 'yes' : 'no',
        one.label ?? '',
        one.smoothed ?? '',
        `${((100 * one.belief) / 32768).toFixed(0)} %`,
      ],
      ...[one.cycles, ...stages.map((stage) => one.stageCycles[stage] ?? null)],
      ...(isSound ? [one.analyseCycles] : []),
    ]);
    const header = [
      'window',
      'known',
      'nearest class',
      'filtered',
      'belief',
      'cycles',
      ...stages,
      ...(isSound ? [`${ANALYSE}, each push`] : []),
    ];
    const sizes = `flash ${flashBytes.toLocaleString('en-US')} bytes, RAM ${memory.ramBytes.toLocaleString('en-US')} bytes${stackBytes === null ? ' without stack' : ''}`;
    return rows.length === 0 ? `${image.elfPath}: ${sizes}` : `${table(header, rows)}\n\n${sizes}`;
  });
}

/** @param values of one push. @throws UserError for a file that holds no whole pushes */
function readFrames(path: string, values: number): Int16Array {
  const bytes = readInputFile(path);
  if (bytes.length === 0 || bytes.length % (2 * values) !== 0)
    throw new UserError(
      `${path}: has ${bytes.length} bytes, the system takes ${values} int16 values at a time; give a multiple of ${2 * values} bytes`,
    );
  return new Int16Array(bytes.slice().buffer);
}
