/** Removes tensors that nothing uses. */
import { tensorOf, type Graph, type TensorId } from '../ir/graph.ts';

/** Ids of tensors in use become 0, 1, ... in the order they had; side tensors and unused ones drop out. */
export function compact(graph: Graph): Graph {
  const used = new Set<TensorId>([...graph.inputs, ...graph.outputs]);
  for (const op of graph.ops) {
    for (const id of [...op.inputs, ...op.outputs]) if (id !== null) used.add(id);
  }
  const order = [...used].sort((a, b) => a - b);
  const newId = new Map(order.map((id, i) => [id, i as TensorId]));
  const renumber = (id: TensorId): TensorId => {
    const next = newId.get(id);
    if (next === undefined) throw new Error(`internal: tensor ${id} was not counted as used`);
    return next;
  };
  return {
    ...graph,
    tensors: order.map((id) => ({ ...tensorOf(graph, id), id: renumber(id) })),
    ops: graph.ops.map((op) => ({
      ...op,
      inputs: op.inputs.map((id) => (id === null ? null : renumber(id))),
      outputs: op.outputs.map(renumber),
    })),
    inputs: graph.inputs.map(renumber),
    outputs: graph.outputs.map(renumber),
  };
}
