/** How a core's exceptions differ from those of Armv7-M (DDI 0419C B1.5 for v6-M, DDI 0553B B3 for v8-M). */
import type { Core } from '../cores/core.ts';
import { isMainline, isV8 } from '../cores/core-facts.ts';
import { ccr } from './system-state.ts';
import { exceptionCosts, type ExceptionCost } from '../timing/exception-cost.ts';

export interface ExceptionFeatures {
  /** Armv6-M and v8-M Baseline know HardFault only, and no FAULTMASK. */
  readonly onlyHardFault: boolean;
  /** Armv8-M without the Security extension: other EXC_RETURN values. */
  readonly isV8: boolean;
  readonly hasFpu: boolean;
  /** Bits of CCR that are always 1: STKALIGN, NONBASETHRDENA on Armv8-M, UNALIGN_TRP where every unaligned access faults. */
  readonly configurationOnes: number;
  /** Bits of CCR that can be written besides those every core has: enables of caches. */
  readonly configurationExtra: number;
  readonly cost: ExceptionCost;
}

export function exceptionFeatures(core: Core): ExceptionFeatures {
  return {
    onlyHardFault: !isMainline(core),
    isV8: isV8(core),
    hasFpu: core.fpu !== 'none',
    configurationOnes: configurationOnes(core),
    configurationExtra: core.hasCaches ? ccr.dataCache | ccr.instructionCache | ccr.branchPrediction : 0,
    cost: exceptionCosts[core.name],
  };
}

/** DDI 0419C B3.2.8 for v6-M, DDI 0553B D1.2.10 for v8-M; all of CCR is writable on v7-M. */
function configurationOnes(core: Core): number {
  const unaligned = isMainline(core) ? 0 : ccr.unalignedTrap;
  if (isV8(core)) return ccr.stackAlign | ccr.nonBaseThreadEnable | unaligned;
  return isMainline(core) ? 0 : ccr.stackAlign | unaligned;
}
