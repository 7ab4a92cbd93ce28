/**
 * A small VGG-style face detector, trained here on img-faces24: pairs of 3x3 convolutions, the second of each pair with stride 2 in place of
 * pooling (tfjs's wasm backend has no gradient of pooling), two dense layers. Development only (tfjs); the result is cached as a float .tflite.
 */
import * as tf from '@tensorflow/tfjs-core';
import { initializers, input, layers, model, type LayersModel, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { defined } from '../../common/errors.ts';
import type { Graph, Op, Tensor, TensorId } from '../../firmware-gen/ir/graph.ts';
import { verify } from '../../firmware-gen/ir/verify.ts';
import { createRandom } from '../../learn/random.ts';
import { startTfjs } from '../../learn/tfjs/start.ts';

export const FACE_RECIPE = {
  seed: 5,
  steps: 300,
  batch: 32,
  learningRate: 0.02,
  channels: [8, 8, 16, 16, 32],
  dense: 96,
};
const SIDE = 24;
const CLASSES = 2;

export interface FaceSample {
  /** Standardised pixels, 24 x 24. */
  readonly values: Float32Array;
  readonly label: number;
}

const strideOf = (layer: number): number => (layer % 2 === 1 || layer === FACE_RECIPE.channels.length - 1 ? 2 : 1);

function buildNetwork(): LayersModel {
  let seed = FACE_RECIPE.seed;
  const init = () => initializers.heNormal({ seed: (seed += 1) });
  const start = input({ shape: [SIDE, SIDE, 1] });
  let x: SymbolicTensor = start;
  for (const [i, filters] of FACE_RECIPE.channels.entries()) {
    const strides: [number, number] = [strideOf(i), strideOf(i)];
    const conv = layers.conv2d({
      ...{ name: `conv${i}`, filters, kernelSize: 3, strides, padding: 'same', kernelInitializer: init() },
    });
    x = layers.reLU().apply(conv.apply(x)) as SymbolicTensor;
  }
  x = layers.flatten().apply(x) as SymbolicTensor;
  x = layers.dense({ name: 'dense0', units: FACE_RECIPE.dense, kernelInitializer: init() }).apply(x) as SymbolicTensor;
  x = layers.reLU().apply(x) as SymbolicTensor;
  x = layers.dense({ name: 'dense1', units: CLASSES, kernelInitializer: init() }).apply(x) as SymbolicTensor;
  return model({ inputs: start, outputs: layers.softmax().apply(x) as SymbolicTensor });
}

/** @param report gets a line now and then */
export async function trainFaces(samples: readonly FaceSample[], report: (line: string) => void): Promise<Graph> {
  await startTfjs();
  const { steps, batch, learningRate, seed } = FACE_RECIPE;
  const random = createRandom(seed);
  const network = buildNetwork();
  const optimizer = tf.train.momentum(learningRate, 0.9, true);
  network.compile({ optimizer, loss: 'categoricalCrossentropy' });
  const byClass = [0, 1].map((label) => samples.filter((sample) => sample.label === label));
  for (let step = 0; step < steps; step += 1) {
    optimizer.setLearningRate(learningRate * 0.5 * (1 + Math.cos((Math.PI * step) / steps)));
    const pixels = new Float32Array(batch * SIDE * SIDE);
    const targets = new Float32Array(batch * CLASSES);
    for (let i = 0; i < batch; i += 1) {
      const list = defined(byClass[i % CLASSES], 'class');
      pixels.set(defined(list[random.integer(list.length)], 'sample').values, i * SIDE * SIDE);
      targets[i * CLASSES + (i % CLASSES)] = 1;
    }
    const [x, y] = [tf.tensor4d(pixels, [batch, SIDE, SIDE, 1]), tf.tensor2d(targets, [batch, CLASSES])];
    const loss = Number(await network.trainOnBatch(x, y));
    tf.dispose([x, y]);
    if ((step + 1) % 50 === 0) report(`faces: step ${step + 1}/${steps}, loss ${loss.toFixed(4)}`);
  }
  return faceGraph(new Map(network.layers.map((layer) => [layer.name, weightsOf(layer)])));
}

function weightsOf(layer: LayersModel['layers'][number]): Float32Array[] {
  return layer.getWeights().map((weight) => weight.dataSync<'float32'>().slice());
}

/** tfjs layouts (HWIO, [in, out]) to TFLite's (OHWI, [out, in]). */
function outputFirst(values: Float32Array, outputs: number): Float32Array {
  const rows = values.length / outputs;
  return Float32Array.from(values, (_, i) => values[(i % rows) * outputs + Math.floor(i / rows)]!);
}

function faceGraph(weights: ReadonlyMap<string, readonly Float32Array[]>): Graph {
  const tensors: Tensor[] = [];
  const ops: Op[] = [];
  const add = (name: string, shape: readonly number[], values: Float32Array | null): TensorId => {
    const id = tensors.length as TensorId;
    const data = values && new Uint8Array(values.slice().buffer);
    tensors.push({ id, name, dtype: 'float32', shape, quantization: null, data });
    return id;
  };
  const constants = (name: string, outputs: number, shape: readonly number[]): [TensorId, TensorId] => {
    const [kernel, bias] = defined(weights.get(name), `weights of ${name}`);
    return [add(`${name}_filter`, shape, outputFirst(kernel!, outputs)), add(`${name}_bias`, [outputs], bias!)];
  };
  const start = add('input', [1, SIDE, SIDE, 1], null);
  let [x, side, depth] = [start, SIDE, 1];
  for (const [i, filters] of FACE_RECIPE.channels.entries()) {
    const stride = strideOf(i);
    const operands = [x, ...constants(`conv${i}`, filters, [filters, 3, 3, depth])];
    [side, depth] = [Math.ceil(side / stride), filters];
    x = add(`conv${i}`, [1, side, side, filters], null);
    const window = { strideH: stride, strideW: stride, dilationH: 1, dilationW: 1, padding: 'SAME' } as const;
    ops.push({ kind: 'CONV_2D', ...window, activation: 'RELU', index: ops.length, inputs: operands, outputs: [x] });
  }
  const flat = add('flat', [1, side * side * depth], null);
  ops.push({ kind: 'RESHAPE', index: ops.length, inputs: [x], outputs: [flat] });
  x = flat;
  for (const [i, units] of [FACE_RECIPE.dense, CLASSES].entries()) {
    const operands = [x, ...constants(`dense${i}`, units, [units, tensors[x]!.shape[1]!])];
    x = add(`dense${i}`, [1, units], null);
    const activation = i === 0 ? 'RELU' : 'NONE';
    const fixed = { kind: 'FULLY_CONNECTED', keepNumDims: false, index: ops.length } as const;
    ops.push({ ...fixed, activation, inputs: operands, outputs: [x] });
  }
  const output = add('probabilities', [1, CLASSES], null);
  ops.push({ kind: 'SOFTMAX', beta: 1, index: ops.length, inputs: [x], outputs: [output] });
  const graph: Graph = { name: 'faces', tensors, ops, inputs: [start], outputs: [output], notes: [] };
  verify(graph);
  return graph;
}
