/** Float constants of layers with weights: reading, replacing, scaling along a channel dimension. */
import { assert, defined } from '../../common/errors.ts';
import { tensorOf, type Graph, type Op, type Tensor, type TensorId } from '../../firmware-gen/ir/graph.ts';

export type WeightedOp = Op & { readonly kind: 'CONV_2D' | 'DEPTHWISE_CONV_2D' | 'FULLY_CONNECTED' };

export function isWeighted(op: Op): op is WeightedOp {
  return op.kind === 'CONV_2D' || op.kind === 'DEPTHWISE_CONV_2D' || op.kind === 'FULLY_CONNECTED';
}

/** Dimension of the filter that indexes output channels. */
export function outputChannelAxis(op: WeightedOp): number {
  return op.kind === 'DEPTHWISE_CONV_2D' ? 3 : 0;
}

export function constantOf(graph: Graph, op: Op, position: number): Tensor {
  return tensorOf(graph, defined(op.inputs[position], `constant ${position} of op ${op.index}`));
}

/** A copy of a float32 constant's values. */
export function floatsOf(tensor: Tensor): Float32Array {
  const data = defined(tensor.data, `data of "${tensor.name}"`);
  assert(tensor.dtype === 'float32', `"${tensor.name}" is ${tensor.dtype}, the quantizer takes float32`);
  return new Float32Array(data.slice().buffer);
}

export function withFloats(tensor: Tensor, values: Float32Array): Tensor {
  return { ...tensor, data: new Uint8Array(values.slice().buffer) };
}

/** Values of `tensor` times a factor per index of dimension `axis`. */
export function scaledAlong(tensor: Tensor, axis: number, factors: ArrayLike<number>): Float32Array {
  const inner = tensor.shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  const slices = tensor.shape[axis] ?? 1;
  return floatsOf(tensor).map((value, i) => value * factors[Math.floor(i / inner) % slices]!);
}

/**
 * The same graph with filters and biases that belong to one layer each: constants with several users are copied, so that every layer can
 * quantize its own.
 */
export function withOwnWeights(graph: Graph): Graph {
  const used = new Set<TensorId>();
  const tensors = [...graph.tensors];
  const ops = graph.ops.map((op): Op => {
    if (!isWeighted(op)) {
      for (const id of op.inputs) if (id !== null) used.add(id);
      return op;
    }
    const inputs = op.inputs.map((id, position) => {
      if (id === null || position === 0) return id;
      if (!used.has(id)) {
        used.add(id);
        return id;
      }
      const copy = { ...tensorOf(graph, id), id: tensors.length as TensorId };
      tensors.push(copy);
      return copy.id;
    });
    return { ...op, inputs };
  });
  return tensors.length === graph.tensors.length ? graph : { ...graph, tensors, ops };
}

/** Every layer with weights gets a bias, zero where it had none. */
export function withBiases(graph: Graph): Graph {
  const tensors = [...graph.tensors];
  const ops = graph.ops.map((op): Op => {
    if (!isWeighted(op) || (op.inputs[2] !== null && op.inputs[2] !== undefined)) return op;
    const filter = constantOf(graph, op, 1);
    const channels = defined(filter.shape[outputChannelAxis(op)], 'output channels');
    const id = tensors.length as TensorId;
    const name = `${tensorOf(graph, op.outputs[0]!).name}/bias`;
    const data = new Uint8Array(4 * channels);
    tensors.push({ id, name, dtype: 'float32', shape: [channels], quantization: null, data });
    return { ...op, inputs: [op.inputs[0]!, op.inputs[1]!, id] };
  });
  return tensors.length === graph.tensors.length ? graph : { ...graph, tensors, ops };
}
