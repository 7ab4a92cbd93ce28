/** `thumbelina adapt` as a user runs it: a dynamic model learns on an emulated board; one line and exit code 2 for what cannot be done. */
import { describe, expect, it } from 'vitest';
import { graphToTflite } from '../../firmware-gen/passes/export.ts';
import { writeTflite } from '../../firmware-gen/tflite/writer.ts';
import type { Graph } from '../../firmware-gen/ir/graph.ts';
import { dynamicGraph, samples } from '../adaptation/small-classifier.ts';
import { hasCompiler } from '../emulator/support/assemble.ts';
import { npyBytes } from '../learn/support/npy-file.ts';
import { thumbelina, thumbelinaJson } from './support/cli.ts';
import { workspace } from './support/workspace.ts';

const space = workspace();
const elements = samples[0]!.values.length;
const pipeline = {
  schemaVersion: 1,
  windowFrames: elements / 4,
  hopFrames: elements / 4,
  channels: ['a', 'b', 'c', 'd'],
  units: ['g', 'g', 'g', 'g'],
  rawScale: [1, 1, 1, 1],
  mean: [0, 0, 0, 0],
  scale: [1, 1, 1, 1],
  layout: { order: 'NHWC', shape: [1, elements / 4, 1, 4] },
  classes: ['one', 'two', 'three'],
};
const model = (name: string, graph: Graph): string => {
  space.write(`${name}.pipeline.json`, JSON.stringify(pipeline));
  return space.write(`${name}.tflite`, writeTflite(graphToTflite(graph)));
};
const dynamic = model('dynamic', dynamicGraph);
const data = space.folder('data');
const bytes = (values: Float32Array | Int32Array): Uint8Array => new Uint8Array(values.buffer);
const all = Float32Array.from(samples.flatMap(({ values }) => [...values]));
space.write('data/x.npy', npyBytes('<f4', [samples.length, elements], bytes(all)));
space.write('data/y.npy', npyBytes('<i4', [samples.length], bytes(Int32Array.from(samples, ({ label }) => label))));

describe('adapt', () => {
  it.skipIf(!hasCompiler)(
    `should learn on the emulated board what the reference learns${hasCompiler ? '' : ' (skipped: no arm-none-eabi-gcc)'}`,
    async () => {
      const report = await thumbelinaJson([
        ...['adapt', dynamic, '--data', data, '--layers', 'block', '--per-class', '4', '--passes', '2'],
        ...['--board', 'mps2-an386', '-o', space.folder('out')],
      ]);
      expect(report).toMatchObject({
        outcome: 'ok',
        learnedFrom: 12,
        judged: 36,
        steps: 24,
        samples: 24,
        slotBytes: 0,
        committedSteps: null,
      });
      const { before, after, stepCycles } = report as { before: number; after: number; stepCycles: number };
      expect(after).toBeGreaterThan(before);
      expect(stepCycles).toBeGreaterThan(1000);
    },
    400_000,
  );

  it('should refuse in one line what it cannot do', async () => {
    const refused = async (args: readonly string[], text: string): Promise<void> => {
      const { code, stderr } = await thumbelina(['adapt', ...args]);
      expect(code).toBe(2);
      expect(stderr).toContain(text);
      expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    };
    await refused([dynamic, '--data', data, '--per-class', '40'], 'or another --per-class');
    await refused([dynamic, '--data', data, '--rate', '0'], 'a number above 0 is expected');
    await refused([dynamic, '--data', data, '--arithmetic', 'int4'], 'static-16');
    await refused(['models/har_ood.tflite', '--data', data], 'no such file');
  });
});
