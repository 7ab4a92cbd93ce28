/**
 * Cortex-M3 instruction costs with zero-wait memories: TRM = Arm DDI 0337I, table 3-1 and section 3.3. The pipeline is the Cortex-M4's; what
 * differs are multiplies, and there is neither a DSP extension nor an FPU.
 */
import type { Cost, CoreTiming, TimingClass } from './cost.ts';
import { cortexM4 } from './cortex-m4.ts';
import { threeStageRules } from './three-stage-rules.ts';

const table31 = 'DDI 0337I table 3-1';
/** Dumps of programs run on real parts. */
const cmemu =
  'measured on an STM32F100 (mimuw-distributed-systems-group/cmemu, tests/stm32f100rbt6/instructions/memory)';

/** The classes whose cost both manuals give alike; the M4's sources are replaced by the M3's. */
const SHARED = [
  'alu',
  'aluPc',
  'divide',
  'load',
  'loadPc',
  'storeImmediate',
  'storeRegister',
  'loadMultiplePc',
  'storeMultiple',
  'storeDual',
  'exclusive',
  'clearExclusive',
  'memoryHint',
  'branch',
  'branchIndirect',
  'branchLink',
  'branchConditional',
  'compareBranch',
  'tableBranch',
  'ifThen',
  'hint',
  'yieldHint',
  'sendEvent',
  'dataBarrier',
  'instructionBarrier',
  'specialRegister',
  'changeState',
  'supervisorCall',
  'breakpoint',
  'waitForInterrupt',
  'waitForEvent',
  'undefined',
] as const satisfies readonly TimingClass[];

const shared = Object.fromEntries(
  SHARED.map((name) => {
    const cost: Cost = cortexM4[name];
    return [name, { ...cost, source: cost.source.replace('DDI 0439', 'DDI 0337I') }];
  }),
) as Record<(typeof SHARED)[number], Cost>;

export const cortexM3Timing: CoreTiming = {
  stages: 'three',
  rules: threeStageRules,
  costs: {
    ...shared,
    loadMultiple: { cycles: 1, perWord: 1, source: `${table31}: LDM, POP 1+N; ${cmemu}`, confidence: 'measured' },
    loadDual: { cycles: 1, perWord: 1, source: `${table31}: LDRD 1+N; ${cmemu}`, confidence: 'measured' },
    multiply: { cycles: 1, source: `${table31}: MUL 1`, confidence: 'documented' },
    multiplyAccumulate: { cycles: 2, source: `${table31}: MLA, MLS 2`, confidence: 'documented' },
    multiplyLong: {
      cycles: 5,
      source: `${table31}: SMULL, UMULL 3 to 5 by early termination on small operands, which is not described; the longest is taken`,
      confidence: 'assumed',
    },
    multiplyLongAccumulate: {
      cycles: 7,
      source: `${table31}: SMLAL, UMLAL 4 to 7 by early termination on small operands, which is not described; the longest is taken`,
      confidence: 'assumed',
    },
  },
};
