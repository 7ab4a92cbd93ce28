/** Random int8 layers with weights for kernel tests: shapes, per-channel scales, zero points and biases, extremes included. */
import type { Graph, Tensor } from '../../firmware-gen/ir/graph.ts';
import { windowExtent } from '../../firmware-gen/ir/shapes.ts';
import type { Activation, Padding } from '../../firmware-gen/ir/graph.ts';
import type { Attributes, Random, TensorSpec } from './op-cases.ts';
import { oneOpGraph, withRandomInputs } from './op-cases.ts';
import type { GraphCase } from './run-graph.ts';

const ACTIVATIONS: readonly Activation[] = ['NONE', 'RELU', 'RELU6', 'RELU_N1_TO_1'];

/** What a test fixes; the rest is drawn. */
export interface LayerChoice {
  /** Output scale relative to what the sums need: 1 fills int8, much less saturates, much more gives few values. */
  readonly outputRange?: number;
  readonly perChannel?: boolean;
  readonly activation?: Activation;
  /** Smallest weight; TFLite's is -127. */
  readonly smallestWeight?: number;
  /** Every other channel has no weights, a tiny scale and a bias of +-2^30, as training leaves dead channels. */
  readonly hasDeadChannels?: boolean;
  /** All scales are powers of two and rescaling divides sums by this one: then one sum in that many is a tie. */
  readonly divisor?: number;
}

export interface Window {
  readonly filter: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly dilation: readonly [number, number];
  readonly padding: Padding;
}

function weightBytes(random: Random, count: number, smallest: number): Uint8Array {
  // One layer in four consists of extremes only.
  const extremes = random.int(0, 3) === 0;
  return Uint8Array.from({ length: count }, () =>
    extremes ? random.pick([smallest, 127]) & 0xff : random.int(smallest, 127) & 0xff,
  );
}

function biasBytes(random: Random, count: number, largest: number): Uint8Array {
  return new Uint8Array(Int32Array.from({ length: count }, () => random.int(-largest, largest)).buffer);
}

/** Per-channel scales in place of the filter's single one. */
function withFilterScales(graph: Graph, scales: readonly number[], axis: number): Graph {
  const tensors = graph.tensors.map((tensor, id): Tensor =>
    id === 1
      ? { ...tensor, quantization: { scale: scales.map(Math.fround), zeroPoint: scales.map(() => 0), axis } }
      : tensor,
  );
  return { ...graph, tensors };
}

interface Weighted {
  readonly name: string;
  readonly attributes: Attributes;
  readonly inputShape: readonly number[];
  readonly filterShape: readonly number[];
  readonly outputShape: readonly number[];
  readonly channels: number;
  readonly channelAxis: number;
  /** Products per output value. */
  readonly length: number;
}

function layerCase(random: Random, layer: Weighted, choice: LayerChoice): GraphCase {
  const smallest = choice.smallestWeight ?? -127;
  const inputScale = choice.divisor === undefined ? Math.fround(0.05) : 1;
  const filterScale = choice.divisor === undefined ? 0.01 : 1;
  const spread = 40 * 60 * Math.sqrt(layer.length);
  const outputRange = choice.outputRange ?? random.pick([0.3, 1, 3]);
  const outputScale = choice.divisor ?? ((inputScale * filterScale * spread) / 128) * outputRange;
  const input: TensorSpec = { shape: layer.inputShape, scale: inputScale, zeroPoint: random.zeroPoint() };
  const filter: TensorSpec = {
    shape: layer.filterShape,
    scale: filterScale,
    data: weightBytes(
      random,
      layer.filterShape.reduce((a, b) => a * b, 1),
      smallest,
    ),
  };
  const bias: TensorSpec = { shape: [layer.channels], dtype: 'int32', data: biasBytes(random, layer.channels, spread) };
  const output: TensorSpec = { shape: layer.outputShape, scale: outputScale, zeroPoint: random.zeroPoint() };
  const hasBias = random.real() < 0.8;
  const graph = oneOpGraph(layer.name, layer.attributes, hasBias ? [input, filter, bias] : [input, filter], [output]);
  const scales = Array.from({ length: layer.channels }, () => filterScale * (0.2 + random.real()));
  const isPerChannel = choice.divisor === undefined && (choice.perChannel ?? random.real() < 0.8);
  const scaled = isPerChannel ? withFilterScales(graph, scales, layer.channelAxis) : graph;
  return withRandomInputs(choice.hasDeadChannels === true ? withDeadChannels(random, scaled, layer) : scaled, random);
}

