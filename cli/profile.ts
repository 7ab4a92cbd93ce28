/** `thumbelina profile`: where the cycles of a firmware or of a model's inference go; tables on stdout, flame graph and the like as files. */
import { InvalidArgumentError, Option, type Command } from 'commander';
import { loadBoard } from '../boards/load.ts';
import { UserError } from '../common/errors.ts';
import type { EngineName } from '../emulator/create-machine.ts';
import { describeFault } from '../emulator/fault.ts';
import { profileFiles, profileFormats, type ProfileFormat } from '../emulator/profile/output-files.ts';
import { simExitCode, type CallArgument } from '../emulator/sim.ts';
import { packageVersion } from '../common/package-root.ts';
import { readInputFile } from '../harness/input-file.ts';
import { loadModel } from '../harness/model.ts';
import {
  profileFirmware,
  profileModel,
  writeProfile,
  type ProfileDocument,
  type ProfileOutcome,
} from '../harness/profile.ts';
import { boardOption, dirOption, noPruneOption, nonNegativeInteger, timingMode, timingOption } from './options.ts';
import { note, print, table, type JsonOption } from './output.ts';
import { inputsOf } from './run.ts';
import { callArguments } from './sim.ts';

const TOP_DEFAULT = 20;

interface ProfileArguments extends JsonOption {
  readonly board: string;
  readonly output: string;
  readonly engine: EngineName;
  readonly timing?: 'exact' | 'flat';
  readonly prune: boolean;
  readonly input?: string;
  readonly lcg?: number;
  readonly call?: string;
  readonly args?: readonly CallArgument[];
  readonly maxCycles?: number;
  readonly events?: number;
  readonly top: number;
  readonly format?: readonly ProfileFormat[];
}

export function addProfile(program: Command): void {
  program
    .command('profile')
    .description('where the cycles go: functions, call graph, flame graph, line coverage, stack, memory; exact')
    .argument('<target>', 'firmware (ELF, Intel HEX, raw binary) or .tflite model')
    .addOption(boardOption())
    .addOption(dirOption())
    .addOption(new Option('--engine <engine>', 'emulation engine').choices(['wasm', 'unicorn']).default('wasm'))
    .addOption(timingOption())
    .addOption(noPruneOption())
    .option('--input <file>', 'model: raw little-endian bytes of all inputs in order')
    .option(
      '--lcg <seed>',
      'model: inputs from the generator that CONTRACT defines (default: seed 1)',
      nonNegativeInteger,
    )
    .option('--call <symbol>', 'firmware: one function instead of the whole run')
    .option('--args <list>', 'arguments of --call: integers, buf:BYTES, @FILE, separated by commas', callArguments)
    .option('--max-cycles <n>', 'firmware: end the run after so many cycles (default: 10^10)', nonNegativeInteger)
    .option('--events <n>', 'calls and returns kept for the timelines (default: 1000000)', nonNegativeInteger)
    .option('--top <n>', 'rows of each table', nonNegativeInteger, TOP_DEFAULT)
    .option('--format <list>', `files to write, of ${profileFormats.join(',')} (default: all)`, formatList)
    .option('--json', 'print JSON')
    .action(async (path: string, options: ProfileArguments) => {
      const outcome = /\.tflite$/i.test(path) ? await profileModelFile(path, options) : profileFile(path, options);
      const { document, recording, profile } = outcome;
      const exporter = `thumbelina ${packageVersion()}`;
      const { clockHz, target: name } = document;
      const files = profileFiles(
        { name, exporter, clockHz, recording, profile, document },
        options.format ?? profileFormats,
      );
      const written = writeProfile(options.output, files);
      print(options, { ...document, files: written }, () => formatProfile(document, written, options.top));
      reportEnd(path, document);
    });
}

function profileModelFile(path: string, options: ProfileArguments): Promise<ProfileOutcome> {
  if (options.call !== undefined || options.args !== undefined || options.maxCycles !== undefined)
    throw new UserError('--call, --args and --max-cycles are for firmware; a model is profiled for one inference');
  const board = loadBoard(options.board);
  const timing = timingMode(options.timing, board);
  const model = loadModel(path);
  return profileModel(model, inputsOf(model.graph, options), {
    board,
    engine: options.engine,
    timing,
    prune: options.prune,
    dir: options.output,
    ...(options.events === undefined ? {} : { eventsMax: options.events }),
  });
}

