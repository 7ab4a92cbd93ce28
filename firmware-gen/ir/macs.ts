/** Multiply-accumulates per op, as TFLite's benchmarks and MLPerf count them: convolutions and dense layers only, padding included. */
import { elementCount, tensorOf, type Graph, type Op, type TensorId } from './graph.ts';

/** MACs of one inference of `op`; 0 for kinds without weights. */
export function macs(op: Op, graph: Graph): number {
  if (op.kind !== 'CONV_2D' && op.kind !== 'DEPTHWISE_CONV_2D' && op.kind !== 'FULLY_CONNECTED') return 0;
  const filter = shapeOf(graph, op.inputs[1]);
  const outputs = elementCount(shapeOf(graph, op.outputs[0]));
  switch (op.kind) {
    case 'CONV_2D':
      return outputs * elementCount(filter.slice(1));
    case 'DEPTHWISE_CONV_2D':
      return outputs * elementCount(filter.slice(1, 3));
    case 'FULLY_CONNECTED':
      return outputs * (filter[1] ?? 0);
  }
}

export function totalMacs(graph: Graph): number {
  return graph.ops.reduce((sum, op) => sum + macs(op, graph), 0);
}

function shapeOf(graph: Graph, id: TensorId | null | undefined): readonly number[] {
  if (id === null || id === undefined)
    throw new Error(`internal: graph ${graph.name}: an op with weights lacks a filter or output`);
  return tensorOf(graph, id).shape;
}
