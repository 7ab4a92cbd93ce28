/**
 * Cortex-M4 instruction costs with zero-wait memories, as data: every number says where it comes from and how far it is trusted.
 * TRM = Arm DDI 0439B/D, table 3-1 and section 3.3 (processor), table 7-1 and section 7.2.3 (FPU).
 * What depends on neighbours is in three-stage-rules.ts. Not counted: unaligned data, contention between fetches and literal loads.
 */
import type { Cost, CoreTiming } from './cost.ts';
import { threeStageRules } from './three-stage-rules.ts';

/**
 * TRM: P is 1 to 3, "depending on the alignment and width of the target instruction". The target of a direct branch is fetched while the branch is in
 * decode, that of others when it executes; the extra cycle of a target that is not word-aligned comes from the fetch queue.
 */
const REFILL = 1;
const REFILL_INDIRECT = 2;

const table31 = 'DDI 0439 table 3-1';
const fpu = 'DDI 0439 table 7-1';

export const cortexM4 = {
  alu: { cycles: 1, source: table31, confidence: 'documented' },
  multiply: { cycles: 1, source: `${table31}: MUL, SMULxy, SMUAD, ... 1`, confidence: 'documented' },
  multiplyAccumulate: { cycles: 1, source: `${table31}: MLA, MLS, SMLAxy, SMLAD, ... 1`, confidence: 'documented' },
  multiplyLong: { cycles: 1, source: `${table31}: SMULL, UMULL 1`, confidence: 'documented' },
  multiplyLongAccumulate: { cycles: 1, source: `${table31}: SMLAL, UMLAL, UMAAL, ... 1`, confidence: 'documented' },
  divide: {
    cycles: 2,
    source: `${table31}: 2 to 12 by early termination; the rule is divideCycles`,
    confidence: 'assumed',
  },
  aluPc: { cycles: 1, refill: REFILL_INDIRECT, source: `${table31}: ADD PC, MOV PC 1+P`, confidence: 'assumed' },

  load: {
    cycles: 1,
    source: `${table31}: 2, of which the data phase is a rule of its own (three-stage-rules.ts)`,
    confidence: 'documented',
  },
  loadPc: {
    cycles: 2,
    refill: 3,
    source: '3.3.2: LDR PC takes at least two cycles for the load and three for the reload',
    confidence: 'documented',
  },
  storeImmediate: { cycles: 1, source: '3.3.2: STR Rx,[Ry,#imm] is always one cycle', confidence: 'documented' },
  storeRegister: {
    cycles: 2,
    source: `${table31}: 2; also measured (jnk0le/random, M4)`,
    confidence: 'documented',
  },
  loadMultiple: {
    cycles: 2,
    perWord: 1,
    source: `measured: N+2 (pornin/curve9767 ops_cm4.s; AES of Ko-/aes-armcortexm to the cycle); ${table31} has 1+N`,
    confidence: 'measured',
  },
  loadMultiplePc: {
    cycles: 1,
    perWord: 1,
    refill: REFILL_INDIRECT,
    source: `${table31}: 1+N+P`,
    confidence: 'assumed',
  },
  storeMultiple: { cycles: 1, perWord: 1, source: `${table31}: STM, PUSH 1+N`, confidence: 'documented' },
  loadDual: {
    cycles: 2,
    perWord: 1,
    source: `measured: N+2 as LDM (pornin/curve9767 on STM32F407); ${table31} has 1+N`,
    confidence: 'measured',
  },
  storeDual: { cycles: 1, perWord: 1, source: `${table31}: STRD 1+N`, confidence: 'documented' },
  exclusive: { cycles: 1, source: `${table31}: LDREX, STREX 2; 3.3.2: they pipeline as LDR`, confidence: 'documented' },
  clearExclusive: { cycles: 1, source: table31, confidence: 'documented' },
  memoryHint: { cycles: 1, source: 'PLD, PLI do nothing on this core', confidence: 'assumed' },

  branch: { cycles: 1, refill: REFILL, source: `${table31}: B 1+P`, confidence: 'assumed' },
  branchIndirect: { cycles: 1, refill: REFILL_INDIRECT, source: `${table31}: BX, BLX 1+P`, confidence: 'assumed' },
  branchLink: { cycles: 1, refill: REFILL, source: `${table31}: BL 1+P`, confidence: 'assumed' },
  branchConditional: { cycles: 1, refill: REFILL, source: `${table31}: 1 or 1+P`, confidence: 'assumed' },
  compareBranch: { cycles: 1, refill: REFILL, source: `${table31}: CBZ 1 or 1+P`, confidence: 'assumed' },
  tableBranch: {
    cycles: 3,
    refill: 3,
    source: '3.3.2: TBB, TBH take two cycles for the load, one for the add, three for the reload',
    confidence: 'documented',
  },

  ifThen: {
    cycles: 1,
    source: `${table31}: IT 1; 0 after a 16-bit instruction, into which it is folded (DDI 0439 3.3.1); exactly when is not said`,
    confidence: 'assumed',
  },
  hint: { cycles: 1, source: `${table31}: NOP 1; reserved hints execute as NOP`, confidence: 'documented' },
  yieldHint: { cycles: 1, source: `${table31}: YIELD 1`, confidence: 'documented' },
  sendEvent: { cycles: 1, source: `${table31}: SEV 1`, confidence: 'documented' },
  dataBarrier: { cycles: 1, source: `${table31}: 1+B, B at least 0 for DMB and DSB`, confidence: 'documented' },
  instructionBarrier: {
    cycles: 1 + REFILL_INDIRECT,
    source: `${table31}: 1+B, B at least a refill for ISB`,
    confidence: 'assumed',
  },
  specialRegister: { cycles: 2, source: `${table31}: MRS, MSR 1 or 2`, confidence: 'assumed' },
  changeState: { cycles: 1, source: `${table31}: CPS 1 or 2`, confidence: 'assumed' },

  fpArithmetic: { cycles: 1, source: `${fpu}: VADD, VMUL, VCVT, VCMP, VABS, VNEG 1`, confidence: 'documented' },
  fpMove: { cycles: 1, source: `${fpu}: VMOV immediate, register, core to single 1`, confidence: 'documented' },
  fpMovePair: { cycles: 2, source: `${fpu}: VMOV of two core registers 2`, confidence: 'documented' },
  fpStatus: { cycles: 1, source: `${fpu}: VMRS, VMSR 1`, confidence: 'documented' },
  fpMultiplyAccumulate: { cycles: 3, source: `${fpu}: VMLA, VMLS, VNMLA, VFMA, ... 3`, confidence: 'documented' },
  fpDivide: { cycles: 14, source: `${fpu}: VDIV 14`, confidence: 'documented' },
  fpSquareRoot: { cycles: 14, source: `${fpu}: VSQRT 14`, confidence: 'documented' },
  fpLoad: { cycles: 1, perWord: 1, source: `${fpu}: VLDR 2 (single), 3 (double)`, confidence: 'documented' },
  fpStore: { cycles: 1, perWord: 1, source: `${fpu}: VSTR 2 (single), 3 (double)`, confidence: 'documented' },
  fpLoadMultiple: { cycles: 1, perWord: 1, source: `${fpu}: VLDM, VPOP 1+N words`, confidence: 'documented' },
  fpStoreMultiple: { cycles: 1, perWord: 1, source: `${fpu}: VSTM, VPUSH 1+N words`, confidence: 'documented' },

  supervisorCall: {
    cycles: 1,
    source: `${table31} gives none; exceptions are not modelled, the run stops here`,
    confidence: 'assumed',
  },
  breakpoint: {
    cycles: 1,
    source: `${table31} gives none; a semihosting call is free but for this cycle`,
    confidence: 'assumed',
  },
  waitForInterrupt: { cycles: 1, source: `${table31}: 1+W`, confidence: 'documented' },
  waitForEvent: { cycles: 1, source: `${table31}: 1+W`, confidence: 'documented' },
  undefined: {
    cycles: 1,
    source: 'UDF and encodings this core does not have: the run stops before them',
    confidence: 'documented',
  },
} as const satisfies Record<string, Cost>;

export const cortexM4Timing: CoreTiming = { costs: cortexM4, rules: threeStageRules, stages: 'three' };

/** An instruction whose IT condition fails still passes through the pipeline (DDI 0439 3.3.1). */
export const SKIPPED_CYCLES = 1;

/** Most that divideCycles gives. */
export const DIVIDE_CYCLES_MAX = 12;

/**
 * UDIV, SDIV: 2 when the quotient is 0 or the divisor 0, else 4 plus one for every 4 quotient bits, 5..12. The TRM documents only
 * the range and that leading zeros end the work early; the step of 4 bits a cycle is what reaches 12 for 32 bits.
 */
export function divideCycles(dividend: number, divisor: number, signed: boolean): number {
  const n = signed ? Math.abs(dividend | 0) : dividend >>> 0;
  const d = signed ? Math.abs(divisor | 0) : divisor >>> 0;
  if (d === 0 || n < d) return 2;
  const quotientBits = Math.clz32(d) - Math.clz32(n) + 1;
  return 4 + Math.ceil(quotientBits / 4);
}
