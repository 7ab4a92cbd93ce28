/** Mixes of encoding classes a sequence is made of, and what of FPSCR it may start with. */
import type { Core } from '../../emulator/cores/core.ts';
import { hasDoublePrecision, isMainline, isV8 } from '../../emulator/cores/core-facts.ts';
import { masks, type MaskCounts } from './masks.ts';
import { templatesOf } from './random-code.ts';
import { templates } from './encoding-templates.ts';

const RMODE_FZ_DN_AHP = 0x07c0_0000;
const FZ_DN_AHP = 0x0700_0000;

export interface Mix {
  readonly name: string;
  readonly kinds: readonly string[];
}

/** Sequences of fault-code.ts; only QEMU takes exceptions. */
export const faultMix: Mix = { name: 'faults', kinds: ['faults'] };

/** What follows depends on the runner around a sequence: its stack, its neighbours, its modes. Not for libunicorn, which has none. */
const inRunner = ['stack', 'literal', 'special', 'control', 'masks', 'greaterEqual', 'hint'];
const together = new Map<string, readonly string[]>([
  ['data', ['data', 'fields']],
  ['special', ['special', 'masks', 'greaterEqual', 'narrow']],
  ['control', ['control', 'narrow']],
  ['hint', ['hint', 'narrow']],
]);
const MIXED = [
  ...['narrow', 'data', 'fields', 'register', 'multiply', 'memory', 'branch', 'acquire'],
  ...['floating', 'floatingFive', 'double', 'doubleFive', 'fixedToFloat', 'fixedToDouble'],
];
/** Not by themselves. */
const companions = new Set(['fields', 'masks', 'greaterEqual']);

function existsOn(kind: string, core: Core): boolean {
  if (kind === 'branch') return true;
  if (kind === 'masks' && !isMainline(core)) return false;
  // See secureFloatingPoint in masks.ts.
  if (kind === 'control' && isV8(core)) return false;
  if (kind === 'greaterEqual' && !core.dsp) return false;
  return templatesOf(kind, core).length > 0;
}

/** All that the core can be tried with; `runner`: within the runner of QEMU. */
export function mixesOf(core: Core, runner: boolean): readonly Mix[] {
  const kinds = [...Object.keys(templates), 'branch'].filter((kind) => existsOn(kind, core));
  const alone = kinds.filter((kind) => !companions.has(kind) && (runner || !inRunner.includes(kind)));
  const named = alone.map((name) => ({
    name,
    kinds: (together.get(name) ?? [name]).filter((kind) => kinds.includes(kind)),
  }));
  const mixed = { name: 'mixed', kinds: MIXED.filter((kind) => kinds.includes(kind)) };
  return [...named, mixed, ...(runner ? [faultMix] : [])];
}

/** FPSCR bits that may be set at the start of a sequence of this mix. */
export function fpscrMask({ kinds }: Mix, counts: MaskCounts): number {
  if (!kinds.includes('fixedToFloat') && !kinds.includes('fixedToDouble')) return RMODE_FZ_DN_AHP;
  counts.note(masks.fixedToFloatRounding.name);
  return FZ_DN_AHP;
}

/** Whether registers of the FPU should start as doubles. */
export const wantsDoubles = (core: Core, { kinds }: Mix): boolean =>
  hasDoublePrecision(core) && kinds.some((kind) => kind.includes('ouble'));
