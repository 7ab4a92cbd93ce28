/** `thumbelina generate` and `thumbelina build`: C sources, and the same compiled. */
import { join } from 'node:path';
import type { Command } from 'commander';
import { loadBoard } from '../boards/load.ts';
import type { Board } from '../boards/schema.ts';
import { writeSources } from '../firmware-gen/toolchain/index.ts';
import { compileModel, generateModel } from '../harness/compile.ts';
import { compileSystem, generateSystem, type LoadedSystem } from '../harness/decision-system.ts';
import { loadModel } from '../harness/model.ts';
import {
  boardOption,
  dirOption,
  harnessChoice,
  harnessOptions,
  noPruneOption,
  weightsOption,
  type WeightsMemory,
  type HarnessArguments,
} from './options.ts';
import { print, table, type JsonOption } from './output.ts';
import { chooseBoard, isProjectOrSystem, loadSystemTarget, refuseOptions } from './project.ts';

interface BuildArguments extends JsonOption, HarnessArguments {
  readonly board: string;
  readonly output: string;
  readonly bare?: boolean;
  readonly prune: boolean;
  readonly weights: WeightsMemory;
  readonly perOp?: boolean;
}

const ARGUMENT = '.tflite file, project (thumbelina.json) or NAME.system.json';
/** Options that say something about a decision system. */
const OF_SYSTEMS = ['board', 'output', 'weights', 'json'];

export function addGenerate(program: Command): void {
  const command = program
    .command('generate')
    .description('write C sources that build without Thumbelina')
    .argument('<model>', ARGUMENT)
    .addOption(boardOption())
    .addOption(dirOption())
    .addOption(noPruneOption())
    .addOption(weightsOption())
    .option('--bare', 'leave out UART and self-introduction')
    .option('--per-op', 'with --harness: report cycles per op, from unfused code with hooks')
    .option('--json', 'print JSON')
    .action(async (path: string, options: BuildArguments, command: Command) => {
      if (isProjectOrSystem(path)) return generateProject(path, options, command);
      const board = loadBoard(options.board);
      const model = loadModel(path);
      const { identifier, plan, tree, notes } = generateModel(model, {
        board,
        bare: options.bare ?? false,
        hooks: options.perOp ?? false,
        prune: options.prune,
        weightsInRam: options.weights === 'ram',
        harness: harnessChoice(options, model.name),
      });
      await writeSources(tree, options.output);
      const files = [...tree.keys()];
      const document = {
        schemaVersion: 1,
        model: model.name,
        identifier,
        board: board.name,
        dir: options.output,
        files,
        arenaBytes: plan.arenaBytes,
        notes,
      };
      print(options, document, () => `${filesText(files, options.output)}\n${notes.join('\n')}`);
    });
  for (const option of harnessOptions()) command.addOption(option);
}

export function addBuild(program: Command): void {
  const command = program
    .command('build')
    .description('generate and compile: firmware.elf, .bin, .map and the sources beside them')
    .argument('<model>', ARGUMENT)
    .addOption(boardOption())
    .addOption(dirOption())
    .addOption(noPruneOption())
    .addOption(weightsOption())
    .option('--bare', 'leave out UART and self-introduction, to compare sizes')
    .option('--per-op', 'with --harness: report cycles per op, from unfused code with hooks')
    .option('--json', 'print JSON')
    .action(async (path: string, options: BuildArguments, command: Command) => {
      if (isProjectOrSystem(path)) return buildProject(path, options, command);
      const board = loadBoard(options.board);
      const model = loadModel(path);
      const { plan, image, notes } = await compileModel(model, options.output, {
        board,
        bare: options.bare ?? false,
        hooks: options.perOp ?? false,
        prune: options.prune,
        weightsInRam: options.weights === 'ram',
        harness: harnessChoice(options, model.name),
      });
      const { elfPath, flashBytes, dataBytes, bssBytes } = image;
      const document = {
        schemaVersion: 1,
        model: model.name,
        board: board.name,
        elf: elfPath,
        bin: image.binPath,
        map: image.mapPath,
        memory: { flashBytes, dataBytes, bssBytes, arenaBytes: plan.arenaBytes },
        notes,
      };
      print(options, document, () =>
        [builtText(options.output, board, { ...image, arenaBytes: plan.arenaBytes }), ...notes].join('\n'),
      );
    });
  for (const option of harnessOptions()) command.addOption(option);
}

const filesText = (files: readonly string[], dir: string): string =>
  `${files.length} files in ${dir}; make there builds firmware.elf`;

interface Sizes {
  readonly flashBytes: number;
  readonly dataBytes: number;
  readonly bssBytes: number;
  readonly arenaBytes?: number;
}

function builtText(dir: string, board: Board, { flashBytes, dataBytes, bssBytes, arenaBytes }: Sizes): string {
  const rows: [string, number][] = [
    ['flash (code, constants, initialised data)', flashBytes],
    ['RAM without stack (.data + .bss)', dataBytes + bssBytes],
    ...(arenaBytes === undefined ? [] : [['of it arena', arenaBytes] as [string, number]]),
  ];
  return [`${join(dir, 'firmware.elf')} for ${board.name}`, table(['', 'bytes'], rows)].join('\n');
}

function systemOf(path: string, options: BuildArguments, command: Command): { loaded: LoadedSystem; board: Board } {
  refuseOptions(command, (name) => OF_SYSTEMS.includes(name), 'a project or decision system');
  const { loaded, project } = loadSystemTarget(path, options.output);
  return { loaded, board: chooseBoard(project, options, command) };
}

async function generateProject(path: string, options: BuildArguments, command: Command): Promise<void> {
  const { loaded, board } = systemOf(path, options, command);
  const tree = generateSystem(loaded, board, options.weights === 'ram');
  await writeSources(tree, options.output);
  const files = [...tree.keys()];
  const document = { schemaVersion: 1, system: loaded.system.name, board: board.name, dir: options.output, files };
  print(options, document, () => filesText(files, options.output));
}

async function buildProject(path: string, options: BuildArguments, command: Command): Promise<void> {
  const { loaded, board } = systemOf(path, options, command);
  const image = await compileSystem(loaded, options.output, board, options.weights === 'ram');
  const { elfPath, binPath, mapPath, flashBytes, dataBytes, bssBytes } = image;
  const document = {
    ...{ schemaVersion: 1, system: loaded.system.name, board: board.name, elf: elfPath, bin: binPath, map: mapPath },
    memory: { flashBytes, dataBytes, bssBytes },
  };
  print(options, document, () => builtText(options.output, board, image));
}
