/**
 * Ranges of every activation of a float graph, found by running it with the reference kernels on calibration inputs. The quantizer turns
 * them into scales and zero points.
 */
import { assert, defined, UserError } from '../../common/errors.ts';
import { tensorOf, type Graph, type TensorId } from '../../firmware-gen/ir/graph.ts';
import { createReference } from '../../firmware-gen/reference/index.ts';
import { Histogram } from './histogram.ts';
import { chooseRange, needsDistribution, type RangeMethod } from './range-methods.ts';

/** Smallest and largest value seen. */
export interface ActivationRange {
  readonly min: number;
  readonly max: number;
}

export type ActivationRanges = ReadonlyMap<TensorId, ActivationRange>;

/** Calibration inputs: per run the graph's inputs, float32, by position in graph.inputs. Walked once or twice. */
export type CalibrationSamples = Iterable<readonly Float32Array[]>;

/**
 * Range of every graph input and op output over `samples` (at least one), as `method` draws it. `levels`: integers that will cover it.
 * Throws UserError when a value is not finite.
 */
export function calibrate(
  graph: Graph,
  samples: CalibrationSamples,
  method: RangeMethod = { kind: 'min-max' },
  levels = 256,
): ActivationRanges {
  const ranges = new Map<TensorId, ActivationRange>();
  const runs = observe(graph, samples, (id, values) => {
    const known = ranges.get(id);
    ranges.set(id, join(known, rangeOf(values, tensorOf(graph, id).name), method));
  });
  assert(runs > 0, 'calibration without samples');
  if (!needsDistribution(method)) return ranges;
  const histograms = new Map([...ranges].map(([id, range]) => [id, new Histogram(range)]));
  observe(graph, samples, (id, values) => {
    defined(histograms.get(id), 'histogram').add(values);
  });
  return new Map([...histograms].map(([id, histogram]) => [id, chooseRange(histogram, method, levels)]));
}

/** Shows every activation of every run to `see`; an output is seen under the id of its tensor. Returns the number of runs. */
export function observe(
  graph: Graph,
  samples: CalibrationSamples,
  see: (id: TensorId, values: Float32Array) => void,
): number {
  const reference = createReference(graph);
  let runs = 0;
  for (const inputs of samples) {
    for (const [i, id] of graph.inputs.entries()) see(id, defined(inputs[i], `calibration input ${i}`));
    const { allOpOutputs } = reference.run(inputs.map(bytesOf));
    for (const [i, op] of graph.ops.entries()) {
      for (const [k, id] of op.outputs.entries()) {
        assert(tensorOf(graph, id).dtype === 'float32', `op ${op.index} ${op.kind} of a float graph gives float32`);
        see(id, floatsOf(defined(allOpOutputs[i]?.[k], `output ${k} of op ${op.index}`)));
      }
    }
    runs += 1;
  }
  return runs;
}

function rangeOf(values: Float32Array, name: string): ActivationRange {
  let min = Infinity;
  let max = -Infinity;
  for (const value of values) {
    if (!Number.isFinite(value))
      throw new UserError(`calibration: tensor "${name}" holds ${value}; remove samples that are not finite numbers`);
    if (value < min) min = value;
    if (value > max) max = value;
  }
  return { min, max };
}

function join(known: ActivationRange | undefined, next: ActivationRange, method: RangeMethod): ActivationRange {
  if (known === undefined) return next;
  if (method.kind !== 'moving-average')
    return { min: Math.min(known.min, next.min), max: Math.max(known.max, next.max) };
  const { momentum } = method;
  return {
    min: momentum * known.min + (1 - momentum) * next.min,
    max: momentum * known.max + (1 - momentum) * next.max,
  };
}

function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

/** A copy: the bytes need not be aligned. */
function floatsOf(bytes: Uint8Array): Float32Array {
  return new Float32Array(bytes.slice().buffer);
}
