/** One model on one board, measured for the lock file: the figures of `run`, accuracy on given samples, and where the cycles go. */
import { join } from 'node:path';
import { defaultTiming } from '../../emulator/board-timing.ts';
import { loadBoard } from '../../boards/load.ts';
import { walk, type ContextNode } from '../../emulator/profile/context-tree.ts';
import { Profiler } from '../../emulator/profile/profiler.ts';
import { coreOf } from '../../emulator/cores/core.ts';
import { opFunctionName, opOf } from '../../firmware-gen/emit/op-function.ts';
import { tensorOf } from '../../firmware-gen/ir/graph.ts';
import { defined } from '../../common/errors.ts';
import { compileModel, type CompiledModel } from '../compile.ts';
import { crc32Hex } from '../crc32.ts';
import { EmulatedTarget } from '../emulated-target.ts';
import { lcgInputs } from '../lcg.ts';
import { loadModel, type SourceModel } from '../model.ts';
import { runCompiled } from '../run-model.ts';
import { tensorValues } from '../tensor-values.ts';
import { knownCycles } from '../timing-info.ts';
import { compareTexts, type Figures, type FunctionCost, type LockEntry } from './lock-file.ts';

/** The engine that can also say which function a cycle belongs to. */
const ENGINE = 'wasm';
const LCG_SEED = 1;

export interface Samples {
  /** Bytes of the model's only input. */
  readonly inputs: readonly Uint8Array[];
  /** Class index of each. */
  readonly labels: readonly number[];
}

export interface MeasureJob {
  readonly modelPath: string;
  readonly board: string;
  readonly weightsInRam: boolean;
  readonly samples: Samples | null;
  /** Build folder; each model and board get one of their own in it. */
  readonly dir: string;
  /** Functions are counted when a figure is worse than here; null: always. It takes several times as long as the run. */
  readonly locked: Pick<Figures, 'cycles' | 'instructions'> | null;
}

export interface Measurement extends Pick<LockEntry, 'modelSha256' | 'figures' | 'ops' | 'symbols'> {
  /** Null: not counted. */
  readonly functions: readonly FunctionCost[] | null;
}

/** @throws UserError as runModel does */
export async function measureEntry(job: MeasureJob): Promise<Measurement> {
  const board = loadBoard(job.board);
  const model = loadModel(job.modelPath);
  const compiled = await compileModel(
    model,
    join(job.dir, `${model.name}-${board.name}${job.weightsInRam ? '-ram' : ''}`),
    {
      board,
      weightsInRam: job.weightsInRam,
      bare: false,
      hooks: false,
      prune: true,
    },
  );
  const timingMode = defaultTiming(board);
  const inputs = lcgInputs(
    model.graph.inputs.map((id) => tensorOf(model.graph, id)),
    LCG_SEED,
  );
  const report = runCompiled(model, compiled, inputs, { board, engine: ENGINE, timingMode });
  const { cycles, memory, outputs } = report;
  const instructions = defined(report.instructions, 'instructions of an emulated run');
  const { locked } = job;
  const isWorse = locked === null || (cycles ?? 0) > (locked.cycles ?? 0) || instructions > locked.instructions;
  const withTarget = <T>(work: (target: EmulatedTarget) => T): T => {
    const { identifier, plan, image } = compiled;
    const target = new EmulatedTarget(image.elf, board, { identifier, plan, graph: model.graph }, ENGINE, timingMode);
    try {
      return work(target);
    } finally {
      target.close();
    }
  };
  const { samples } = job;
  return {
    modelSha256: model.sha256,
    figures: {
      cycles,
      instructions,
      ...memory,
      outputCrc32: outputs.map((output) => output.crc32),
      accuracy: samples === null ? null : withTarget((target) => accuracyOn(target, model, samples)),
    },
    ops: report.ops
      .map(({ index, opcode, cycles: own, instructions: count }) => ({
        index,
        opcode,
        cycles: own,
        instructions: count ?? 0,
      }))
      .filter((op) => op.instructions > 0),
    functions: isWorse ? withTarget((target) => functionCosts(target, model, compiled, inputs)) : null,
    symbols: Object.fromEntries(
      compiled.image.symbols
        .filter(({ type, bytes }) => type !== 'other' && bytes > 0)
        .map(({ name, bytes }) => [name, bytes] as const)
        .sort(([a], [b]) => compareTexts(a, b)),
    ),
  };
}

function accuracyOn(target: EmulatedTarget, { graph }: SourceModel, samples: Samples): Figures['accuracy'] {
  const { dtype } = tensorOf(graph, graph.outputs[0]!);
  const outputs = samples.inputs.map((input) => target.infer([input]).outputs[0]!);
  const right = outputs.filter((bytes, index) => {
    const values = tensorValues(bytes, dtype);
    return values.indexOf(Math.max(...values)) === samples.labels[index];
  });
  return { samples: outputs.length, top1: right.length / outputs.length, outputCrc32: crc32Hex(...outputs) };
}

/** Cycles of every function for every op, of a warm inference. */
function functionCosts(
  target: EmulatedTarget,
  { graph }: SourceModel,
  { identifier, schedule }: CompiledModel,
  inputs: readonly Uint8Array[],
): FunctionCost[] {
  const { cpu, symbols, board } = target.machine;
  const opByFunction = new Map(
    schedule.calls.map(({ opIndex }) => [opFunctionName(identifier, opOf(graph, opIndex)), opIndex]),
  );
  target.infer(inputs);
  const profiler = new Profiler(cpu, symbols, { eventsMax: 0 });
  profiler.start();
  target.infer(inputs);
  const { calls } = profiler.finish();
  const costs = new Map<string, { op: number | null; name: string; cycles: number; instructions: number }>();
  for (const node of walk(calls.tree.roots)) {
    if (node.instructions === 0) continue;
    const op = opAbove(node, opByFunction);
    const key = `${op ?? '-'} ${node.label}`;
    const cost = costs.get(key) ?? { op, name: node.label, cycles: 0, instructions: 0 };
    cost.cycles += node.self;
    cost.instructions += node.instructions;
    costs.set(key, cost);
  }
  const core = coreOf(board);
  return [...costs.values()]
    .sort((a, b) => (a.op ?? -1) - (b.op ?? -1) || compareTexts(a.name, b.name))
    .map((cost) => ({ ...cost, cycles: knownCycles(core, cost.cycles) }));
}

function opAbove(node: ContextNode, opByFunction: ReadonlyMap<string, number>): number | null {
  for (let at: ContextNode | null = node; at !== null; at = at.parent) {
    const op = opByFunction.get(at.label);
    if (op !== undefined) return op;
  }
  return null;
}
