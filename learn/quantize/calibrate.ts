/**
 * Ranges of every activation of a float graph, found by running it with the reference kernels on calibration inputs. The quantizer turns
 * them into scales and zero points.
 */
import { assert, defined } from '../../common/errors.ts';
import { tensorOf, type Graph, type TensorId } from '../../firmware-gen/ir/graph.ts';
import { createReference } from '../../firmware-gen/reference/index.ts';

/** Smallest and largest value seen. */
export interface ActivationRange {
  readonly min: number;
  readonly max: number;
}

export type ActivationRanges = ReadonlyMap<TensorId, ActivationRange>;

/**
 * `samples`: per calibration run the graph's inputs, float32, by position in graph.inputs; at least one run. Every graph input and op
 * output gets a range.
 */
export function calibrate(graph: Graph, samples: Iterable<readonly Float32Array[]>): ActivationRanges {
  const reference = createReference(graph);
  const ranges = new Map<TensorId, ActivationRange>();
  const widen = (id: TensorId, values: Float32Array): void => {
    const known = ranges.get(id) ?? { min: Infinity, max: -Infinity };
    let { min, max } = known;
    for (const value of values) {
      if (value < min) min = value;
      if (value > max) max = value;
    }
    ranges.set(id, { min, max });
  };
  let runs = 0;
  for (const inputs of samples) {
    for (const [i, id] of graph.inputs.entries()) widen(id, defined(inputs[i], `calibration input ${i}`));
    const { allOpOutputs } = reference.run(inputs.map(bytesOf));
    for (const [i, op] of graph.ops.entries()) {
      for (const [k, id] of op.outputs.entries()) {
        assert(tensorOf(graph, id).dtype === 'float32', `op ${op.index} ${op.kind} of a float graph gives float32`);
        widen(id, floatsOf(defined(allOpOutputs[i]?.[k], `output ${k} of op ${op.index}`)));
      }
    }
    runs += 1;
  }
  assert(runs > 0, 'calibration without samples');
  return ranges;
}

function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

/** A copy: the bytes need not be aligned. */
function floatsOf(bytes: Uint8Array): Float32Array {
  return new Float32Array(bytes.slice().buffer);
}
