/**
 * Watchpoints. Where the engine cannot tell of accesses, from the architecture's own rules: which bytes the instruction about to run will
 * access, and whether its condition holds. What the host writes (semihosting reads) is not seen.
 */
import { accessRange } from '../../timing/effective-address.ts';
import type { Instruction } from '../../timing/instruction.ts';

/** As Z2, Z3 and Z4 ask for. */
export type WatchKind = 'write' | 'read' | 'access';

export interface Watch {
  readonly kind: WatchKind;
  readonly address: number;
  readonly bytes: number;
}

export interface WatchHit {
  readonly kind: WatchKind;
  /** First watched byte that is accessed. */
  readonly address: number;
}

/** LDREX and its kin have bit 4 of the first halfword set, STREX and its kin clear (DDI 0403E A7.7.52, A7.7.167). */
const EXCLUSIVE_LOAD = 1 << 20;

/** The first watch that the instruction is about to hit, or null. */
export function watchHit(
  instruction: Instruction,
  watches: Iterable<Watch>,
  register: (number: number) => number,
  xpsr: number,
): WatchHit | null {
  if (instruction.condition !== null && !conditionHolds(instruction.condition, xpsr)) return null;
  const range = accessRange(instruction, register);
  if (range === null) return null;
  const access = isStore(instruction) ? 'write' : 'read';
  for (const watch of watches) {
    const hit = overlap(watch, access, range);
    if (hit !== null) return hit;
  }
  return null;
}

/** What a watch sees of an access, or null. */
export function overlap(
  { kind, address, bytes }: Watch,
  access: 'read' | 'write',
  range: { readonly start: number; readonly bytes: number },
): WatchHit | null {
  if (range.start >= address + bytes || address >= range.start + range.bytes) return null;
  return kind === 'access' || kind === access ? { kind, address: Math.max(address, range.start) } : null;
}

function isStore({ timing, encoding }: Instruction): boolean {
  if (timing === 'exclusive') return (encoding & EXCLUSIVE_LOAD) === 0;
  return timing.startsWith('store') || timing === 'fpStore' || timing === 'fpStoreMultiple';
}

/** DDI 0403E A7.3.1: bits 3..1 choose the test, bit 0 inverts it. */
export function conditionHolds(condition: number, xpsr: number): boolean {
  const n = (xpsr >>> 31) & 1;
  const z = (xpsr >>> 30) & 1;
  const c = (xpsr >>> 29) & 1;
  const v = (xpsr >>> 28) & 1;
  const tests = [z === 1, c === 1, n === 1, v === 1, c === 1 && z === 0, n === v, n === v && z === 0];
  const holds = tests[condition >> 1];
  return holds === undefined ? true : holds !== ((condition & 1) === 1);
}
