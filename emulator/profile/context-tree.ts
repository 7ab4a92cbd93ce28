/**
 * Calling-context tree: one node for every path of calls that occurred, with the cycles spent at its end. Paths that are very deep or
 * very many share a node that says so, so that endless recursion cannot exhaust the host; no cycle is lost by that.
 */
import type { ProfiledFunction } from './functions.ts';

/** Calls in a path before the rest is summed up, and paths in all. */
const DEPTH_MAX = 200;
const NODES_MAX = 200_000;

export interface ContextNode {
  /** Null: the root of a context, or paths summed up. */
  readonly fn: ProfiledFunction | null;
  readonly label: string;
  readonly parent: ContextNode | null;
  readonly depth: number;
  self: number;
  instructions: number;
  calls: number;
  readonly children: Map<number, ContextNode>;
}

const SUMMED_UP = -1;

export class ContextTree {
  readonly roots: ContextNode[] = [];
  private nodes = 0;

  root(label: string): ContextNode {
    const root = makeNode(null, label, null);
    this.roots.push(root);
    return root;
  }

  child(parent: ContextNode, fn: ProfiledFunction): ContextNode {
    const known = parent.children.get(fn.index);
    if (known !== undefined) return known;
    if (parent.fn === null && parent.parent !== null) return parent;
    const isSummedUp = parent.depth >= DEPTH_MAX || this.nodes >= NODES_MAX;
    const key = isSummedUp ? SUMMED_UP : fn.index;
    const shared = parent.children.get(key);
    if (shared !== undefined) return shared;
    const label = parent.depth >= DEPTH_MAX ? `(deeper than ${DEPTH_MAX} calls)` : '(further paths)';
    const node = isSummedUp ? makeNode(null, label, parent) : makeNode(fn, fn.name, parent);
    parent.children.set(key, node);
    this.nodes++;
    return node;
  }
}

function makeNode(fn: ProfiledFunction | null, label: string, parent: ContextNode | null): ContextNode {
  const depth = parent === null ? 0 : parent.depth + 1;
  return { fn, label, parent, depth, self: 0, instructions: 0, calls: 0, children: new Map() };
}

/** Labels from the root to the node. */
export function pathOf(node: ContextNode): string[] {
  const labels: string[] = [];
  for (let at: ContextNode | null = node; at !== null; at = at.parent) labels.unshift(at.label);
  return labels;
}

/** Nodes in depth-first order, parents first. */
export function* walk(roots: readonly ContextNode[]): Generator<ContextNode> {
  const open = [...roots].reverse();
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    yield node;
    open.push(...[...node.children.values()].reverse());
  }
}
