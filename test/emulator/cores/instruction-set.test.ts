/** Which encodings each core has: the assembler's word for every instruction, taken or refused, and groups the assembler does not know. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { coreOf, type Core } from '../../../emulator/cores/core.ts';
import { isMainline, type CoreName } from '../../../emulator/cores/core-facts.ts';
import { decodeInstruction } from '../../../emulator/timing/decode.ts';
import { hasCompiler } from '../support/assemble.ts';

const names: readonly CoreName[] = [
  'cortex-m0',
  'cortex-m0plus',
  'cortex-m3',
  'cortex-m4',
  'cortex-m7',
  'cortex-m23',
  'cortex-m33',
];
/** Classes without a cost. */
const stopping = new Set(['coprocessorAbsent', 'fpUndefined', 'security']);
const core = (name: CoreName): Core => coreOf({ core: name, fpu: 'none' });

/** One of every group that differs between the cores, and enough that does not. */
const instructions = `
  movs r0, #1; adds r0, r1, r2; muls r0, r1, r0; mov r8, r1; add r8, r1; cmp r8, r1; bx lr; blx r1; ldr r0, [r1]; strh r0, [r1]
  ldrsb r0, [r1, r2]; push {r0, lr}; pop {r0, pc}; ldmia r0!, {r1}; stmia r0!, {r1}; rev r0, r1; rev16 r0, r1; revsh r0, r1; sxtb r0, r1
  cpsie i; cpsid i; nop; yield; wfe; wfi; sev; bkpt #0; svc #0; cbz r0, .+4; cbnz r1, .+6; b .; beq .
  bl .; mrs r0, apsr; msr msp, r0; dmb; dsb; isb; b.w .; beq.w .; movw r0, #1; movt r0, #1; sdiv r0, r1, r2; udiv r0, r1, r2
  ldrex r0, [r1]; strex r0, r1, [r2]; ldrexb r0, [r1]; strexh r0, r1, [r2]; clrex; lda r0, [r1]; ldab r0, [r1]; ldah r0, [r1]; stl r0, [r1]
  stlb r0, [r1]; stlh r0, [r1]; ldaex r0, [r1]; ldaexb r0, [r1]; ldaexh r0, [r1]; stlex r0, r1, [r2]; stlexb r0, r1, [r2]; stlexh r0, r1, [r2]
  tt r0, r1; ttt r0, r1; nop.w; add.w r8, r1, r2; addw r0, r1, #1; subs.w r8, r1, #1; and.w r8, r1, r2, lsl #3; mvn r8, r1; ldr.w r8, [r1, #1]
  ldrd r0, r1, [r2]; strd r0, r1, [r2]; tbb [r0, r1]; tbh [r0, r1, lsl #1]; ldmdb r8, {r1, r2}; stmdb r8!, {r1, r2}; ldrt r0, [r1]; pld [r0]
  mla r0, r1, r2, r3; mls r0, r1, r2, r3; mul.w r8, r1, r2; smull r0, r1, r2, r3; umull r0, r1, r2, r3; smlal r0, r1, r2, r3; umlal r0, r1, r2, r3
  clz r0, r1; rbit r0, r1; rev.w r8, r1; bfi r0, r1, #1, #2; bfc r0, #1, #2; ubfx r0, r1, #1, #2; sbfx r0, r1, #1, #2; ssat r0, #8, r1
  usat r0, #8, r1; ssat r0, #8, r1, asr #3; sxth.w r8, r1; uxtb.w r8, r1, ror #8; lsl.w r8, r1, r2
  ssat16 r0, #8, r1; usat16 r0, #8, r1; pkhbt r0, r1, r2; pkhtb r0, r1, r2, asr #3; sxtab r0, r1, r2; uxtah r0, r1, r2; sxtab16 r0, r1, r2
  sxtb16 r0, r1; uxtb16 r0, r1; sadd16 r0, r1, r2; uqsub8 r0, r1, r2; shasx r0, r1, r2; qadd r0, r1, r2; qdsub r0, r1, r2; sel r0, r1, r2
  usad8 r0, r1, r2; usada8 r0, r1, r2, r3; smlabb r0, r1, r2, r3; smultt r0, r1, r2; smlad r0, r1, r2, r3; smuadx r0, r1, r2; smlawb r0, r1, r2, r3
  smulwt r0, r1, r2; smlsd r0, r1, r2, r3; smmla r0, r1, r2, r3; smmul r0, r1, r2; smmlsr r0, r1, r2, r3; smlalbb r0, r1, r2, r3; smlald r0, r1, r2, r3
  smlsldx r0, r1, r2, r3; umaal r0, r1, r2, r3
`
  .split(/[;\n]/)
  .map((text) => text.trim())
  .filter((text) => text !== '');

