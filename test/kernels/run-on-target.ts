/**
 * Runs graphs on the emulated Cortex-M4: the same cases as run-graph.ts, cross-compiled with the flags that ship. All models go into one
 * image with one arena; each inference is a call of <model>_invoke_at, so a wrong return address, a stack overflow or an unaligned LDRD faults.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadBoard } from '../../boards/load.ts';
import { defined } from '../../common/errors.ts';
import { createMachine } from '../../emulator/create-machine.ts';
import { describeFault } from '../../emulator/fault.ts';
import type { Machine } from '../../emulator/machine.ts';
import { emitC } from '../../firmware-gen/emit/index.ts';
import type { TensorId } from '../../firmware-gen/ir/graph.ts';
import { tensorBytes, tensorOf } from '../../firmware-gen/ir/graph.ts';
import type { MemoryPlan } from '../../firmware-gen/ir/schedule.ts';
import { lower } from '../../firmware-gen/passes/lower/index.ts';
import { planMemory } from '../../firmware-gen/plan/index.ts';
import { buildElf, findToolchain } from '../../firmware-gen/toolchain/index.ts';
import type { GraphCase } from './host-program.ts';

const DEFAULT_BOARD = 'mps2-an386';
const GARBAGE = 0xa5;

export interface TargetOptions {
  readonly fuse: boolean;
  /** Default: one with zero-wait memories. */
  readonly board?: string;
}

export interface TargetResult {
  /** Output bytes by position in graph.outputs. */
  readonly outputs: readonly Uint8Array[];
  /** Of <model>_invoke_at. */
  readonly cycles: number;
}

interface TargetSources {
  readonly tree: ReadonlyMap<string, string>;
  readonly plans: readonly MemoryPlan[];
}

/** One result per case. Throws when an inference faults or returns an error. */
export async function runOnTarget(cases: readonly GraphCase[], options: TargetOptions): Promise<TargetResult[]> {
  const board = loadBoard(options.board ?? DEFAULT_BOARD);
  const { tree, plans } = targetSources(cases, options);
  const folder = mkdtempSync(join(tmpdir(), 'thumbelina-target-'));
  try {
    const image = await buildElf(tree, folder, await findToolchain(), { board });
    const machine = createMachine({ board, image: image.elf });
    try {
      machine.run();
      const arena = machine.symbol('tl_arena').address;
      return cases.map((graphCase, index) =>
        infer(machine, arena, `case${index}`, graphCase, defined(plans[index], 'plan')),
      );
    } finally {
      machine.close();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The first case's tree gives start-up, linker script and runtime; main.c is ours and refers to every model. */
function targetSources(cases: readonly GraphCase[], { fuse, board = DEFAULT_BOARD }: TargetOptions): TargetSources {
  const tree = new Map<string, string>();
  const plans: MemoryPlan[] = [];
  const includes: string[] = [];
  for (const [index, { graph }] of cases.entries()) {
    const schedule = lower({ ...graph, name: `case${index}` }, { fuse, dsp: true });
    const plan = planMemory(schedule);
    plans.push(plan);
    const options = { board: loadBoard(board), hooks: false, bare: true, modelSha256: '00', version: 'test' };
    for (const [path, text] of emitC(schedule, plan, options)) {
      if (path.endsWith('_instance.c')) continue;
      const isModel = path.startsWith(`case${index}`);
      tree.set(isModel ? path.replace(/\.c$/, '.inc') : path, text);
    }
    includes.push(`#include "case${index}.inc"`, `#include "case${index}_weights.inc"`);
  }
  tree.set('main.c', mainSource(cases.length, Math.max(...plans.map((plan) => plan.arenaBytes), 8), includes));
  return { tree, plans };
}

function mainSource(count: number, arenaBytes: number, includes: readonly string[]): string {
  const invokes = Array.from({ length: count }, (_, index) => `    case${index}_invoke_at,`);
  return `#include "tl_runtime.h"
${includes.join('\n')}

static uint8_t tl_arena[${arenaBytes}] __attribute__((aligned(8), used));

static int32_t (*const invokes[])(void *) = {
${invokes.join('\n')}
};

int main(void)
{
    /* The addresses are stored where the compiler must store them, so that the linker keeps the models. */
    volatile uintptr_t address;
    for (size_t i = 0; i < sizeof(invokes) / sizeof(invokes[0]); ++i) {
        address = (uintptr_t)invokes[i];
        (void)address;
    }
    tl_arena[0] = 0;
    for (;;) {
        tl_wait_for_interrupt();
    }
}
`;
}

function infer(
  machine: Machine,
  arena: number,
  name: string,
  { graph, inputs }: GraphCase,
  plan: MemoryPlan,
): TargetResult {
  const addressOf = (id: TensorId): number => arena + defined(plan.tensorOffset[id], `offset of tensor ${id}`);
  machine.writeMemory(arena, new Uint8Array(plan.arenaBytes).fill(GARBAGE));
  for (const [position, id] of graph.inputs.entries()) {
    machine.writeMemory(addressOf(id), defined(inputs[position], `input ${position}`));
  }
  for (const id of graph.dynamics?.states ?? [])
    machine.writeMemory(addressOf(id), new Uint8Array(tensorBytes(tensorOf(graph, id))));
  const result = machine.call(`${name}_invoke_at`, [arena]);
  if (result.stop !== 'return' || result.value !== 0) {
    const cause = result.fault ? `: ${describeFault(result.fault)}` : '';
    throw new Error(`${graph.name}: ${name}_invoke_at ended with ${result.stop}, r0 = ${result.value}${cause}`);
  }
  const outputs = graph.outputs.map((id) => machine.readMemory(addressOf(id), tensorBytes(tensorOf(graph, id))));
  return { outputs, cycles: result.cycles };
}
