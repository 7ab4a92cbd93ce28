/** Rules between neighbouring instructions on Cortex-M3 and M4, as sourced numbers. `measured` by jnk0le: M3 STM32F103, M4 STM32F407 (jnk0le/random 3dfc2abd). */
import type { Cost } from './cost.ts';

export const threeStageRules = {
  loadData: {
    cycles: 1,
    source:
      'DDI 0439 3.3.2: LDR takes two cycles; the second is hidden under a load or store of the same memory that does not need the loaded register, or under a NOP (measured: jnk0le)',
    confidence: 'documented',
  },
  storeThenLoad: {
    cycles: 1,
    source:
      'measured: jnk0le: a store cannot be pipelined with a load or LDM after it; DDI 0439 3.3.2: nothing can be pipelined after the store',
    confidence: 'measured',
  },
  address: {
    cycles: 1,
    source: 'measured: jnk0le: base and offset must be available one cycle earlier than other operands; DDI 0439 3.3.2',
    confidence: 'measured',
  },
  fpResult: {
    cycles: 1,
    source: 'DDI 0439 7.2.3: the result of arithmetic is not available to the next instruction',
    confidence: 'documented',
  },
} as const satisfies Record<string, Cost>;
