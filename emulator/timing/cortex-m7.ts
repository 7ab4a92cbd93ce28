/**
 * Cortex-M7 instruction costs with zero-wait memories (TCM, or caches that hit). Arm publishes no cycle table for this core. `measured` is jnk0le/random
 * 3dfc2abd, "pipeline cycle test/doc/cortex_m7.md", on an STM32H743; LLVM is the scheduling model ARMScheduleM7.td, written at Arm, whose stages
 * superscalar-pipeline.ts follows. Not counted: unaligned data, the store buffer when it is full.
 */
import type { Cost, CoreTiming } from './cost.ts';

type Sourced = Pick<Cost, 'source' | 'confidence'>;
const measured = (what: string): Sourced => ({
  source: `measured: jnk0le/random, STM32H743: ${what}`,
  confidence: 'measured',
});
const llvm = (what: string): Sourced => ({ source: `LLVM ARMScheduleM7.td: ${what}`, confidence: 'documented' });
const assumed = (source: string): Sourced => ({ source, confidence: 'assumed' });

const one: Cost = { cycles: 1, ...measured('one cycle, none as the younger of a pair') };
const transfer = measured('LDM, STM of n registers take ceil(n/2) cycles and pair with nothing');
/** Of a branch whose way was not foreseen. */
const UNFORESEEN = 8;
const indirect = assumed('not published: a target that the BTAC has half of the times');
const stop: Cost = { cycles: 1, ...assumed('the run stops here; an exception that follows is counted apart') };
const alone: Cost = { cycles: 3, ...llvm('stalls the whole pipeline, latency 3') };

export const cortexM7 = {
  alu: one,
  multiply: one,
  multiplyAccumulate: one,
  multiplyLong: one,
  multiplyLongAccumulate: one,
  divide: { cycles: 2, ...assumed('LLVM has 7, GCC 4; the rule is that of Cortex-M4, divideCycles') },
  aluPc: { cycles: 1, refill: UNFORESEEN / 2, ...indirect },

  load: one,
  loadPc: { cycles: 1, refill: UNFORESEEN / 2, ...indirect },
  storeImmediate: one,
  storeRegister: one,
  loadMultiple: { cycles: 0, perWord: 0.5, ...transfer },
  loadMultiplePc: { cycles: 0, perWord: 0.5, refill: UNFORESEEN / 2, ...indirect },
  storeMultiple: { cycles: 0, perWord: 0.5, ...transfer },
  loadDual: { cycles: 0, perWord: 0.5, ...transfer },
  storeDual: { cycles: 0, perWord: 0.5, ...transfer },
  exclusive: { cycles: 1, ...llvm('one cycle, pairs with nothing') },
  clearExclusive: alone,
  memoryHint: one,

  branch: { cycles: 1, refill: 0, ...measured('predicted taken, an instruction like any other') },
  branchIndirect: { cycles: 1, refill: UNFORESEEN / 2, ...indirect },
  branchLink: { cycles: 1, refill: 0, ...assumed('BL as B: predicted') },
  branchConditional: { cycles: 1, refill: 0, ...measured('predicted, an instruction like any other') },
  compareBranch: { cycles: 1, refill: 0, ...assumed('CBZ as a conditional branch') },
  tableBranch: { cycles: 2, refill: UNFORESEEN, ...assumed('LLVM: two cycles to issue; the target is not foreseen') },

  ifThen: { cycles: 1, ...measured('takes a place in a pair as others do') },
  hint: { cycles: 1, ...measured('NOP takes a place in a pair as others do') },
  yieldHint: alone,
  sendEvent: alone,
  dataBarrier: alone,
  instructionBarrier: { cycles: 1 + UNFORESEEN, ...assumed('as a branch that was not foreseen') },
  specialRegister: alone,
  changeState: { cycles: 1, ...assumed('not published') },

  fpArithmetic: one,
  fpMove: one,
  fpMovePair: { cycles: 1, ...measured('one cycle, pairs with nothing') },
  fpStatus: { cycles: 1, ...assumed('one cycle, pairs with nothing') },
  fpMultiplyAccumulate: one,
  fpDivide: { cycles: 16, ...measured('VDIV.F32 16') },
  fpSquareRoot: { cycles: 14, ...measured('VSQRT.F32 14') },
  fpLoad: { cycles: 0, perWord: 1, ...measured('VLDR of a single one; of a double one cycle, alone') },
  fpStore: { cycles: 0, perWord: 1, ...measured('VSTR of a single one; of a double one cycle, alone') },
  fpLoadMultiple: { cycles: 0, perWord: 0.5, ...transfer },
  fpStoreMultiple: { cycles: 0, perWord: 0.5, ...transfer },
  fpDoubleMove: one,
  fpDoubleArithmetic: {
    cycles: 2,
    ...measured('VADD.F64 1 with equal exponents, 2 with different ones; VMUL.F64 by rule'),
  },
  fpDoubleMultiplyAccumulate: { cycles: 7, ...measured('VFMA.F64, VMLA.F64 7 to 8, chained 5 to 7') },
  fpDoubleDivide: { cycles: 30, ...measured('VDIV.F64 30') },
  fpDoubleSquareRoot: { cycles: 30, ...llvm('VSQRT.F64 30') },

  supervisorCall: stop,
  breakpoint: stop,
  waitForInterrupt: { cycles: 1, ...assumed('not published') },
  waitForEvent: { cycles: 1, ...assumed('not published') },
  undefined: stop,
} as const satisfies CoreTiming['costs'];

