/** `thumbelina inspect --compare` as a user runs it: a layer damaged on purpose is the one that it names. */
import { describe, expect, it } from 'vitest';
import type { Graph, Tensor } from '../../firmware-gen/ir/graph.ts';
import { graphToTflite } from '../../firmware-gen/passes/export.ts';
import { writeTflite } from '../../firmware-gen/tflite/writer.ts';
import { diagnose } from '../../learn/evaluate/diagnose.ts';
import type { LayerError } from '../../learn/evaluate/layers.ts';
import { quantizeStatic, STATIC_DEFAULTS } from '../../learn/quantize/static.ts';
import { floatNetwork, floatSamples, INPUT_ELEMENTS } from '../learn/support/float-network.ts';
import { npyBytes } from '../learn/support/npy-file.ts';
import { thumbelina, thumbelinaJson } from './support/cli.ts';
import { workspace } from './support/workspace.ts';

const space = workspace();
const graph = floatNetwork();
const { quantized } = quantizeStatic(graph, floatSamples(40, 1), STATIC_DEFAULTS);
const file = (name: string, model: Graph): string => space.write(name, writeTflite(graphToTflite(model)));
const float = file('net.tflite', graph);
const samples = Float32Array.from(floatSamples(8, 3).flatMap((sample) => [...sample]));
const data = space.write('x.npy', npyBytes('<f4', [8, INPUT_ELEMENTS], new Uint8Array(samples.buffer)));

/** The depthwise layer's weights a quarter as large as they should be. */
function damaged(): Graph {
  const [, filterId] = quantized.ops[1]!.inputs;
  const quarter = (tensor: Tensor): Tensor =>
    tensor.id === filterId
      ? { ...tensor, data: new Uint8Array(new Int8Array(tensor.data!).map((q) => q >> 2)) }
      : tensor;
  return { ...quantized, tensors: quantized.tensors.map(quarter) };
}

const layer = (sqnrDb: number, more: Partial<LayerError> = {}): LayerError => ({
  ...{ index: 0, opcode: 'CONV_2D', tensor: 't', sqnrDb, floatMin: -1, floatMax: 1, rangeMin: -1, rangeMax: 1 },
  ...{ clippedShare: 0, saturated: 0, values: 100 },
  ...more,
});

describe('inspect --compare', () => {
  it('should find nothing wrong with a sound model', async () => {
    const report = await thumbelinaJson([
      'inspect',
      '--compare',
      float,
      file('good.tflite', quantized),
      '--data',
      data,
    ]);
    expect(report).toMatchObject({ schemaVersion: 1, first: null, samples: 8 });
  });

  it('should name the layer that was damaged', async () => {
    const report = await thumbelinaJson(['inspect', '--compare', float, file('bad.tflite', damaged()), '--data', data]);
    expect(report).toMatchObject({ first: { index: 1, opcode: 'DEPTHWISE_CONV_2D' }, cause: 'weights' });
  });

  it('should say what is missing in one line', async () => {
    const { code, stderr } = await thumbelina(['inspect', '--compare', float, float]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/--compare needs --data DIR/);
  });

  it.each([
    ['clipped', [layer(30), layer(10, { clippedShare: 0.1 })]],
    ['coarse', [layer(30), layer(10, { rangeMin: -20, rangeMax: 20 })]],
    ['weights', [layer(30), layer(10)]],
    ['accumulated', [layer(22), layer(19)]],
  ] as const)('should tell %s from other causes', (cause, layers) => {
    const found = diagnose(layers, { isDynamic: false, isPerChannel: true });
    expect(found).toMatchObject({ cause, first: layers[1] });
  });
});
