/** How many comparators the debug units of each core have: what the maker of a part chooses is the fullest here, as real parts have it. */
import type { CoreName } from '../cores/core-facts.ts';
import type { DwtFormat } from './dwt-comparators.ts';
import type { FpbFacts } from './fpb.ts';

interface DebugUnits {
  readonly dwt: Pick<DwtFormat, 'comparators'>;
  readonly fpb: FpbFacts;
}

const breakpointUnit: FpbFacts = { version: 1, comparators: 4, literals: 0, hasRemap: false };
const flashPatch: FpbFacts = { version: 1, comparators: 6, literals: 2, hasRemap: true };
const version2 = (comparators: number): FpbFacts => ({ version: 2, comparators, literals: 0, hasRemap: false });

/** DDI 0432C 5.4, DDI 0484C 5.4, DDI 0337I 9, DDI 0439D 8 and 9, DDI 0489F 9, DDI 0550C 7, 100230 B6. */
export const debugUnits: Readonly<Record<CoreName, DebugUnits>> = {
  'cortex-m0': { dwt: { comparators: 2 }, fpb: breakpointUnit },
  'cortex-m0plus': { dwt: { comparators: 2 }, fpb: breakpointUnit },
  'cortex-m3': { dwt: { comparators: 4 }, fpb: flashPatch },
  'cortex-m4': { dwt: { comparators: 4 }, fpb: flashPatch },
  'cortex-m7': { dwt: { comparators: 4 }, fpb: version2(8) },
  'cortex-m23': { dwt: { comparators: 4 }, fpb: version2(4) },
  'cortex-m33': { dwt: { comparators: 4 }, fpb: version2(8) },
};
