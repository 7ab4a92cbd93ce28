/** A small classifier with random weights and two dense layers at its end, quantized statically or dynamically, and inputs for it. */
import type { Graph } from '../../firmware-gen/ir/graph.ts';
import { GraphBuilder } from '../../learn/har/network-graph.ts';
import { createRandom } from '../../learn/random.ts';
import { quantizeDynamic } from '../../learn/quantize/dynamic.ts';
import { STATIC_DEFAULTS, quantizeStatic } from '../../learn/quantize/static.ts';

const [FRAMES, CHANNELS, FILTERS, HIDDEN, CLASSES] = [16, 4, 12, 9, 3];
const random = createRandom(3);
const normals = (count: number, deviation: number): Float32Array =>
  Float32Array.from({ length: count }, () => deviation * random.normal());

function floatGraph(): Graph {
  const graph = new GraphBuilder();
  const input = graph.activation('input', [1, FRAMES, 1, CHANNELS]);
  const window = { padding: 'SAME', strideH: 2, strideW: 1, dilationH: 1, dilationW: 1, activation: 'RELU' } as const;
  const filter = graph.constant('filter', [FILTERS, 3, 1, CHANNELS], normals(3 * CHANNELS * FILTERS, 0.4));
  const bias = graph.constant('bias', [FILTERS], normals(FILTERS, 0.1));
  let x = graph.op('conv', { kind: 'CONV_2D', ...window }, [input, filter, bias], [1, FRAMES / 2, 1, FILTERS]);
  x = graph.op('mean', { kind: 'MEAN', axes: [1, 2], keepDims: false }, [x], [1, FILTERS]);
  const dense = (name: string, inputs: number, units: number, activation: 'NONE' | 'RELU'): void => {
    const weights = graph.constant(`${name}_weights`, [units, inputs], normals(units * inputs, 0.5));
    const biases = graph.constant(`${name}_bias`, [units], normals(units, 0.1));
    x = graph.op(name, { kind: 'FULLY_CONNECTED', activation, keepNumDims: false }, [x, weights, biases], [1, units]);
  };
  dense('hidden', FILTERS, HIDDEN, 'RELU');
  dense('logits', HIDDEN, CLASSES, 'NONE');
  const { tensors, ops } = graph;
  return { name: 'small', tensors, ops, inputs: [input], outputs: [x], notes: [] };
}

const pattern = normals(CLASSES * CHANNELS, 1);
/** Classes with means of their own. */
export const samples = Array.from({ length: 48 }, (_, i) => ({
  label: i % CLASSES,
  values: Float32Array.from(
    { length: FRAMES * CHANNELS },
    (_v, k) => pattern[(i % CLASSES) * CHANNELS + (k % CHANNELS)]! + 0.6 * random.normal(),
  ),
}));

const float = floatGraph();
const calibration = samples.slice(0, 16).map(({ values }) => values);
export const staticGraph = quantizeStatic(float, calibration, STATIC_DEFAULTS).quantized;
export const dynamicGraph = quantizeDynamic(float, calibration, {
  ...{ scheme: 'q', form: 'full', granularity: 'channel', equalization: false },
}).quantized;
