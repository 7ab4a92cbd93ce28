/** Decision systems whose head learns: compiled, and fed, taught and read on an emulated board by calls into the firmware that also serves the protocol. */
import { createHash } from 'node:crypto';
import type { Board } from '../boards/schema.ts';
import { UserError } from '../common/errors.ts';
import type { TimingMode } from '../emulator/board-timing.ts';
import type { EngineName } from '../emulator/create-machine.ts';
import { canReceive } from '../firmware-gen/emit/harness-source.ts';
import { recordBytesOf } from '../firmware-gen/emit/learner-constants.ts';
import type { HeadAdaptation } from '../firmware-gen/ir/adaptation.ts';
import { systemJson } from '../firmware-gen/system-file.ts';
import { buildElf, findToolchain, type FirmwareImage } from '../firmware-gen/toolchain/index.ts';
import { EmulatedSystem, generateSystem, type EmittableSystem } from './decision-system.ts';

/** Of everything that decides: what one system has learned is not taken by another, and a device says which one it runs. */
export function systemSha256({ system, encoderSha256 }: EmittableSystem): string {
  return createHash('sha256').update(systemJson(system, encoderSha256)).digest('hex');
}

/** @throws UserError: 3 without a compiler, 2 when it does not fit the board */
export async function compileLearningSystem(
  loaded: EmittableSystem,
  adaptation: HeadAdaptation,
  dir: string,
  board: Board,
): Promise<FirmwareImage> {
  const tree = generateSystem(loaded, board, false, { adaptation, sha256: systemSha256(loaded) });
  return buildElf(tree, dir, await findToolchain(), { board });
}

/** Why tl_commit has not written. */
const COMMIT_FAILURES: ReadonlyMap<number, string> = new Map([
  [-1, 'writing to flash failed; what was committed before is still there'],
  [-2, 'no driver for the flash of this board; learning lasts until the next reset'],
]);

export class EmulatedLearningSystem extends EmulatedSystem {
  readonly #recordBytes: number;

  /** Boots the image. @throws UserError when it faults */
  constructor(
    elf: Uint8Array,
    board: Board,
    { system }: EmittableSystem,
    adaptation: HeadAdaptation,
    engine: EngineName,
    timing: TimingMode = 'flat',
  ) {
    super(elf, board, system, engine, timing, canReceive(board));
    this.#recordBytes = recordBytesOf(adaptation);
  }

  /** One step with the newest window; the probability that the label had before, Q15. @throws UserError without a window */
  learn(label: number): { probability: number; cycles: number } {
    const { value, cycles } = this.call('tl_learn', [label]);
    if (value < 0) throw new UserError(`firmware: tl_learn(${label}) returned ${value}, a probability expected`, 7);
    return { probability: value, cycles };
  }

  /** @throws UserError why it was not written */
  commit(): void {
    const { value } = this.call('tl_commit');
    if (value !== 0)
      throw new UserError(`emulated board: ${COMMIT_FAILURES.get(value) ?? `tl_commit returned ${value}`}`);
  }

  /** The head as trained. */
  forget(): void {
    this.call('tl_forget');
  }

  /** What was learned, as tl_learner.h has it. */
  record(): Uint8Array {
    return this.machine.readMemory(this.call('tl_record').value >>> 0, this.#recordBytes).slice();
  }
}
