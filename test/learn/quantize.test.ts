/** The quantizer's bounds: what int8 values stand for is within half a step of the float they came from; zero is exact; TFLite's fixed scales. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Graph, Tensor, TensorId } from '../../firmware-gen/ir/graph.ts';
import { runReference } from '../../firmware-gen/reference/index.ts';
import { calibrate } from '../../learn/quantize/calibrate.ts';
import { int16Format, int8Format, type ActivationFormat } from '../../learn/quantize/number-format.ts';
import { quantizeBias, quantizeFilter, quantizeGraph } from '../../learn/quantize/quantize-graph.ts';
import { createRandom } from '../../learn/random.ts';

const bytes = (values: Float32Array): Uint8Array => new Uint8Array(values.slice().buffer);
const floats = (data: Uint8Array): Float32Array => new Float32Array(data.slice().buffer);

function tensor(id: number, shape: readonly number[], values: Float32Array | null = null): Tensor {
  return {
    id: id as TensorId,
    name: `t${id}`,
    dtype: 'float32',
    shape,
    quantization: null,
    data: values && bytes(values),
  };
}

const { quantizationFor } = int8Format;

describe('quantizationFor', () => {
  it('should hold 0 exactly and every value of the range within half a step (property)', () => {
    const range = fc.tuple(
      fc.double({ min: -1e3, max: 1e3, noNaN: true }),
      fc.double({ min: 0, max: 1e3, noNaN: true }),
    );
    fc.assert(
      fc.property(range, fc.double({ min: 0, max: 1, noNaN: true }), ([min, span], share) => {
        const { scale, zeroPoint } = quantizationFor({ min, max: min + span });
        const [step, zero] = [scale[0]!, zeroPoint[0]!];
        expect(Number.isInteger(zero) && zero >= -128 && zero <= 127).toBe(true);
        expect(step).toBe(Math.fround(step));
        const value = min + share * span;
        const q = Math.min(127, Math.max(-128, Math.round(value / step) + zero));
        // The zero point is rounded too, so the ends of the range may lie up to half a step further out.
        expect(Math.abs(step * (q - zero) - value)).toBeLessThanOrEqual(step * 1.0001);
      }),
      { seed: 5 },
    );
  });

  it('should spread a range that starts at zero over all 256 values', () => {
    expect(quantizationFor({ min: 0, max: 2.55 })).toEqual({ scale: [Math.fround(0.01)], zeroPoint: [-128], axis: 0 });
  });

  it('should widen a range that lies on one side of zero', () => {
    expect(quantizationFor({ min: 1, max: 2 }).zeroPoint).toEqual([-128]);
    expect(quantizationFor({ min: -2, max: -1 }).zeroPoint).toEqual([127]);
  });

  it('should give a positive scale to a tensor that is always zero', () => {
    expect(quantizationFor({ min: 0, max: 0 }).scale[0]).toBeGreaterThan(0);
  });
});

describe('quantizeFilter', () => {
  const values = Float32Array.from([0.5, -1, 0.25, 4, -2, 1, 0, 0, 0]);

  it('should give every output channel its own symmetric scale', () => {
    const { data, quantization } = quantizeFilter(tensor(0, [3, 1, 1, 3], values), 0);
    expect([...new Int8Array(data!.buffer)]).toEqual([64, -127, 32, 127, -64, 32, 0, 0, 0]);
    expect(quantization?.scale.slice(0, 2)).toEqual([Math.fround(1 / 127), Math.fround(4 / 127)]);
    expect(quantization?.zeroPoint).toEqual([0, 0, 0]);
  });

  it('should take the channel from the last dimension of a depthwise filter', () => {
    const { quantization } = quantizeFilter(tensor(0, [1, 3, 1, 3], values), 3);
    expect(quantization?.scale).toEqual([4, 2, 1].map((largest) => Math.fround(largest / 127)));
  });

  it('should give the whole filter one scale without an axis', () => {
    expect(quantizeFilter(tensor(0, [3, 3], values), null).quantization?.scale).toEqual([Math.fround(4 / 127)]);
  });
});

describe('quantizeBias', () => {
  it('should use input scale times filter scale, and saturate instead of wrapping', () => {
    const input = { scale: [0.5], zeroPoint: [3], axis: 0 };
    const filter = { scale: [0.25, 2 ** -40], zeroPoint: [0, 0], axis: 0 };
    const { dtype, data, quantization } = quantizeBias(tensor(0, [2], Float32Array.from([-1.5, 9])), input, filter);
    expect(dtype).toBe('int32');
    expect([...new Int32Array(data!.buffer)]).toEqual([-12, 2147483647]);
    expect(quantization).toEqual({ scale: [0.125, 2 ** -41], zeroPoint: [0, 0], axis: 0 });
  });
});

/** pad -> conv -> average pool -> reshape -> dense -> softmax. */
function network(): Graph {
  const random = createRandom(3);
  const normal = (count: number): Float32Array => Float32Array.from({ length: count }, () => random.normal());
  const tensors = [
    tensor(0, [1, 6, 1, 2]),
    tensor(1, [1, 8, 1, 2]),
    tensor(2, [4, 3, 1, 2], normal(24)),
    tensor(3, [4], normal(4)),
    tensor(4, [1, 6, 1, 4]),
    tensor(5, [1, 3, 1, 4]),
    tensor(6, [1, 12]),
    tensor(7, [3, 12], normal(36)),
    tensor(8, [3], normal(3)),
    tensor(9, [1, 3]),
    tensor(10, [1, 3]),
  ];
  const ids = (...list: number[]): TensorId[] => list as TensorId[];
  const window = { padding: 'VALID', strideH: 1, strideW: 1, activation: 'NONE' } as const;
  const dilation = { dilationH: 1, dilationW: 1, activation: 'RELU' } as const;
  const none = [0, 0] as const;
  return {
    name: 'network',
    tensors,
    ops: [
      { kind: 'PAD', index: 0, inputs: ids(0), outputs: ids(1), paddings: [none, [1, 1], none, none], padValue: 0 },
      { kind: 'CONV_2D', index: 1, inputs: ids(1, 2, 3), outputs: ids(4), ...window, ...dilation },
      {
        kind: 'AVERAGE_POOL_2D',
        index: 2,
        inputs: ids(4),
        outputs: ids(5),
        ...window,
        strideH: 2,
        filterH: 2,
        filterW: 1,
      },
      { kind: 'RESHAPE', index: 3, inputs: ids(5), outputs: ids(6) },
      {
        kind: 'FULLY_CONNECTED',
        index: 4,
        inputs: ids(6, 7, 8),
        outputs: ids(9),
        activation: 'NONE',
        keepNumDims: false,
      },
      { kind: 'SOFTMAX', index: 5, inputs: ids(9), outputs: ids(10), beta: 1 },
    ],
    inputs: ids(0),
    outputs: ids(10),
    notes: [],
  };
}

