/** A model that learns on a board: taken apart, compiled, and used on an emulated board from outside. */
import type { Board } from '../boards/schema.ts';
import { UserError, defined } from '../common/errors.ts';
import { packageVersion } from '../common/package-root.ts';
import type { TimingMode } from '../emulator/board-timing.ts';
import { coreOf } from '../emulator/cores/core.ts';
import type { EngineName } from '../emulator/create-machine.ts';
import { emitAdaptation } from '../firmware-gen/emit/adaptation-source.ts';
import type { HarnessOptions } from '../firmware-gen/emit/harness-source.ts';
import { modelIdentifier } from '../firmware-gen/emit/index.ts';
import { weightCount, type Adaptation } from '../firmware-gen/ir/adaptation.ts';
import type { MemoryPlan } from '../firmware-gen/ir/schedule.ts';
import { lower } from '../firmware-gen/passes/lower/index.ts';
import { planMemory } from '../firmware-gen/plan/index.ts';
import { buildElf, findToolchain, type FirmwareImage } from '../firmware-gen/toolchain/index.ts';
import { CalledFirmware } from './called-firmware.ts';

const EXIT_FAULT = 7;

export interface CompiledLearner {
  readonly adaptation: Adaptation;
  readonly identifier: string;
  readonly plan: MemoryPlan;
  readonly image: FirmwareImage;
}

export interface LearnerBuildOptions {
  readonly board: Board;
  /** Of the classifier's .tflite. */
  readonly modelSha256: string;
  readonly harness: HarnessOptions | null;
}

/** @throws UserError: 3 without a compiler, 2 when it does not fit the board */
export async function compileLearner(
  adaptation: Adaptation,
  dir: string,
  { board, modelSha256, harness }: LearnerBuildOptions,
): Promise<CompiledLearner> {
  const schedule = lower(adaptation.encoder, { fuse: true, dsp: coreOf(board).dsp });
  const plan = planMemory(schedule);
  const tree = emitAdaptation(adaptation, schedule, plan, { board, modelSha256, harness, version: packageVersion() });
  const image = await buildElf(tree, dir, await findToolchain(), { board });
  return { adaptation, identifier: modelIdentifier(schedule), plan, image };
}

/** Weights by layer as a record holds them. @param record bytes from identity on */
export function recordWeights(
  { params, options }: Pick<Adaptation, 'params' | 'options'>,
  record: Uint8Array,
): (Int16Array | Float32Array)[] {
  let at = 16;
  return params.layers.map((layer) => {
    const bytes = (options.arithmetic === 'float' ? 4 : 2) * weightCount(layer);
    const { buffer } = record.slice(at, (at += bytes));
    return options.arithmetic === 'float' ? new Float32Array(buffer) : new Int16Array(buffer);
  });
}

/** Steps and exponents of a record. */
export function recordHeader(record: Uint8Array): { steps: number; exponents: readonly number[] } {
  const view = new DataView(record.buffer, record.byteOffset, record.byteLength);
  return { steps: view.getUint32(4, true), exponents: [view.getInt32(8, true), view.getInt32(12, true)] };
}

/** A bare image of compileLearner. */
export class EmulatedLearner extends CalledFirmware {
  readonly #compiled: CompiledLearner;

  /** Boots the image. @throws UserError when it faults */
  constructor(compiled: CompiledLearner, board: Board, engine: EngineName, timing: TimingMode) {
    super(compiled.image.elf, { board, engine, timing });
    this.#compiled = compiled;
  }

  /** Encoder and classification. @param inputs bytes of the encoder's inputs */
  infer(inputs: readonly Uint8Array[]): { scores: Int32Array; cycles: number } {
    const { encoder, params } = this.#compiled.adaptation;
    const arena = this.machine.symbol('tl_arena').address;
    for (const [i, id] of encoder.inputs.entries())
      this.machine.writeMemory(arena + defined(this.#compiled.plan.tensorOffset[id], 'offset'), inputs[i]!);
    const { value, cycles } = this.call('tl_infer');
    if (value !== 0) throw new UserError(`firmware: tl_infer returned ${value}, 0 expected`, EXIT_FAULT);
    const bytes = this.machine.readMemory(this.machine.symbol('scores').address, 4 * params.layers.at(-1)!.outputs);
    return { scores: new Int32Array(bytes.slice().buffer), cycles };
  }

  /** One step with the features of the last inference; the probability that the label had before, Q15. */
  learn(label: number): { probability: number; cycles: number } {
    const { value, cycles } = this.call('tl_learn', [label]);
    return { probability: value, cycles };
  }

  restart(): void {
    this.call('tl_restart');
  }

  record(): Uint8Array {
    const { address, bytes } = this.machine.symbol('record');
    return this.machine.readMemory(address, bytes).slice();
  }
}
