/** Random float layers, quantized to dynamic fixed point, with int8 inputs whose scales are drawn too. */
import type { Activation, Graph, Op, Padding, Tensor, TensorId } from '../../firmware-gen/ir/graph.ts';
import { tensorOf } from '../../firmware-gen/ir/graph.ts';
import { windowExtent } from '../../firmware-gen/ir/shapes.ts';
import type { DynamicForm, DynamicScheme } from '../../firmware-gen/ir/dynamic.ts';
import { quantizeDynamic } from '../../learn/quantize/dynamic.ts';
import { createRandom, type Random } from '../../learn/random.ts';
import type { GraphCase } from './run-graph.ts';

type Unfinished<T> = T extends unknown ? Omit<T, 'index' | 'outputs'> : never;
export type Pick = <T>(list: readonly T[]) => T;

/** A float graph under construction. */
export class FloatBuilder {
  readonly tensors: Tensor[] = [];
  readonly ops: Op[] = [];
  readonly random: Random;

  constructor(seed: number) {
    this.random = createRandom(seed);
  }

  between(low: number, high: number): number {
    return low + this.random.integer(high - low + 1);
  }

  pick<T>(list: readonly T[]): T {
    return list[this.random.integer(list.length)]!;
  }

  activation(shape: readonly number[]): TensorId {
    return this.add(shape, null);
  }

  constant(shape: readonly number[], spread: number): TensorId {
    const count = shape.reduce((a, b) => a * b, 1);
    // Channels of different size, a dead one among them now and then.
    return this.add(
      shape,
      Float32Array.from({ length: count }, () => spread * this.random.normal()),
    );
  }

  push(op: Unfinished<Op>, shape: readonly number[]): TensorId {
    const output = this.activation(shape);
    this.ops.push({ ...op, index: this.ops.length, outputs: [output] });
    return output;
  }

  graph(input: TensorId, output: TensorId): Graph {
    return { name: 'dynamic', tensors: this.tensors, ops: this.ops, inputs: [input], outputs: [output], notes: [] };
  }

  shapeOf(id: TensorId): readonly number[] {
    return this.tensors[id]!.shape;
  }

  private add(shape: readonly number[], values: Float32Array | null): TensorId {
    const id = this.tensors.length as TensorId;
    const data = values && new Uint8Array(values.buffer);
    this.tensors.push({ id, name: `t${id}`, dtype: 'float32', shape, quantization: null, data });
    return id;
  }

  window(
    input: readonly number[],
    filterH: number,
    filterW: number,
  ): {
    strideH: number;
    strideW: number;
    dilationH: number;
    dilationW: number;
    padding: Padding;
    activation: Activation;
  } {
    const padding = this.pick(['SAME', 'VALID'] as const);
    const fits = input[1]! >= filterH && input[2]! >= filterW;
    return {
      strideH: this.between(1, 2),
      strideW: this.between(1, 2),
      dilationH: 1,
      dilationW: this.pick([1, 1, 1, filterW === 1 || input[2]! < 2 * filterW ? 1 : 2]),
      padding: fits ? padding : 'SAME',
      activation: this.pick(['NONE', 'RELU', 'RELU6'] as const),
    };
  }

  conv(input: TensorId, channels: number, filterH: number, filterW: number, plain = false): TensorId {
    const shape = this.shapeOf(input);
    const window = plain
      ? ({ ...this.window(shape, 1, 1), strideH: 1, strideW: 1, dilationW: 1, padding: 'SAME' } as const)
      : this.window(shape, filterH, filterW);
    const inputs = [input, this.constant([channels, filterH, filterW, shape[3]!], 0.3), this.constant([channels], 0.5)];
    return this.push({ kind: 'CONV_2D', inputs, ...window }, this.outShape(shape, window, filterH, filterW, channels));
  }

