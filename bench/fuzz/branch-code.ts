/** Forward branches over one to three instructions, in every form: what is jumped over must not have run, and the flags decide. */
import { isMainline, isV8 } from '../../emulator/cores/core-facts.ts';
import { halfwordsOf, randomEncoding, type CodeSpace } from './random-code.ts';
import type { Random } from './random.ts';

const SKIPPED_MAX = 3;

/** B.W and BL by their first two halfwords' fixed bits; `bytes` from the instruction's end. */
function wideBranch(bytes: number, link: boolean): number[] {
  // Forward and short: S is 0, J1 and J2 are 1.
  return [0xf000 | ((bytes >> 12) & 0x3ff), (link ? 0xf800 : 0xb800) | ((bytes >> 1) & 0x7ff)];
}

const wideConditional = (bytes: number, condition: number): number[] => [
  0xf000 | (condition << 6),
  0x8000 | ((bytes >> 1) & 0x7ff),
];

/** MOV rd, pc; ADDS rd, #distance + 1; BX or BLX rd. */
function throughRegister(skipped: number, rd: number, link: boolean): number[] {
  // MOV rd, pc reads this instruction's address + 4; ADDS, BX and what is skipped lie between.
  const distance = skipped + 2;
  return [0x4678 | rd, 0x3000 | (rd << 8) | (distance + 1), (link ? 0x4780 : 0x4700) | (rd << 3)];
}

/** TBB or TBH over its own table. */
function tableBranch(bytes: number, halfwords: boolean, index: number): number[] {
  // The table of four entries follows; r`index` is 0..3 and all entries lead behind what is skipped.
  const table = halfwords ? 8 : 4;
  const entry = (table + bytes) >> 1;
  const content = halfwords ? [entry, entry, entry, entry] : [entry * 0x101, entry * 0x101];
  return [0x2000 | (index << 8) | (entry & 3), 0xe8df, 0xf000 | (halfwords ? 0x10 : 0) | index, ...content];
}

/** One branch with what it may jump over. */
export function randomBranch(random: Random, space: CodeSpace): number[] {
  const { core } = space;
  const count = 1 + random.below(SKIPPED_MAX);
  const skipped = Array.from({ length: count }, () => randomEncoding('narrow', random, core)).flatMap(halfwordsOf);
  const bytes = skipped.length * 2;
  // Offsets count from the instruction's address + 4.
  const narrow = (bytes - 2) >> 1;
  const register = random.below(8);
  const forms: (() => number[])[] = [
    () => [0xd000 | (random.below(14) << 8) | (narrow & 0xff)],
    () => [0xe000 | (narrow & 0x7ff)],
    () => wideBranch(bytes, true),
    () => throughRegister(bytes, register, false),
    () => throughRegister(bytes, register, true),
  ];
  if (isMainline(core) || isV8(core))
    forms.push(
      () => wideBranch(bytes, false),
      () => [0xb100 | (random.below(2) << 11) | ((narrow & 0x1f) << 3) | register],
    );
  if (isMainline(core))
    forms.push(
      () => wideConditional(bytes, random.below(14)),
      () => tableBranch(bytes, false, register),
      () => tableBranch(bytes, true, register),
    );
  return [...random.pick(forms)(), ...skipped];
}
