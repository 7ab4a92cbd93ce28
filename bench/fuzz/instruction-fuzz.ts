/** Random sequences of one mix of classes on our engine and on an oracle; a difference comes with the shortest prefix that shows it. */
import { UnicornCpu } from '../../emulator/cpu/unicorn/unicorn-cpu.ts';
import { WasmCpu } from '../../emulator/cpu/wasm/wasm-cpu.ts';
import { faultMix, fpscrMask, type Mix } from './classes.ts';
import { randomFault } from './fault-code.ts';
import { differences, makeSide, Q, randomStart, runOn } from './differential.ts';
import { cortexM4F } from './fuzz-cores.ts';
import { hasDualMultiply, masks, type MaskCounts } from './masks.ts';
import { PIECES_MAX, type Piece, type QemuBatch } from './qemu-batch.ts';
import { Random, randomSequence } from './random-code.ts';

export const SEQUENCE_LENGTH = 12;
/** Of one mix; more say nothing new. */
const DIFFERENCES_MAX = 20;

export interface FuzzPart {
  readonly mix: Mix;
  readonly seed: number;
  /** Sequences of SEQUENCE_LENGTH instructions. */
  readonly sequences: number;
  /** Passes of a block before it is translated; Infinity: interpreted. */
  readonly hotPasses: number;
}

export interface FuzzResult {
  readonly executed: number;
  readonly differences: readonly string[];
}

const hexOf = (halfwords: readonly number[]): string => halfwords.map((h) => h.toString(16).padStart(4, '0')).join(' ');

/** Shortest prefix that shows a difference. */
function firstDifference(run: (count: number) => string[], groups: readonly number[][]): string {
  for (let count = 1; count <= groups.length; count++) {
    const found = run(count);
    if (found.length > 0) return `after ${count - 1}, ${hexOf(groups[count - 1]!)}: ${found.join(', ')}`;
  }
  return `only as a whole: ${hexOf(groups.flat())}`;
}

/** Thumb: halfwords from 0xe800 up begin an instruction of two (DDI 0403E A5.1). */
function instructionsIn(halfwords: readonly number[]): number {
  let count = 0;
  for (let at = 0; at < halfwords.length; count++) at += halfwords[at]! >= 0xe800 ? 2 : 1;
  return count;
}

const startSeed = ({ seed, mix }: FuzzPart): Random => new Random(seed * 31 + mix.name.length);

/** Against libunicorn: registers, flags, FPSCR, memory, cycles, instructions. */
export function fuzzUnicorn(part: FuzzPart, counts: MaskCounts): FuzzResult {
  const random = startSeed(part);
  const ours = makeSide(new WasmCpu(cortexM4F, part.hotPasses));
  const theirs = makeSide(new UnicornCpu(cortexM4F));
  const found: string[] = [];
  let executed = 0;
  for (let count = 0; count < part.sequences && found.length < DIFFERENCES_MAX; count++) {
    const groups = randomSequence(part.mix.kinds, SEQUENCE_LENGTH, random);
    const start = randomStart(random, fpscrMask(part.mix, counts));
    const run = (length: number): string[] => {
      const prefix = groups.slice(0, length).flat();
      const ignoresQ = hasDualMultiply(prefix);
      if (ignoresQ) counts.note(masks.dualMultiplyQ.name);
      return differences(runOn(ours, prefix, start), runOn(theirs, prefix, start), ignoresQ ? ~Q : -1);
    };
    executed += instructionsIn(groups.flat());
    if (run(groups.length).length > 0) found.push(firstDifference(run, groups));
  }
  ours.cpu.close();
  theirs.cpu.close();
  return { executed, differences: found };
}

/** Against QEMU: registers, flags, FPSCR, memory, and what exception ends the sequence. */
export function fuzzQemu(part: FuzzPart, batch: QemuBatch, counts: MaskCounts): FuzzResult {
  const random = startSeed(part);
  const found: string[] = [];
  let executed = 0;
  for (let left = part.sequences; left > 0 && found.length < DIFFERENCES_MAX;) {
    const groups: number[][][] = [];
    const pieces: Piece[] = [];
    for (; left > 0 && pieces.length < PIECES_MAX; left--) {
      const sequence =
        part.mix === faultMix ? randomFault(random) : randomSequence(part.mix.kinds, SEQUENCE_LENGTH, random);
      executed += instructionsIn(sequence.flat());
      groups.push(sequence);
      pieces.push(makePiece(sequence.flat(), random, fpscrMask(part.mix, counts), counts));
    }
    for (const index of batch.differing(pieces, part.hotPasses).slice(0, DIFFERENCES_MAX)) {
      const piece = pieces[index]!;
      const run = (length: number): string[] =>
        batch.explain(withCode(piece, groups[index]!.slice(0, length).flat()), part.hotPasses);
      found.push(firstDifference(run, groups[index]!));
    }
  }
  return { executed, differences: found };
}

function makePiece(code: readonly number[], random: Random, mask: number, counts: MaskCounts): Piece {
  const { registers, singles, xpsr, fpscr } = randomStart(random, mask, 0);
  if (hasDualMultiply(code)) counts.note(masks.dualMultiplyQ.name);
  return withCode({ registers, singles, flags: xpsr & 0xf80f_0000, fpscr, seed: random.bits32(), code }, code);
}

/** MRS r12, APSR; BIC r12, #Q; MSR APSR_nzcvq, r12: what the known defect may have set is cleared on both sides. */
const CLEAR_Q = [0xf3ef, 0x8c00, 0xf02c, 0x6c00, 0xf38c, 0x8800];

function withCode(piece: Piece, code: readonly number[]): Piece {
  return { ...piece, code: hasDualMultiply(code) ? [...code, ...CLEAR_Q] : code };
}
