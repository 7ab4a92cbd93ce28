/** The main job: one model, one board, one input; cycles, memory and outputs as the contract's report. */
import { join } from 'node:path';
import type { Board } from '../boards/schema.ts';
import { opFunctionName, opOf } from '../firmware-gen/emit/op-function.ts';
import { compileModel, type CompiledModel } from './compile.ts';
import { crc32Hex } from './crc32.ts';
import type { EngineName } from '../emulator/create-machine.ts';
import { EmulatedTarget, type OpCost } from './emulated-target.ts';
import type { SourceModel } from './model.ts';
import { buildReport, type RunReport } from './report.ts';

export interface MeasureOptions {
  readonly board: Board;
  readonly engine: EngineName;
  readonly timingMode: 'exact' | 'flat';
}

export interface RunModelOptions extends MeasureOptions {
  readonly bare: boolean;
  /** Also build an image with hooks and give every op's output CRC-32; published figures never come from that image. */
  readonly perOp: boolean;
  /** Remove channels that are constant for every input. */
  readonly prune: boolean;
  /** Start-up code copies the weights to RAM. */
  readonly weightsInRam?: boolean;
  /** Output folder; the image with hooks goes to its subfolder per-op. */
  readonly dir: string;
}

/** @param inputs little-endian bytes of every input tensor, in order. @throws UserError on a fault, a limit or a failed build */
export async function runModel(
  model: SourceModel,
  inputs: readonly Uint8Array[],
  options: RunModelOptions,
): Promise<RunReport> {
  const { board, bare, prune, weightsInRam = false } = options;
  const compiled = await compileModel(model, options.dir, { board, bare, prune, weightsInRam, hooks: false });
  const opOutputCrc32 = options.perOp ? await outputsPerOp(model, inputs, options) : new Map<number, string>();
  return runCompiled(model, compiled, inputs, options, opOutputCrc32);
}

/** As runModel, on an image that is built already. @param opOutputCrc32 by op index, from another image, if wanted */
export function runCompiled(
  model: SourceModel,
  compiled: CompiledModel,
  inputs: readonly Uint8Array[],
  options: MeasureOptions,
  opOutputCrc32: ReadonlyMap<number, string> = new Map(),
): RunReport {
  const { cold, warm, costs, stackBytes } = measure(model, compiled, inputs, options);
  const { image, plan, notes } = compiled;
  return buildReport({
    modelName: model.name,
    graph: model.graph,
    board: options.board,
    engine: options.engine,
    source: 'emulated',
    timingMode: options.timingMode,
    inputs,
    outputs: warm.outputs,
    cycles: warm.cycles,
    coldCycles: cold.cycles,
    instructions: warm.instructions,
    opCosts: costs,
    opOutputCrc32,
    flashBytes: image.flashBytes,
    dataBytes: image.dataBytes,
    bssBytes: image.bssBytes,
    arenaBytes: plan.arenaBytes,
    stackBytes,
    notes,
  });
}

/** Boots the image and infers twice; the second inference is the one reported. */
function measure(model: SourceModel, compiled: CompiledModel, inputs: readonly Uint8Array[], options: MeasureOptions) {
  const target = openTarget(model, compiled, options);
  try {
    const { identifier, schedule } = compiled;
    const opIndices = schedule.calls.map((call) => call.opIndex);
    const functions = opIndices.map((index) => opFunctionName(identifier, opOf(model.graph, index)));
    const cold = target.infer(inputs);
    const { inference: warm, costs } = target.inferWithOps(inputs, functions);
    return {
      cold,
      warm,
      costs: new Map<number, OpCost>(opIndices.map((index, i) => [index, costs[i]!])),
      stackBytes: target.stackBytes(),
    };
  } finally {
    target.close();
  }
}

async function outputsPerOp(
  model: SourceModel,
  inputs: readonly Uint8Array[],
  options: RunModelOptions,
): Promise<Map<number, string>> {
  const dir = join(options.dir, 'per-op');
  const compiled = await compileModel(model, dir, {
    board: options.board,
    bare: options.bare,
    hooks: true,
    prune: false,
  });
  const target = openTarget(model, compiled, options);
  try {
    const crcs = new Map<number, string>();
    target.inferWithHook(inputs, (opIndex) => {
      const [output] = opOf(model.graph, opIndex).outputs;
      if (output !== undefined) crcs.set(opIndex, crc32Hex(target.readTensor(output)));
    });
    return crcs;
  } finally {
    target.close();
  }
}

function openTarget(
  model: SourceModel,
  compiled: CompiledModel,
  { board, engine, timingMode }: MeasureOptions,
): EmulatedTarget {
  const { identifier, plan, image } = compiled;
  return new EmulatedTarget(image.elf, board, { identifier, plan, graph: model.graph }, engine, timingMode);
}