const samples = (count: number, seed: number): Float32Array[][] => {
  const random = createRandom(seed);
  return Array.from({ length: count }, () => [Float32Array.from({ length: 12 }, () => random.normal())]);
};

describe('quantizeGraph', () => {
  const graph = network();
  const quantized = quantizeGraph(graph, calibrate(graph, samples(200, 1)));
  const quantizationOf = (id: number) => quantized.tensors[id]!.quantization!;

  it('should join the ranges of tensors that kernels copy between', () => {
    expect(quantizationOf(1)).toEqual(quantizationOf(0));
    expect(quantizationOf(5)).toEqual(quantizationOf(4));
    expect(quantizationOf(6)).toEqual(quantizationOf(4));
    expect(quantizationOf(9)).not.toEqual(quantizationOf(4));
  });

  it('should fix the output of SOFTMAX and pad with the real zero', () => {
    expect(quantizationOf(10)).toEqual({ scale: [1 / 256], zeroPoint: [-128], axis: 0 });
    expect(quantized.ops[0]).toMatchObject({ padValue: quantizationOf(0).zeroPoint[0] });
  });

  /** Largest difference of a class probability between the float network and its quantized form, on inputs it was not calibrated with. */
  function worstError(format: ActivationFormat, form: Graph): number {
    const { scale, zeroPoint } = form.tensors[0]!.quantization!;
    const output = form.tensors[10]!.quantization!;
    const int8 = format.dtype === 'int8';
    let worst = 0;
    for (const [values] of samples(100, 2)) {
      const integers = Array.from(values!, (v) =>
        Math.min(format.max, Math.max(format.min, Math.round(v / scale[0]!) + zeroPoint[0]!)),
      );
      const q = int8 ? Int8Array.from(integers) : Int16Array.from(integers);
      const expected = floats(runReference(graph, [bytes(values!)]).outputs[0]!);
      const { buffer } = runReference(form, [new Uint8Array(q.buffer)]).outputs[0]!.slice();
      const actual = int8 ? new Int8Array(buffer) : new Int16Array(buffer);
      for (const [i, p] of expected.entries())
        worst = Math.max(worst, Math.abs((actual[i]! - output.zeroPoint[0]!) * output.scale[0]! - p));
    }
    return worst;
  }

  it('should stay close to the float network on inputs it was not calibrated with', () => {
    // Clipped tails included; measured 0.05. A wrong scale anywhere gives errors near 1.
    expect(worstError(int8Format, quantized)).toBeLessThan(0.1);
  });

  it('should stay closer with int16 activations and int64 biases; weights are int8 in both', () => {
    // Wide enough that nothing clips: what is left is rounding.
    const wide = new Map(
      [...calibrate(graph, samples(200, 1))].map(([id, r]) => [id, { min: r.min * 2, max: r.max * 2 }]),
    );
    const form = quantizeGraph(graph, wide, { format: int16Format, granularity: 'channel' });
    expect(form.tensors[3]!.dtype).toBe('int64');
    expect(form.tensors[2]!.dtype).toBe('int8');
    expect(worstError(int16Format, form)).toBeLessThan(worstError(int8Format, quantizeGraph(graph, wide)));
  });

  it('should give a filter one scale when asked to', () => {
    const form = quantizeGraph(graph, calibrate(graph, samples(20, 1)), { format: int8Format, granularity: 'tensor' });
    expect(form.tensors[2]!.quantization!.scale).toHaveLength(1);
    expect(quantized.tensors[2]!.quantization!.scale).toHaveLength(4);
  });

  it('should refuse a constant with two users', () => {
    const [pad, conv, pool, ...rest] = graph.ops;
    const shared = {
      ...graph,
      ops: [
        pad!,
        conv!,
        pool!,
        ...rest.map((op) => (op.index === 4 ? { ...op, inputs: [6, 7, 3] as TensorId[] } : op)),
      ],
    };
    expect(() => quantizeGraph(shared, calibrate(graph, samples(4, 1)))).toThrow(/"t3" has two users/);
  });

  it('should refuse to calibrate on nothing', () => {
    expect(() => calibrate(graph, [])).toThrow(/without samples/);
  });

  it('should refuse values that are not finite, naming the tensor', () => {
    const [inputs] = samples(1, 1);
    inputs![0]![3] = Number.NaN;
    expect(() => calibrate(graph, [inputs!])).toThrow(/tensor "t0" holds NaN; remove samples/);
  });

  it.each([{ kind: 'percentile', share: 0.99 }, { kind: 'mse' }, { kind: 'entropy' }] as const)(
    'should draw ranges of $kind inside those of min-max',
    (method) => {
      const all = calibrate(graph, samples(20, 1));
      for (const [id, { min, max }] of calibrate(graph, samples(20, 1), method)) {
        expect(min).toBeGreaterThanOrEqual(all.get(id)!.min);
        expect(max).toBeLessThanOrEqual(all.get(id)!.max);
      }
    },
  );

  it('should average the ranges of samples with the momentum given', () => {
    const [first, second] = samples(2, 3).map((sample) => calibrate(graph, [sample]));
    const both = calibrate(graph, samples(2, 3), { kind: 'moving-average', momentum: 0.75 });
    for (const [id, { max }] of both) {
      expect(max).toBeCloseTo(0.75 * first!.get(id)!.max + 0.25 * second!.get(id)!.max, 5);
    }
  });
});
