/** Dynamic fixed point from a float network: close to it, whatever the input's loudness; through a file and back; refusals in one line. */
import { describe, expect, it } from 'vitest';
import type { Graph } from '../../firmware-gen/ir/graph.ts';
import { graphToTflite } from '../../firmware-gen/passes/export.ts';
import { importGraph } from '../../firmware-gen/passes/import.ts';
import { createReference } from '../../firmware-gen/reference/index.ts';
import { parseTflite } from '../../firmware-gen/tflite/reader.ts';
import { writeTflite } from '../../firmware-gen/tflite/writer.ts';
import { modelInputs } from '../../learn/data/model-input.ts';
import { predict } from '../../learn/evaluate/evaluate.ts';
import { layerErrors, layerErrorsOfForms } from '../../learn/evaluate/layers.ts';
import { quantizeDynamic, type DynamicOptions } from '../../learn/quantize/dynamic.ts';
import { quantizeStatic, STATIC_DEFAULTS } from '../../learn/quantize/static.ts';
import { bytesOf, floatNetwork, floatSamples, floatsIn } from './support/float-network.ts';

const graph = floatNetwork();
const calibration = floatSamples(20, 1);
const DEFAULTS: DynamicOptions = { scheme: 'q', form: 'full', granularity: 'channel', equalization: false };
const dynamic = (options: Partial<DynamicOptions> = {}): Graph =>
  quantizeDynamic(graph, calibration, { ...DEFAULTS, ...options }).quantized;

/** Mean absolute difference of the probabilities. */
function error(model: Graph, samples: readonly Float32Array[]): number {
  const [own, float] = [predict(model, samples).outputs, predict(graph, samples).outputs];
  const all = own.flatMap((row, i) => [...row].map((value, k) => Math.abs(value - float[i]![k]!)));
  return all.reduce((a, b) => a + b, 0) / all.length;
}

describe.each(['q', 'asym'] as const)('quantizeDynamic, %s', (scheme) => {
  it('should stay close to the float network at any loudness, where static does not', () => {
    const fixed = quantizeStatic(graph, calibration, STATIC_DEFAULTS).quantized;
    const loud = floatSamples(30, 2, 8);
    for (const gain of [0.1, 1, 8]) expect(error(dynamic({ scheme }), floatSamples(30, 2, gain))).toBeLessThan(0.03);
    expect(error(dynamic({ scheme }), loud)).toBeLessThan(error(fixed, loud) / 4);
  });

  it('should lose little by learning the range on the way', () => {
    const samples = floatSamples(30, 3);
    for (const form of ['rows', 'predicted'] as const)
      expect(error(dynamic({ scheme, form }), samples)).toBeLessThan(0.03);
  });

  it('should be the same model after a file', () => {
    const model = dynamic({ scheme, form: 'predicted', granularity: 'tensor' });
    const read = importGraph(parseTflite(writeTflite(graphToTflite(model))), model.name);
    expect(read).toEqual(model);
    const inputs = modelInputs(model, floatSamples(1, 4)[0]!);
    expect(createReference(read).runOutputs(inputs)).toEqual(createReference(model).runOutputs(inputs));
  });

  it('should give layer errors in the scales of the moment', () => {
    const { float, quantized } = quantizeDynamic(graph, calibration, { ...DEFAULTS, scheme });
    const layers = layerErrors(float, quantized, floatSamples(4, 5, 8))!;
    for (const layer of layers.slice(0, 3)) expect(layer.sqnrDb).toBeGreaterThan(15);
  });

  it('should not let biases leave the accumulator for an input that is nearly silent', () => {
    expect(error(dynamic({ scheme }), floatSamples(10, 6, 1e-9))).toBeLessThan(0.05);
  });
});

describe('channels that nothing can move', () => {
  const dead = [1, 3, 4, 6];
  /** Channels `dead` of the first convolution as training with batch normalisation leaves them: weights of 2^-60 and a bias below zero. */
  const withDead = (): Graph => {
    const [filter, bias, shift] = [graph.ops[0]!.inputs[1]!, graph.ops[0]!.inputs[2]!, graph.ops[2]!.inputs[1]!];
    const changed = (id: number, change: (value: number, channel: number) => number): Graph['tensors'][number] => {
      const tensor = graph.tensors[id]!;
      const values = floatsIn(tensor.data!);
      const inner = values.length / 8;
      const next = values.map((value, i) => change(value, Math.floor(i / inner)));
      return { ...tensor, data: bytesOf(next) };
    };
    const own = new Map([
      [filter, changed(filter, (value, c) => (dead.includes(c) ? value * 2 ** -60 : value))],
      [bias, changed(bias, (value, c) => (dead.includes(c) ? 0 : value))],
      [shift, changed(shift, (value, c) => (dead.includes(c) ? -0.3 : value))],
    ]);
    return { ...graph, tensors: graph.tensors.map((tensor) => own.get(tensor.id) ?? tensor) };
  };

  it('should go, their constants kept in the biases behind them', () => {
    const network = withDead();
    const { quantized } = quantizeDynamic(network, calibration, DEFAULTS);
    const channels = quantized.ops.slice(0, 2).map((op) => quantized.tensors[op.outputs[0]!]!.shape[3]);
    expect(channels).toEqual([4, 4]);
    const samples = floatSamples(20, 8, 3);
    const [own, float] = [predict(quantized, samples).outputs, predict(network, samples).outputs];
    for (const [i, row] of own.entries())
      for (const [k, value] of row.entries()) expect(Math.abs(value - float[i]![k]!)).toBeLessThan(0.1);
  });

  it('should not hinder the comparison of layers with the float model', () => {
    const network = withDead();
    const { quantized } = quantizeDynamic(network, calibration, DEFAULTS);
    const layers = layerErrorsOfForms(network, quantized, floatSamples(4, 5));
    expect(layers?.[0]?.sqnrDb).toBeGreaterThan(15);
  });
});

describe('refusals', () => {
  it('should name an op without a dynamic form', () => {
    const input = graph.inputs[0]!;
    const ops = [{ kind: 'TANH', index: 0, inputs: [input], outputs: [99] }] as unknown as Graph['ops'];
    const output = { ...graph.tensors[input]!, id: 1, name: 'out' } as Graph['tensors'][number];
    const tanh: Graph = {
      ...graph,
      tensors: [graph.tensors[input]!, output],
      ops: ops.map((op) => ({ ...op, outputs: [output.id] })),
      outputs: [output.id],
    };
    expect(() => quantizeDynamic(tanh, calibration, DEFAULTS)).toThrow(
      /op 0 TANH: has no dynamic-q form; quantize with/,
    );
  });

  it('should refuse metadata that is not its own', () => {
    const model = graphToTflite(dynamic());
    const data = new TextEncoder().encode('{"schemaVersion":2}');
    const buffers = model.buffers!.map((buffer, i) => (i === model.buffers!.length - 1 ? { ...buffer, data } : buffer));
    expect(() => importGraph({ ...model, buffers }, 'm')).toThrow(
      /metadata thumbelina.dynamic: schemaVersion .*quantize/,
    );
  });

  it.each([
    ['no samples', [], /there are no samples/],
    ['a NaN', [calibration[0]!.map((v, i) => (i === 3 ? NaN : v))], /sample 0 holds NaN/],
    ['one constant', [calibration[0]!.map(() => 1)], /every value is 1/],
    ['another size', [calibration[0]!.slice(1)], /sample 0 has 71 values/],
  ])('should refuse %s', (_, samples, message) => {
    expect(() => quantizeDynamic(graph, samples, DEFAULTS)).toThrow(message);
  });
});
