/**
 * A trained encoder as a float Graph, batch normalisation folded, features out. The image front end becomes a MUL of column and row before the
 * first convolution, which lowering turns into one kernel that never holds the image.
 */
import { defined } from '../../common/errors.ts';
import type { Graph, TensorId } from '../../firmware-gen/ir/graph.ts';
import { verify } from '../../firmware-gen/ir/verify.ts';
import { GraphBuilder, type OpBody } from '../har/network-graph.ts';
import type { EncoderSpec } from './config.ts';
import { headName } from './heads.ts';
import { NORMALISATION_EPSILON, convLayers, layerNames, sumName, type ConvLayer, type InputShape } from './encoder.ts';
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
export function encoderGraph(encoder: EncoderExport): Graph {
  const graph = new GraphBuilder();
  const { inputs, phi } = addEncoder(graph, encoder);
  return finished(graph, encoder.name, inputs, phi);
}

/** The encoder and its linear head; output [1, classes]: logits. */
export function classifierGraph(encoder: EncoderExport): Graph {
  const graph = new GraphBuilder();
  const { inputs, phi } = addEncoder(graph, encoder);
  const { parameters, spec } = encoder;
  const classes = valuesOf(parameters, `${headName(0)}_bias`).length;
  const logits = dense(
    graph,
    phi,
    { name: headName(0), output: 'logits', inputs: spec.latent, units: classes },
    parameters,
  );
  return finished(graph, encoder.name, inputs, logits);
}

function finished({ tensors, ops }: GraphBuilder, name: string, inputs: readonly TensorId[], output: TensorId): Graph {
  const result: Graph = { name, tensors, ops, inputs, outputs: [output], notes: [] };
  verify(result);
  return result;
}

function addEncoder(
  graph: GraphBuilder,
  { spec, input, isImage, parameters }: EncoderExport,
): { inputs: readonly TensorId[]; phi: TensorId } {
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
      x = graph.op(sumName(layer.name), { kind: 'ADD', activation: 'RELU' }, [from, x], graph.shapeOf(x));
    }
    outputs.set(layer.name, x);
  }
  const features = graph.shapeOf(x)[3]!;
  x = graph.op('mean', { kind: 'MEAN', axes: [1, 2], keepDims: false }, [x], [1, features]);
  const layer = { name: layerNames.latent, output: 'phi', inputs: features, units: spec.latent };
  return { inputs, phi: dense(graph, x, layer, parameters) };
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

interface DenseLayer {
  readonly name: string;
  /** Name of its output. */
  readonly output: string;
  readonly inputs: number;
  readonly units: number;
}

function dense(
  graph: GraphBuilder,
  input: TensorId,
  { name, output, inputs, units }: DenseLayer,
  parameters: ParameterValues,
): TensorId {
  const kernel = valuesOf(parameters, `${name}_kernel`);
  const filter = Float32Array.from({ length: units * inputs }, (_, i) => {
    const [unit, feature] = [Math.floor(i / inputs), i % inputs];
    return kernel[feature * units + unit]!;
  });
  const operands = [
    input,
    graph.constant(`${name}_filter`, [units, inputs], filter),
    graph.constant(`${name}_bias`, [units], valuesOf(parameters, `${name}_bias`)),
  ];
  const body: OpBody = { kind: 'FULLY_CONNECTED', activation: 'NONE', keepNumDims: false };
  return graph.op(output, body, operands, [1, units]);
}
