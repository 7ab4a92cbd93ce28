/** Micro-programs of the FPU's classes of the timing table; see micro-programs.ts. */
import type { MicroProgram } from './micro-programs.ts';

/** As in micro-programs.ts, which takes these in. */
const RAM = 0x2000_1000;

export const fpuPrograms: Readonly<Record<string, MicroProgram>> = {
  fp_arithmetic: {
    body: 'vmov s0, r0; vmov.f32 s2, #2.0; vadd.f32 s1, s0, s2; vmov.f32 s3, #3.0; vmul.f32 s1, s1, s2; nop; vmov r0, s1',
    args: [0x3f80_0000],
    value: 0x40c0_0000,
    cycles: 7,
    instructions: 7,
  },
  fp_result_used: {
    body: 'vmov s0, r0; vadd.f32 s1, s0, s0; vmul.f32 s1, s1, s0; vmov r0, s1',
    args: [0x3f80_0000],
    value: 0x4000_0000,
    cycles: 1 + 1 + 2 + 2,
    instructions: 4,
  },
  fp_addend_is_free: {
    body: 'vmov s0, r0; vadd.f32 s1, s0, s0; vmla.f32 s1, s0, s0; nop; vmov r0, s1',
    args: [0x3f80_0000],
    value: 0x4040_0000,
    cycles: 1 + 1 + 3 + 1 + 1,
    instructions: 5,
  },
  fp_divide: {
    body: 'vmov s0, r0; vdiv.f32 s1, s0, s0; vsqrt.f32 s2, s0; nop; vmov r0, s1',
    args: [0x4080_0000],
    value: 0x3f80_0000,
    cycles: 1 + 14 + 14 + 1 + 1,
    instructions: 5,
  },
  fp_load_store: {
    body: 'vldr s0, [r0]; vldr d1, [r0]; vstr s0, [r0, #4]; vstr d1, [r0, #8]; ldr r0, [r0, #4]',
    args: [RAM],
    value: 0x1122_3344,
    cycles: 2 + 3 + 2 + 3 + 2,
    instructions: 5,
  },
  fp_multiple: {
    body: 'vldmia r0, {s0-s3}; vpush {s0-s3}; vpop {d0-d1}; vmov r0, s1',
    args: [RAM],
    value: 0x5566_7788,
    cycles: 5 + 5 + 5 + 1,
    instructions: 4,
  },
  fp_moves: {
    body: 'vmov d0, r0, r1; vmov r0, r1, d0; vmrs r2, fpscr; vmsr fpscr, r2',
    args: [1, 2],
    value: 1,
    cycles: 2 + 2 + 1 + 1,
    instructions: 4,
  },
  fp_convert: {
    body: 'vmov s0, r0; vcvt.f32.s32 s1, s0; nop; vcvt.s32.f32 s1, s1; nop; vmov r0, s1',
    args: [-7],
    value: -7,
    cycles: 6,
    instructions: 6,
  },
  fp_compare: {
    body: 'vmov s0, r0; vcmp.f32 s0, #0; vmrs apsr_nzcv, fpscr',
    args: [0xbf80_0000],
    cycles: 3,
    instructions: 3,
    flags: 'N....',
  },
};
