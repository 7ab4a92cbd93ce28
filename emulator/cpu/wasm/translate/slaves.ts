/**
 * Which memory the accesses of a block are taken to go to, where loads and stores in a row cost less when both go to the same one: a group of accesses
 * with such an instruction has one memory, and what turns out to go elsewhere is left to the interpreter.
 */
import type { Block, Step } from '../block.ts';
import type { Part } from '../guest-memory.ts';
import { groupAccesses, type Access, type AccessPlan, type Group } from './access-groups.ts';
import { isConditional } from './flag-state.ts';

export interface PlacedAccesses {
  readonly plan: AccessPlan;
  /** Of steps whose cost depends on it. */
  readonly bySteps: ReadonlyMap<Step, number>;
  readonly byGroups: ReadonlyMap<Group, number>;
}

const SINGLE: ReadonlySet<string> = new Set(['load', 'exclusive', 'storeImmediate', 'storeRegister']);

const depends = (step: Step): boolean =>
  step.accessesMemory && SINGLE.has(step.instruction.timing) && !isConditional(step);

function accessesOf(step: Step): Access[] {
  return (step.body ?? []).filter((statement) => statement.k === 'load' || statement.k === 'store');
}

/** Memory first that can be written to: where most accesses go. @param seen bits of parts */
export function candidates(parts: readonly Part[], stores: boolean, seen: number): readonly Part[] {
  const fit = parts.filter(({ writable }) => writable || !stores);
  return seen === 0 ? fit : fit.filter(({ bit }) => (seen & bit) !== 0);
}

/** @param parts writable ones first */
export function placeAccesses(block: Block, parts: readonly Part[]): PlacedAccesses {
  const plan = groupAccesses(block);
  const bySteps = new Map<Step, number>();
  const byGroups = new Map<Group, number>();
  if (parts.every(({ slave }) => slave === 0)) return { plan, bySteps, byGroups };
  for (const step of block.steps) {
    if (!depends(step)) continue;
    const [access] = accessesOf(step);
    if (access === undefined) continue;
    const place = plan.places.get(access);
    if (place === undefined) {
      if (access.address.k === 'const') bySteps.set(step, slaveAt(access.address.value >>> 0, parts));
      continue;
    }
    const { group } = place;
    let slave = byGroups.get(group);
    if (slave === undefined) {
      let seen = 0;
      for (const { touched } of group.steps) seen |= touched;
      slave = candidates(parts, group.stores, seen)[0]?.slave ?? 0;
      byGroups.set(group, slave);
    }
    bySteps.set(step, slave);
  }
  return { plan, bySteps, byGroups };
}

function slaveAt(address: number, parts: readonly Part[]): number {
  return parts.find(({ start, bytes }) => address >= start && address - start < bytes)?.slave ?? 0;
}
