/** Mixes of encoding classes a sequence is made of, and what of FPSCR it may start with. */
import { masks, type MaskCounts } from './masks.ts';

const RMODE_FZ_DN_AHP = 0x07c0_0000;
const FZ_DN_AHP = 0x0700_0000;

export interface Mix {
  readonly name: string;
  readonly kinds: readonly string[];
}

/** Sequences of fault-code.ts; only QEMU takes exceptions. */
export const faultMix: Mix = { name: 'faults', kinds: ['faults'] };

const single = (name: string): Mix => ({ name, kinds: [name] });

export const mixes: readonly Mix[] = [
  single('narrow'),
  { name: 'data', kinds: ['data', 'fields'] },
  single('register'),
  single('multiply'),
  single('memory'),
  single('floating'),
  single('exclusiveWord'),
  single('exclusiveByte'),
  single('exclusiveHalf'),
  single('fixedToFloat'),
  {
    name: 'mixed',
    kinds: ['narrow', 'data', 'fields', 'register', 'multiply', 'memory', 'floating', 'fixedToFloat'],
  },
];

/** FPSCR bits that may be set at the start of a sequence of this mix. */
export function fpscrMask({ kinds }: Mix, counts: MaskCounts): number {
  if (!kinds.includes('fixedToFloat')) return RMODE_FZ_DN_AHP;
  counts.note(masks.fixedToFloatRounding.name);
  return FZ_DN_AHP;
}
