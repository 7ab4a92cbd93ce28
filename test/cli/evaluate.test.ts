/** `thumbelina evaluate` as a user runs it: several models side by side, shifted, on the firmware; one line and exit code 2 for bad input. */
import { describe, expect, it } from 'vitest';
import { graphToTflite } from '../../firmware-gen/passes/export.ts';
import { writeTflite } from '../../firmware-gen/tflite/writer.ts';
import { predict } from '../../learn/evaluate/evaluate.ts';
import { quantizeStatic, STATIC_DEFAULTS } from '../../learn/quantize/static.ts';
import { hasCompiler } from '../emulator/support/assemble.ts';
import { floatNetwork, floatSamples, INPUT_ELEMENTS } from '../learn/support/float-network.ts';
import { npyBytes } from '../learn/support/npy-file.ts';
import { thumbelina, thumbelinaJson } from './support/cli.ts';
import { workspace } from './support/workspace.ts';

const space = workspace();
const graph = floatNetwork();
const float = space.write('net.tflite', writeTflite(graphToTflite(graph)));
const { quantized } = quantizeStatic(graph, floatSamples(40, 1), STATIC_DEFAULTS);
const int8 = space.write('net8.tflite', writeTflite(graphToTflite(quantized)));
const pipeline = {
  schemaVersion: 1,
  windowFrames: 24,
  hopFrames: 24,
  channels: ['x', 'y', 'z'],
  units: ['g', 'g', 'g'],
  rawScale: [1, 1, 1],
  mean: [0, 0, 0],
  scale: [1, 1, 1],
  layout: { order: 'NHWC', shape: [1, 6, 4, 3] },
  classes: ['a', 'b', 'c', 'd'],
};
space.write('net.pipeline.json', JSON.stringify(pipeline));

/** 24 samples of 6 subjects, labelled as the float model sees them. */
function dataFolder(name: string, change: (values: Float32Array) => Float32Array = (values) => values): string {
  const samples = floatSamples(24, 7);
  const labels = predict(graph, samples).outputs.map((row) => row.indexOf(Math.max(...row)));
  const folder = space.folder(name);
  const all = change(Float32Array.from(samples.flatMap((sample) => [...sample])));
  const file = (stem: string, descr: string, shape: number[], values: Float32Array | Int32Array): string =>
    space.write(`${name}/${stem}.npy`, npyBytes(descr, shape, new Uint8Array(values.buffer)));
  file('x', '<f4', [24, INPUT_ELEMENTS], all);
  file('y', '<i4', [24], Int32Array.from(labels));
  file(
    'subjects',
    '<i4',
    [24],
    Int32Array.from(labels, (_, i) => i % 6),
  );
  return folder;
}

const data = dataFolder('data');

describe('evaluate', () => {
  it('should compare models on plain and shifted data', async () => {
    const report = await thumbelinaJson(['evaluate', int8, float, '--data', data, '--shift', 'gain:8,noise:10dB']);
    expect(report).toMatchObject({
      schemaVersion: 1,
      outcome: 'ok',
      baseline: 'net',
      subjects: 6,
      classes: pipeline.classes,
    });
    const { rows } = report as {
      rows: { model: string; shift: string; classifier: { top1: number }; against: unknown }[];
    };
    expect(rows.map(({ model, shift }) => `${model} ${shift}`)).toEqual([
      ...['net8 none', 'net none', 'net8 gain:8', 'net gain:8', 'net8 noise:10dB', 'net noise:10dB'],
    ]);
    expect(rows[1]).toMatchObject({ samples: 24, classifier: { top1: 1 }, against: null, layers: null });
    expect(rows[0]!.classifier.top1).toBeGreaterThan(0.9);
    expect(rows[0]).toMatchObject({ against: { relativeTop1: 100 * rows[0]!.classifier.top1 }, firmwareEqual: null });
    // Against the float model as quantize folds it.
    expect((rows[0] as unknown as { layers: { sqnrDb: number }[] }).layers[0]?.sqnrDb).toBeGreaterThan(15);
  });

  it('should print tables without --json', async () => {
    const { code, stdout } = await thumbelina(['evaluate', float, int8, '--data', data]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/24 samples of 6 subjects, compared with net\n/);
    expect(stdout).toMatch(/\nnet8 +none +\d+\.\d %/);
    expect(stdout).toMatch(/true classes down, predicted across/);
  });

  it.skipIf(!hasCompiler)(
    `should give on the firmware what the reference gives${hasCompiler ? '' : ' (skipped: no arm-none-eabi-gcc)'}`,
    async () => {
      const args = [
        'evaluate',
        int8,
        '--data',
        data,
        '--on',
        'firmware',
        '-o',
        space.path('build'),
        '--pipeline',
        space.path('net.pipeline.json'),
      ];
      const report = await thumbelinaJson([...args, '--samples', '10']);
      expect(report).toMatchObject({ outcome: 'ok', rows: [{ samples: 10, firmwareEqual: 10 }] });
    },
  );

  it.each<[string, () => readonly string[], RegExp]>([
    [
      'no pipeline',
      () => [space.write('alone.tflite', writeTflite(graphToTflite(graph))), '--data', data],
      /alone\.pipeline\.json: no such file; it says/,
    ],
    ['no data', () => [float], /required option '--data <data>' not specified/],
    ['no such data', () => [float, '--data', space.path('nowhere')], /nowhere: no such file or folder/],
    ['a shift that is none', () => [float, '--data', data, '--shift', 'tilt:3'], /--shift tilt:3: not known/],
    ['a NaN', () => [float, '--data', dataFolder('nan', (v) => v.fill(NaN, 100, 101))], /sample 1 holds NaN/],
    ['no samples wanted', () => [float, '--data', data, '--samples', '0'], /--samples 0: there is nothing/],
    [
      'models of different input',
      () => [float, 'models/har_wisdm_watch.tflite', '--data', data],
      /compare forms of one model/,
    ],
    [
      'a pipeline for another model',
      () => ['models/har_wisdm_watch.tflite', '--data', data, '--pipeline', space.path('net.pipeline.json')],
      /pipeline: gives windows of 72 values/,
    ],
  ])('should refuse %s with one line', async (_, args, message) => {
    const { code, stdout, stderr } = await thumbelina(['evaluate', ...args()]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^thumbelina: [^\n]+\n$/);
    expect(stderr).toMatch(message);
  });
});
