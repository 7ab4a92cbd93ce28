/** `thumbelina quantize` as a user runs it: what it writes, and one line with exit code 2 for everything that is wrong with model or data. */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Graph, Op } from '../../firmware-gen/ir/graph.ts';
import { graphToTflite } from '../../firmware-gen/passes/export.ts';
import { BUILTIN_OPERATORS, codeOf } from '../../firmware-gen/tflite/enums.ts';
import { writeTflite } from '../../firmware-gen/tflite/writer.ts';
import { loadModel } from '../../harness/model.ts';
import { loadPipeline } from '../../learn/pipeline.ts';
import { floatNetwork, floatSamples, INPUT_ELEMENTS } from '../learn/support/float-network.ts';
import { npyBytes } from '../learn/support/npy-file.ts';
import { thumbelina, thumbelinaJson } from './support/cli.ts';
import { workspace } from './support/workspace.ts';

const space = workspace();
const tflite = (graph: Graph): Uint8Array => writeTflite(graphToTflite(graph));
const float = space.write('float.tflite', tflite(floatNetwork()));

function npy(name: string, samples: readonly Float32Array[], elements = INPUT_ELEMENTS): string {
  const all = Float32Array.from(samples.flatMap((sample) => [...sample]));
  return space.write(name, npyBytes('<f4', [samples.length, elements], new Uint8Array(all.buffer)));
}

const data = npy('calibration.npy', floatSamples(30, 1));

/** A model with an operator that nothing here knows. */
function withUnsupportedOp(): Uint8Array {
  const model = graphToTflite(floatNetwork());
  const [first, ...rest] = model.operatorCodes!;
  const code = codeOf(BUILTIN_OPERATORS, 'LSTM');
  return writeTflite({
    ...model,
    operatorCodes: [{ ...first!, builtinCode: code, deprecatedBuiltinCode: code }, ...rest],
  });
}

