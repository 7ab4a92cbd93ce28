/** The command line. One file per subcommand; options are parsed and validated here at the edge, exit codes are the contract's. */
import { Command, CommanderError } from 'commander';
import { packageVersion } from '../harness/compile.ts';
import { addBoards } from './boards.ts';
import { addBuild, addGenerate } from './build.ts';
import { addCheck } from './check.ts';
import { addDemo } from './demo.ts';
import { addDoctor } from './doctor.ts';
import { addEvaluate } from './evaluate.ts';
import { addInspect } from './inspect.ts';
import { note, reportError } from './output.ts';
import { addProfile } from './profile.ts';
import { addQuantize } from './quantize.ts';
import { addRun } from './run.ts';
import { addSim } from './sim.ts';

const EXIT_USAGE = 2;

function createProgram(): Command {
  const program = new Command('thumbelina')
    .description('What a quantized model costs on a Cortex-M: C generation, compilation, cycle-counting emulation')
    .version(packageVersion());
  for (const add of [
    addInspect,
    addGenerate,
    addBuild,
    addRun,
    addSim,
    addProfile,
    addCheck,
    addQuantize,
    addEvaluate,
    addBoards,
    addDoctor,
    addDemo,
  ])
    add(program);
  return program;
}

/** Commander's message with its suggestion as one line, and where to read on. */
function usageLine(text: string, command: Command): string {
  const said = text
    .replace(/^error: /, '')
    .trim()
    .replaceAll(/\s*\n\s*/g, ' ')
    .replace(/\.$/, '');
  const path = command.parent === null ? command.name() : `${command.parent.name()} ${command.name()}`;
  return `thumbelina: ${said}; see ${path} --help`;
}

/** Usage errors of commander have printed their line already; help and version are no errors. */
async function main(argv: readonly string[]): Promise<number> {
  const program = createProgram();
  for (const command of [program, ...program.commands]) {
    command.exitOverride().configureOutput({ outputError: (text) => note(usageLine(text, command)) });
  }
  if (argv.length <= 2) {
    note('thumbelina: no command given; see thumbelina --help');
    return EXIT_USAGE;
  }
  try {
    await program.parseAsync(argv);
    return process.exitCode === undefined ? 0 : Number(process.exitCode);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE;
    return reportError(error);
  }
}

// `thumbelina ... | head`: the reader has what it wanted; that is no error. Standard output on a full disk is one.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  note(`thumbelina: standard output: ${error.message}; free some space or write elsewhere`);
  process.exit(EXIT_USAGE);
});

process.exitCode = await main(process.argv);
