/**
 * The semantics table against libunicorn: random instructions of every encoding class with random registers, flags, FPSCR and memory.
 * FUZZ_SEED and FUZZ_SEQUENCES rerun or lengthen it. Known defects of libunicorn 2.0.1 are masked by name in `masks`.
 */
import { describe, expect, it } from 'vitest';
import { UnicornCpu } from '../../../emulator/cpu/unicorn/unicorn-cpu.ts';
import { WasmCpu } from '../../../emulator/cpu/wasm/wasm-cpu.ts';
import { differences, makeSide, Q, randomStart, runOn, type Outcome, type Start } from './support/differential.ts';
import { Random, randomSequence } from './support/random-code.ts';
import { cortexM4F } from '../support/cores.ts';

const SEED = Number(process.env['FUZZ_SEED'] ?? 1);
const SEQUENCES = Number(process.env['FUZZ_SEQUENCES'] ?? 150);
const SEQUENCE_LENGTH = 12;
const RMODE_FZ_DN_AHP = 0x07c0_0000;
const FZ_DN_AHP = 0x0700_0000;

/**
 * libunicorn rounds VCVT from fixed point as FPSCR says; the core always to nearest (DDI 0403E A7.7.229). So that class runs without a
 * rounding mode. SMLAD and SMLSD set Q there when only the sum before Ra overflows, so Q does not count after them. STREX compares the
 * word's value there, and the core only remembers that it was marked: exclusives run without other stores, each size for itself.
 */
const masks = {
  fixedToFloat: (name: string): number => (name === 'fixedToFloat' || name === 'mixed' ? FZ_DN_AHP : RMODE_FZ_DN_AHP),
  dualMultiplyQ: (halfwords: readonly number[]): number =>
    halfwords.some((hw, at) => [0xfb20, 0xfb40].includes(hw & 0xfff0) && (halfwords[at + 1] ?? 0) >> 12 !== 15)
      ? ~Q
      : -1,
};

const mixes: Readonly<Record<string, readonly string[]>> = {
  narrow: ['narrow'],
  data: ['data', 'fields'],
  register: ['register'],
  multiply: ['multiply'],
  memory: ['memory'],
  floating: ['floating'],
  exclusiveWord: ['exclusiveWord'],
  exclusiveByte: ['exclusiveByte'],
  exclusiveHalf: ['exclusiveHalf'],
  fixedToFloat: ['fixedToFloat'],
  mixed: ['narrow', 'data', 'fields', 'register', 'multiply', 'memory', 'floating', 'fixedToFloat'],
};

const hexOf = (halfwords: readonly number[]): string => halfwords.map((h) => h.toString(16).padStart(4, '0')).join(' ');

/** Shortest prefix that shows a difference. */
function firstDifference(run: (count: number) => string[], groups: readonly number[][]): string {
  for (let count = 1; count <= groups.length; count++) {
    const found = run(count);
    if (found.length > 0) return `after ${count - 1}, ${hexOf(groups[count - 1]!)}: ${found.join(', ')}`;
  }
  return 'only as a whole';
}

describe.each([
  ['interpreted', Infinity],
  ['translated', 1],
])('random instructions, %s, are the same on both engines', (_, hotPasses) => {
  it.each(Object.entries(mixes))(`%s (seed ${SEED})`, (name, kinds) => {
    const random = new Random(SEED * 31 + name.length);
    const ours = makeSide(new WasmCpu(cortexM4F, hotPasses));
    const theirs = makeSide(new UnicornCpu(cortexM4F));
    const found: string[] = [];
    for (let count = 0; count < SEQUENCES && found.length < 20; count++) {
      const groups = randomSequence(kinds, SEQUENCE_LENGTH, random);
      const start: Start = randomStart(random, masks.fixedToFloat(name));
      const run = (length: number): string[] => {
        const prefix = groups.slice(0, length).flat();
        const a: Outcome = runOn(ours, prefix, start);
        return differences(a, runOn(theirs, prefix, start), masks.dualMultiplyQ(prefix));
      };
      if (run(groups.length).length > 0) found.push(firstDifference(run, groups));
    }
    ours.cpu.close();
    theirs.cpu.close();
    expect(found.join('\n')).toBe('');
  });
});
