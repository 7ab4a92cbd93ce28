/** How a core's exceptions differ from those of Armv7-M (DDI 0419C B1.5 for v6-M, DDI 0553B B3 for v8-M). */
import { isMainline, isV8, type Core } from '../cores/core.ts';
import { exceptionCosts, type ExceptionCost } from '../timing/exception-cost.ts';

export interface ExceptionFeatures {
  /** Armv6-M and v8-M Baseline know HardFault only, and no FAULTMASK. */
  readonly onlyHardFault: boolean;
  /** Armv8-M without the Security extension: other EXC_RETURN values. */
  readonly isV8: boolean;
  readonly hasFpu: boolean;
  readonly cost: ExceptionCost;
}

export function exceptionFeatures(core: Core): ExceptionFeatures {
  return {
    onlyHardFault: !isMainline(core),
    isV8: isV8(core),
    hasFpu: core.fpu !== 'none',
    cost: exceptionCosts[core.name],
  };
}
