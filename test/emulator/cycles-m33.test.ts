/**
 * Cycles of micro-programs on Cortex-M33. The sequences and their figures are those that were measured on an RP2350 (jnk0le/random 3dfc2abd, "pipeline
 * cycle test/doc/cortex_m33.md"), but for those marked as assumed. Every program ends with `nop.w; bx lr`, of 1 + 2.
 */
import { expect, it } from 'vitest';
import { cortexM33, cortexM33Rules } from '../../emulator/timing/cortex-m33.ts';
import { describeCycles, type CycleCase } from './support/cycle-cases.ts';
import { RAM } from './support/micro-programs.ts';

const END = { body: 'nop.w\nbx lr', cycles: 1 + 2 };

const loop = (body: string): string => `movw r7, #100\n.balign 4\n1: ${body}`;

const cases: Readonly<Record<string, CycleCase>> = {
  'single issue of arithmetic': { body: 'mov r2, r3; mov r2, r3; mov r2, r3', cycles: 3 },
  'NOP pairs with what follows it': {
    body: 'nop; mov r2, r3; nop; ldr r2, [r0]; nop.w',
    args: [RAM],
    cycles: 1 + 1 + 1,
  },
  'NOP does not pair with what is before it': { body: 'mov r2, r3; nop; mov r2, r3', cycles: 1 + 1 },
  'NOP of 32 bits does not pair': { body: 'nop.w; mov r2, r3', cycles: 2 },

  'SUBS and taken BNE: 1 + 2, not taken 0': { body: loop('subs r7, #1; bne 1b'), cycles: 1 + 99 * (1 + 2) + 1 },
  'ADD and taken BNE: 1 + 1, not taken 0': {
    body: loop('subs.w r7, #1; add r1, r2; bne 1b'),
    cycles: 1 + 99 * (1 + 1 + 1) + 2,
  },
  'LDM and taken BNE: 4 + 1': {
    body: loop('subs.w r7, #1; ldmia r0!, {r1-r4}; bne 1b'),
    args: [RAM],
    cycles: 1 + 99 * (1 + 4 + 1) + 5,
  },
  'BNE not taken behind a 32-bit instruction': { body: 'subs.w r2, r0, r0; bne 1f; 1:', cycles: 2 },
  'IT pairs with the instruction before it': { body: 'mov r10, r10; it eq; addeq.w r2, r3', cycles: 2 },

  'shifted operand: 2 cycles to the next': { body: 'add.w r2, r3, r4, ror #23; add r2, r3', cycles: 1 + 1 + 1 },
  'shifted operand into IT, skipped': {
    body: 'movs r2, #1; it eq; addeq.w r0, r1, r2, ror #23; add r0, r3',
    cycles: 1 + 1 + 1 + 1,
  },
  'shifted constant with flags: 2 cycles': { body: 'adds.w r2, r3, #0x1fc0; add r2, r3', cycles: 2 + 1 },
  'shifted constant without: 1, used after 2': { body: 'add.w r2, r3, #0x1fc0; add r2, r3', cycles: 1 + 1 + 1 },
  'moves of shifted constants are moves': { body: 'movs.w r2, #0x1fc0; add r2, r3', cycles: 1 + 1 },
  'BFI, UBFX, shifts are one cycle': {
    body: 'bfi r2, r3, #4, #8; lsl.w r2, r2, #3; ubfx r2, r2, #1, #3; add r2, r3',
    cycles: 4,
  },
  'flags of a shifted operand come late': {
    body: 'adds.w r2, r3, r4, lsl #1; bmi 1f; 1:',
    args: [0],
    cycles: 1 + 1 + 1,
  },
  'MULS takes 2 cycles': { body: 'muls r2, r3; add r2, r3', cycles: 2 + 1 },
  'MUL used after 2': { body: 'mul.w r2, r3, r4; add r2, r3', cycles: 1 + 1 + 1 },
  'MACs chain on the addend': {
    body: 'mla r2, r3, r4, r2; smlad r2, r3, r4, r2; uxtab r2, r2, r3; add r2, r3',
    cycles: 3 + 1 + 1,
  },
  'a shifted operand feeds the addend': { body: 'add.w r2, r3, r4, lsl #2; mla r2, r3, r4, r2', cycles: 2 },
  'a factor waits': { body: 'mla r2, r3, r4, r2; mla r5, r2, r4, r5', cycles: 1 + 1 + 1 },
  'SIMD used after 2': {
    body: 'uadd8 r2, r3, r4; add r2, r3; pkhbt r2, r3, r4; add r2, r3',
    cycles: 1 + 1 + 1 + 1 + 1 + 1,
  },
  'a store takes a late result at once': { body: 'mul.w r2, r3, r4; str r2, [r0]', args: [RAM], cycles: 2 },

  'load to use 2': { body: 'ldr r2, [r0]; add r2, r3', args: [RAM], cycles: 1 + 1 + 1 },
  'loads are issued every cycle': {
    body: 'ldr r2, [r0]; ldr r3, [r0, #4]; ldrb r4, [r0, #8]; add r3, r2',
    args: [RAM],
    cycles: 4,
  },
  'load to store 1': { body: 'ldr r2, [r0]; str r2, [r0, #4]', args: [RAM], cycles: 2 },
  'load to addend 1': { body: 'ldr r2, [r0]; mla r2, r3, r4, r2', args: [RAM], cycles: 2 },
  'load to addend of UXTAB 2': { body: 'ldr r2, [r0]; uxtab r2, r2, r4', args: [RAM], cycles: 1 + 1 + 1 },
  'LDM, STM of x registers x cycles, LDRD, STRD 2': {
    body: 'ldmia r0, {r1-r4}; stmia r0!, {r1-r4}; ldrd r1, r2, [r0]; nop.w; strd r1, r2, [r0]',
    args: [RAM],
    cycles: 4 + 4 + 2 + 1 + 2,
  },
  'POP with PC': { body: 'adr r1, 1f; adds r1, #1; push {r1}; pop {pc}; .balign 4; 1:', cycles: 1 + 1 + 1 + (1 + 3) },
  'POP with LR, two free cycles and a paired BX': {
    body: 'adr r1, 1f; adds r1, #1; push {r1, r2}; pop {r2, r3}; mov r10, r10; mov r10, r10; mov r10, r10; bx r2; .balign 4; 1:',
    cycles: 1 + 1 + 2 + 2 + 3 + 1,
  },
  'a branch to an unaligned 32-bit instruction (assumed)': { body: '.balign 4; b 1f; 1: nop.w', cycles: 2 + 2 },
  'divide (assumed)': { body: 'udiv r0, r0, r1', args: [0xffff_ffff, 1], cycles: 12 },

  'VADD, VMUL every cycle': { body: 'vmul.f32 s0, s1, s2; vadd.f32 s4, s5, s6; vmul.f32 s7, s8, s9', cycles: 3 },
  'unfused multiply-accumulates in 2 cycles each': {
    body: 'vmul.f32 s0, s1, s2; vmul.f32 s4, s5, s6; vadd.f32 s3, s3, s0; vadd.f32 s7, s7, s4',
    cycles: 4,
  },
  'VFMA to the addend 3': { body: 'vfma.f32 s0, s1, s2; mov r10, r10; mov r10, r10; vfma.f32 s0, s3, s4', cycles: 4 },
  'VFMA keeps the FPU for three cycles': { body: 'vfma.f32 s0, s1, s2; vldr s4, [r0]', args: [RAM], cycles: 1 + 2 + 1 },
  'VFMA to a factor 4, with another instruction between': {
    body: 'vfma.f32 s0, s1, s2; mov r10, r10; mov r10, r10; vadd.f32 s30, s30, s31; vfma.f32 s4, s3, s0',
    cycles: 5,
  },
  'issued a cycle early, VADD keeps the FPU': {
    body: 'vmul.f32 s0, s1, s2; vadd.f32 s3, s0, s4; vadd.f32 s5, s6, s7',
    cycles: 1 + 1 + 1 + 1,
  },
  'VLDR used after 1': { body: 'vldr s0, [r0]; vadd.f32 s1, s0, s0', args: [RAM], cycles: 2 },
  'VSTR waits for its value': { body: 'vadd.f32 s0, s1, s2; vstr s0, [r0]', args: [RAM], cycles: 1 + 1 + 1 },
  'VMOV of two registers to the core 2, from it 1': { body: 'vmov r2, r3, s0, s1; vmov s0, s1, r2, r3', cycles: 2 + 1 },
  'VMOV to the core is used after 2': { body: 'vmov r2, s0; add r2, r3', cycles: 1 + 1 + 1 },
};

describeCycles('cycles of micro-programs on Cortex-M33', 'core-m33', cases, END);

it('gives every number of Cortex-M33 a source', () => {
  for (const [name, cost] of Object.entries({ ...cortexM33, ...cortexM33Rules }))
    expect(cost.source.length, name).toBeGreaterThan(10);
});
