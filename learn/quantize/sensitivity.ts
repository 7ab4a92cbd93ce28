/** What a single tensor of 8 bits does to the network's output while all others have 16: measured on calibration samples, tensor by tensor. */
import { defined } from '../../common/errors.ts';
import { tensorOf, type Graph, type Op, type Tensor, type TensorId } from '../../firmware-gen/ir/graph.ts';
import { createReference } from '../../firmware-gen/reference/index.ts';
import { modelInputs, realValues } from '../data/model-input.ts';
import type { Forms } from './mixed-precision.ts';

/** Tensor whose error counts: what a softmax at the end reads, else the output. */
export function judgedTensor(graph: Graph): TensorId {
  const output = graph.outputs[0]!;
  const last = graph.ops.find((op) => op.outputs[0] === output);
  return last?.kind === 'SOFTMAX' ? defined(last.inputs[0], 'logits') : output;
}

/** Mean squared error of `id` against the float values, over all samples. */
export function outputError(
  graph: Graph,
  id: TensorId,
  samples: readonly Float32Array[],
  expected: readonly Float32Array[],
): number {
  const reference = createReference(graph);
  const at = graph.ops.findIndex((op) => op.outputs.includes(id));
  const tensor = tensorOf(graph, id);
  let [sum, count] = [0, 0];
  for (const [i, sample] of samples.entries()) {
    const { opOutputs } = reference.run(modelInputs(graph, sample));
    for (const [k, value] of realValues(tensor, defined(opOutputs[at], 'output')).entries()) {
      sum += (value - expected[i]![k]!) ** 2;
      count += 1;
    }
  }
  return sum / count;
}

/** The float graph's values of `id`, by sample. */
export function expectedValues(float: Graph, id: TensorId, samples: readonly Float32Array[]): Float32Array[] {
  const reference = createReference(float);
  const at = float.ops.findIndex((op) => op.outputs.includes(id));
  return samples.map((sample) => {
    const { opOutputs } = reference.run(modelInputs(float, sample));
    return new Float32Array(defined(opOutputs[at], 'output').slice().buffer);
  });
}

/** By tensor: mean squared error that it adds to the judged tensor with 8 bits, 0 or more. Inputs and outputs of all ops. */
export function tensorSensitivities(
  float: Graph,
  forms: Forms,
  samples: readonly Float32Array[],
): Map<TensorId, number> {
  const id = judgedTensor(float);
  const expected = expectedValues(float, id, samples);
  const floor = outputError(forms[16], id, samples, expected);
  const read = new Set(float.ops.flatMap(({ inputs }) => inputs));
  const activations = float.tensors.filter((tensor) => tensor.data === null && read.has(tensor.id));
  return new Map(
    activations.map((tensor) => {
      const coarse = withCoarseTensor(forms, tensor.id);
      // What is judged may itself be the tensor: then its own rounding is what counts.
      const judged = tensor.id === id ? coarse.fine : id;
      return [tensor.id, Math.max(0, outputError(coarse.graph, judged, samples, expected) - floor)];
    }),
  );
}

/** The int16 form, in which everything reads `id` through 8 bits and back. */
function withCoarseTensor(forms: Forms, id: TensorId): { readonly graph: Graph; readonly fine: TensorId } {
  const { tensors, ops } = forms[16];
  const [coarse, fine] = [tensors.length as TensorId, (tensors.length + 1) as TensorId];
  const added: Tensor[] = [
    { ...tensorOf(forms[8], id), id: coarse },
    { ...tensorOf(forms[16], id), id: fine },
  ];
  const conversions: Op[] = [
    { kind: 'QUANTIZE', index: 0, inputs: [id], outputs: [coarse] },
    { kind: 'QUANTIZE', index: 0, inputs: [coarse], outputs: [fine] },
  ];
  const first = ops.findIndex(({ inputs }) => inputs.includes(id));
  const through = ops.map((op) => ({ ...op, inputs: op.inputs.map((input) => (input === id ? fine : input)) }));
  const all = [...through.slice(0, first), ...conversions, ...through.slice(first)];
  return {
    graph: { ...forms[16], tensors: [...tensors, ...added], ops: all.map((op, index) => ({ ...op, index })) },
    fine,
  };
}
