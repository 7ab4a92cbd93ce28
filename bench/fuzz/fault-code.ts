/** Sequences that end in an exception: every way a program of Armv7-M can go wrong, and SVC. */
import { movt, movw, randomSequence, type Random } from './random-code.ts';

/** No memory on any of the boards. */
const UNMAPPED = 0x3000_0000;
const RAM = 0x2000_0000;
const BEFORE_MAX = 6;
const CALM = ['narrow', 'data', 'register', 'multiply'];

type Halfwords = readonly number[];

const wide = (word: number): number[] => [word >>> 16, word & 0xffff];
const load = (register: number, value: number): number[] => [
  ...wide(movw(register, value & 0xffff)),
  ...wide(movt(register, value >>> 16)),
];
const misaligned = (random: Random): number => RAM + 1024 + random.below(64) * 4 + 1 + random.below(3);

/** Each with the registers it needs; r0..r7 at random. */
const faults: readonly ((random: Random) => Halfwords)[] = [
  (random) => [0xde00 | random.below(256)], // UDF
  (random) => wide((0xf7f0_a000 | random.below(16)) >>> 0), // UDF.W
  (random) => [0xdf00 | random.below(256)], // SVC
  (random) => [...load(1, UNMAPPED + random.below(4096)), 0x6808 | random.below(8)], // LDR rx, [r1]
  (random) => [...load(1, UNMAPPED + random.below(4096)), 0x7008 | random.below(8)], // STRB rx, [r1]
  (random) => [...load(2, misaligned(random)), ...wide(0xe9d2_0100)], // LDRD r0, r1, [r2]
  (random) => [...load(2, misaligned(random)), ...wide(0xe9c2_0100)], // STRD
  (random) => [...load(2, misaligned(random)), ...wide(0xe892_0038)], // LDM r2, {r3-r5}
  (random) => [...load(2, misaligned(random)), ...wide(0xe882_0038)], // STM
  (random) => [...load(2, misaligned(random)), 0xca38], // LDM r2!, narrow
  (random) => [...load(2, (misaligned(random) & ~3) + 2), ...wide(0xe852_0f00)], // LDREX r0, [r2]
  (random) => [...load(3, (RAM + random.below(1024) * 4) >>> 0), 0x4718], // BX to an even address
  (random) => [...load(3, UNMAPPED + random.below(1024) * 2 + 1), 0x4718], // BX to where no memory is
  (random) => [...load(3, UNMAPPED + random.below(1024) * 2 + 1), 0x4798], // BLX there
  () => [...load(1, UNMAPPED), 0xbf08, 0x6808, 0xbf18, 0x6808], // one of IT EQ, IT NE faults
  (random) => [...load(1, misaligned(random)), ...wide(0xed91_0a00)], // VLDR s0, [r1]
];

/** Groups of halfwords, the last of which does not end well. */
export function randomFault(random: Random): number[][] {
  const before = randomSequence(CALM, random.below(BEFORE_MAX), random);
  return [...before, [...random.pick(faults)(random)]];
}
