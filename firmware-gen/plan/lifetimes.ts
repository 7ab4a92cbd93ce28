/**
 * Which bytes must exist when. Time is the index of a call in the schedule; -1 is "before invoke" (the caller has written the inputs) and
 * calls.length is "after invoke" (the caller reads the outputs). Aliased tensors are one block; a kernel that may work in place offers its
 * output for merging into its input's block. Scratch is a block that lives during its own call only.
 */
import { assert, defined } from '../../common/errors.ts';
import type { TensorId } from '../ir/graph.ts';
import { tensorBytes, tensorOf } from '../ir/graph.ts';
import type { Schedule } from '../ir/schedule.ts';

export const ARENA_ALIGNMENT_BYTES = 8;

/** Memory that is needed from call `first` to call `last`, both inclusive. */
export interface Block {
  /** Rounded up to ARENA_ALIGNMENT_BYTES. */
  readonly bytes: number;
  readonly first: number;
  readonly last: number;
  /** Tensors that start at the block's offset. Empty for scratch. */
  readonly tensors: readonly TensorId[];
  /** Call whose scratch this is, or null. */
  readonly scratchOf: number | null;
}

/** A permitted in-place pair, as indices into the blocks: `output` is written by the very call that reads `input` last. */
export interface MergeChoice {
  readonly input: number;
  readonly output: number;
}

export interface Lifetimes {
  readonly blocks: readonly Block[];
  readonly merges: readonly MergeChoice[];
}

/** Two blocks need separate bytes when their lifetimes share a call. */
export function conflicts(a: Block, b: Block): boolean {
  return a.first <= b.last && b.first <= a.last;
}

export function alignUp(bytes: number): number {
  return Math.ceil(bytes / ARENA_ALIGNMENT_BYTES) * ARENA_ALIGNMENT_BYTES;
}

export function lifetimesOf(schedule: Schedule): Lifetimes {
  const rootOf = aliasRoots(schedule);
  const uses = usesPerRoot(schedule, rootOf);
  const blocks: Block[] = [];
  const blockOfRoot = new Map<TensorId, number>();
  for (const [root, use] of uses) {
    blockOfRoot.set(root, blocks.length);
    blocks.push({ ...use, bytes: alignUp(tensorBytes(tensorOf(schedule.graph, root))), scratchOf: null });
  }
  const merges: MergeChoice[] = [];
  for (const [time, call] of schedule.calls.entries()) {
    if (call.scratchBytes > 0) {
      blocks.push({ bytes: alignUp(call.scratchBytes), first: time, last: time, tensors: [], scratchOf: time });
    }
    for (const pair of call.inPlace) {
      const input = blockOfRoot.get(rootOf(pair.input));
      const output = blockOfRoot.get(rootOf(pair.output));
      if (input === undefined || output === undefined || input === output) continue;
      // The block may be read under a second name (an alias) that must not be overwritten.
      const names = call.reads.filter((id) => blockOfRoot.get(rootOf(id)) === input);
      const isOffered = (id: TensorId): boolean =>
        call.inPlace.some((other) => other.input === id && other.output === pair.output);
      if (!names.every(isOffered)) continue;
      if (blocks[input]?.last === time && blocks[output]?.first === time) merges.push({ input, output });
    }
  }
  return { blocks, merges };
}

function aliasRoots(schedule: Schedule): (id: TensorId) => TensorId {
  const source = new Map(schedule.aliases.map((alias) => [alias.output, alias.input]));
  return (id) => {
    let root = id;
    for (let next = source.get(root); next !== undefined; next = source.get(root)) root = next;
    return root;
  };
}

interface Use {
  first: number;
  last: number;
  tensors: TensorId[];
}

function usesPerRoot(schedule: Schedule, rootOf: (id: TensorId) => TensorId): Map<TensorId, Use> {
  const { graph, calls } = schedule;
  const uses = new Map<TensorId, Use>();
  const touch = (id: TensorId, time: number): void => {
    const root = rootOf(id);
    if (tensorOf(graph, root).data !== null) return;
    const use = uses.get(root);
    if (!use) {
      uses.set(root, { first: time, last: time, tensors: [id] });
      return;
    }
    use.first = Math.min(use.first, time);
    use.last = Math.max(use.last, time);
    if (!use.tensors.includes(id)) use.tensors.push(id);
  };
  const states = graph.dynamics?.states ?? [];
  for (const id of [...graph.inputs, ...states]) touch(id, -1);
  for (const [time, call] of calls.entries()) {
    for (const id of [...call.reads, ...call.writes]) touch(id, time);
  }
  for (const id of [...graph.outputs, ...states]) touch(id, calls.length);
  // Names of a buffer that no call mentions (the middle of a RESHAPE chain) still get the buffer's offset. An output that nothing reads
  // is kept until the next call: --per-op looks at it when its op's turn comes.
  for (const alias of schedule.aliases) {
    const use = uses.get(rootOf(alias.output));
    if (!use) continue;
    const next = calls.findIndex((call) => call.opIndex > alias.opIndex);
    use.last = Math.max(use.last, next < 0 ? calls.length : next);
    for (const id of [alias.input, alias.output]) if (!use.tensors.includes(id)) use.tensors.push(id);
  }
  return uses;
}

/**
 * Joins the chosen in-place pairs. A choice that is no longer possible, because its input block was already given to another output, is
 * left out. Returns new blocks; the lifetimes of a joined pair touch in one call, so their union is an interval.
 */
export function mergeBlocks(lifetimes: Lifetimes, chosen: readonly MergeChoice[]): Block[] {
  const joined: (Block | null)[] = [...lifetimes.blocks];
  const forward = lifetimes.blocks.map((_, index) => index);
  const find = (index: number): number => {
    let at = index;
    while (forward[at] !== at) at = defined(forward[at], 'block');
    return at;
  };
  for (const choice of chosen) {
    const inputAt = find(choice.input);
    const outputAt = find(choice.output);
    const input = joined[inputAt];
    const output = joined[outputAt];
    if (inputAt === outputAt || !input || !output || input.last !== output.first) continue;
    assert(input.scratchOf === null && output.scratchOf === null, 'scratch is never merged');
    joined[inputAt] = {
      bytes: Math.max(input.bytes, output.bytes),
      first: input.first,
      last: output.last,
      tensors: [...input.tensors, ...output.tensors],
      scratchOf: null,
    };
    joined[outputAt] = null;
    forward[outputAt] = inputAt;
  }
  return joined.filter((block) => block !== null);
}