describe('quantize', () => {
  it.each([
    ['8', 'int8', []],
    ['16', 'int16', []],
    ['16', 'int16', ['--weights', '16']],
    ['16', 'int16', ['--scheme', 'dynamic-q']],
    ['16', 'int16', ['--scheme', 'dynamic-asym', '--weights', '16']],
    [
      '8',
      'int8',
      ['--granularity', 'tensor', '--equalize', '--bias-correction', '--rounding', 'adaptive', '--method', 'mse'],
    ],
  ])('should write a model of %s-bit activations that is read again', async (bits, dtype, options) => {
    const output = space.path(`out-${bits}-${options.join('')}.tflite`);
    const args = ['quantize', float, '--calibration', data, '--activations', bits, ...options, '-o', output];
    const report = (await thumbelinaJson(args)) as { layers: { sqnrDb: number }[]; samples: number; pipeline: null };
    expect(report).toMatchObject({ schemaVersion: 1, activations: Number(bits), samples: 30, pipeline: null });
    expect(Math.min(...report.layers.map(({ sqnrDb }) => sqnrDb))).toBeGreaterThan(15);
    const { graph } = loadModel(output);
    expect([graph.inputs[0]!, graph.outputs[0]!].map((id) => graph.tensors[id]!.dtype)).toEqual([dtype, dtype]);
    expect(graph.ops.map(({ kind }) => kind)).not.toContain('MUL');
  });

  it('should give single layers what they are told', async () => {
    const output = space.path('layers.tflite');
    const args = ['quantize', float, '--calibration', data, '--layer', '0:16', '1:mse', '1:16', '-o', output];
    const report = (await thumbelinaJson(args)) as { precision: number[]; layers: { opcode: string }[] };
    expect(report.precision).toEqual([16, 16, 8, 8, 8, 8, 8, 8]);
    expect(loadModel(output).graph.ops[2]).toMatchObject({ kind: 'QUANTIZE' });
    expect(report.layers.map(({ opcode }) => opcode)).not.toContain('QUANTIZE');
  });

  it('should choose bits within a budget that is measured, and say what the result costs', async () => {
    const output = space.path('budget.tflite');
    const args = ['--calibration', data, '--rounding', 'sequential', '-o', output];
    const report = async (budget: string) =>
      (await thumbelinaJson(['quantize', float, ...args, '--budget', budget])) as {
        precision: number[];
        cost: { ram: number; flash: number; cycles: number };
      };
    const { cost } = await report('cycles:1000000000');
    const limit = Math.round(0.7 * cost.cycles);
    const within = await report(`cycles:${limit},flash:100000`);
    expect(new Set(within.precision)).toEqual(new Set([8, 16]));
    expect(within.cost.cycles).toBeLessThanOrEqual(limit);
    const input = ['--board', 'mps2-an386', '--bare', '--lcg', '1', '-o', space.folder('run')];
    const run = (await thumbelinaJson(['run', output, ...input])) as { memory: { flashBytes: number } };
    expect(run.memory.flashBytes).toBe(within.cost.flash);
  }, 120_000);

  it('should use the pipeline and write it beside the result with the new quantization', async () => {
    const pipeline = {
      schemaVersion: 1,
      windowFrames: 24,
      hopFrames: 24,
      channels: ['x', 'y', 'z'],
      units: ['g', 'g', 'g'],
      rawScale: [0.01, 0.01, 0.01],
      mean: [0, 0, 0],
      scale: [1, 1, 1],
      layout: { order: 'NHWC', shape: [1, 6, 4, 3] },
      classes: ['a', 'b', 'c', 'd'],
    };
    space.write('float.raw.json', JSON.stringify(pipeline));
    const counts = floatSamples(20, 3).flatMap((sample) => [...sample].map((v) => Math.round(100 * v)));
    const raw = space.write('x.i16', new Uint8Array(Int16Array.from(counts).buffer));
    const output = space.path('piped.tflite');
    const args = ['--calibration', raw, '--pipeline', space.path('float.raw.json'), '-o', output];
    expect((await thumbelina(['quantize', float, ...args])).code).toBe(0);
    const written = loadPipeline(space.path('piped.pipeline.json'));
    const { scale, zeroPoint } = loadModel(output).graph.tensors[0]!.quantization!;
    expect(written).toEqual({ ...pipeline, quantization: { scale: scale[0], zeroPoint: zeroPoint[0] } });
    const without = await thumbelina(['quantize', float, '--calibration', raw, '-o', space.path('no.tflite')]);
    expect(without).toMatchObject({ code: 2, stdout: '' });
    expect(without.stderr).toMatch(
      /x\.i16: holds raw counts, and nothing says what they mean; put MODEL\.pipeline\.json/,
    );
  });

  const [sample] = floatSamples(1, 1);
  it.each<[string, () => readonly string[], RegExp]>([
    ['a NaN', () => ['--calibration', npy('nan.npy', [sample!.map((v, i) => (i ? v : NaN))])], /sample 0 holds NaN/],
    ['one constant', () => ['--calibration', npy('one.npy', [sample!.map(() => 2)])], /every value is 2/],
    ['another shape', () => ['--calibration', npy('shape.npy', [sample!.slice(2)], 70)], /has shape \[1, 70\]/],
    ['an empty file', () => ['--calibration', npy('empty.npy', [])], /empty\.npy: holds no samples/],
    ['an empty folder', () => ['--calibration', space.folder('empty')], /empty: holds no samples/],
    ['no such path', () => ['--calibration', space.path('nowhere')], /nowhere: no such file or folder/],
    ['no calibration', () => [], /required option '--calibration <data>' not specified/],
    ['a split that does not exist', () => ['--calibration', data, '--split', 'dev'], /no sample is of split "dev"/],
    ['no samples wanted', () => ['--calibration', data, '--samples', '0'], /--samples 0: calibration needs/],
    [
      '16-bit weights beside 8-bit activations',
      () => ['--calibration', data, '--weights', '16'],
      /--weights 16: only with --activations 16, or with --scheme static and --budget/,
    ],
    [
      'a lean form of 16-bit activations',
      () => ['--calibration', data, '--scheme', 'dynamic-q', '--activations', '16', '--form', 'rows'],
      /--form rows: activations of 16 bits have form full alone/,
    ],
    ['a layer that is not there', () => ['--calibration', data, '--layer', '9:16'], /--layer 9: float has ops 0 to 6/],
    ['a layer without a wish', () => ['--calibration', data, '--layer', '2'], /OP:8, OP:16 or OP:METHOD is expected/],
    ['a budget of nothing', () => ['--calibration', data, '--budget', 'time:3'], /ram:N,flash:N,cycles:N is expected/],
    [
      'a budget and bits',
      () => ['--calibration', data, '--budget', 'ram:3', '--activations', '16'],
      /leave --activations out/,
    ],
    [
      'a budget for run-time scales',
      () => ['--calibration', data, '--budget', 'ram:3', '--scheme', 'dynamic-q'],
      /--budget is for --scheme static only/,
    ],
    [
      'two corrections of biases',
      () => ['--calibration', data, '--rounding', 'sequential', '--bias-correction'],
      /--rounding sequential corrects biases itself/,
    ],
    ['4-bit activations', () => ['--calibration', data, '--activations', '4'], /Allowed choices are 8, 16/],
    ['a percentile below the median', () => ['--calibration', data, '--percentile', '5'], /over 50 and up to 100/],
  ])('should refuse %s with one line and write nothing', async (_, args, message) => {
    const output = space.path('refused.tflite');
    const { code, stdout, stderr } = await thumbelina(['quantize', float, ...args(), '-o', output]);
    expect({ code, stdout, written: existsSync(output) }).toEqual({ code: 2, stdout: '', written: false });
    expect(stderr).toMatch(/^thumbelina: [^\n]+\n$/);
    expect(stderr).toMatch(message);
  });

  it('should refuse models it cannot quantize', async () => {
    const swish = floatNetwork();
    const ops = swish.ops.map((op): Op => (op.kind === 'RELU' ? { ...op, kind: 'HARD_SWISH' } : op));
    const models: [string, Uint8Array, string[], RegExp][] = [
      ['quantized', readFileSync('models/har_wisdm_watch.tflite'), [], /is int8; quantize takes a float32 model/],
      ['unsupported', withUnsupportedOp(), [], /operator 0 LSTM: operator is not supported/],
      ['swish', tflite({ ...swish, ops }), ['--activations', '16'], /HARD_SWISH has no int16 form/],
      ['broken', new Uint8Array(40), [], /broken\.tflite: /],
    ];
    for (const [name, bytes, args, message] of models) {
      const model = space.write(`${name}.tflite`, bytes);
      const calibration =
        name === 'quantized'
          ? npy(
              'har.npy',
              floatSamples(2, 1).map(() => new Float32Array(384).fill(1)),
              384,
            )
          : data;
      const { code, stderr } = await thumbelina([
        ...['quantize', model, '--calibration', calibration, ...args, '-o', space.path('refused.tflite')],
      ]);
      expect({ name, code, line: /^thumbelina: [^\n]+\n$/.test(stderr) }).toEqual({ name, code: 2, line: true });
      expect(stderr).toMatch(message);
    }
  });
});