/** Per channel one in two dies: no weights, a scale far below the others', a bias near +-2^30. */
function withDeadChannels(random: Random, graph: Graph, layer: Weighted): Graph {
  const dead = Array.from({ length: layer.channels }, () => random.int(0, 1) === 1);
  const isLast = layer.channelAxis === layer.filterShape.length - 1;
  const rest = layer.filterShape.reduce((a, b) => a * b, 1) / layer.channels;
  const tensors = graph.tensors.map((tensor, id): Tensor => {
    if (id === 1 && tensor.data && tensor.quantization) {
      const channelOf = (at: number): number => (isLast ? at % layer.channels : Math.floor(at / rest));
      const data = tensor.data.map((byte, at) => (dead[channelOf(at)] === true ? 0 : byte));
      const common = tensor.quantization.scale[0] as number;
      const scale = dead.map((isDead, c) => (isDead ? 1e-12 : (tensor.quantization?.scale[c] ?? common)));
      return { ...tensor, data, quantization: { ...tensor.quantization, scale, zeroPoint: scale.map(() => 0) } };
    }
    if (id === 2 && graph.ops[0]?.inputs.length === 3 && tensor.data) {
      const biases = new Int32Array(tensor.data.slice().buffer);
      dead.forEach((isDead, c) => {
        if (isDead) biases[c] = random.pick([1073741824, -1073741824, 1073741696]);
      });
      return { ...tensor, data: new Uint8Array(biases.buffer) };
    }
    return tensor;
  });
  return { ...graph, tensors };
}

function outputExtents(shape: readonly number[], window: Window): [number, number] {
  const extent = (axis: 0 | 1): number =>
    windowExtent(
      shape[axis + 1] as number,
      window.filter[axis],
      window.stride[axis],
      window.dilation[axis],
      window.padding,
    );
  return [extent(0), extent(1)];
}

function windowAttributes(window: Window, activation: Activation) {
  const { stride, dilation, padding } = window;
  return {
    padding,
    strideH: stride[0],
    strideW: stride[1],
    dilationH: dilation[0],
    dilationW: dilation[1],
    activation,
  };
}

/** CONV_2D of an input [N, H, W, C]; groups > 1 divide C and `channels`. */
export function convCase(
  random: Random,
  inputShape: readonly number[],
  channels: number,
  window: Window,
  choice: LayerChoice = {},
  groups = 1,
): GraphCase {
  const depth = (inputShape[3] as number) / groups;
  const layer = {
    name: 'conv',
    attributes: {
      kind: 'CONV_2D' as const,
      ...windowAttributes(window, choice.activation ?? random.pick(ACTIVATIONS)),
    },
    inputShape,
    filterShape: [channels, ...window.filter, depth],
    outputShape: [inputShape[0] as number, ...outputExtents(inputShape, window), channels],
    channels,
    channelAxis: 0,
    length: window.filter[0] * window.filter[1] * depth,
  };
  return layerCase(random, layer, choice);
}

export function depthwiseCase(
  random: Random,
  inputShape: readonly number[],
  depthMultiplier: number,
  window: Window,
  choice: LayerChoice = {},
): GraphCase {
  const channels = (inputShape[3] as number) * depthMultiplier;
  const layer = {
    name: 'depthwise',
    attributes: {
      kind: 'DEPTHWISE_CONV_2D' as const,
      depthMultiplier,
      ...windowAttributes(window, choice.activation ?? random.pick(ACTIVATIONS)),
    },
    inputShape,
    filterShape: [1, ...window.filter, channels],
    outputShape: [inputShape[0] as number, ...outputExtents(inputShape, window), channels],
    channels,
    channelAxis: 3,
    length: window.filter[0] * window.filter[1],
  };
  return layerCase(random, layer, choice);
}

export function fullyConnectedCase(
  random: Random,
  rows: number,
  depth: number,
  units: number,
  choice: LayerChoice = {},
): GraphCase {
  const layer = {
    name: 'fully_connected',
    attributes: {
      kind: 'FULLY_CONNECTED' as const,
      activation: choice.activation ?? random.pick(ACTIVATIONS),
      keepNumDims: false,
    },
    inputShape: [rows, depth],
    filterShape: [units, depth],
    outputShape: [rows, units],
    channels: units,
    channelAxis: 0,
    length: depth,
  };
  return layerCase(random, layer, choice);
}
