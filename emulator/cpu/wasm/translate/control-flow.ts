/**
 * The nesting of loops in a graph: strongly connected parts, each with the nodes it is entered at, in an order in which every edge but
 * those back to the start of a loop leads forward. With it control flow becomes WebAssembly's blocks and loops (as in Ramsey, "Beyond
 * Relooper", 2022, and Bourdoncle's weak topological order, 1993).
 */

export type Item = number | Loop;

export interface Loop {
  /** Nodes control enters the loop at; edges to them from inside are its back edges. */
  readonly heads: readonly number[];
  readonly items: readonly Item[];
}

export type Successors = (node: number) => readonly number[];

interface Visit {
  order: number;
  low: number;
  onStack: boolean;
}

/** Strongly connected parts (Tarjan), those that lead to others after them. */
function components(roots: readonly number[], successors: Successors): number[][] {
  const visits = new Map<number, Visit>();
  const stack: number[] = [];
  const found: number[][] = [];
  const visit = (node: number): Visit => {
    const own: Visit = { order: visits.size, low: visits.size, onStack: true };
    visits.set(node, own);
    stack.push(node);
    for (const next of successors(node)) {
      const known = visits.get(next);
      if (known === undefined) own.low = Math.min(own.low, visit(next).low);
      else if (known.onStack) own.low = Math.min(own.low, known.order);
    }
    if (own.low === own.order) {
      const part: number[] = [];
      let member: number;
      do {
        member = stack.pop()!;
        visits.get(member)!.onStack = false;
        part.push(member);
      } while (member !== node);
      found.push(part);
    }
    return own;
  };
  for (const root of roots) if (!visits.has(root)) visit(root);
  return found.reverse();
}

/** @param roots nodes control comes to from elsewhere */
export function nest(roots: readonly number[], successors: Successors): Item[] {
  const parts = components(roots, successors);
  const partOf = new Map<number, number>();
  for (const [index, part] of parts.entries()) for (const node of part) partOf.set(node, index);
  const entered = new Set(roots);
  for (const part of parts) {
    for (const node of part) {
      for (const next of successors(node)) if (partOf.get(next) !== partOf.get(node)) entered.add(next);
    }
  }
  return parts.map((part, index) => {
    const [only] = part;
    if (part.length === 1 && !successors(only!).includes(only!)) return only!;
    const heads = part.filter((node) => entered.has(node)).sort((a, b) => a - b);
    const isHead = new Set(heads);
    const inside: Successors = (node) =>
      successors(node).filter((next) => partOf.get(next) === index && !isHead.has(next));
    return { heads, items: nest(heads, inside) };
  });
}

/** Nodes in the order of the items. */
export function flatten(items: readonly Item[]): number[] {
  return items.flatMap((item) => (typeof item === 'number' ? [item] : flatten(item.items)));
}
