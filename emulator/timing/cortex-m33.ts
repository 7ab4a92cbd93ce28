/**
 * Cortex-M33 instruction costs with zero-wait memories. Arm publishes no cycle table for this core: `measured` is jnk0le/random 3dfc2abd, "pipeline
 * cycle test/doc/cortex_m33.md", on an RP2350 (r1p0). What depends on neighbours is in the rules below and in paired-pipeline.ts. Not
 * counted: unaligned data, contention between fetches and literal loads.
 */
import type { Cost, CoreTiming } from './cost.ts';

const jnk0le = 'measured: jnk0le/random, RP2350';
const asM4 = 'not published; as Cortex-M4 (DDI 0439 table 3-1)';
const measured = (what: string): Pick<Cost, 'source' | 'confidence'> => ({
  source: `${jnk0le}: ${what}`,
  confidence: 'measured',
});
const assumed = (source: string): Pick<Cost, 'source' | 'confidence'> => ({ source, confidence: 'assumed' });

const branch: Cost = { cycles: 1, refill: 1, ...measured('taken 2, not taken 1 (both less in a pair)') };
const transfer = measured('loads and stores of x registers take x cycles, of the FPU too');
const stop: Cost = { cycles: 1, ...assumed('the run stops here; an exception that follows is counted apart') };

export const cortexM33 = {
  alu: { cycles: 1, ...measured('one cycle, results that are late by rule') },
  multiply: { cycles: 1, ...measured('one cycle, result after two; MULS takes one more (Arm KA001260)') },
  multiplyAccumulate: { cycles: 1, ...measured('one cycle, result after two') },
  multiplyLong: { cycles: 1, ...assumed('the measurement of multiply-accumulates does not tell long ones apart') },
  multiplyLongAccumulate: { cycles: 1, ...assumed('the measurement does not tell long ones apart') },
  divide: { cycles: 2, ...assumed('not published; the rule is that of Cortex-M4, divideCycles') },
  aluPc: { cycles: 1, refill: 1, ...assumed('as a branch') },

  load: { cycles: 1, ...measured('one cycle, value after two') },
  loadPc: { cycles: 1, refill: 3, ...assumed('as POP with PC of one register') },
  storeImmediate: { cycles: 1, ...measured('one cycle') },
  storeRegister: { cycles: 1, ...assumed('one cycle: no other cost was seen') },
  loadMultiple: { cycles: 0, perWord: 1, ...transfer },
  loadMultiplePc: {
    cycles: 0,
    perWord: 1,
    refill: 3,
    ...measured('POP with PC is two cycles slower than POP with LR, two free cycles and a paired BX'),
  },
  storeMultiple: { cycles: 0, perWord: 1, ...transfer },
  loadDual: { cycles: 0, perWord: 1, ...transfer },
  storeDual: { cycles: 0, perWord: 1, ...transfer },
  exclusive: { cycles: 1, ...assumed('not published; as LDR, STR') },
  clearExclusive: { cycles: 1, ...assumed(asM4) },
  memoryHint: { cycles: 1, ...assumed('PLD, PLI do nothing on this core') },

  branch,
  branchIndirect: branch,
  branchLink: { cycles: 1, refill: 1, ...assumed('as a branch') },
  branchConditional: branch,
  compareBranch: { cycles: 1, refill: 1, ...assumed('CBZ as a conditional branch') },
  tableBranch: { cycles: 2, refill: 3, ...assumed('as a load to the PC and an addition') },

  ifThen: { cycles: 1, ...measured('pairs with the instruction before it') },
  hint: { cycles: 1, ...measured('NOP one cycle; what follows may pair with it') },
  yieldHint: { cycles: 1, ...assumed(asM4) },
  sendEvent: { cycles: 1, ...assumed(asM4) },
  dataBarrier: { cycles: 1, ...assumed(asM4) },
  instructionBarrier: { cycles: 3, ...assumed(asM4) },
  specialRegister: { cycles: 2, ...assumed(asM4) },
  changeState: { cycles: 1, ...assumed(asM4) },

  fpArithmetic: { cycles: 1, ...measured('VADD, VMUL every cycle, result after two') },
  fpMove: { cycles: 1, ...measured('one cycle') },
  fpMovePair: { cycles: 1, ...measured('one cycle to the FPU; to the core by rule') },
  fpStatus: { cycles: 1, ...assumed('not published; as Cortex-M4 (DDI 0439 table 7-1)') },
  fpMultiplyAccumulate: { cycles: 1, ...measured('one cycle, the FPU is busy for two more') },
  fpDivide: { cycles: 14, ...assumed('not published; as Cortex-M4 (DDI 0439 table 7-1)') },
  fpSquareRoot: { cycles: 14, ...assumed('not published; as Cortex-M4 (DDI 0439 table 7-1)') },
  fpLoad: { cycles: 0, perWord: 1, ...transfer },
  fpStore: { cycles: 0, perWord: 1, ...transfer },
  fpLoadMultiple: { cycles: 0, perWord: 1, ...transfer },
  fpStoreMultiple: { cycles: 0, perWord: 1, ...transfer },

  supervisorCall: stop,
  breakpoint: stop,
  waitForInterrupt: { cycles: 1, ...assumed(asM4) },
  waitForEvent: { cycles: 1, ...assumed(asM4) },
  undefined: stop,
} as const satisfies CoreTiming['costs'];

/** Between neighbouring instructions. Latencies are cycles from an instruction's first one to that of another that can use its result. */
export const cortexM33Rules = {
  resultLatency: {
    cycles: 2,
    ...measured('shifted operands, multiplies, SIMD; for a store or the addend of a MAC one less'),
  },
  loadLatency: { cycles: 2, ...measured('for a store or the addend of a MAC one less') },
  lateFlags: { cycles: 1, ...measured('flags of an instruction with a shifted register come a cycle later') },
  flagsOfLateResult: { cycles: 1, ...measured('MULS and a shifted constant with flags take two cycles') },
  loadedBranchTarget: { cycles: 2, ...measured('BX needs two cycles between it and the load of its register') },
  unalignedTarget: {
    cycles: 1,
    ...assumed('32-bit fetches: a branch to a 32-bit instruction that is not word-aligned needs two, as on Cortex-M4'),
  },
  fpLatency: { cycles: 2, ...measured('of VADD, VMUL and others') },
  fpMacToAddend: { cycles: 3, ...measured('VFMA, VMLA to the addend of another') },
  fpMacLatency: { cycles: 4, ...measured('VFMA, VMLA to anything else') },
  fpMacBusy: { cycles: 2, ...measured('no other instruction of the FPU in the two cycles after VFMA, VMLA') },
  fpToCoreLatency: { cycles: 2, ...measured('VMOV to a core register') },
  fpPairToCore: { cycles: 1, ...measured('VMOV to two core registers takes one more') },
} as const satisfies Record<string, Cost>;

export const cortexM33Timing: CoreTiming = { costs: cortexM33, rules: cortexM33Rules, stages: 'three-paired' };