  depthwise(input: TensorId, depthMultiplier: number, filterH: number, filterW: number, strides?: number): TensorId {
    const shape = this.shapeOf(input);
    const channels = shape[3]! * depthMultiplier;
    const drawn = this.window(shape, filterH, filterW);
    const window = strides ? { ...drawn, strideH: strides, strideW: strides, dilationW: 1 } : drawn;
    const inputs = [input, this.constant([1, filterH, filterW, channels], 0.5), this.constant([channels], 0.5)];
    return this.push(
      { kind: 'DEPTHWISE_CONV_2D', inputs, depthMultiplier, ...window },
      this.outShape(shape, window, filterH, filterW, channels),
    );
  }

  private outShape(
    shape: readonly number[],
    w: { strideH: number; strideW: number; dilationH: number; dilationW: number; padding: Padding },
    filterH: number,
    filterW: number,
    channels: number,
  ): number[] {
    return [
      shape[0]!,
      windowExtent(shape[1]!, filterH, w.strideH, w.dilationH, w.padding),
      windowExtent(shape[2]!, filterW, w.strideW, w.dilationW, w.padding),
      channels,
    ];
  }

  dense(input: TensorId, units: number): TensorId {
    const [rows = 1, ...rest] = this.shapeOf(input);
    const depth = rest.reduce((a, b) => a * b, 1);
    const inputs = [input, this.constant([units, depth], 0.3), this.constant([units], 0.5)];
    const activation = this.pick(['NONE', 'RELU', 'RELU6'] as const);
    return this.push({ kind: 'FULLY_CONNECTED', inputs, activation, keepNumDims: false }, [rows, units]);
  }

  add2(a: TensorId, b: TensorId): TensorId {
    const activation = this.pick(['NONE', 'RELU', 'RELU6'] as const);
    return this.push({ kind: 'ADD', inputs: [a, b], activation }, this.shapeOf(a));
  }
}

export interface DynamicChoice {
  readonly scheme: DynamicScheme;
  readonly form: DynamicForm;
  readonly weights?: 8 | 16;
  readonly activations?: 8 | 16;
}

/** `build` gives the output of a network on an input of `shape`; calibration, input and its scale are drawn. */
export function dynamicCase(
  seed: number,
  choice: DynamicChoice,
  shape: (builder: FloatBuilder) => readonly number[],
  build: (builder: FloatBuilder, input: TensorId) => TensorId,
): GraphCase {
  const builder = new FloatBuilder(seed);
  const input = builder.activation(shape(builder));
  const float = builder.graph(input, build(builder, input));
  const elements = tensorOf(float, input).shape.reduce((a, b) => a * b, 1);
  const samples = [1, 2].map(() => Float32Array.from({ length: elements }, () => builder.random.normal()));
  const granularity = builder.pick(['channel', 'channel', 'tensor'] as const);
  const { quantized } = quantizeDynamic(float, samples, { ...choice, granularity, equalization: false });
  const { defaultInput } = quantized.dynamics!;
  // Louder and softer than calibrated; rows of one frame differ in loudness, so that running ranges grow.
  const shift = Math.max(defaultInput.shift + builder.between(-3, 6), quantized.dynamics!.leastInput?.shift ?? -60) + 1;
  const isWide = choice.activations === 16;
  const zeroPoint = choice.scheme === 'q' || isWide ? 0 : builder.between(-128, 127);
  const multiplier = choice.scheme === 'q' ? 2 ** 30 : 2 ** 30 + builder.random.integer(2 ** 30);
  const drawn = Array.from({ length: elements }, (_, i) => {
    const loudness = builder.pick([1, 1, 0.3, i / elements]);
    const value = isWide ? builder.between(-32768, 32767) : builder.between(-128, 127);
    return Math.round(loudness * (value - zeroPoint)) + zeroPoint;
  });
  const values = isWide ? Int16Array.from(drawn) : Int8Array.from(drawn);
  const scale = Int32Array.of(multiplier, shift, zeroPoint);
  return { graph: quantized, inputs: [new Uint8Array(values.buffer), new Uint8Array(scale.buffer)] };
}
