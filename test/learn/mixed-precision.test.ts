/** int8 and int16x8 in one graph: conversions where they are needed and nowhere else, the same bits in C, and the best mix that a budget allows. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { loadBoard } from '../../boards/load.ts';
import { tensorOf, type Graph, type Op } from '../../firmware-gen/ir/graph.ts';
import { graphToTflite } from '../../firmware-gen/passes/export.ts';
import { importGraph } from '../../firmware-gen/passes/import.ts';
import { createReference } from '../../firmware-gen/reference/index.ts';
import { parseTflite } from '../../firmware-gen/tflite/reader.ts';
import { writeTflite } from '../../firmware-gen/tflite/writer.ts';
import { firmwareOutputs } from '../../harness/firmware-outputs.ts';
import { modelInputs } from '../../learn/data/model-input.ts';
import { layerErrors } from '../../learn/evaluate/layers.ts';
import type { CostModel, MeasuredCost } from '../../learn/quantize/budget.ts';
import type { Bits } from '../../learn/quantize/mixed-precision.ts';
import { quantizeStatic, quantizeWithinBudget, STATIC_DEFAULTS } from '../../learn/quantize/static.ts';
import { floatNetwork, floatSamples } from './support/float-network.ts';

const graph = floatNetwork();
const calibration = floatSamples(30, 1);
const dir = mkdtempSync(join(tmpdir(), 'thumbelina-mixed-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Folded: conv, depthwise, conv, pool, reshape, dense, softmax. */
const mixed = (...bits: readonly [number, Bits][]): Graph =>
  quantizeStatic(graph, calibration, STATIC_DEFAULTS, new Map(bits.map(([i, b]) => [i, { bits: b }]))).quantized;
const kinds = ({ ops }: Graph): string[] => ops.map(({ kind }) => kind);
const types = (model: Graph): string[] => model.ops.map((op) => tensorOf(model, op.outputs[0]!).dtype);
const lastSqnr = (model: Graph): number => {
  const { float } = quantizeStatic(graph, calibration, STATIC_DEFAULTS);
  return layerErrors(float, model, floatSamples(30, 2))!.at(-2)!.sqnrDb!;
};

describe('mixed precision', () => {
  it('should convert between layers of different bits, and let pooling and reshaping follow', () => {
    const model = mixed([1, 16], [2, 16]);
    expect(kinds(model)).toEqual([
      ...['CONV_2D', 'QUANTIZE', 'DEPTHWISE_CONV_2D', 'CONV_2D', 'AVERAGE_POOL_2D', 'RESHAPE', 'QUANTIZE'],
      ...['FULLY_CONNECTED', 'SOFTMAX'],
    ]);
    expect(types(model)).toEqual([
      ...['int8', 'int16', 'int16', 'int16', 'int16', 'int16', 'int8'],
      ...['int8', 'int8'],
    ]);
    expect(model.ops.map(({ index }) => index)).toEqual([...model.ops.keys()]);
  });

  it('should be the one or the other form when all layers agree', () => {
    const all = (bits: Bits): Graph => mixed(...[0, 1, 2, 3, 4, 5, 6].map((i): [number, Bits] => [i, bits]));
    for (const bits of [8, 16] as const) {
      const pure = quantizeStatic(graph, calibration, { ...STATIC_DEFAULTS, activations: bits }).quantized;
      const outputs = (model: Graph) =>
        floatSamples(5, 3).map((sample) => createReference(model).runOutputs(modelInputs(model, sample))[0]);
      expect(outputs(all(bits))).toEqual(outputs(pure));
    }
  });

  it('should lose less than int8 and more than int16', () => {
    const half = lastSqnr(mixed([0, 16], [1, 16], [2, 16]));
    expect(half).toBeGreaterThan(lastSqnr(mixed()) + 1);
    expect(half).toBeLessThan(
      lastSqnr(quantizeStatic(graph, calibration, { ...STATIC_DEFAULTS, activations: 16 }).quantized),
    );
  });

  it.each([
    [[0, 16] as const, [2, 16] as const],
    [[1, 16] as const, [6, 16] as const],
  ])('should give the same bits through a file and on the emulated core: %j %j', async (...bits) => {
    const model = mixed(...bits.map(([i, b]): [number, Bits] => [i, b]));
    const read = importGraph(parseTflite(writeTflite(graphToTflite(model))), 'mixed');
    const inputs = floatSamples(6, 4).map((sample) => modelInputs(read, sample));
    const reference = createReference(model);
    const expected = inputs.map((input) => Buffer.concat(reference.runOutputs(input)));
    const source = { name: 'mixed', path: 'mixed', sha256: '0'.repeat(64), graph: read };
    const outputs = await firmwareOutputs(source, inputs, { board: loadBoard('mps2-an386'), engine: 'wasm', dir });
    expect(outputs.map((output) => [...output])).toEqual(expected.map((output) => [...output]));
  });

  it('should keep an op without an int16 form in 8 bits', () => {
    const ops = graph.ops.map((op): Op => (op.kind === 'RELU' ? { ...op, kind: 'HARD_SWISH' } : op));
    const options = { ...STATIC_DEFAULTS, activations: 16 } as const;
    const swish = { ...graph, ops };
    expect(() => quantizeStatic(swish, calibration, options)).toThrow(/HARD_SWISH has no int16 form.*--layer 1:8/);
    const { quantized } = quantizeStatic(swish, calibration, options, new Map([[1, { bits: 8 }]]));
    expect(kinds(quantized).slice(0, 4)).toEqual(['CONV_2D', 'QUANTIZE', 'HARD_SWISH', 'QUANTIZE']);
    expect(() => quantizeStatic(swish, calibration, STATIC_DEFAULTS, new Map([[1, { bits: 16 }]]))).toThrow(
      /--layer 1:16: HARD_SWISH has no int16 form/,
    );
  });

  it("should draw one layer's range by a method of its own", () => {
    const method = { kind: 'percentile', share: 0.5 } as const;
    const { quantized } = quantizeStatic(graph, calibration, STATIC_DEFAULTS, new Map([[1, { method }]]));
    const scales = (model: Graph) => model.ops.map((op) => tensorOf(model, op.outputs[0]!).quantization!.scale[0]!);
    const [own, usual] = [scales(quantized), scales(mixed())];
    expect(own[1]).toBeLessThan(usual[1]! / 2);
    expect(own.filter((_, i) => i !== 1)).toEqual(usual.filter((_, i) => i !== 1));
    expect(() => quantizeStatic(graph, calibration, STATIC_DEFAULTS, new Map([[7, { bits: 8 }]]))).toThrow(
      /--layer 7: .* has ops 0 to 6 after folding/,
    );
  });
});

