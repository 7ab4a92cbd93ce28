/**
 * Offsets for blocks with known lifetimes (dynamic storage allocation, NP-hard). First fit in several orders, as in Pisarchyk and Lee,
 * "Efficient Memory Management for Deep Neural Net Inference" (arXiv 2001.03288: greedy by size and by breadth), a seeded local search, and
 * a branch and bound that proves the optimum when there are few blocks.
 */
import { defined } from '../../common/errors.ts';
import type { Block } from './lifetimes.ts';
import { conflicts } from './lifetimes.ts';

export interface Placement {
  /** Byte offset per block. */
  readonly offsets: readonly number[];
  readonly arenaBytes: number;
}

const EXACT_BLOCKS_MAX = 14;
const EXACT_NODES_MAX = 20_000;
const LOCAL_SEARCH_STEPS_MAX = 300;
/** One step costs about the square of the number of blocks; this bounds their product, so that no model takes more than a second. */
const LOCAL_SEARCH_WORK = 3_000_000;

/** No placement is smaller: the bytes alive at the busiest call. */
export function lowerBoundBytes(blocks: readonly Block[]): number {
  return Math.max(0, ...blocks.map((block) => liveBytesAt(blocks, block.first)));
}

export function liveBytesAt(blocks: readonly Block[], time: number): number {
  return blocks.reduce((sum, block) => (block.first <= time && time <= block.last ? sum + block.bytes : sum), 0);
}

/** The best placement found; stops as soon as one meets the lower bound. Deterministic. */
export function place(blocks: readonly Block[]): Placement {
  const bound = lowerBoundBytes(blocks);
  const neighbours = blocks.map((a) => blocks.flatMap((b, j) => (a !== b && conflicts(a, b) ? [j] : [])));
  let best: Placement | null = null;
  let bestOrder: readonly number[] = [];
  for (const order of heuristicOrders(blocks, neighbours)) {
    const placement = firstFit(blocks, neighbours, order);
    if (!best || placement.arenaBytes < best.arenaBytes) {
      best = placement;
      bestOrder = order;
    }
    if (best.arenaBytes === bound) return best;
  }
  best = defined(best, 'placement');
  if (blocks.length <= EXACT_BLOCKS_MAX) return branchAndBound(blocks, neighbours, best, bound);
  return localSearch(blocks, neighbours, best, bestOrder, bound);
}

function heuristicOrders(blocks: readonly Block[], neighbours: readonly (readonly number[])[]): number[][] {
  const indices = blocks.map((_, index) => index);
  const block = (index: number): Block => defined(blocks[index], 'block');
  const by = (...keys: ((index: number) => number)[]): number[] => {
    const values = keys.map((key) => indices.map(key));
    return [...indices].sort((a, b) => {
      for (const value of values) if (value[a] !== value[b]) return (value[a] ?? 0) - (value[b] ?? 0);
      return a - b;
    });
  };
  const size = (i: number): number => -block(i).bytes;
  const first = (i: number): number => block(i).first;
  const length = (i: number): number => block(i).first - block(i).last;
  const area = (i: number): number => size(i) * (1 - length(i));
  const degree = (i: number): number => -defined(neighbours[i], 'neighbours').length;
  const breadth = (i: number): number => -liveBytesAt(blocks, block(i).first);
  const pressure = (i: number): number =>
    -defined(neighbours[i], 'neighbours').reduce((sum, j) => sum + block(j).bytes, block(i).bytes);
  return [
    by(size, first),
    by(size, length),
    by(breadth, size),
    by(first, size),
    by((i) => -block(i).last, size),
    by(length, size),
    by(area, first),
    by(degree, size),
    by(pressure, size),
  ];
}

/** Lowest offset at which block `index` fits beside its already placed neighbours (offset < 0: not placed). */
function lowestFit(
  blocks: readonly Block[],
  near: readonly number[],
  offsets: readonly number[],
  index: number,
): number {
  const taken = near
    .filter((j) => defined(offsets[j], 'offset') >= 0)
    .map((j) => ({
      start: defined(offsets[j], 'offset'),
      end: defined(offsets[j], 'offset') + defined(blocks[j], 'block').bytes,
    }))
    .sort((a, b) => a.start - b.start);
  const bytes = defined(blocks[index], 'block').bytes;
  let offset = 0;
  for (const { start, end } of taken) {
    if (offset + bytes <= start) break;
    offset = Math.max(offset, end);
  }
  return offset;
}

function firstFit(
  blocks: readonly Block[],
  neighbours: readonly (readonly number[])[],
  order: readonly number[],
): Placement {
  const offsets = blocks.map(() => -1);
  let arenaBytes = 0;
  for (const index of order) {
    const offset = lowestFit(blocks, defined(neighbours[index], 'neighbours'), offsets, index);
    offsets[index] = offset;
    arenaBytes = Math.max(arenaBytes, offset + defined(blocks[index], 'block').bytes);
  }
  return { offsets, arenaBytes };
}

/**
 * Every left-justified placement is reproduced by first fit over its blocks sorted by offset, so it is enough to try orders whose offsets
 * never decrease. Gives up after EXACT_NODES_MAX nodes and then returns the best so far.
 */
function branchAndBound(
  blocks: readonly Block[],
  neighbours: readonly (readonly number[])[],
  start: Placement,
  bound: number,
): Placement {
  let best = start;
  let nodes = 0;
  const offsets = blocks.map(() => -1);
  const visit = (placedCount: number, lowest: number, arenaBytes: number): void => {
    if (arenaBytes >= best.arenaBytes || best.arenaBytes === bound || nodes > EXACT_NODES_MAX) return;
    if (placedCount === blocks.length) {
      best = { offsets: [...offsets], arenaBytes };
      return;
    }
    for (const [index, block] of blocks.entries()) {
      if (defined(offsets[index], 'offset') >= 0) continue;
      nodes += 1;
      const offset = lowestFit(blocks, defined(neighbours[index], 'neighbours'), offsets, index);
      if (offset < lowest) continue;
      offsets[index] = offset;
      visit(placedCount + 1, offset, Math.max(arenaBytes, offset + block.bytes));
      offsets[index] = -1;
    }
  };
  visit(0, 0, 0);
  return best;
}

/** Swaps two blocks of the best order at a time and keeps what is not worse. The generator is a fixed LCG: same blocks, same plan. */
function localSearch(
  blocks: readonly Block[],
  neighbours: readonly (readonly number[])[],
  start: Placement,
  startOrder: readonly number[],
  bound: number,
): Placement {
  let best = start;
  let order = [...startOrder];
  let state = 1;
  const random = (below: number): number => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return (state >> 8) % below;
  };
  const steps = Math.min(LOCAL_SEARCH_STEPS_MAX, Math.floor(LOCAL_SEARCH_WORK / blocks.length ** 2));
  for (let step = 0; step < steps && best.arenaBytes > bound; step += 1) {
    const i = random(order.length);
    const j = random(order.length);
    const candidate = [...order];
    candidate[i] = defined(order[j], 'block');
    candidate[j] = defined(order[i], 'block');
    const placement = firstFit(blocks, neighbours, candidate);
    if (placement.arenaBytes > best.arenaBytes) continue;
    best = placement;
    order = candidate;
  }
  return best;
}
