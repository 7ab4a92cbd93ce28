/**
 * A trained encoder as a float Graph, batch normalisation folded, features out. The image front end becomes a MUL of column and row before the
 * first convolution, which lowering turns into one kernel that never holds the image.
 */
import { defined } from '../../common/errors.ts';
import type { Graph, TensorId } from '../../firmware-gen/ir/graph.ts';
import { verify } from '../../firmware-gen/ir/verify.ts';
import { GraphBuilder, type OpBody } from '../har/network-graph.ts';
import type { EncoderSpec } from './config.ts';
import { NORMALISATION_EPSILON, convLayers, layerNames, type ConvLayer, type InputShape } from './encoder.ts';
import type { ParameterValues } from './parameters.ts';

export interface EncoderExport {
  readonly name: string;
  readonly spec: EncoderSpec;
  readonly input: InputShape;
  /** The input is the product of a column [1, height, 1, channels] and a row [1, 1, width, channels]. */
  readonly isImage: boolean;
  readonly parameters: ParameterValues;
}

/** Output [1, latent]. */
export function encoderGraph({ name, spec, input, isImage, parameters }: EncoderExport): Graph {
  const graph = new GraphBuilder();
  const [height, width, channels] = input;
  const inputs = isImage
    ? [graph.activation('column', [1, height, 1, channels]), graph.activation('row', [1, 1, width, channels])]
    : [graph.activation('input', [1, height, width, channels])];
  let x = isImage
    ? graph.op('image', { kind: 'MUL', activation: 'NONE' }, inputs, [1, height, width, channels])
    : inputs[0]!;
  const outputs = new Map<string, TensorId>();
  for (const layer of convLayers(spec, channels)) {
    x = convolution(graph, layer, x, foldedLayer(layer, parameters));
    if (layer.shortcutFrom !== null) {
      const from = defined(outputs.get(layer.shortcutFrom), `output of ${layer.shortcutFrom}`);
      x = graph.op(`${layer.name}_sum`, { kind: 'ADD', activation: 'RELU' }, [from, x], graph.shapeOf(x));
    }
    outputs.set(layer.name, x);
  }
  const features = graph.shapeOf(x)[3]!;
  x = graph.op('mean', { kind: 'MEAN', axes: [1, 2], keepDims: false }, [x], [1, features]);
  x = latent(graph, x, features, spec.latent, parameters);
  const { tensors, ops } = graph;
  const result: Graph = { name, tensors, ops, inputs, outputs: [x], notes: [] };
  verify(result);
  return result;
}

function valuesOf(parameters: ParameterValues, name: string): Float32Array {
  return defined(parameters.get(name), `trained ${name}`);
}

export interface FoldedLayer {
  /** tfjs layout: HWIO, or HWC1. */
  readonly kernel: Float32Array;
  readonly bias: Float32Array;
}

/** w' = w * gamma / sqrt(variance + epsilon), b' = beta - mean * gamma / sqrt(variance + epsilon). */
export function foldedLayer({ name, outputs }: ConvLayer, parameters: ParameterValues): FoldedLayer {
  const [gamma, beta, mean, variance] = ['gamma', 'beta', 'mean', 'variance'].map((part) =>
    valuesOf(parameters, `${name}_${part}`),
  ) as [Float32Array, Float32Array, Float32Array, Float32Array];
  const factor = gamma.map((value, c) => value / Math.sqrt(variance[c]! + NORMALISATION_EPSILON));
  // The output channel is innermost in both layouts.
  return {
    kernel: valuesOf(parameters, `${name}_kernel`).map((value, i) => value * factor[i % outputs]!),
    bias: beta.map((value, c) => value - mean[c]! * factor[c]!),
  };
}

function convolution(graph: GraphBuilder, layer: ConvLayer, input: TensorId, { kernel, bias }: FoldedLayer): TensorId {
  const { name, kind, outputs, relu, shortcutFrom } = layer;
  const [, height, width] = graph.shapeOf(input);
  const [taps, columns] = layer.kernel;
  const [strideH, strideW] = layer.stride;
  const activation = relu && shortcutFrom === null ? 'RELU' : 'NONE';
  const window = { padding: 'SAME', strideH, strideW, dilationH: 1, dilationW: 1, activation } as const;
  const shape = [1, Math.ceil(height! / strideH), Math.ceil(width! / strideW), outputs];
  const rows = kernel.length / outputs;
  const filter =
    kind === 'depthwise'
      ? graph.constant(`${name}_filter`, [1, taps, columns, outputs], kernel)
      : // HWIO to OHWI.
        graph.constant(
          `${name}_filter`,
          [outputs, taps, columns, layer.inputs],
          kernel.map((_, i) => kernel[(i % rows) * outputs + Math.floor(i / rows)]!),
        );
  const body: OpBody =
    kind === 'depthwise'
      ? { kind: 'DEPTHWISE_CONV_2D', depthMultiplier: 1, ...window }
      : { kind: 'CONV_2D', ...window };
  return graph.op(name, body, [input, filter, graph.constant(`${name}_bias`, [outputs], bias)], shape);
}

function latent(
  graph: GraphBuilder,
  input: TensorId,
  features: number,
  units: number,
  parameters: ParameterValues,
): TensorId {
  const kernel = valuesOf(parameters, `${layerNames.latent}_kernel`);
  const filter = Float32Array.from({ length: units * features }, (_, i) => {
    const [unit, feature] = [Math.floor(i / features), i % features];
    return kernel[feature * units + unit]!;
  });
  const operands = [
    input,
    graph.constant('latent_filter', [units, features], filter),
    graph.constant('latent_bias', [units], valuesOf(parameters, `${layerNames.latent}_bias`)),
  ];
  const body: OpBody = { kind: 'FULLY_CONNECTED', activation: 'NONE', keepNumDims: false };
  return graph.op('phi', body, operands, [1, units]);
}