/** Costs by formula instead of by emulation: int16 ops take four times the cycles, conversions one cycle a value. */
const cyclesOf = (model: Graph): number[] =>
  model.ops.map((op) => {
    const output = tensorOf(model, op.outputs[0]!);
    const values = output.shape.reduce((a, b) => a * b, 1);
    if (op.kind === 'QUANTIZE') return values;
    return values * (op.inputs.length > 1 ? 20 : 1) * (output.dtype === 'int16' ? 4 : 1);
  });
const ramOf = (model: Graph): number =>
  Math.max(...model.ops.map((op) => [op.inputs[0]!, op.outputs[0]!].reduce((sum, id) => sum + bytes(model, id), 0)));
const bytes = (model: Graph, id: Op['outputs'][number]): number => {
  const { shape, dtype } = tensorOf(model, id);
  return shape.reduce((a, b) => a * b, 1) * (dtype === 'int16' ? 2 : 1);
};

function costs(): CostModel & { readonly built: MeasuredCost[] } {
  const built: MeasuredCost[] = [];
  return {
    built,
    arenaBytes: ramOf,
    measure: (model) => {
      const opCycles = cyclesOf(model);
      const cycles = 100 + opCycles.reduce((a, b) => a + b, 0);
      const cost = { cycles, ram: 64 + ramOf(model), flash: 1000, opCycles };
      built.push(cost);
      return Promise.resolve(cost);
    },
  };
}

describe('--budget', () => {
  const within = async (budget: object, layers = new Map()) => {
    const model = costs();
    const result = await quantizeWithinBudget(graph, calibration, STATIC_DEFAULTS, { budget, layers, costs: model });
    return { ...result, fine: model.built[0]!, coarse: model.built[1]! };
  };

  it('should take int16 where all of it fits', async () => {
    expect(types((await within({ cycles: 1e9 })).quantized)).toEqual(new Array(7).fill('int16'));
  });

  it('should stay within, use what there is, and be better than int8', async () => {
    const { fine, coarse } = await within({ cycles: 20000 });
    let before = lastSqnr(mixed());
    for (const share of [0.4, 0.7]) {
      const budget = { cycles: Math.round(coarse.cycles + share * (fine.cycles - coarse.cycles)) };
      const { quantized, cost } = await within(budget);
      expect(cost.cycles).toBeLessThanOrEqual(budget.cycles);
      expect(cost.cycles).toBeGreaterThan(coarse.cycles);
      expect(lastSqnr(quantized)).toBeGreaterThan(before);
      before = lastSqnr(quantized);
    }
    const ram = Math.round((coarse.ram + fine.ram) / 2);
    const lean = await within({ ram, cycles: fine.cycles });
    expect(lean.cost.ram).toBeLessThanOrEqual(ram);
    expect(types(lean.quantized)).toContain('int16');
  });

  it('should keep what is fixed, and refuse what int8 cannot hold', async () => {
    const { quantized } = await within({ cycles: 1e9 }, new Map([[2, { bits: 8 }]]));
    expect(types(quantized).filter((type) => type === 'int8').length).toBeGreaterThan(0);
    await expect(within({ cycles: 1000, flash: 2000 })).rejects.toThrow(
      /--budget: cycles is \d+, 1000 allowed, in 8 bits already/,
    );
  });
});
