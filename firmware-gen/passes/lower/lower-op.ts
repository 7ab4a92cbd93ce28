/** The shape of one lowering: a kernel call for the op, or null when this kernel does not take it (another entry may). */
import type { Graph, Op } from '../../ir/graph.ts';
import type { KernelCall, LowerOptions } from '../../ir/schedule.ts';

export type LowerOp = (op: Op, graph: Graph, options: LowerOptions) => KernelCall | null;
