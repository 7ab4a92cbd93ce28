/**
 * Cycles of micro-programs on Cortex-M7: which pairs are issued together and what results cost, as measured on an STM32H743 (jnk0le/random 3dfc2abd,
 * "pipeline cycle test/doc/cortex_m7.md"), but for those marked as assumed. Every program ends with `dsb; bx lr`, issued alone: 3, 1 and the refill of 4.
 */
import { expect, it } from 'vitest';
import { cortexM7, cortexM7Rules } from '../../emulator/timing/cortex-m7.ts';
import { describeCycles, type CycleCase } from './support/cycle-cases.ts';
import { RAM } from './support/micro-programs.ts';

const END = { body: 'dsb\nbx lr', cycles: 3 + 1 + 4 };

const repeat = (body: string, times = 4): string => Array.from({ length: times }, () => body).join(';');

const cases: Readonly<Record<string, CycleCase>> = {
  'NOP, ALU: two a cycle': { body: repeat('nop.w; eor.w r2, r3, r4'), cycles: 4 },
  'an early addition feeds its pair and the next address': {
    body: 'add.w r0, r0, r2; eor.w r6, r0, r6, ror #22; ldr.w r4, [r1, r0]; nop.w',
    args: [0, RAM, 0],
    cycles: 2,
  },
  'an early addition feeds a late operand of the pair': {
    body: repeat('add.w r0, r1, r2; eor.w r6, r0, r6'),
    cycles: 4,
  },
  'MOVW and MOVT of one register pair': { body: 'movw r0, #1; movt r0, #1', cycles: 1 },
  'logic feeds nothing in its cycle': { body: 'and.w r0, r1, r2; eor.w r6, r0, r6', cycles: 2 },
  'a shifted operand one cycle earlier': {
    body: 'and.w r0, r1, r2; nop.w; eor.w r6, r6, r0, lsl #1',
    cycles: 1 + 1 + 1,
  },
  'two simple constants': { body: repeat('add.w r0, r1, #255; add.w r2, r3, #0xff9'), cycles: 4 },
  'a shifted constant and a shifted register do not pair': {
    body: repeat('eor.w r0, r1, #0x1fc0; add.w r2, r3, r4, ror #24'),
    cycles: 8,
  },
  'two shifts pair': { body: repeat('lsr.w r0, r1, #12; lsl.w r2, r3, #12'), cycles: 4 },
  'shifted register, then a shift: a pair': { body: repeat('add.w r0, r1, r2, lsl #1; lsr.w r3, r4, #12'), cycles: 4 },
  'two of bit fields, extensions, SIMD do not pair': { body: repeat('uxtb.w r0, r1; uadd8 r2, r3, r4'), cycles: 8 },
  'they are the older of a pair': {
    body: 'uxtb.w r0, r1; eor.w r2, r3, r4; rev.w r0, r1; eor.w r2, r3, r4',
    cycles: 2,
  },
  'UBFX and a shifted register do not pair': { body: 'ubfx r0, r1, #1, #3; add.w r2, r3, r4, lsl #1', cycles: 2 },
  'UBFX needs its source early': { body: 'and.w r0, r1, r2; nop.w; ubfx r3, r0, #1, #3', cycles: 1 + 1 + 1 },
  'the result of UXTB as an address one cycle later': {
    body: 'uxtb.w r1, r2; nop.w; ldr.w r3, [r0, r1]',
    args: [RAM, 0, 0],
    cycles: 1 + 1 + 1,
  },

  'two multiplies do not pair': { body: repeat('mul r0, r1, r2; mul r3, r4, r5'), cycles: 8 },
  'a multiply and an ALU operation pair': { body: repeat('mul r0, r1, r2; eor.w r3, r4, r5'), cycles: 4 },
  'a multiply and a store do not': { body: 'mul r3, r1, r2; str.w r4, [r0]', args: [RAM], cycles: 2 },
  'MACs chain on the addend': { body: repeat('smlad r0, r1, r2, r0'), cycles: 4 },
  'the result of a multiply after 2': { body: 'mul r0, r1, r2; nop.w; nop.w; nop.w; eor.w r3, r0, r4', cycles: 3 },
  'and not after 1': { body: 'mul r0, r1, r2; nop.w; eor.w r3, r0, r4', cycles: 3 },
  'a late result of the same cycle as addend': { body: 'eor.w r0, r3, r4; mla r0, r1, r2, r0', cycles: 1 },

  'two loads of different banks pair': { body: repeat('ldr.w r1, [r0]; ldr.w r2, [r0, #4]'), args: [RAM], cycles: 4 },
  'two loads of one bank do not': { body: repeat('ldr.w r1, [r0]; ldr.w r2, [r0, #8]'), args: [RAM], cycles: 8 },
  'two loads of different bases (assumed)': { body: 'ldr.w r2, [r0]; ldr.w r3, [r1, #4]', args: [RAM, RAM], cycles: 2 },
  'a word to the late ALU after 1': { body: 'ldr.w r1, [r0]; nop.w; eor.w r2, r1, r3', args: [RAM], cycles: 2 },
  'a word to a shifted operand after 2': {
    body: 'ldr.w r1, [r0]; nop.w; eor.w r2, r3, r1, lsl #1',
    args: [RAM],
    cycles: 1 + 1 + 1,
  },
  'a word to the operand beside a shifted one after 2': {
    body: 'ldr.w r1, [r0]; nop.w; eor.w r2, r1, r3, lsl #1',
    args: [RAM],
    cycles: 1 + 1 + 1,
  },
  'a word to a factor after 2': { body: 'ldr.w r1, [r0]; nop.w; mul r2, r1, r3', args: [RAM], cycles: 1 + 1 + 1 },
  'a word to an address after 2': {
    body: 'ldr.w r1, [r0, #16]; nop.w; ldr.w r2, [r1]',
    args: [RAM],
    cycles: 1 + 1 + 1,
  },
  'a byte to the late ALU after 2': {
    body: 'ldrb.w r1, [r0]; nop.w; eor.w r2, r1, r3',
    args: [RAM],
    cycles: 1 + 1 + 1,
  },
  'a byte to an addend after 1': { body: 'ldrb.w r1, [r0]; nop.w; mla r1, r2, r3, r1', args: [RAM], cycles: 2 },
  'a load and the store of its value pair': { body: 'ldr.w r1, [r0]; str.w r1, [r0, #8]', args: [RAM], cycles: 1 },
  'two stores do not pair': { body: 'str.w r1, [r0]; str.w r1, [r0, #4]', args: [RAM], cycles: 2 },
  'post-indexed loads every cycle': { body: repeat('ldr.w r1, [r0], #4; eor.w r2, r3, r4'), args: [RAM], cycles: 4 },
  'LDM, STM of n registers ceil(n/2), LDRD, STRD 1': {
    body: 'ldmia.w r0, {r1-r5}; stmia.w r0, {r1-r5}; ldrd r1, r2, [r0]; nop.w; nop.w; strd r1, r2, [r0]',
    args: [RAM],
    cycles: 3 + 3 + 1 + 1 + 1,
  },

  'a loop: SUBS and BNE in one cycle, its end mispredicted': {
    body: 'movw r1, #100; nop.w; 1: subs.w r1, #1; bne 1b',
    cycles: 1 + 100 + 8,
  },
  'a loop that touches two double words takes two cycles (assumed)': {
    body: 'movw r1, #100; nop.w; subs.w r2, #1; nop; 1: subs.w r1, #1; bne 1b',
    cycles: 1 + 1 + 1 + 98 * 2 + 1 + 8,
  },
  'with flags set three cycles earlier 6': {
    body: `movw r1, #100; nop.w; 1: subs.w r1, #1; nop.w; ${repeat('eor.w r2, r3, r4; nop.w')}; eor.w r2, r3, r4; bne 1b`,
    cycles: 1 + 100 * 6 + 6,
  },
  'a forward branch that is not taken pairs with what follows': {
    body: 'cmp r0, r0; nop.w; bne 1f; eor.w r2, r3, r4; 1:',
    cycles: 2,
  },
  'a forward branch that is taken (assumed)': { body: 'cmp r0, r0; nop.w; beq 1f; nop.w; 1:', cycles: 1 + 1 + 2 },
  'IT takes a place of a pair, what is skipped too': {
    body: 'cmp r0, r0; nop.w; it ne; eorne r2, r3; nop.w; nop.w',
    cycles: 3,
  },

  'additions of the FPU do not pair': { body: 'vadd.f32 s0, s1, s2; vmul.f32 s3, s4, s5', cycles: 2 },
  'VADD with an integer instruction does': { body: repeat('vadd.f32 s0, s1, s2; eor.w r2, r3, r4'), cycles: 4 },
  'VADD after 3': { body: 'vadd.f32 s0, s1, s2; vadd.f32 s3, s0, s4', cycles: 1 + 2 + 1 },
  'VFMA to the addend 3': { body: repeat('vfma.f32 s0, s1, s2', 3), cycles: 3 + 3 + 1 },
  'VFMA to a factor 5': { body: 'vfma.f32 s0, s1, s2; vfma.f32 s4, s0, s2', cycles: 5 + 1 },
  'VMLA to VMUL 6': { body: 'vmla.f32 s0, s1, s2; vmul.f32 s4, s0, s2', cycles: 6 + 1 },
  'three accumulators hide it': {
    body: 'vfma.f32 s0, s1, s2; vfma.f32 s3, s1, s2; vfma.f32 s4, s1, s2; vfma.f32 s0, s1, s2',
    cycles: 4,
  },
  'no VADD in three cycles after VFMA': { body: 'vfma.f32 s0, s1, s2; vadd.f32 s3, s4, s5', cycles: 1 + 3 + 1 },
  'VFMA and VLDR do not pair': { body: 'vfma.f32 s0, s1, s2; vldr s4, [r0]', args: [RAM], cycles: 2 },
  'VLDR after 1, to an addend after 3': {
    body: 'vldr s0, [r0]; nop.w; vadd.f32 s1, s0, s0; nop.w; vldr s3, [r0]; nop.w; vfma.f32 s3, s4, s5',
    args: [RAM],
    cycles: 3 + 2 + 1,
  },
  'VDIV 16, VSQRT 14': { body: 'vdiv.f32 s0, s1, s2; vsqrt.f32 s3, s4', cycles: 16 + 14 },
  'VSTR of VADD after 1': { body: 'vadd.f32 s0, s1, s2; vstr s0, [r0]', args: [RAM], cycles: 2 },
};

describeCycles('cycles of micro-programs on Cortex-M7', 'core-m7', cases, END);

it('gives every number of Cortex-M7 a source', () => {
  for (const [name, cost] of Object.entries({ ...cortexM7, ...cortexM7Rules }))
    expect(cost.source.length, name).toBeGreaterThan(10);
});
