/** `thumbelina system PROJECT.json|NAME.system.json`: a decision system as C and firmware; with --input fed on an emulated board. */
import type { Command } from 'commander';
import { boardOption, dirOption, engineOption, timingOption, weightsOption } from './options.ts';
import { runSystem, type SystemRunArguments } from './system-run.ts';

export function addSystem(program: Command): void {
  program
    .command('system')
    .description('generate and build a decision system; with --input, feed it and report decisions and cycles by stage')
    .argument('<system>', 'NAME.system.json, or the project it was made of')
    .addOption(boardOption())
    .addOption(dirOption())
    .addOption(engineOption())
    .addOption(timingOption())
    .addOption(weightsOption())
    .option('--input <file>', 'little-endian int16: frames of raw counts, channels interleaved, or samples of sound')
    .option('--json', 'print JSON')
    .action((argument: string, options: SystemRunArguments, command: Command) =>
      runSystem(argument, options, command, false),
    );
}
