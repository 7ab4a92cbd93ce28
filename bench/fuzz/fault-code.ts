/** Sequences that end in an exception: every way a program can go wrong, and SVC. */
import { isMainline, isV8 } from '../../emulator/cores/core-facts.ts';
import { decodeInstruction, instructionSize } from '../../emulator/timing/decode.ts';
import type { FuzzCore } from './fuzz-cores.ts';
import { undefinedMask, type MaskCounts } from './masks.ts';
import { loadConstant, templatesOf } from './random-code.ts';
import type { Random } from './random.ts';
import { randomSequence } from './sequence.ts';

/** No memory on any of the boards. */
const UNMAPPED = 0x9000_0000;
const BEFORE_MAX = 6;
const CALM = ['narrow', 'data', 'register', 'multiply'];

type Halfwords = readonly number[];
type Make = (random: Random, target: FuzzCore) => Halfwords;

const wide = (word: number): number[] => [word >>> 16, word & 0xffff];
const misaligned = (random: Random, { ram }: FuzzCore): number =>
  ram + 1024 + random.below(64) * 4 + 1 + random.below(3);
/** An access through r1 or r2 to an address without memory, or to one that is no multiple of 4. */
const toNothing =
  (...code: readonly number[]): Make =>
  (random, target) => [...loadConstant(target, 1, UNMAPPED + random.below(4096)), ...code];
const toOdd =
  (...code: readonly number[]): Make =>
  (random, target) => [...loadConstant(target, 2, misaligned(random, target)), ...code];
const through = (code: number, address: (random: Random, target: FuzzCore) => number): Make => {
  return (random, target) => [...loadConstant(target, 3, address(random, target)), code];
};

const narrowFaults: readonly Make[] = [
  (random) => [0xde00 | random.below(256)], // UDF
  (random) => wide((0xf7f0_a000 | random.below(16)) >>> 0), // UDF.W
  (random) => [0xdf00 | random.below(256)], // SVC
  toNothing(0x6808), // LDR r0, [r1]
  toNothing(0x700b), // STRB r3, [r1]
  toNothing(0xc90d), // LDM r1!, {r0, r2, r3}
  toNothing(0xc138), // STM r1!, {r3-r5}
  toOdd(0xca38), // LDM r2!, {r3-r5}
  toOdd(0xc238), // STM r2!, {r3-r5}
  through(0x4718, (random, { ram }) => (ram + random.below(1024) * 4) >>> 0), // BX to an even address
  through(0x4718, (random) => UNMAPPED + random.below(1024) * 2 + 1), // BX to where no memory is
  through(0x4798, (random) => UNMAPPED + random.below(1024) * 2 + 1), // BLX there
];

/** What Armv6-M and Baseline refuse. */
const alignmentFaults: readonly Make[] = [
  toOdd(0x6811), // LDR r1, [r2]
  toOdd(0x6011), // STR
  (random, target) => [...loadConstant(target, 2, misaligned(random, target) | 1), 0x8811], // LDRH
  (random, target) => [...loadConstant(target, 2, misaligned(random, target) | 1), 0x8011], // STRH
];

const wideFaults: readonly Make[] = [
  toOdd(...wide(0xe9d2_0100)), // LDRD r0, r1, [r2]
  toOdd(...wide(0xe9c2_0100)), // STRD
  toOdd(...wide(0xe892_0038)), // LDM r2, {r3-r5}
  toOdd(...wide(0xe882_0038)), // STM
  toOdd(...wide(0xe852_0f00)), // LDREX r0, [r2]
  toNothing(0xbf08, 0x6808, 0xbf18, 0x6808), // one of IT EQ, IT NE faults
  toNothing(...wide(0xe9d1_0200)), // LDRD r0, r2, [r1]
  toNothing(...wide(0xe841_0200)), // STREX without a reservation accesses nothing
];

const fpuFaults: readonly Make[] = [
  toOdd(...wide(0xed92_0a00)), // VLDR s0, [r2]
  toOdd(...wide(0xed82_0b00)), // VSTR d0, [r2]
  toOdd(...wide(0xecb2_0a04)), // VLDM r2!, {s0-s3}
  toNothing(...wide(0xecb1_0a04)), // VLDM r1!, {s0-s3}
];

/** UNPREDICTABLE where there is no FAULTMASK (DDI 0419C B4.2.1): the core faults, QEMU does nothing. */
const isCpsOfFaultmask = (hw1: number): boolean => (hw1 & 0xffe1) === 0xb661;

/** An encoding the core does not have. */
function undefinedEncoding(random: Random, { core }: FuzzCore, counts: MaskCounts): Halfwords {
  for (;;) {
    const hw1 = random.below(3) === 0 ? random.bits32() >>> 16 : 0xe800 | (random.bits32() >>> 19);
    const hw2 = random.bits32() >>> 16;
    const timing = decodeInstruction((at) => (at === 0 ? hw1 : hw2), 0, 0, core)?.timing;
    if (timing !== 'undefined' && timing !== 'fpUndefined' && timing !== 'coprocessorAbsent') continue;
    if (!isMainline(core) && isCpsOfFaultmask(hw1)) continue;
    const mask = undefinedMask(core, hw1, hw2);
    if (mask === null) return instructionSize(hw1) === 2 ? [hw1] : [hw1, hw2];
    counts.note(mask);
  }
}

function faultsOf({ core, standIn }: FuzzCore, counts: MaskCounts): readonly Make[] {
  const undefinedOnes: Make = (random, target) => undefinedEncoding(random, target, counts);
  return [
    ...narrowFaults,
    ...(isMainline(core) ? wideFaults : alignmentFaults),
    ...(isV8(core) ? [toOdd(...wide(0xe8d2_0faf))] : []), // LDA r0, [r2]
    ...(core.fpu === 'none' ? [] : fpuFaults),
    // A core with more instructions has others undefined.
    ...(standIn ? [] : new Array<Make>(6).fill(undefinedOnes)),
  ];
}

/** Groups of halfwords, the last of which does not end well. */
export function randomFault(random: Random, target: FuzzCore, counts: MaskCounts): number[][] {
  const calm = CALM.filter((kind) => templatesOf(kind, target.core).length > 0);
  const before = randomSequence(calm, random.below(BEFORE_MAX), random, target);
  return [...before, [...random.pick(faultsOf(target, counts))(random, target)]];
}
