/** The timing decoder against objdump on every instruction of newlib and libgcc, and its view of what does not exist. */
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import type { TimingClass } from '../../emulator/timing/cost.ts';
import { decodeInstruction } from '../../emulator/timing/decode.ts';
import { cortexM4F } from './support/cores.ts';
import { hasCompiler } from './support/assemble.ts';

/** Mnemonics without condition and width suffix, by the classes they may have. */
const expected: readonly (readonly [RegExp, readonly TimingClass[]])[] = [
  [/^vldr/, ['fpLoad']],
  [/^vstr/, ['fpStore']],
  [/^(vldm|vpop|fldm)/, ['fpLoadMultiple']],
  [/^(vstm|vpush|fstm)/, ['fpStoreMultiple']],
  [/^vdiv/, ['fpDivide']],
  [/^vsqrt/, ['fpSquareRoot']],
  [/^v(mla|mls|nmla|nmls|fma|fms|fnma|fnms)/, ['fpMultiplyAccumulate']],
  [/^v(mrs|msr)/, ['fpStatus']],
  [/^vmov/, ['fpMove', 'fpMovePair']],
  [/^v/, ['fpArithmetic']],
  [/^(ldrex|strex)/, ['exclusive']],
  [/^ldrd/, ['loadDual']],
  [/^strd/, ['storeDual']],
  [/^ldr/, ['load', 'loadPc']],
  [/^str/, ['storeImmediate', 'storeRegister']],
  [/^(ldm|pop)/, ['loadMultiple', 'loadMultiplePc']],
  [/^(stm|push)/, ['storeMultiple']],
  [/^pl[di]/, ['memoryHint']],
  [/^(sdiv|udiv)/, ['divide']],
  [
    /^(mul|mla|mls|smla|smul|smlal|umull|umlal|umaal|smull|smmla|smmul|smuad|smusd|usad)/,
    ['multiply', 'multiplyAccumulate', 'multiplyLong', 'multiplyLongAccumulate'],
  ],
  [/^(cbz|cbnz)/, ['compareBranch']],
  [/^(tbb|tbh)/, ['tableBranch']],
  [
    /^(b|bl|bx|blx)(eq|ne|cs|cc|mi|pl|vs|vc|hi|ls|ge|lt|gt|le)?$/,
    ['branch', 'branchIndirect', 'branchLink', 'branchConditional'],
  ],
  [/^it[te]*$/, ['ifThen']],
  [/^nop/, ['hint']],
  [/^bkpt/, ['breakpoint']],
  [/^svc/, ['supervisorCall']],
  [/^(dsb|dmb)/, ['dataBarrier']],
  [/^isb/, ['instructionBarrier']],
  [/^(mrs|msr)/, ['specialRegister']],
  [/^cps/, ['changeState']],
  [/^udf/, ['undefined']],
  [/^mov/, ['alu', 'aluPc']],
];
/** FPA and coprocessor 1 transfers in libgcc's exception unwinder, which no Cortex-M executes. */
const foreign = /^(ldf|stf|ldc|stc)/;

/** d16..d31, which libgcc's unwinder saves where they exist: on no Cortex-M. */
const upperDoubles = /\bd(1[6-9]|2\d|3[01])\b/;

const CPU = ['-mcpu=cortex-m4', '-mthumb', '-mfloat-abi=hard', '-mfpu=fpv4-sp-d16'];

function library(name: string): string {
  return spawnSync('arm-none-eabi-gcc', [...CPU, `-print-file-name=${name}`], { encoding: 'utf8' }).stdout.trim();
}

function decodeOne(hw1: number, hw2: number, address = 0x1000): TimingClass | undefined {
  return decodeInstruction((at) => (at === address ? hw1 : hw2), address, 0, cortexM4F)?.timing;
}

describe('decoder', () => {
  it.skipIf(!hasCompiler)(
    'agrees with objdump on every instruction of libc, libm and libgcc (needs arm-none-eabi-gcc)',
    () => {
      const wrong: string[] = [];
      let count = 0;
      for (const name of ['libc.a', 'libm.a', 'libgcc.a']) {
        const dump = spawnSync('arm-none-eabi-objdump', ['-d', library(name)], {
          encoding: 'utf8',
          maxBuffer: 1 << 30,
        }).stdout;
        for (const line of dump.split('\n')) {
          const match = /^\s*([0-9a-f]+):\t([0-9a-f]{4})(?: ([0-9a-f]{4}))?\s+\t(\S+)(.*)$/.exec(line);
          const mnemonic = match?.[4]?.replace(/\.[nw]$/, '');
          if (match === null || mnemonic === undefined || mnemonic.startsWith('.') || foreign.test(mnemonic)) continue;
          const address = Number.parseInt(match[1] ?? '', 16);
          const halfwords = [Number.parseInt(match[2] ?? '', 16), Number.parseInt(match[3] ?? '0', 16)];
          const instruction = decodeInstruction(
            (at) => halfwords[at === address ? 0 : 1] ?? null,
            address,
            0,
            cortexM4F,
          );
          const isAbsent = mnemonic.startsWith('v') && upperDoubles.test(match[5] ?? '');
          const classes: readonly TimingClass[] = isAbsent
            ? ['fpUndefined']
            : (expected.find(([pattern]) => pattern.test(mnemonic))?.[1] ?? ['alu', 'aluPc']);
          count++;
          const sizeAgrees = instruction?.size === (match[3] === undefined ? 2 : 4);
          const target = /^\s+(?:\w+, )?([0-9a-f]+) <[^>]*\+/.exec(match[5] ?? '');
          const targetAgrees =
            target === null ||
            instruction?.target === null ||
            instruction?.target === Number.parseInt(target[1] ?? '', 16);
          if (instruction === null || !sizeAgrees || !classes.includes(instruction.timing) || !targetAgrees)
            wrong.push(line.trim());
        }
      }
      expect(wrong).toEqual([]);
      expect(count).toBeGreaterThan(50_000);
    },
  );

  it.each([
    ['UDF', 0xde00, 0],
    ['HLT, which came with Armv8', 0xba80, 0],
    ['BLX to Arm state', 0xf000, 0xe800],
    ['VADD.F64', 0xee30, 0x0b00, 'fpUndefined'],
    ['VFP of Armv8 (VSEL)', 0xfe00, 0x0a00, 'fpUndefined'],
    ['MCR p15', 0xee00, 0x0f10, 'coprocessorAbsent'],
    ['SRS', 0xe80d, 0xc000],
    ['LDR with neither offset form', 0xf850, 0x0840],
    ['an unassigned multiply', 0xfbf0, 0x0000],
  ])('%s is undefined', (_, hw1, hw2, timing = 'undefined') => {
    expect(decodeOne(hw1, hw2)).toBe(timing);
  });

  it('ends where memory ends', () => {
    expect(decodeInstruction((address) => (address < 0x1002 ? 0xf000 : null), 0x1000, 0, cortexM4F)).toBeNull();
  });
});
