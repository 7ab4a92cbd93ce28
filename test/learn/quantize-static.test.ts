/** What prepares a float graph for quantization must not change its function; what corrects rounding must bring the outputs closer. */
import { describe, expect, it } from 'vitest';
import { tensorOf, type Graph, type Op } from '../../firmware-gen/ir/graph.ts';
import { runReference } from '../../firmware-gen/reference/index.ts';
import { graphToTflite } from '../../firmware-gen/passes/export.ts';
import { importGraph } from '../../firmware-gen/passes/import.ts';
import { parseTflite } from '../../firmware-gen/tflite/reader.ts';
import { writeTflite } from '../../firmware-gen/tflite/writer.ts';
import { realValues } from '../../learn/data/model-input.ts';
import { layerErrors } from '../../learn/evaluate/layers.ts';
import { equalizeLayers } from '../../learn/quantize/equalize.ts';
import { foldBatchNorm } from '../../learn/quantize/fold-batch-norm.ts';
import { quantizeStatic, STATIC_DEFAULTS, type StaticOptions } from '../../learn/quantize/static.ts';
import { constantOf, floatsOf, isWeighted } from '../../learn/quantize/weights.ts';
import { bytesOf, floatNetwork, floatSamples, floatsIn, ids } from './support/float-network.ts';

const graph = floatNetwork();
const calibration = floatSamples(60, 1);
const unseen = floatSamples(40, 2);

const outputsOf = (model: Graph, samples = unseen): number[] =>
  samples.flatMap((sample) => [...floatsIn(runReference(model, [bytesOf(sample)]).outputs[0]!)]);

function expectSameFunction(model: Graph): void {
  const expected = outputsOf(graph);
  for (const [i, value] of outputsOf(model).entries()) expect(value).toBeCloseTo(expected[i]!, 5);
}