/** Latencies are cycles from issue to the issue of an instruction that needs the result in the late ALU; an address needs it one cycle before that, an addend one after, a store two. */
export const cortexM7Rules = {
  earlyResult: { cycles: 0, ...measured('ADD, SUB, MOV, shifts in the early ALU; a base that is written back') },
  lateResult: { cycles: 1, ...measured('everything else') },
  wordLoad: { cycles: 1, ...measured('words to the late ALU in the next cycle, not to a shifted operand or a factor') },
  narrowLoad: { cycles: 2, ...measured('bytes and halfwords one cycle later than words') },
  multiplyResult: { cycles: 2, ...measured('multiplies, one more than the ALU; chained on the addend every cycle') },
  saturatedResult: { cycles: 2, ...llvm('SSAT, USAT, QADD and the like 2') },
  mispredicted: { cycles: UNFORESEEN, ...measured('branch that was not foreseen') },
  mispredictedEarlyFlags: { cycles: 6, ...measured('with flags set three cycles before it') },
  earlyFlags: { cycles: 3, ...measured('flags set at least three cycles before a branch') },
  prediction: {
    cycles: 0,
    ...assumed(
      'static: backward taken, forward not; the BTAC learns, which is not modelled: a loop that ends is mispredicted',
    ),
  },
  forwardTaken: {
    cycles: 2,
    ...assumed('a forward branch that is taken: of those the BTAC foresees three of four, the fourth costs 8'),
  },
  fetch: {
    cycles: 1,
    source:
      'DDI 0489F 2.1.1: 64 bits are fetched a cycle, ahead by a queue of four; a loop takes no less than the double words it touches',
    confidence: 'documented',
  },
  sameBank: {
    cycles: 1,
    ...assumed(
      'two loads pair if one base and their offsets prove different banks (measured); others are taken to conflict',
    ),
  },
  fpResult: { cycles: 3, ...measured('VADD, VMUL, moves to the FPU') },
  fpFusedResult: { cycles: 5, ...measured('VFMA') },
  fpMacResult: { cycles: 6, ...measured('VMLA') },
  fpAddend: { cycles: 3, ...measured('anything to the addend of VFMA, VMLA') },
  fpLoad: { cycles: 1, ...measured('VLDR, but to an addend') },
  fpStored: { cycles: 1, ...measured('VADD, VMUL to VSTR') },
  fpMacStored: { cycles: 3, ...measured('VFMA to VSTR; VMLA 4') },
  fpMacBusy: {
    cycles: 3,
    ...measured('no VADD in the three cycles after VFMA, VMLA, no VLDR, VSTR, VMOV as the younger'),
  },
  fpDoubleMultiply: { cycles: 5, ...measured('VMUL.F64 5') },
} as const satisfies Record<string, Cost>;

export const cortexM7Timing: CoreTiming = { costs: cortexM7, rules: cortexM7Rules, stages: 'six' };
