/** `thumbelina profile` as functions: a firmware, or one warm inference of a model, run under the profiler on an emulated board. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Board } from '../boards/schema.ts';
import { createMachine, type EngineName } from '../emulator/create-machine.ts';
import { makeProfile, type Profile, type ProfileFigures } from '../emulator/profile/profile.ts';
import { Profiler, type Recording } from '../emulator/profile/profiler.ts';
import type { RunResult } from '../emulator/run-result.ts';
import { runOrCall, type SimOptions } from '../emulator/sim.ts';
import { opFunctionName, opOf } from '../firmware-gen/emit/op-function.ts';
import { macs } from '../firmware-gen/ir/macs.ts';
import { compileModel } from './compile.ts';
import { EmulatedTarget } from './emulated-target.ts';
import type { SourceModel } from './model.ts';
import type { TimingMode } from '../emulator/board-timing.ts';
import { coreOf } from '../emulator/cores/core.ts';
import { knownCycles, timingGap } from './timing-info.ts';

export interface ProfiledOp {
  readonly index: number;
  readonly opcode: string;
  /** The generated function that computes it. */
  readonly function: string;
  /** As `run` counts them: up to the first instruction of the next op. */
  readonly cycles: number | null;
  readonly instructions: number;
  readonly sharePct: number;
  readonly macs: number;
}

export interface ProfileDocument extends Omit<ProfileFigures, 'cycles'> {
  /** Null on a core without a timing model. */
  readonly cycles: number | null;
  /** What every figure called cycles below counts: without a timing model the clock ticks once an instruction. */
  readonly unit: 'cycles' | 'instructions';
  readonly schemaVersion: 1;
  readonly target: string;
  readonly board: string;
  readonly core: string;
  readonly engine: EngineName;
  readonly source: 'emulated';
  readonly clockHz: number;
  /** How the run ended; its counters are those of the end that it reports. */
  readonly run: ProfiledRun & { readonly cycles: number | null };
  /** Null when the target is no model. */
  readonly ops: readonly ProfiledOp[] | null;
}

type ProfiledRun = Pick<RunResult, 'stop' | 'exitCode' | 'fault' | 'instructions'>;

export interface ProfileOutcome {
  readonly document: ProfileDocument;
  readonly profile: Profile;
  readonly recording: Recording;
}

export interface ProfileFirmwareOptions extends Omit<SimOptions, 'engine'> {
  readonly engine: EngineName;
  /** Entries and exits kept for the timelines. */
  readonly eventsMax?: number;
}

/** @throws UserError as simulate does, and for an engine that cannot trace */
export function profileFirmware(options: ProfileFirmwareOptions): ProfileOutcome {
  const { board, firmware, firmwareName, engine, onNote, onConsole } = options;
  const machine = createMachine({
    board,
    image: firmware,
    imageName: firmwareName,
    engine,
    ...(options.timing === undefined ? {} : { timing: options.timing }),
    ...(onNote === undefined ? {} : { onNote }),
    ...(onConsole === undefined ? {} : { onConsole }),
  });
  try {
    const { symbols } = machine;
    const profiler = new Profiler(machine.cpu, symbols, eventLimit(options.eventsMax));
    profiler.start();
    const run = runOrCall(machine, options);
    const recording = profiler.finish();
    const profile = makeProfile(recording, { name: firmwareName, bytes: firmware, symbols }, board);
    return { document: documentOf(firmwareName, board, engine, run, profile, null), profile, recording };
  } finally {
    machine.close();
  }
}

export interface ProfileModelOptions {
  readonly board: Board;
  readonly engine: EngineName;
  readonly prune: boolean;
  /** Where the firmware is built; its sources there are what line coverage names. */
  readonly dir: string;
  readonly eventsMax?: number;
  /** Default flat. */
  readonly timing?: TimingMode;
}

/** Boots the image, infers once unwatched and profiles the second inference. @throws UserError as runModel does */
export async function profileModel(
  model: SourceModel,
  inputs: readonly Uint8Array[],
  options: ProfileModelOptions,
): Promise<ProfileOutcome> {
  const { board, engine, prune, dir } = options;
  const compiled = await compileModel(model, dir, { board, bare: false, prune, hooks: false, debug: true });
  const { identifier, plan, image, schedule } = compiled;
  const { graph } = model;
  const target = new EmulatedTarget(image.elf, board, { identifier, plan, graph }, engine, options.timing);
  try {
    const { symbols, cpu } = target.machine;
    const profiler = new Profiler(cpu, symbols, eventLimit(options.eventsMax));
    target.infer(inputs);
    profiler.start();
    const { core } = target.machine;
    const ops = schedule.calls.map((call) => opOf(graph, call.opIndex));
    const functions = ops.map((op) => opFunctionName(identifier, op));
    const { inference, costs } = target.inferWithOps(inputs, functions);
    const recording = profiler.finish();
    const profile = makeProfile(recording, { name: 'firmware.elf', bytes: image.elf, symbols }, board);
    const { cycles, instructions } = inference;
    const run = { stop: 'return', exitCode: 0, fault: null, cycles, instructions } as const;
    const rows = ops.map((op, i) => {
      const cost = costs[i]!;
      const sharePct = cycles === 0 ? 0 : (100 * cost.cycles) / cycles;
      return {
        index: op.index,
        opcode: op.kind,
        function: functions[i]!,
        cycles: knownCycles(core, cost.cycles),
        instructions: cost.instructions,
        sharePct,
        macs: macs(op, graph),
      };
    });
    return { document: documentOf(model.path, board, engine, run, profile, rows), profile, recording };
  } finally {
    target.close();
  }
}

/** @returns paths written. Errors of the file system are the caller's */
export function writeProfile(dir: string, files: ReadonlyMap<string, string>): string[] {
  mkdirSync(dir, { recursive: true });
  return [...files].map(([name, text]) => {
    const path = join(dir, name);
    writeFileSync(path, text);
    return path;
  });
}

function eventLimit(eventsMax: number | undefined): { eventsMax?: number } {
  return eventsMax === undefined ? {} : { eventsMax };
}

function documentOf(
  target: string,
  board: Board,
  engine: EngineName,
  run: ProfiledRun & { readonly cycles: number },
  profile: Profile,
  ops: readonly ProfiledOp[] | null,
): ProfileDocument {
  const { stop, exitCode, fault, instructions } = run;
  const core = coreOf(board);
  const gap = timingGap(core);
  return {
    ...profile.figures,
    schemaVersion: 1,
    target,
    board: board.name,
    core: board.core,
    engine,
    source: 'emulated',
    clockHz: board.clockHz,
    run: { stop, exitCode, fault, cycles: knownCycles(core, run.cycles), instructions },
    ops,
    cycles: knownCycles(core, profile.figures.cycles),
    unit: core.timing === null ? 'instructions' : 'cycles',
    notes: gap === null ? profile.figures.notes : [gap, ...profile.figures.notes],
  };
}
