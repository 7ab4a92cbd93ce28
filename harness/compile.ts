/** From a graph to a firmware image: lower, plan, emit, build. */
import { packageVersion } from '../common/package-root.ts';
import type { Board } from '../boards/schema.ts';
import { coreOf } from '../emulator/cores/core.ts';
import { emitC, modelIdentifier, type SourceTree } from '../firmware-gen/emit/index.ts';
import type { HarnessOptions } from '../firmware-gen/emit/harness-source.ts';
import type { Graph } from '../firmware-gen/ir/graph.ts';
import type { MemoryPlan, Schedule } from '../firmware-gen/ir/schedule.ts';
import { pruneConstantChannels } from '../firmware-gen/passes/prune-constant-channels.ts';
import { lower } from '../firmware-gen/passes/lower/index.ts';
import { planMemory } from '../firmware-gen/plan/index.ts';
import { buildElf, findToolchain, type FirmwareImage } from '../firmware-gen/toolchain/index.ts';
import type { SourceModel } from './model.ts';

export interface GenerateOptions {
  readonly board: Board;
  /** Leave out UART and self-introduction. */
  readonly bare: boolean;
  /** Every op of the model as it is, with a call after each (`--per-op`): nothing fused, nothing pruned. */
  readonly hooks: boolean;
  /** Remove channels that are constant for every input; outputs stay the same bit for bit. */
  readonly prune: boolean;
  /** Serve a protocol on the UART; default: only an introduction. */
  readonly harness?: HarnessOptions | null;
  /** Start-up code copies the weights to RAM: no waiting for flash where a data cache loses them, as many bytes of RAM. */
  readonly weightsInRam?: boolean;
  /** Compile with debug information; the code is the same. */
  readonly debug?: boolean;
}

export interface GeneratedModel {
  /** C identifier of the model. */
  readonly identifier: string;
  readonly schedule: Schedule;
  readonly plan: MemoryPlan;
  readonly tree: SourceTree;
  /** What import and the passes changed and the user should know. */
  readonly notes: readonly string[];
}

export interface CompiledModel extends GeneratedModel {
  readonly image: FirmwareImage;
}

/** What is decided before any C is written. */
export function planModel(
  whole: Graph,
  { board, hooks, prune }: Pick<GenerateOptions, 'board' | 'hooks' | 'prune'>,
): { readonly schedule: Schedule; readonly plan: MemoryPlan; readonly channels: number } {
  const { graph, channels } =
    prune && !hooks && !whole.dynamics ? pruneConstantChannels(whole) : { graph: whole, channels: 0 };
  const schedule = lower(graph, { fuse: !hooks, dsp: coreOf(board).dsp });
  return { schedule, plan: planMemory(schedule), channels };
}

export function generateModel(
  model: SourceModel,
  { board, bare, hooks, prune, harness = null, weightsInRam = false }: GenerateOptions,
): GeneratedModel {
  const { schedule, plan, channels } = planModel(model.graph, { board, hooks, prune });
  const pruned =
    channels === 0
      ? []
      : [
          `${channels} channels are constant for every input and were removed; outputs are the same bit for bit (--no-prune keeps them)`,
        ];
  const { sha256: modelSha256 } = model;
  const tree = emitC(schedule, plan, {
    board,
    bare,
    hooks,
    harness,
    weightsInRam,
    modelSha256,
    version: packageVersion(),
  });
  return { identifier: modelIdentifier(schedule), schedule, plan, tree, notes: [...model.graph.notes, ...pruned] };
}

/** @param dir where sources, firmware.elf, .bin and .map go. @throws UserError: 3 without a compiler, 2 when it does not fit the board */
export async function compileModel(model: SourceModel, dir: string, options: GenerateOptions): Promise<CompiledModel> {
  const generated = generateModel(model, options);
  const image = await buildElf(generated.tree, dir, await findToolchain(), {
    board: options.board,
    debug: options.debug ?? false,
  });
  return { ...generated, image };
}
