/**
 * What exception entry and return cost, with zero-wait memories. Cycles from the instruction boundary at which the exception is taken to the first
 * instruction of its handler, and from the returning instruction's own cost to the instruction returned to.
 */
import type { CoreName } from '../cores/core-facts.ts';
import type { Confidence } from './cost.ts';

export interface ExceptionCost {
  readonly entry: number;
  readonly tailChain: number;
  readonly exit: number;
  /** Added to entry or exit when the FPU's registers are moved, and to the first FPU instruction when they are saved lazily. */
  readonly fpContext: number;
  readonly source: string;
  readonly confidence: Confidence;
}

const FP_WORDS = 17;

export const exceptionCosts: Readonly<Record<CoreName, ExceptionCost>> = {
  'cortex-m0': {
    entry: 16,
    tailChain: 14,
    exit: 13,
    fpContext: 0,
    source: 'Arm white paper "Beginner guide on interrupt latency": M0 entry 16; tail-chaining and exit not published',
    confidence: 'assumed',
  },
  'cortex-m0plus': {
    entry: 15,
    tailChain: 13,
    exit: 12,
    fpContext: 0,
    source: 'DDI 0484C 3.5.1: 15 cycles with zero wait states; tail-chaining and exit not published',
    confidence: 'assumed',
  },
  'cortex-m3': {
    entry: 12,
    tailChain: 6,
    exit: 10,
    fpContext: 0,
    source:
      'DDI 0337I 3.9.1 and Arm white paper "Beginner guide on interrupt latency": 12 in, 6 tail-chained; exit 10 assumed',
    confidence: 'documented',
  },
  'cortex-m4': {
    entry: 12,
    tailChain: 6,
    exit: 10,
    fpContext: FP_WORDS,
    source: 'DDI 0439 3.9.1: 12 in, 6 tail-chained; exit 10 and one cycle a word for the FPU context assumed',
    confidence: 'documented',
  },
  'cortex-m7': {
    entry: 12,
    tailChain: 6,
    exit: 10,
    fpContext: FP_WORDS,
    source: 'Arm "Beginner guide on interrupt latency": 12; the rest as Cortex-M4',
    confidence: 'assumed',
  },
  'cortex-m23': {
    entry: 15,
    tailChain: 13,
    exit: 12,
    fpContext: 0,
    source: 'Arm "Beginner guide on interrupt latency": 15 without Security; the rest as Cortex-M0+',
    confidence: 'assumed',
  },
  'cortex-m33': {
    entry: 12,
    tailChain: 6,
    exit: 10,
    fpContext: FP_WORDS,
    source: 'Arm "Beginner guide on interrupt latency": 12 without Security; the rest as Cortex-M4',
    confidence: 'assumed',
  },
};