describe('foldBatchNorm', () => {
  const folded = foldBatchNorm(graph);

  it('should fold MUL, ADD and SUB into the layers and make RELU an activation', () => {
    expect(folded.ops.map(({ kind }) => kind)).toEqual([
      ...['CONV_2D', 'DEPTHWISE_CONV_2D', 'CONV_2D', 'AVERAGE_POOL_2D', 'RESHAPE', 'FULLY_CONNECTED', 'SOFTMAX'],
    ]);
    expect(folded.ops.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(folded.ops[0]).toMatchObject({ activation: 'RELU' });
    expect(folded.ops[2]).toMatchObject({ activation: 'RELU' });
  });

  it('should not change the function', () => {
    expectSameFunction(folded);
  });

  it('should leave a layer alone whose output others read too', () => {
    const both: Graph = { ...graph, outputs: [...graph.outputs, graph.ops[0]!.outputs[0]!] };
    expect(
      foldBatchNorm(both)
        .ops.map(({ kind }) => kind)
        .slice(0, 3),
    ).toEqual(['CONV_2D', 'MUL', 'ADD']);
  });

  it('should give layers that share a filter one each', () => {
    const twice: Op = {
      ...graph.ops[4]!,
      index: 5,
      inputs: [graph.ops[4]!.outputs[0]!, ...graph.ops[4]!.inputs.slice(1)],
    };
    const id = graph.tensors.length;
    const output = { ...tensorOf(graph, graph.ops[4]!.outputs[0]!), id: ids(id)[0]!, name: 'twice' };
    const rest = graph.ops.slice(5).map((op, i) => ({ ...op, index: 6 + i }));
    const [pointwise, ...others] = rest;
    const chained: Graph = {
      ...graph,
      tensors: [...graph.tensors, output],
      ops: [
        ...graph.ops.slice(0, 5),
        { ...twice, outputs: [output.id] },
        { ...pointwise!, inputs: [output.id, ...pointwise!.inputs.slice(1)] },
        ...others,
      ],
    };
    const own = foldBatchNorm(chained);
    const filters = own.ops.filter(isWeighted).map((op) => op.inputs[1]);
    expect(new Set(filters).size).toBe(filters.length);
    expect(quantizeStatic(chained, calibration, STATIC_DEFAULTS).quantized.ops).toHaveLength(8);
  });
});

describe('equalizeLayers', () => {
  it('should keep the function and make weight ranges of both sides alike', () => {
    const folded = foldBatchNorm(graph);
    const { graph: equal, pairs } = equalizeLayers(folded);
    expect(pairs).toBe(3);
    expectSameFunction(equal);
    const spread = (model: Graph): number => {
      const filter = constantOf(model, model.ops[1]!, 1);
      const largest = new Float64Array(8);
      for (const [i, value] of floatsOf(filter).entries()) largest[i % 8] = Math.max(largest[i % 8]!, Math.abs(value));
      const before = constantOf(model, model.ops[0]!, 1);
      const ranges = Array.from({ length: 8 }, (_, c) =>
        Math.max(
          ...floatsOf(before)
            .slice(c * 27, c * 27 + 27)
            .map(Math.abs),
        ),
      );
      return Math.max(...ranges.map((range, c) => Math.abs(Math.log(range / largest[c]!))));
    };
    expect(spread(equal)).toBeLessThan(0.5 * spread(folded));
  });

  it('should leave a dead channel as it is: its bias would set the range of the layer', () => {
    const folded = foldBatchNorm(graph);
    const [filter, bias] = [constantOf(folded, folded.ops[0]!, 1), constantOf(folded, folded.ops[0]!, 2)];
    // Channel 2: weights of 2^-60 of what they were.
    const weights = floatsOf(filter).map((value, i) => (Math.floor(i / 27) === 2 ? value * 2 ** -60 : value));
    const tensors = folded.tensors.map((tensor) =>
      tensor.id === filter.id ? { ...tensor, data: bytesOf(weights) } : tensor,
    );
    const { graph: equal } = equalizeLayers({ ...folded, tensors });
    expect(floatsOf(constantOf(equal, equal.ops[0]!, 2))[2]).toBe(floatsOf(bias)[2]);
  });
});

describe('quantizeStatic', () => {
  const meanError = (options: Partial<StaticOptions>, measure: 'bias' | 'size'): number => {
    const { float, quantized } = quantizeStatic(graph, calibration, { ...STATIC_DEFAULTS, ...options });
    const position = 2;
    const output = tensorOf(quantized, quantized.ops[position]!.outputs[0]!);
    const input = tensorOf(quantized, quantized.inputs[0]!);
    const errors = new Float64Array(5);
    for (const sample of calibration) {
      const { scale, zeroPoint } = input.quantization!;
      const q = Int8Array.from(sample, (v) => Math.min(127, Math.max(-128, Math.round(v / scale[0]!) + zeroPoint[0]!)));
      const actual = realValues(output, runReference(quantized, [new Uint8Array(q.buffer)]).opOutputs[position]!);
      const expected = floatsIn(runReference(float, [bytesOf(sample)]).opOutputs[position]!);
      for (const [i, value] of actual.entries()) {
        const error = value - expected[i]!;
        errors[i % 5]! += measure === 'bias' ? error : error * error;
      }
    }
    return errors.reduce((sum, value) => sum + Math.abs(value), 0);
  };

  it('should be readable again, with the same ops and quantization', () => {
    const { quantized } = quantizeStatic(graph, calibration, STATIC_DEFAULTS);
    const read = importGraph(parseTflite(writeTflite(graphToTflite(quantized))), quantized.name);
    expect(read.ops).toEqual(quantized.ops);
    expect(read.tensors.map(({ quantization, dtype }) => ({ quantization, dtype }))).toEqual(
      quantized.tensors.map(({ quantization, dtype }) => ({ quantization, dtype })),
    );
  });

  it('should lose less with int16 activations than with int8', () => {
    const noise = ([8, 16] as const).map((activations) => {
      const { float, quantized } = quantizeStatic(graph, calibration, { ...STATIC_DEFAULTS, activations });
      return layerErrors(float, quantized, calibration.slice(0, 8))![2]!.sqnrDb!;
    });
    expect(noise[1]).toBeGreaterThan(noise[0]! + 3);
  });

  it('should lose less with int16 weights than with int8, and be readable again', () => {
    const noise = ([8, 16] as const).map((weights) => {
      const options = { ...STATIC_DEFAULTS, activations: 16, weights } as const;
      const { float, quantized } = quantizeStatic(graph, calibration, options);
      const read = importGraph(parseTflite(writeTflite(graphToTflite(quantized))), quantized.name);
      expect(read.tensors).toEqual(quantized.tensors);
      expect(constantOf(read, read.ops[0]!, 1).dtype).toBe(`int${weights}`);
      return layerErrors(float, read, calibration.slice(0, 8))![5]!.sqnrDb!;
    });
    expect(noise[1]).toBeGreaterThan(noise[0]! + 20);
    const sequential = { ...STATIC_DEFAULTS, activations: 16, weights: 16, rounding: 'sequential' } as const;
    expect(() => quantizeStatic(graph, calibration, sequential)).toThrow(/--weights 16: rounds to nearest/);
  });

  it('should bring the mean output closer with bias correction', () => {
    const rough = { granularity: 'tensor' } as const;
    expect(meanError({ ...rough, biasCorrection: true }, 'bias')).toBeLessThan(meanError(rough, 'bias'));
  });

  it('should bring outputs closer with adaptive rounding', () => {
    const rough = { granularity: 'tensor' } as const;
    expect(meanError({ ...rough, rounding: 'adaptive' }, 'size')).toBeLessThan(meanError(rough, 'size'));
  });

  it('should bring outputs closer still, and means as well, when layers make up for those before them', () => {
    const rough = { granularity: 'tensor' } as const;
    const sequential = { ...rough, rounding: 'sequential' } as const;
    expect(meanError(sequential, 'size')).toBeLessThan(meanError({ ...rough, rounding: 'adaptive' }, 'size'));
    expect(meanError(sequential, 'bias')).toBeLessThan(meanError({ ...rough, biasCorrection: true }, 'bias'));
    const lastOf = (options: Partial<StaticOptions>): number => {
      const { float, quantized } = quantizeStatic(graph, calibration, { ...STATIC_DEFAULTS, ...options });
      return layerErrors(float, quantized, unseen)![5]!.sqnrDb!;
    };
    expect(lastOf({ rounding: 'sequential' })).toBeGreaterThan(lastOf({ rounding: 'adaptive', biasCorrection: true }));
  });

  it('should lose less with one scale per filter after equalization', () => {
    // Channels of one layer made a hundred times larger, those of the next smaller: the function is the same, one scale does not fit.
    const uneven = foldBatchNorm(graph);
    const [first, second] = [uneven.ops[0]!, uneven.ops[1]!];
    const factor = (c: number): number => (c % 2 === 0 ? 10 : 0.1);
    const scaled = new Map([
      [first.inputs[1]!, (v: number, i: number) => v * factor(Math.floor(i / 27))],
      [first.inputs[2]!, (v: number, i: number) => v * factor(i)],
      [second.inputs[1]!, (v: number, i: number) => v / factor(i % 8)],
    ]);
    const tensors = uneven.tensors.map((tensor) => {
      const change = scaled.get(tensor.id);
      return change ? { ...tensor, data: bytesOf(floatsOf(tensor).map(change)) } : tensor;
    });
    const sqnr = [false, true].map((equalization) => {
      const options = { ...STATIC_DEFAULTS, granularity: 'tensor', equalization } as const;
      const { float, quantized } = quantizeStatic({ ...uneven, tensors }, calibration, options);
      return layerErrors(float, quantized, unseen)![5]!.sqnrDb!;
    });
    expect(sqnr[1]).toBeGreaterThan(sqnr[0]! + 6);
  });

  it.each<[string, () => Float32Array[], RegExp]>([
    ['no samples', () => [], /there are no samples/],
    ['a NaN', () => [calibration[0]!.map((v, i) => (i === 7 ? NaN : v))], /sample 0 holds NaN; remove values/],
    ['an infinity', () => [calibration[0]!, calibration[1]!.map(() => Infinity)], /sample 1 holds Infinity/],
    ['one constant', () => [calibration[0]!.map(() => 3)], /every value is 3; a range needs data that varies/],
    ['another size', () => [calibration[0]!.slice(1)], /sample 0 has 71 values, input "t0" takes 72/],
  ])('should refuse calibration data with %s', (_, samples, message) => {
    expect(() => quantizeStatic(graph, samples(), STATIC_DEFAULTS)).toThrow(message);
  });

  it('should refuse a model that is quantized already', () => {
    const { quantized } = quantizeStatic(graph, calibration, STATIC_DEFAULTS);
    expect(() => quantizeStatic(quantized, calibration, STATIC_DEFAULTS)).toThrow(
      /is int8; quantize takes a float32 model/,
    );
  });

  it('should refuse HARD_SWISH with int16 activations', () => {
    const ops = graph.ops.map((op): Op => {
      return op.kind === 'RELU' ? { kind: 'HARD_SWISH', index: op.index, inputs: op.inputs, outputs: op.outputs } : op;
    });
    expect(() => quantizeStatic({ ...graph, ops }, calibration, { ...STATIC_DEFAULTS, activations: 16 })).toThrow(
      /HARD_SWISH has no int16 form in TFLite; use --activations 8/,
    );
  });
});