function profileFile(path: string, options: ProfileArguments): ProfileOutcome {
  if (options.args !== undefined && options.call === undefined) throw new UserError('--args needs --call SYMBOL');
  if (options.input !== undefined || options.lcg !== undefined)
    throw new UserError('--input and --lcg are for models; a function takes --args');
  const board = loadBoard(options.board);
  const timing = timingMode(options.timing, board);
  return profileFirmware({
    board,
    firmware: readInputFile(path),
    firmwareName: path,
    engine: options.engine,
    timing,
    ...(options.call === undefined ? {} : { call: { symbol: options.call, args: options.args ?? [] } }),
    ...(options.maxCycles === undefined ? {} : { maxCycles: options.maxCycles }),
    ...(options.events === undefined ? {} : { eventsMax: options.events }),
    onConsole: (bytes) => process.stderr.write(bytes),
    onNote: note,
  });
}

/** The profile of a run that failed is written all the same; the exit code is that of `sim`. */
function reportEnd(path: string, { run }: ProfileDocument): void {
  if (run.fault !== null) note(`thumbelina: ${path}: ${describeFault(run.fault)}`);
  else if (run.stop === 'limit')
    note(
      `thumbelina: ${path}: not finished after ${run.cycles ?? run.instructions} ${run.cycles === null ? 'instructions' : 'cycles'}; the profile is of those; raise --max-cycles`,
    );
  process.exitCode = simExitCode(run);
}

function formatList(text: string): ProfileFormat[] {
  return text.split(',').map((item) => {
    const format = profileFormats.find((known) => known === item);
    if (format === undefined) throw new InvalidArgumentError(`"${item}" is none of ${profileFormats.join(', ')}.`);
    return format;
  });
}

export function formatProfile(document: ProfileDocument, written: readonly string[], top: number): string {
  const { cycles, instructions, clockHz, ops, unit } = document;
  const thousands = (value: number): string => value.toLocaleString('en-US');
  const time =
    cycles === null
      ? 'not known'
      : `${thousands(cycles)} (${((cycles / clockHz) * 1e3).toFixed(3)} ms at ${clockHz / 1e6} MHz)`;
  return [
    `${document.target} on ${document.board} (${document.core}), ${document.source} with ${document.engine}; every ${unit === 'cycles' ? 'cycle' : 'instruction'} counted, none sampled`,
    `cycles        ${time}, ${thousands(instructions)} instructions`,
    ...(ops === null ? [] : ['', opTable(ops)]),
    '',
    functionTable(document, top),
    '',
    callTable(document, top),
    '',
    stackTable(document),
    '',
    memoryTable(document, top),
    ...(document.lines.length === 0 ? [] : ['', lineTable(document, top)]),
    '',
    ...document.notes.map((text) => `note  ${text}`),
    ...written.map((path) => `wrote ${path}`),
  ].join('\n');
}

const percent = (value: number): string => `${value.toFixed(1)} %`;

function opTable(ops: NonNullable<ProfileDocument['ops']>): string {
  return table(
    ['op', 'kind', 'cycles', 'share', 'instructions', 'MACs', 'function'],
    ops.map((op) => [
      op.index,
      op.opcode,
      op.cycles,
      percent(op.sharePct),
      op.instructions,
      op.macs === 0 ? null : op.macs,
      op.function,
    ]),
  );
}

function functionTable({ functions, unit }: ProfileDocument, top: number): string {
  return table(
    [
      `function (of ${functions.length})`,
      'self',
      'share',
      'total',
      'calls',
      `${unit}/call`,
      'instructions',
      'stack bytes',
    ],
    functions
      .slice(0, top)
      .map((fn) => [
        fn.name,
        fn.selfCycles,
        percent(fn.sharePct),
        fn.totalCycles,
        fn.calls,
        fn.cyclesPerCall === null ? null : fn.cyclesPerCall.toFixed(1),
        fn.instructions,
        fn.stackBytes,
      ]),
  );
}

function callTable({ callGraph, unit }: ProfileDocument, top: number): string {
  return table(
    ['caller', 'callee', unit, 'calls'],
    callGraph.slice(0, top).map((edge) => [edge.caller ?? '-', edge.callee, edge.cycles, edge.calls]),
  );
}

function stackTable({ contexts, unit }: ProfileDocument): string {
  return table(
    ['context', unit, 'stack bytes', 'deepest path'],
    contexts.map((context) => [context.name, context.cycles, context.stackBytes, context.stackPath.join(' > ')]),
  );
}

function memoryTable({ memory }: ProfileDocument, top: number): string {
  return table(
    ['memory', 'reads', 'bytes read', 'writes', 'bytes written'],
    memory.slice(0, top).map((row) => [row.name, row.reads, row.readBytes, row.writes, row.writtenBytes]),
  );
}

function lineTable({ lines, coverage, unit }: ProfileDocument, top: number): string {
  const covered = coverage === null ? '' : ` (${coverage.linesExecuted} of ${coverage.lines} executed)`;
  return table(
    [`line${covered}`, unit, 'executions'],
    lines.slice(0, top).map((line) => [`${line.file}:${line.line}`, line.cycles, line.executions]),
  );
}