interface Assembled {
  readonly text: string;
  readonly halfwords: readonly number[];
}

function run(tool: string, args: readonly string[]): { ok: boolean; text: string } {
  const { status, stdout, stderr } = spawnSync(tool, args, { encoding: 'utf8' });
  return { ok: status === 0, text: stdout + stderr };
}

/** Every instruction by itself in a section of its own. */
function assemble(lines: readonly string[], cpu: string): { errors: ReadonlySet<number>; code: Assembled[] } {
  const dir = mkdtempSync(join(tmpdir(), 'encodings-'));
  try {
    const [source, object, binary] = ['in.s', 'out.o', 'out.bin'].map((name) => join(dir, name)) as [
      string,
      string,
      string,
    ];
    const body = lines.map((line) => `.p2align 3\n${line}`).join('\n');
    writeFileSync(source, `.syntax unified\n.thumb\n${body}\n.p2align 3\n`);
    const result = run('arm-none-eabi-as', [`-mcpu=${cpu}`, '-mthumb', source, '-o', object]);
    const errors = new Set(
      [...result.text.matchAll(/in\.s:(\d+): Error/g)].map((match) => Math.floor((Number(match[1]) - 3) / 2)),
    );
    if (errors.size > 0) return { errors, code: [] };
    expect(run('arm-none-eabi-objcopy', ['-O', 'binary', object, binary]).ok).toBe(true);
    const bytes = readFileSync(binary);
    const code = lines.map((text, index) => {
      const first = bytes.readUInt16LE(index * 8);
      return { text, halfwords: first >= 0xe800 ? [first, bytes.readUInt16LE(index * 8 + 2)] : [first] };
    });
    return { errors, code };
  } finally {
    rmSync(dir, { recursive: true });
  }
}

function timingOf(halfwords: readonly number[], of: Core): string | undefined {
  return decodeInstruction((address) => halfwords[address / 2] ?? 0, 0, 0, of)?.timing;
}

describe('the instruction set of a core', () => {
  it.skipIf(!hasCompiler)('should be the one the assembler knows (needs arm-none-eabi-as)', () => {
    const { code } = assemble(instructions, 'cortex-m33');
    expect(code).toHaveLength(instructions.length);
    for (const name of names) {
      const { errors } = assemble(instructions, name);
      const refused = code.filter((_, index) => errors.has(index)).map(({ text }) => text);
      const undefinedHere = code
        .filter(({ halfwords }) => timingOf(halfwords, core(name)) === 'undefined')
        .map(({ text }) => text);
      expect(undefinedHere, name).toEqual(refused);
    }
  });

  it.each(names)('of %s should have FPU encodings only as NOCP faults where there is none', (name) => {
    const timing = timingOf([0xee30, 0x0a00], core(name)); // VADD.F32
    expect(timing).toBe(isMainline(core(name)) ? 'coprocessorAbsent' : 'undefined');
  });

  it.each(names)('of %s should have CPS of FAULTMASK only with FAULTMASK (UNPREDICTABLE otherwise)', (name) => {
    expect(timingOf([0xb671], core(name))).toBe(isMainline(core(name)) ? 'changeState' : 'undefined');
  });

  it.each(names)('of %s should have IT only with 32-bit Thumb', (name) => {
    expect(timingOf([0xbf08], core(name))).toBe(isMainline(core(name)) ? 'ifThen' : 'undefined');
  });

  it.each([
    ['SG', [0xe97f, 0xe97f]],
    ['BXNS', [0x4704 | (3 << 3)]],
    ['BLXNS', [0x4784 | (3 << 3)]],
    ['TTA', [0xe841, 0xf080]],
    ['TTAT', [0xe841, 0xf0c0]],
  ])('should say of %s that it needs the Security extension, on Armv8-M only', (_, halfwords) => {
    expect(timingOf(halfwords, core('cortex-m23'))).toBe('security');
    expect(timingOf(halfwords, core('cortex-m33'))).toBe('security');
    expect(timingOf(halfwords, core('cortex-m0plus'))).toBe('undefined');
  });

  it('should give every encoding of a core with a timing table a cost', () => {
    for (const name of names) {
      const { timing } = core(name);
      if (timing === null) continue;
      const missing = new Set<string>();
      for (let hw1 = 0; hw1 < 0x10000; hw1++) {
        const seconds =
          hw1 < 0xe800
            ? [0]
            : [0, 0x0f00, 0x8000, 0x8f4f, 0xd000, 0xf000, 0xf0f0, 0xf080, 0x0f4f, 0x0f10, 0x2100, 0x8800];
        for (const hw2 of seconds) {
          const found = timingOf([hw1, hw2], core(name));
          if (!stopping.has(found!) && !(found! in timing.costs)) missing.add(found!);
        }
      }
      expect([...missing], name).toEqual([]);
    }
  });
});
