/**
 * RESHAPE, SQUEEZE and EXPAND_DIMS move no bytes: their output is an alias of their input. Where one buffer cannot be both (a graph input or
 * a constant that is also a graph output), the bytes are copied by tl_copy.
 */
import { assert, defined } from '../../../common/errors.ts';
import type { Graph, Op, TensorId } from '../../ir/graph.ts';
import { tensorBytes, tensorOf } from '../../ir/graph.ts';
import type { KernelCall, Schedule } from '../../ir/schedule.ts';

export type Alias = Schedule['aliases'][number];

export function isAliasKind(op: Op): boolean {
  return op.kind === 'RESHAPE' || op.kind === 'SQUEEZE' || op.kind === 'EXPAND_DIMS';
}

/** The tensor whose buffer `id` shares, following the aliases collected so far. */
function rootOf(id: TensorId, aliases: readonly Alias[]): TensorId {
  const found = aliases.find((alias) => alias.output === id);
  return found ? rootOf(found.input, aliases) : id;
}

/** An alias or, where that is impossible, a copying call. `earlier` are the aliases of the ops before this one. */
export function lowerAlias(op: Op, graph: Graph, earlier: readonly Alias[]): { alias: Alias } | { call: KernelCall } {
  const input = defined(op.inputs[0], `${op.kind} op ${op.index}: input`);
  const output = defined(op.outputs[0], `${op.kind} op ${op.index}: output`);
  const bytes = tensorBytes(tensorOf(graph, output));
  assert(bytes === tensorBytes(tensorOf(graph, input)), `${op.kind} op ${op.index} changes the number of bytes`);
  if (!mustCopy(input, output, graph, earlier)) return { alias: { opIndex: op.index, input, output } };
  const isConstant = tensorOf(graph, input).data !== null;
  return {
    call: {
      opIndex: op.index,
      fusedOpIndices: [],
      function: 'tl_copy',
      header: 'tl_data_movement.h',
      args: [
        { kind: 'tensor', tensor: input },
        { kind: 'int', value: bytes },
        { kind: 'tensor', tensor: output },
      ],
      reads: isConstant ? [] : [input],
      writes: [output],
      scratchBytes: 0,
      inPlace: [],
    },
  };
}

/**
 * A graph input's buffer is overwritten by the caller and a graph output's is read by the caller after the call, so the two stay apart; two
 * graph outputs stay apart as well, and a constant has no place in the arena.
 */
function mustCopy(input: TensorId, output: TensorId, graph: Graph, earlier: readonly Alias[]): boolean {
  const root = rootOf(input, earlier);
  if (tensorOf(graph, root).data !== null) return true;
  if (!graph.outputs.includes(output)) return false;
  if (graph.inputs.includes(root)) return true;
  return graph.outputs.some((other) => other !== output && rootOf(other, earlier) === root);
}
