/** The command line. One file per subcommand; options are parsed and validated here at the edge, exit codes are the contract's. */
import { Command, CommanderError } from 'commander';
import { packageVersion } from '../common/package-root.ts';
import { note, reportError } from './output.ts';

const EXIT_USAGE = 2;

type AddCommand = (program: Command) => void;

/** In the order of the help text. Loading all of them takes several times as long as running a small firmware. */
const commands: Readonly<Record<string, () => Promise<AddCommand>>> = {
  inspect: async () => (await import('./inspect.ts')).addInspect,
  generate: async () => (await import('./build.ts')).addGenerate,
  build: async () => (await import('./build.ts')).addBuild,
  run: async () => (await import('./run.ts')).addRun,
  sim: async () => (await import('./sim.ts')).addSim,
  profile: async () => (await import('./profile.ts')).addProfile,
  check: async () => (await import('./check.ts')).addCheck,
  flash: async () => (await import('./flash.ts')).addFlash,
  hil: async () => (await import('./hil.ts')).addHil,
  inject: async () => (await import('./inject.ts')).addInject,
  quantize: async () => (await import('./quantize.ts')).addQuantize,
  adapt: async () => (await import('./adapt.ts')).addAdapt,
  evaluate: async () => (await import('./evaluate.ts')).addEvaluate,
  init: async () => (await import('./init.ts')).addInit,
  train: async () => (await import('./train.ts')).addTrain,
  system: async () => (await import('./system.ts')).addSystem,
  ood: async () => (await import('./ood.ts')).addOod,
  validate: async () => (await import('./validate.ts')).addValidate,
  boards: async () => (await import('./boards.ts')).addBoards,
  doctor: async () => (await import('./doctor.ts')).addDoctor,
  demo: async () => (await import('./demo.ts')).addDemo,
};

/** @param name what the command line begins with: of a command, only that one is loaded */
async function createProgram(name: string | undefined): Promise<Command> {
  const program = new Command('thumbelina')
    .description('What a quantized model costs on a Cortex-M: C generation, compilation, cycle-counting emulation')
    .version(packageVersion());
  const one = Object.hasOwn(commands, name ?? '') ? commands[name!] : undefined;
  for (const load of one === undefined ? Object.values(commands) : [one]) (await load())(program);
  return program;
}

/** Commander's message with its suggestion as one line, and where to read on. */
function usageLine(text: string, command: Command): string {
  const said = text
    .replace(/^error: /, '')
    .trim()
    .replaceAll(/\s*\n\s*/g, ' ')
    .replace(/\.$/, '');
  const names: string[] = [];
  for (let at: Command | null = command; at !== null; at = at.parent) names.unshift(at.name());
  const path = names.join(' ');
  return `thumbelina: ${said}; see ${path} --help`;
}

/** Usage errors of commander have printed their line already; help and version are no errors. */
async function main(argv: readonly string[]): Promise<number> {
  if (argv.length <= 2) {
    note('thumbelina: no command given; see thumbelina --help');
    return EXIT_USAGE;
  }
  const program = await createProgram(argv[2]);
  for (const command of [program, ...program.commands, ...program.commands.flatMap(({ commands }) => commands)]) {
    command.exitOverride().configureOutput({ outputError: (text) => note(usageLine(text, command)) });
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
