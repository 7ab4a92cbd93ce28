/**
 * Cortex-M0+ instruction costs with zero-wait memories: TRM = Arm DDI 0484C, table 3-1. Two pipeline stages: nothing depends on neighbours, and
 * a taken branch costs one cycle more. Measured exact on a SAM D20 for all of curve9767 (fast multiplier, no wait states). Not counted: the
 * single-cycle I/O port, where loads and stores take 1; the second fetch of a branch to a 32-bit instruction that is not word-aligned.
 */
import type { CoreTiming } from './cost.ts';

const table31 = 'DDI 0484C table 3-1';
const REFILL = 1;
/** MULS with the small multiplier. */
const ITERATIVE_MULTIPLY_CYCLES = 32;

export const cortexM0plusTiming: CoreTiming = {
  stages: 'two',
  costs: {
    alu: {
      cycles: 1,
      source: `${table31}: move, add, compare, logical, shift, extend, reverse 1`,
      confidence: 'documented',
    },
    multiply: {
      cycles: 1,
      source: `${table31}: MULS 1 with the fast multiplier, 32 with the small one`,
      confidence: 'documented',
    },
    aluPc: { cycles: 1, refill: REFILL, source: `${table31}: ADD PC, MOV PC 2`, confidence: 'documented' },

    load: { cycles: 2, source: `${table31}: LDR 2 on AHB`, confidence: 'documented' },
    storeImmediate: { cycles: 2, source: `${table31}: STR 2 on AHB`, confidence: 'documented' },
    storeRegister: { cycles: 2, source: `${table31}: STR 2 on AHB`, confidence: 'documented' },
    loadMultiple: { cycles: 1, perWord: 1, source: `${table31}: LDM, POP 1+N`, confidence: 'documented' },
    loadMultiplePc: {
      cycles: 1,
      perWord: 1,
      refill: 2,
      source: `${table31}: POP with PC 3+N, N with PC`,
      confidence: 'documented',
    },
    storeMultiple: { cycles: 1, perWord: 1, source: `${table31}: STM, PUSH 1+N`, confidence: 'documented' },

    branch: { cycles: 1, refill: REFILL, source: `${table31}: B 2`, confidence: 'documented' },
    branchIndirect: { cycles: 1, refill: REFILL, source: `${table31}: BX, BLX 2`, confidence: 'documented' },
    branchLink: { cycles: 2, refill: REFILL, source: `${table31}: BL 3`, confidence: 'documented' },
    branchConditional: { cycles: 1, refill: REFILL, source: `${table31}: 1 or 2`, confidence: 'documented' },

    hint: { cycles: 1, source: `${table31}: NOP 1; reserved hints execute as NOP`, confidence: 'documented' },
    yieldHint: { cycles: 1, source: `${table31}: YIELD 1`, confidence: 'documented' },
    sendEvent: { cycles: 1, source: `${table31}: SEV 1`, confidence: 'documented' },
    dataBarrier: { cycles: 3, source: `${table31}: DMB, DSB 3`, confidence: 'documented' },
    instructionBarrier: { cycles: 3, source: `${table31}: ISB 3`, confidence: 'documented' },
    specialRegister: { cycles: 3, source: `${table31}: MRS, MSR 3`, confidence: 'documented' },
    changeState: { cycles: 1, source: `${table31}: CPS 1`, confidence: 'documented' },

    supervisorCall: {
      cycles: 1,
      source: `${table31} gives none; the exception's entry is counted apart`,
      confidence: 'assumed',
    },
    breakpoint: {
      cycles: 1,
      source: `${table31} gives none; a semihosting call is free but for this cycle`,
      confidence: 'assumed',
    },
    waitForInterrupt: { cycles: 2, source: `${table31}: WFI 2, and the sleep`, confidence: 'documented' },
    waitForEvent: { cycles: 2, source: `${table31}: WFE 2, and the sleep`, confidence: 'documented' },
    undefined: {
      cycles: 1,
      source: 'UDF and encodings this core does not have: the run stops before them',
      confidence: 'documented',
    },
  },
};

/** The table of a part built with the small multiplier. */
export function withIterativeMultiplier(timing: CoreTiming): CoreTiming {
  const source = `${table31}: MULS 32 with the small multiplier`;
  return {
    ...timing,
    costs: {
      ...timing.costs,
      multiply: { cycles: ITERATIVE_MULTIPLY_CYCLES, source, confidence: 'documented' },
    },
  };
}
