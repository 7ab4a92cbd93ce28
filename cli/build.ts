/** `thumbelina generate` and `thumbelina build`: C sources, and the same compiled. */
import { join } from 'node:path';
import type { Command } from 'commander';
import { loadBoard } from '../boards/load.ts';
import { writeSources } from '../firmware-gen/toolchain/index.ts';
import { compileModel, generateModel } from '../harness/compile.ts';
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

interface BuildArguments extends JsonOption, HarnessArguments {
  readonly board: string;
  readonly output: string;
  readonly bare?: boolean;
  readonly prune: boolean;
  readonly weights: WeightsMemory;
  readonly perOp?: boolean;
}

export function addGenerate(program: Command): void {
  const command = program
    .command('generate')
    .description('write C sources that build without Thumbelina')
    .argument('<model>', '.tflite file')
    .addOption(boardOption())
    .addOption(dirOption())
    .addOption(noPruneOption())
    .addOption(weightsOption())
    .option('--bare', 'leave out UART and self-introduction')
    .option('--per-op', 'with --harness: report cycles per op, from unfused code with hooks')
    .option('--json', 'print JSON')
    .action(async (path: string, options: BuildArguments) => {
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
      print(
        options,
        document,
        () => `${files.length} files in ${options.output}; make there builds firmware.elf\n${notes.join('\n')}`,
      );
    });
  for (const option of harnessOptions()) command.addOption(option);
}

export function addBuild(program: Command): void {
  const command = program
    .command('build')
    .description('generate and compile: firmware.elf, .bin, .map and the sources beside them')
    .argument('<model>', '.tflite file')
    .addOption(boardOption())
    .addOption(dirOption())
    .addOption(noPruneOption())
    .addOption(weightsOption())
    .option('--bare', 'leave out UART and self-introduction, to compare sizes')
    .option('--per-op', 'with --harness: report cycles per op, from unfused code with hooks')
    .option('--json', 'print JSON')
    .action(async (path: string, options: BuildArguments) => {
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
      const sizes = table(
        ['', 'bytes'],
        [
          ['flash (code, constants, initialised data)', flashBytes],
          ['RAM without stack (.data + .bss)', dataBytes + bssBytes],
          ['of it arena', plan.arenaBytes],
        ],
      );
      print(options, document, () =>
        [`${join(options.output, 'firmware.elf')} for ${board.name}`, sizes, ...notes].join('\n'),
      );
    });
  for (const option of harnessOptions()) command.addOption(option);
}
