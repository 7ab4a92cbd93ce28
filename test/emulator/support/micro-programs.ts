/**
 * Micro-programs, one or more for every class of the timing table, with result, flags and cost. Cycles are written out as the sum of
 * the table's numbers and those of three-stage-rules.ts; the final `bx lr`, a taken branch, is not in them. A load is written with its data
 * phase (2) unless something hides it, a store with what it adds to a load after it in parentheses, IT after a 16-bit instruction as 0.
 */

import { fpuPrograms } from './fpu-programs.ts';

/** First word of RAM, holding 0x11223344 0x55667788 ... before every case. */
export const RAM = 0x2000_1000;

export interface MicroProgram {
  readonly body: string;
  readonly args?: readonly number[];
  readonly value?: number;
  /** Without the final `bx lr`. */
  readonly cycles: number;
  readonly instructions: number;
  /** N Z C V Q. */
  readonly flags?: string;
}

export const microPrograms: Readonly<Record<string, MicroProgram>> = {
  adds: {
    body: 'adds r0, r0, r1',
    args: [0x7fff_ffff, 1],
    value: 0x8000_0000 | 0,
    cycles: 1,
    instructions: 1,
    flags: 'N..V.',
  },
  subs: { body: 'subs r0, r0, r1', args: [5, 5], value: 0, cycles: 1, instructions: 1, flags: '.ZC..' },
  shift_rotate: {
    body: 'lsls r0, r0, #4; ror.w r0, r0, r1; clz r0, r0',
    args: [0x10, 8],
    value: 31,
    cycles: 3,
    instructions: 3,
  },
  wide_immediates: { body: 'movw r0, #0x5678; movt r0, #0x1234', value: 0x1234_5678, cycles: 2, instructions: 2 },
  bit_fields: {
    body: 'ubfx r0, r0, #4, #8; bfi r0, r1, #8, #4; rev r0, r0',
    args: [0xabc0, 5],
    value: 0xbc05_0000 | 0,
    cycles: 3,
    instructions: 3,
  },
  saturate: {
    body: 'ssat r0, #8, r0; sxtb r0, r0; usat r1, #4, r1',
    args: [1000, 7],
    value: 127,
    cycles: 3,
    instructions: 3,
    flags: '....Q',
  },
  mul: {
    body: 'mul r0, r0, r1; mla r0, r0, r1, r1; mls r0, r0, r1, r1',
    args: [3, 4],
    value: 4 - (3 * 4 * 4 + 4) * 4,
    cycles: 3,
    instructions: 3,
  },
  long_multiplies: {
    body: 'smull r0, r2, r0, r1; umlal r0, r2, r1, r1; smlal r0, r2, r1, r1',
    args: [6, 7],
    value: 42 + 49 + 49,
    cycles: 3,
    instructions: 3,
  },
  dsp: {
    body: 'smlad r0, r1, r1, r0; smuad r2, r1, r1; qadd r0, r0, r2; sxtb16 r1, r1',
    args: [1, 0x0002_0003],
    value: 1 + 13 + 13,
    cycles: 4,
    instructions: 4,
  },

  udiv_small: { body: 'udiv r0, r0, r1', args: [1, 2], value: 0, cycles: 2, instructions: 1 },
  udiv_large: { body: 'udiv r0, r0, r1', args: [0xffff_ffff, 1], value: -1, cycles: 12, instructions: 1 },
  sdiv_negative: { body: 'sdiv r0, r0, r1', args: [-1000, 7], value: -142, cycles: 4 + 2, instructions: 1 },
  div_by_zero: { body: 'udiv r0, r0, r1', args: [1000, 0], value: 0, cycles: 2, instructions: 1 },
  divide_in_it_taken: {
    body: 'cmp r0, #0; it ne; udivne r0, r0, r1',
    args: [1000, 7],
    value: 142,
    cycles: 1 + 0 + 6,
    instructions: 3,
  },
  divide_in_it_skipped: {
    body: 'cmp r0, #0; it ne; udivne r0, r0, r1',
    args: [0, 7],
    value: 0,
    cycles: 1 + 0 + 1,
    instructions: 3,
  },

  load_alone: { body: 'ldr r0, [r0]; nop', args: [RAM], value: 0x1122_3344, cycles: 1 + 1, instructions: 2 },
  loads_pipelined: {
    body: 'ldr r1, [r0]; ldr r2, [r0, #4]; ldrb r3, [r0, #8]; movs r0, r3',
    args: [RAM],
    value: 0xcc,
    cycles: 2 + 1 + 1 + 1,
    instructions: 4,
  },
  loads_dependent: {
    body: 'ldr r1, [r0, #16]; ldr r0, [r1]',
    args: [RAM],
    value: 0x1122_3344,
    cycles: 2 + 2,
    instructions: 2,
  },
  load_literal: { body: 'ldr r0, =0x12345678; nop', value: 0x1234_5678, cycles: 1 + 1, instructions: 2 },
  load_post_indexed: {
    body: 'ldrsh r1, [r0], #2; ldrsh.w r2, [r0, #-2]!; adds r0, r1, r2',
    args: [RAM],
    value: 0x6688,
    cycles: 2 + 1 + 1,
    instructions: 3,
  },
  store_immediate: {
    body: 'str r1, [r0]; strb r1, [r0, #4]; ldr r0, [r0]',
    args: [RAM, 77],
    value: 77,
    cycles: 1 + 1 + (1 + 2),
    instructions: 3,
  },
  store_register: {
    body: 'str r1, [r0, r2]; ldr r0, [r0]',
    args: [RAM, 77, 0],
    value: 77,
    cycles: 2 + (1 + 2),
    instructions: 2,
  },
  store_register_after_load: {
    body: 'ldr r3, [r0]; str r1, [r0, r2]; ldr r0, [r0]',
    args: [RAM, 78, 0],
    value: 78,
    cycles: 1 + 2 + (1 + 2),
    instructions: 3,
  },
  load_dual: {
    body: 'ldrd r2, r3, [r0]; strd r3, r2, [r0]; ldr r0, [r0]',
    args: [RAM],
    value: 0x5566_7788,
    cycles: 4 + 3 + 2,
    instructions: 3,
  },
  load_multiple: {
    body: 'ldmia r0, {r1, r2, r3}; stmia r0!, {r2, r3}; movs r0, r2',
    args: [RAM],
    value: 0x5566_7788,
    cycles: 5 + 3 + 1,
    instructions: 3,
  },
  push_pop: {
    body: 'push {r4, r5, r6}; movs r4, #9; movs r0, r4; pop {r4, r5, r6}',
    value: 9,
    cycles: 4 + 1 + 1 + 5,
    instructions: 4,
  },
  exclusive: {
    body: 'ldrex r1, [r0]; adds r1, #1; strex r2, r1, [r0]; clrex; movs r0, r2',
    args: [RAM],
    value: 0,
    cycles: 2 + 1 + 2 + 1 + 1,
    instructions: 5,
  },
  load_in_it_taken: {
    body: 'cmp r0, #0; it ne; ldrne r0, [r0]',
    args: [RAM],
    value: 0x1122_3344,
    cycles: 1 + 0 + 2,
    instructions: 3,
  },
  load_in_it_skipped: {
    body: 'cmp r0, #0; it ne; ldrne r0, [r0]',
    args: [0],
    value: 0,
    cycles: 1 + 0 + 1,
    instructions: 3,
  },

  // Fetch queue: the third 32-bit instruction in a row that is not word-aligned waits one cycle (measured: jnk0le, compendium.i-0.nl), aligned ones do not.
  wide_aligned: {
    body: 'nop.w; add.w r0, r0, r1; add.w r0, r0, r1; add.w r0, r0, r1; add.w r0, r0, r1; add.w r0, r0, r1; nop.w',
    args: [1, 2],
    value: 11,
    cycles: 7,
    instructions: 7,
  },
  wide_unaligned: {
    body: 'nop; add.w r0, r0, r1; add.w r0, r0, r1; add.w r0, r0, r1; add.w r0, r0, r1; add.w r0, r0, r1; add.w r0, r0, r1; nop',
    args: [1, 2],
    value: 13,
    cycles: 8 + 2,
    instructions: 8,
  },
  branch_to_wide_aligned: { body: 'b 1f; .balign 4; 1: nop.w', cycles: 2 + 1, instructions: 2 },
  // The target's second word arrives a cycle later (measured: jnk0le, compendium.i-0.nl).
  branch_to_wide_unaligned: { body: 'b 1f; .balign 4; nop; 1: nop.w; nop', cycles: 2 + (1 + 1) + 1, instructions: 3 },
  // jnk0le: base and offset are needed a cycle early; the data of a store are not.
  address_computed: {
    body: 'adds r0, #4; ldr r0, [r0]',
    args: [RAM],
    value: 0x5566_7788,
    cycles: 1 + (1 + 2),
    instructions: 2,
  },
  address_computed_before: {
    body: 'adds r0, #4; movs r1, #0; ldr r0, [r0]',
    args: [RAM],
    value: 0x5566_7788,
    cycles: 1 + 1 + 2,
    instructions: 3,
  },
  store_data_computed: {
    body: 'adds r1, #4; str r1, [r0]; movs r0, #0',
    args: [RAM, 1],
    cycles: 1 + 1 + 1,
    instructions: 3,
  },
  // jnk0le: a store goes into the data phase of the load before it.
  load_then_store: {
    body: 'ldr r1, [r0]; str r1, [r0, #4]; movs r0, #0',
    args: [RAM],
    cycles: 1 + 1 + 1,
    instructions: 3,
  },

  branch_taken: { body: 'b 1f; nop; 1: nop', cycles: 2 + 1, instructions: 2 },
  branch_conditional_taken: { body: 'cmp r0, #1; beq 1f; nop; 1: nop', args: [1], cycles: 1 + 2 + 1, instructions: 3 },
  branch_conditional_not_taken: {
    body: 'cmp r0, #1; beq 1f; nop; 1: nop',
    args: [2],
    cycles: 1 + 1 + 1 + 1,
    instructions: 4,
  },
  compare_branch: { body: 'cbz r0, 1f; nop; 1: nop', args: [0], cycles: 2 + 1, instructions: 2 },
  compare_branch_not_taken: { body: 'cbz r0, 1f; nop; 1: nop', args: [1], cycles: 1 + 1 + 1, instructions: 3 },
  call_and_return: {
    body: 'mov r3, lr; bl 1f; mov lr, r3; b 2f; 1: bx lr; 2: nop',
    cycles: 1 + 2 + 3 + 1 + 2 + 1,
    instructions: 6,
  },
  loop: { body: '1: subs r0, #1; bne 1b', args: [10], value: 0, cycles: 10 * 1 + 9 * 2 + 1, instructions: 20 },
  table_branch: {
    body: 'tbb [pc, r0]; 3: .byte (1f-3b)/2, (2f-3b)/2; 1: nop; 2: nop',
    args: [1],
    cycles: 3 + 3 + 1,
    instructions: 2,
  },
  pop_to_pc: {
    body: 'adr r3, 1f; adds r3, #1; push {r3}; pop {pc}; .balign 4; 1: nop',
    cycles: 1 + 1 + 2 + (1 + 1 + 2) + 1,
    instructions: 5,
  },
  load_to_pc: {
    body: 'ldr r3, =1f+1; push {r3}; ldr pc, [sp], #4; .balign 4; 1: nop',
    cycles: 2 + 2 + 5 + 1,
    instructions: 4,
  },
  mov_to_pc: { body: 'adr r3, 1f; mov pc, r3; .balign 4; 1: nop', cycles: 1 + 3 + 1, instructions: 3 },
  branch_in_it_taken: {
    body: 'cmp r0, #0; it eq; bxeq lr; movs r0, #5',
    args: [0],
    value: 0,
    cycles: 1 + 0,
    instructions: 2,
  },
  branch_in_it_skipped: {
    body: 'cmp r0, #0; it eq; bxeq lr; movs r0, #5',
    args: [1],
    value: 5,
    cycles: 1 + 0 + 1 + 1,
    instructions: 4,
  },
  if_then: {
    body: 'cmp r0, #3; ite eq; moveq r0, #1; movne r0, #2',
    args: [3],
    value: 1,
    cycles: 1 + 0 + 1 + 1,
    instructions: 4,
  },
  hints: { body: 'nop; sev; yield', cycles: 3, instructions: 3 },
  barriers: { body: 'dmb; dsb; isb', cycles: 1 + 1 + 3, instructions: 3 },
  special_registers: {
    body: 'mrs r0, primask; msr apsr_nzcvq, r0; cpsid i; cpsie i',
    value: 0,
    cycles: 2 + 2 + 1 + 1,
    instructions: 4,
  },

  ...fpuPrograms,
};
