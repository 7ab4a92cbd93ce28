/**
 * Offline arena planning: every tensor and every kernel's scratch gets a fixed offset before any C is written. The plan is proven by
 * check-plan.ts, which shares no code with the placement, before it is returned.
 */
import { UserError, defined } from '../../common/errors.ts';
import type { MemoryPlan, Schedule } from '../ir/schedule.ts';
import { checkPlan } from './check-plan.ts';
import type { Block, Lifetimes, MergeChoice } from './lifetimes.ts';
import { lifetimesOf, mergeBlocks } from './lifetimes.ts';
import type { Placement } from './place.ts';
import { liveBytesAt, lowerBoundBytes, place } from './place.ts';

/** Far beyond the RAM of any Cortex-M; it keeps absurd shapes from exhausting this machine instead. */
const ARENA_BYTES_MAX = 32 * 1024 * 1024;

/** With up to this many in-place pairs, every subset of them is tried. */
const MERGE_SUBSETS_MAX_PAIRS = 5;

interface Candidate {
  readonly blocks: readonly Block[];
  readonly placement: Placement;
}

/** Plans the arena of one schedule. arenaBytes is a multiple of 8. Throws UserError when it would exceed 32 MiB. */
export function planMemory(schedule: Schedule): MemoryPlan {
  const lifetimes = lifetimesOf(schedule);
  let best: Candidate | null = null;
  for (const chosen of mergeSets(lifetimes)) {
    const blocks = mergeBlocks(lifetimes, chosen);
    if (best && lowerBoundBytes(blocks) >= best.placement.arenaBytes) continue;
    const placement = place(blocks);
    if (!best || placement.arenaBytes < best.placement.arenaBytes) best = { blocks, placement };
  }
  best = defined(best, 'memory plan');
  if (best.placement.arenaBytes > ARENA_BYTES_MAX) {
    throw new UserError(
      `${schedule.graph.name}: activations need an arena of ${best.placement.arenaBytes} bytes, at most ${ARENA_BYTES_MAX} are supported; ` +
        'use a smaller input shape or fewer channels',
    );
  }
  const plan = toMemoryPlan(schedule, best);
  checkPlan(schedule, plan);
  return plan;
}

/** Merging in place saves bytes in its call but can stretch a small block; so sets with fewer merges are tried too. */
function mergeSets(lifetimes: Lifetimes): MergeChoice[][] {
  const { merges, blocks } = lifetimes;
  if (merges.length <= MERGE_SUBSETS_MAX_PAIRS) {
    const subsets = Array.from({ length: 1 << merges.length }, (_, mask) =>
      merges.filter((_pair, bit) => (mask >> bit) & 1),
    );
    return subsets.reverse();
  }
  const equalSize = merges.filter((pair) => blocks[pair.input]?.bytes === blocks[pair.output]?.bytes);
  const notGrowing = merges.filter(
    (pair) => defined(blocks[pair.input], 'block').bytes >= defined(blocks[pair.output], 'block').bytes,
  );
  const secondFirst = [...merges].reverse();
  return [[...merges], secondFirst, notGrowing, equalSize, []];
}

function toMemoryPlan(schedule: Schedule, { blocks, placement }: Candidate): MemoryPlan {
  const tensorOffset = schedule.graph.tensors.map((): number | null => null);
  const scratchOffset = schedule.calls.map((): number | null => null);
  for (const [index, block] of blocks.entries()) {
    const offset = defined(placement.offsets[index], 'offset');
    for (const id of block.tensors) tensorOffset[id] = offset;
    if (block.scratchOf !== null) scratchOffset[block.scratchOf] = offset;
  }
  let peakCall = 0;
  for (const time of schedule.calls.keys()) {
    if (liveBytesAt(blocks, time) > liveBytesAt(blocks, peakCall)) peakCall = time;
  }
  return { arenaBytes: placement.arenaBytes, tensorOffset, scratchOffset, peakCall };
}
