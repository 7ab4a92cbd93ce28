/**
 * Runs a firmware image on an emulated board: boots it from reset as a board would, then uses the model through its generated C API.
 * Inputs go straight into the arena, so bare images (no UART) and talking ones are measured alike.
 */
import { assert, defined, UserError } from '../common/errors.ts';
import type { Board } from '../boards/schema.ts';
import type { TimingMode } from '../emulator/board-timing.ts';
import { createMachine, type EngineName } from '../emulator/create-machine.ts';
import { describeFault } from '../emulator/fault.ts';
import type { Machine, RunResult } from '../emulator/machine.ts';
import { tensorBytes, tensorOf, type Graph, type TensorId } from '../firmware-gen/ir/graph.ts';
import type { MemoryPlan } from '../firmware-gen/ir/schedule.ts';

const EXIT_LIMIT = 6;
const EXIT_FAULT = 7;

/** What the firmware was generated from: the C identifier its functions start with, the graph, and where its tensors lie in the arena. */
export interface LoadedModel {
  readonly identifier: string;
  readonly graph: Graph;
  readonly plan: MemoryPlan;
}

export interface Inference {
  readonly outputs: readonly Uint8Array[];
  /** From the first instruction of <model>_invoke through its return. */
  readonly cycles: number;
  readonly instructions: number;
}

/** Counters of one op function, from its first instruction to that of the next one (or the end of the inference). */
export interface OpCost {
  readonly cycles: number;
  readonly instructions: number;
}

export class EmulatedTarget {
  readonly machine: Machine;
  private readonly model: LoadedModel;
  private readonly arenaAddress: number;
  private stackBytesMax = 0;

  /**
   * Boots the image until it sleeps.
   * @param elf file bytes; must hold tl_arena and <model>_invoke
   * @throws UserError with exit code 7 when the firmware faults, 6 when it does not come to rest
   */
  constructor(elf: Uint8Array, board: Board, model: LoadedModel, engine: EngineName, timing: TimingMode = 'flat') {
    this.machine = createMachine({ board, image: elf, imageName: 'firmware.elf', engine, timing });
    this.model = model;
    const boot = this.machine.run();
    requireStop(boot, 'idle', 'boot');
    this.noteStack();
    this.arenaAddress = this.machine.symbol('tl_arena').address;
  }

  /** One inference. @param inputs little-endian bytes of every input tensor, in order */
  infer(inputs: readonly Uint8Array[]): Inference {
    const { graph, identifier } = this.model;
    assert(inputs.length === graph.inputs.length, 'one buffer per input tensor');
    for (const [index, id] of graph.inputs.entries()) {
      const bytes = inputs[index]!;
      assert(bytes.length === tensorBytes(tensorOf(graph, id)), `input ${index} has the tensor's size`);
      this.machine.writeMemory(this.addressOf(id), bytes);
    }
    const result = this.machine.call(`${identifier}_invoke`);
    requireStop(result, 'return', `${identifier}_invoke`);
    const { cycles, instructions, value } = result;
    if (value !== 0) throw new UserError(`firmware: ${identifier}_invoke returned ${value}, 0 expected`, EXIT_FAULT);
    this.noteStack();
    const outputs = graph.outputs.map((id) => this.readTensor(id));
    return { outputs, cycles, instructions };
  }

  /** As infer, and the cost of each function named, in the order they ran; functions must not nest. */
  inferWithOps(inputs: readonly Uint8Array[], functions: readonly string[]): { inference: Inference; costs: OpCost[] } {
    for (const name of functions) this.machine.onMark(name);
    const inference = this.infer(inputs);
    const starts = functions.map((name) => {
      const passes = this.machine.markPasses(name);
      assert(passes.length === 1, `${name} runs once per inference, not ${passes.length} times`);
      this.machine.removeMark(name);
      return passes[0]!;
    });
    const costs = starts.map((start, index) => {
      const end = starts[index + 1] ?? inference;
      return { cycles: end.cycles - start.cycles, instructions: end.instructions - start.instructions };
    });
    return { inference, costs };
  }

  /** As infer on an image with hooks: calls back with the op's index after every op, while its outputs are still in the arena. */
  inferWithHook(inputs: readonly Uint8Array[], afterOp: (opIndex: number) => void): Inference {
    const hook = `${this.model.identifier}_on_op`;
    this.machine.onMark(hook, () => afterOp(this.machine.cpu.readRegister(0) | 0));
    const inference = this.infer(inputs);
    this.machine.removeMark(hook);
    return inference;
  }

  /** The tensor's bytes as they are in the arena now. */
  readTensor(id: TensorId): Uint8Array {
    return this.machine.readMemory(this.addressOf(id), tensorBytes(tensorOf(this.model.graph, id)));
  }

  /** Deepest stack seen since boot, boot included. */
  stackBytes(): number {
    return this.stackBytesMax;
  }

  close(): void {
    this.machine.close();
  }

  private noteStack(): void {
    this.stackBytesMax = Math.max(this.stackBytesMax, this.machine.stack.usedBytes() ?? 0);
  }

  private addressOf(id: TensorId): number {
    return this.arenaAddress + defined(this.model.plan.tensorOffset[id], `arena offset of tensor ${id}`);
  }
}

/** @throws UserError unless the run ended as expected */
function requireStop(result: RunResult, expected: 'idle' | 'return', what: string): void {
  if (result.stop === expected) return;
  if (result.fault) throw new UserError(`firmware: ${what}: ${describeFault(result.fault)}`, EXIT_FAULT);
  if (result.stop === 'limit') throw new UserError(`firmware: ${what} did not end within the cycle limit`, EXIT_LIMIT);
  throw new UserError(`firmware: ${what} ended with "${result.stop}", "${expected}" expected`, EXIT_FAULT);
}
