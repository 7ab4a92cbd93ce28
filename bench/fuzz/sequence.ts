/** Sequences of random code: instructions, IT blocks, accesses with the moves their addresses need, branches over others. */
import type { Core } from '../../emulator/cores/core.ts';
import { isMainline } from '../../emulator/cores/core-facts.ts';
import { randomBranch } from './branch-code.ts';
import { halfwordsOf, loadConstant, randomEncoding, WINDOW_BYTES, type CodeSpace } from './random-code.ts';
import type { Random } from './random.ts';

/** Classes that may stand in an IT block. */
const insideIt = new Set([
  'narrow',
  'data',
  'fields',
  'register',
  'multiply',
  'floating',
  'fixedToFloat',
  'double',
  'fixedToDouble',
]);

/** IT with one to four instructions of classes that may stand in it. */
function itBlock(kinds: readonly string[], random: Random, core: Core): number[] {
  const mask = random.pick([8, 4, 12, 2, 6, 10, 14, 1, 3, 5, 7, 9, 11, 13, 15]);
  const count = 4 - [1, 2, 4, 8].findIndex((bit) => (mask & bit) !== 0);
  const inner = Array.from({ length: count }, () => randomEncoding(random.pick(kinds), random, core));
  return [0xbf00 | (random.below(14) << 4) | mask, ...inner.flatMap(halfwordsOf)];
}

/** An access with the moves its address needs. */
function access(kind: string, random: Random, space: CodeSpace): number[] {
  const { word, bytes } = randomEncoding(kind, random, space.core);
  const base = bytes === 4 ? (word >>> 16) & 0xf : word >>> 12 === 0xc ? (word >>> 8) & 7 : (word >>> 3) & 7;
  const isExclusive = kind.startsWith('exclusive');
  // Baseline refuses unaligned accesses; those are fault-code.ts's.
  const span = isExclusive ? 2 : 64;
  const address = space.ram + WINDOW_BYTES / 2 + random.below(span) * 4;
  const index = bytes === 2 ? (word >>> 6) & 7 : word & 0xf;
  const offset = random.below(60) & (isMainline(space.core) ? ~0 : ~3);
  return [
    ...loadConstant(space, base, address),
    ...(usesIndex(word, bytes) ? loadConstant(space, index, offset) : []),
    ...halfwordsOf({ word, bytes }),
  ];
}

/** MSR of BASEPRI with a value whose lower bits are 0 (see priorityBits in masks.ts), or MRS. */
function maskChange(random: Random, space: CodeSpace): number[] {
  const { word, bytes } = randomEncoding('masks', random, space.core);
  const writes = (word & 0xffe0_0000) >>> 0 === 0xf380_0000;
  const value = random.below(16) * 16;
  return [...(writes ? loadConstant(space, (word >>> 16) & 0xf, value) : []), ...halfwordsOf({ word, bytes })];
}

/** Groups of halfwords: an instruction with the moves its address needs, an IT block, or a branch over others. */
export function randomSequence(kinds: readonly string[], length: number, random: Random, space: CodeSpace): number[][] {
  const groups: number[][] = [];
  const { core } = space;
  const innerKinds = kinds.filter((kind) => insideIt.has(kind));
  while (groups.length < length) {
    const kind = random.pick(kinds);
    if (kind === 'memory' || kind === 'acquire' || kind.startsWith('exclusive'))
      groups.push(access(kind, random, space));
    else if (kind === 'masks') groups.push(maskChange(random, space));
    else if (kind === 'branch') groups.push(randomBranch(random, space));
    else if (isMainline(core) && innerKinds.length > 0 && random.below(6) === 0)
      groups.push(itBlock(innerKinds, random, core));
    else groups.push(halfwordsOf(randomEncoding(kind, random, core)));
  }
  return groups;
}

function usesIndex(word: number, bytes: 2 | 4): boolean {
  if (bytes === 2) return word >>> 12 === 5;
  return (word & 0xfe80_0fc0) >>> 0 === 0xf800_0000;
}
