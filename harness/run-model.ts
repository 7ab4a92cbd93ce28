/** The main job: one model, one board, one input; cycles, memory and outputs as the contract's report. */
import { join } from 'node:path';
import type { Board } from '../boards/schema.ts';
import { opFunctionName, opOf } from '../firmware-gen/emit/op-function.ts';
import { compileModel, type CompiledModel } from './compile.ts';
import { crc32Hex } from './crc32.ts';
import { EmulatedTarget, type EngineName, type OpCost } from './emulated-target.ts';
import type { SourceModel } from './model.ts';
import { buildReport, type RunReport } from './report.ts';
import { assumedTimingCount } from './timing-info.ts';

export interface RunModelOptions {
  readonly board: Board;
  readonly engine: EngineName;
  readonly bare: boolean;
  /** Also build an image with hooks and give every op's output CRC-32; published figures never come from that image. */
  readonly perOp: boolean;
  readonly prune: boolean;
  readonly timingMode: 'exact' | 'flat';
  /** Output folder; the image with hooks goes to its subfolder per-op. */
  readonly dir: string;
}

/** @param inputs little-endian bytes of every input tensor, in order. @throws UserError on a fault, a limit or a failed build */
export async function runModel(
  model: SourceModel,
  inputs: readonly Uint8Array[],
  options: RunModelOptions,
): Promise<RunReport> {
  const { board, engine } = options;
  const compiled = await compileModel(model, options.dir, {
    board,
    bare: options.bare,
    hooks: false,
    prune: options.prune,
  });
  const { cold, warm, costs, stackBytes } = measure(model, compiled, inputs, options);
  const opOutputCrc32 = options.perOp ? await outputsPerOp(model, inputs, options) : new Map<number, string>();
  return buildReport({
    modelName: model.name,
    graph: model.graph,
    board,
    engine,
    source: 'emulated',
    timingMode: options.timingMode,
    assumedCount: assumedTimingCount(),
    inputs,
    outputs: warm.outputs,
    cycles: warm.cycles,
    coldCycles: cold.cycles,
    instructions: warm.instructions,
    opCosts: costs,
    opOutputCrc32,
    flashBytes: compiled.image.flashBytes,
    dataBytes: compiled.image.dataBytes,
    bssBytes: compiled.image.bssBytes,
    arenaBytes: compiled.plan.arenaBytes,
    stackBytes,
    notes: compiled.notes,
  });
}

/** Boots the image and infers twice; the second inference is the one reported. */
function measure(model: SourceModel, compiled: CompiledModel, inputs: readonly Uint8Array[], options: RunModelOptions) {
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

function openTarget(model: SourceModel, compiled: CompiledModel, { board, engine }: RunModelOptions): EmulatedTarget {
  const { identifier, plan, image } = compiled;
  return new EmulatedTarget(image.elf, board, { identifier, plan, graph: model.graph }, engine);
}
