/**
 * Multiply-accumulates per op, counted as MLPerf Tiny and vendors' tools do: output elements times filter taps, taps on the padding
 * included. Ops without a filter count none.
 */
import { defined } from '../../common/errors.ts';
import type { Graph, Op, TensorId } from './graph.ts';
import { elementCount, tensorOf } from './graph.ts';

export function macsOf(op: Op, graph: Graph): number {
  const shapeOf = (id: TensorId | null | undefined): readonly number[] =>
    tensorOf(graph, defined(id, `tensor of op ${op.index}`)).shape;
  switch (op.kind) {
    case 'CONV_2D': {
      const [, ...taps] = shapeOf(op.inputs[1]);
      return elementCount(shapeOf(op.outputs[0])) * elementCount(taps);
    }
    case 'DEPTHWISE_CONV_2D': {
      const [, filterH, filterW] = shapeOf(op.inputs[1]);
      return elementCount(shapeOf(op.outputs[0])) * defined(filterH, 'filter height') * defined(filterW, 'filter width');
    }
    case 'FULLY_CONNECTED':
      return elementCount(shapeOf(op.outputs[0])) * defined(shapeOf(op.inputs[1]).at(-1), 'inputs of the filter');
    default:
      return 0;
  }
}
