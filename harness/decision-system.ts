/** Loads, compiles and runs decision systems: sensor frames in, decisions out, cycles by stage, on an emulated board. */
import { dirname, join } from 'node:path';
import type { Board } from '../boards/schema.ts';
import { UserError, defined } from '../common/errors.ts';
import { packageVersion } from '../common/package-root.ts';
import type { TimingMode } from '../emulator/board-timing.ts';
import { coreOf } from '../emulator/cores/core.ts';
import type { EngineName } from '../emulator/create-machine.ts';
import { toIdentifier } from '../firmware-gen/emit/identifier.ts';
import type { SourceTree } from '../firmware-gen/emit/index.ts';
import {
  ANALYSE,
  emitSystem,
  systemStageFunction,
  systemStages,
  type SystemStage,
} from '../firmware-gen/emit/system-source.ts';
import type { SystemLearning } from '../firmware-gen/emit/system-learning.ts';
import { pushedValues, type DecisionSystem } from '../firmware-gen/ir/system.ts';
import { lower } from '../firmware-gen/passes/lower/index.ts';
import { planMemory } from '../firmware-gen/plan/index.ts';
import type { Decision } from '../firmware-gen/reference/system.ts';
import { assembleSystem, parseSystem } from '../firmware-gen/system-file.ts';
import { buildElf, findToolchain, type FirmwareImage } from '../firmware-gen/toolchain/index.ts';
import { CalledFirmware } from './called-firmware.ts';
import { readJsonFile } from './input-file.ts';
import { loadModel } from './model.ts';

const EXIT_FAULT = 7;

export interface EmittableSystem {
  readonly system: DecisionSystem;
  readonly encoderSha256: string;
}

export interface LoadedSystem extends EmittableSystem {
  /** File name of the encoder. */
  readonly encoder: string;
  /** Hash of what it was made from; null: the file does not say. */
  readonly configuration: string | null;
}

/** @param path NAME.system.json. @throws UserError for anything wrong with it or its encoder */
export function loadSystem(path: string): LoadedSystem {
  const document = parseSystem(readJsonFile(path, 'a system.json'), path);
  const { graph, sha256 } = loadModel(join(dirname(path), document.encoder));
  const { encoder, configuration = null } = document;
  return { system: assembleSystem(document, graph, path), encoderSha256: sha256, encoder, configuration };
}

/** @param weightsInRam start-up code copies the encoder's weights to RAM */
export function generateSystem(
  { system, encoderSha256 }: EmittableSystem,
  board: Board | null,
  weightsInRam = false,
  learning?: SystemLearning,
): SourceTree {
  const schedule = lower(system.encoder, { fuse: true, dsp: board !== null && coreOf(board).dsp });
  const options = { board, encoderSha256, weightsInRam, learning, version: packageVersion() };
  return emitSystem(system, schedule, planMemory(schedule), options);
}

/** @throws UserError: 3 without a compiler, 2 when it does not fit the board */
export async function compileSystem(
  loaded: EmittableSystem,
  dir: string,
  board: Board,
  weightsInRam = false,
): Promise<FirmwareImage> {
  return buildElf(generateSystem(loaded, board, weightsInRam), dir, await findToolchain(), { board });
}

export interface FedDecision extends Decision {
  /** Cycles of deciding, and of each stage that ran; null and none on a core without a timing model. */
  readonly cycles: number | null;
  readonly stageCycles: Readonly<Partial<Record<SystemStage, number>>>;
  /** Of analysing one push of sound, mean over this call; null for other sensors and where cycles are null. */
  readonly analyseCycles: number | null;
}

/** @param words of a decision in C */
export function decisionOf(words: Int32Array): Decision {
  const [accepted = 0, label = 0, smoothed = 0, belief = 0] = words;
  return { accepted: accepted !== 0, label, smoothed, belief };
}

export class EmulatedSystem extends CalledFirmware {
  readonly #system: DecisionSystem;

  /** Boots the image. @throws UserError when it faults */
  constructor(
    elf: Uint8Array,
    board: Board,
    system: DecisionSystem,
    engine: EngineName,
    timing: TimingMode = 'flat',
    serves = false,
  ) {
    super(elf, { board, engine, timing, serves });
    this.#system = system;
    for (const stage of systemStages(system)) this.machine.onMark(systemStageFunction(system.name, stage));
    this.machine.onMark(`${toIdentifier(system.name)}_decide`);
    if (system.frontEnd.kind === 'mfcc') this.machine.onMark(systemStageFunction(system.name, ANALYSE));
  }

  /** Begins a new stream. */
  restart(): void {
    this.call('tl_restart');
  }

  /** Feeds at most `hop` times pushedValues(system) int16 values; the decision if one was due. */
  feed(frames: Int16Array): FedDecision | null {
    const { hop } = this.#system.stream;
    const count = frames.length / pushedValues(this.#system);
    if (!Number.isInteger(count) || count > hop)
      throw new Error(`internal: ${frames.length} values are no ${hop} frames`);
    const bytes = new Uint8Array(frames.slice().buffer);
    this.machine.writeMemory(this.machine.symbol('tl_frames').address, bytes);
    const { value, cycles } = this.call('tl_feed', [count]);
    if (value === 0) return null;
    if (value !== 1) throw new UserError(`firmware: tl_feed returned ${value}, 0 or 1 expected`, EXIT_FAULT);
    const words = new Int32Array(
      this.machine.readMemory(this.machine.symbol('tl_decision').address, 16).slice().buffer,
    );
    return { ...decisionOf(words), ...this.#stageCycles(cycles, count) };
  }

  /** A stage lasts until the next one starts, the last one until the next push of sound, or until tl_feed returns. */
  #stageCycles(returned: number, pushes: number): Pick<FedDecision, 'cycles' | 'stageCycles' | 'analyseCycles'> {
    if (!this.isTimed) return { cycles: null, stageCycles: {}, analyseCycles: null };
    const start = defined(
      this.machine.markPasses(`${toIdentifier(this.#system.name)}_decide`).at(-1),
      'decision',
    ).cycles;
    const analyses = this.#analyses(pushes);
    const end = analyses.find((cycles) => cycles > start) ?? returned;
    const starts = systemStages(this.#system).flatMap((stage) => {
      const pass = this.machine.markPasses(systemStageFunction(this.#system.name, stage)).at(-1);
      return pass && pass.cycles >= start ? [{ stage, at: pass.cycles }] : [];
    });
    const stageCycles: Partial<Record<SystemStage, number>> = {};
    for (const [i, { stage, at }] of starts.entries()) stageCycles[stage] = (starts[i + 1]?.at ?? end) - at;
    const before = analyses.filter((cycles) => cycles < start);
    const analyseCycles = before.length === 0 ? null : Math.round((start - before[0]!) / before.length);
    return { cycles: end - start, stageCycles, analyseCycles };
  }

  /** When the analyses of this call began; none for other sensors. */
  #analyses(pushes: number): number[] {
    if (this.#system.frontEnd.kind !== 'mfcc') return [];
    // Those of earlier calls, which had no decision, come first.
    const passes = this.machine.markPasses(systemStageFunction(this.#system.name, ANALYSE));
    return passes.slice(-pushes).map(({ cycles }) => cycles);
  }
}
