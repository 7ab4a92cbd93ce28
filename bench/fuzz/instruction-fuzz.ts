/** Random sequences of one mix of classes on our engine and on an oracle; a difference comes with the shortest prefix that shows it. */
import { UnicornCpu } from '../../emulator/cpu/unicorn/unicorn-cpu.ts';
import { WasmCpu } from '../../emulator/cpu/wasm/wasm-cpu.ts';
import { faultMix, fpscrMask, wantsDoubles, type Mix } from './classes.ts';
import { randomFault } from './fault-code.ts';
import { differences, makeSide, Q, randomStart, runOn } from './differential.ts';
import type { FuzzCore } from './fuzz-cores.ts';
import { hasDualMultiply, masks, type MaskCounts } from './masks.ts';
import type { Piece, QemuBatch } from './qemu-batch.ts';
import { Random } from './random.ts';
import { randomSequence } from './sequence.ts';

export const SEQUENCE_LENGTH = 12;
/** Of one mix; more say nothing new. */
const DIFFERENCES_MAX = 20;

export interface FuzzPart {
  readonly target: FuzzCore;
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

const startSeed = ({ seed, mix, target }: FuzzPart): Random =>
  new Random([...target.name, ...mix.name].reduce((hash, letter) => Math.imul(hash, 31) + letter.charCodeAt(0), seed));

/** Against libunicorn: registers, flags, FPSCR, memory, cycles, instructions. */
export function fuzzUnicorn(part: FuzzPart, counts: MaskCounts): FuzzResult {
  const random = startSeed(part);
  const { target, mix } = part;
  const ours = makeSide(new WasmCpu(target.core, part.hotPasses));
  const theirs = makeSide(new UnicornCpu(target.core));
  const found: string[] = [];
  let executed = 0;
  for (let count = 0; count < part.sequences && found.length < DIFFERENCES_MAX; count++) {
    const groups = randomSequence(mix.kinds, SEQUENCE_LENGTH, random, target);
    const start = randomStart(random, fpscrMask(mix, counts), false);
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

/** A sequence on its way through QEMU. */
interface Case {
  readonly part: FuzzPart;
  readonly groups: readonly number[][];
  readonly piece: Piece;
}

function* casesOf(part: FuzzPart, counts: MaskCounts): Generator<Case> {
  const random = startSeed(part);
  const { target, mix } = part;
  for (let count = 0; count < part.sequences; count++) {
    const groups =
      mix === faultMix
        ? randomFault(random, target, counts)
        : randomSequence(mix.kinds, SEQUENCE_LENGTH, random, target);
    yield { part, groups, piece: makePiece(groups.flat(), random, part, counts) };
  }
}

/** Batches as large as the runner takes. */
function* batchesOf(parts: readonly FuzzPart[], batch: QemuBatch, counts: MaskCounts): Generator<Case[]> {
  let cases: Case[] = [];
  let bytes = 0;
  for (const part of parts) {
    for (const next of casesOf(part, counts)) {
      const more = batch.bytesOf(next.piece);
      if (cases.length === batch.piecesMax || bytes + more > batch.bytesMax()) {
        yield cases;
        cases = [];
        bytes = 0;
      }
      cases.push(next);
      bytes += more;
    }
  }
  if (cases.length > 0) yield cases;
}

/** Against QEMU: registers, flags, FPSCR, memory, and what exception ends the sequence. One result for each part; all are of one core. */
export function fuzzQemu(parts: readonly FuzzPart[], batch: QemuBatch, counts: MaskCounts): FuzzResult[] {
  const results = new Map(parts.map((part) => [part, { executed: 0, differences: [] as string[] }]));
  for (const cases of batchesOf(parts, batch, counts)) {
    for (const { part, groups } of cases) results.get(part)!.executed += instructionsIn(groups.flat());
    const { hotPasses } = cases[0]!.part;
    const pieces = cases.map(({ piece }) => piece);
    for (const index of batch.differing(pieces, hotPasses)) {
      const { part, groups, piece } = cases[index]!;
      const { differences } = results.get(part)!;
      if (differences.length >= DIFFERENCES_MAX) continue;
      const run = (length: number): string[] =>
        batch.explain(withCode(piece, groups.slice(0, length).flat()), hotPasses);
      differences.push(firstDifference(run, groups));
    }
  }
  return [...results.values()];
}

function makePiece(code: readonly number[], random: Random, { mix, target }: FuzzPart, counts: MaskCounts): Piece {
  const doubles = wantsDoubles(target.core, mix);
  const { registers, singles, xpsr, fpscr } = randomStart(random, fpscrMask(mix, counts), doubles, 0);
  if (hasDualMultiply(code)) counts.note(masks.dualMultiplyQ.name);
  return withCode({ registers, singles, flags: xpsr & APSR_BITS, fpscr, seed: random.bits32(), code }, code);
}

const APSR_BITS = 0xf80f_0000;
/** MRS r12, APSR; BIC r12, #Q; MSR APSR_nzcvq, r12: what the known defect may have set is cleared on both sides. */
const CLEAR_Q = [0xf3ef, 0x8c00, 0xf02c, 0x6c00, 0xf38c, 0x8800];

function withCode(piece: Piece, code: readonly number[]): Piece {
  return { ...piece, code: hasDualMultiply(code) ? [...code, ...CLEAR_Q] : code };
}
