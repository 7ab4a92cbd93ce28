/** One IR op as TFLite operands, side tensors and options table. The inverse of import/ops*.ts, kind by kind. */
import { tensorOf, type Graph, type Op, type Tensor } from '../../ir/graph.ts';
import { ACTIVATIONS, PADDINGS, codeOf } from '../../tflite/enums.ts';
import { tableDefaults, type KnownUnionValue, type OptionsName, type TableValue } from '../../tflite/schema.ts';
import { operandIndex, type ExportedOp, type SideTensors } from '../export.ts';
import { droppedAxes } from './axes.ts';
import { exportStridedSlice } from './strided-slice.ts';

export function exportOp(op: Op, graph: Graph, side: SideTensors): ExportedOp {
  const inputs = op.inputs.map(operandIndex);
  const of = (options: KnownUnionValue | null): ExportedOp => ({ builtin: op.kind, inputs, options });
  const input = tensorOf(graph, op.inputs[0]!);
  const output = tensorOf(graph, op.outputs[0]!);
  switch (op.kind) {
    case 'CONV_2D':
      return of(options('Conv2DOptions', convolutionOptions(op)));
    case 'DEPTHWISE_CONV_2D':
      return of(options('DepthwiseConv2DOptions', { ...convolutionOptions(op), depthMultiplier: op.depthMultiplier }));
    case 'FULLY_CONNECTED':
      return of(options('FullyConnectedOptions', { ...fused(op), keepNumDims: op.keepNumDims }));
    case 'AVERAGE_POOL_2D':
    case 'MAX_POOL_2D':
      return of(options('Pool2DOptions', { ...windowOptions(op), filterWidth: op.filterW, filterHeight: op.filterH }));
    case 'ADD':
      // TFLite Micro reads no such promise; for int16 the converter states that scales are no powers of two.
      return of(options('AddOptions', { ...fused(op), potScaleInt16: input.dtype !== 'int16' }));
    case 'SUB':
      return of(options('SubOptions', { ...fused(op), potScaleInt16: input.dtype !== 'int16' }));
    case 'MUL':
      return of(options('MulOptions', fused(op)));
    case 'MAXIMUM':
    case 'MINIMUM':
      return of(options('MaximumMinimumOptions', {}));
    case 'CONCATENATION':
      return of(options('ConcatenationOptions', { ...fused(op), axis: op.axis }));
    case 'SOFTMAX':
      return of(options('SoftmaxOptions', { beta: op.beta }));
    case 'LEAKY_RELU':
      return of(options('LeakyReluOptions', { alpha: op.alpha }));
    case 'HARD_SWISH':
      return of(options('HardSwishOptions', {}));
    case 'QUANTIZE':
      return of(options('QuantizeOptions', {}));
    case 'DEQUANTIZE':
      return of(options('DequantizeOptions', {}));
    case 'LOGISTIC':
    case 'TANH':
    case 'RELU':
    case 'RELU6':
      return of(null);
    case 'RESHAPE':
    case 'SQUEEZE':
    case 'EXPAND_DIMS':
      return exportShapeChange(op.kind, input, output, side);
    case 'MEAN':
    case 'PAD':
    case 'STRIDED_SLICE':
    case 'TRANSPOSE':
    case 'RESIZE_NEAREST_NEIGHBOR':
    case 'SPLIT':
      return exportWithSideTensors(op, input, output, side);
  }
}

/** Name of a side tensor: it belongs to the tensor its op writes. */
function sideName(output: Tensor, what: string): string {
  return `${output.name}/${what}`;
}

function exportShapeChange(
  builtin: 'RESHAPE' | 'SQUEEZE' | 'EXPAND_DIMS',
  input: Tensor,
  output: Tensor,
  side: SideTensors,
): ExportedOp {
  const { shape } = output;
  switch (builtin) {
    case 'RESHAPE': {
      const inputs = [input.id, side.ints(sideName(output, 'shape'), [shape.length], shape)];
      return { builtin, inputs, options: options('ReshapeOptions', { newShape: shape }) };
    }
    case 'SQUEEZE': {
      const squeezeDims = droppedAxes(input.shape, shape);
      return { builtin, inputs: [input.id], options: options('SqueezeOptions', { squeezeDims }) };
    }
    case 'EXPAND_DIMS': {
      const inputs = [input.id, side.ints(sideName(output, 'axis'), [1], droppedAxes(shape, input.shape))];
      return { builtin, inputs, options: options('ExpandDimsOptions', {}) };
    }
  }
}

type SideOp = Extract<
  Op,
  { readonly kind: 'MEAN' | 'PAD' | 'STRIDED_SLICE' | 'TRANSPOSE' | 'RESIZE_NEAREST_NEIGHBOR' | 'SPLIT' }
>;

function exportWithSideTensors(op: SideOp, input: Tensor, output: Tensor, side: SideTensors): ExportedOp {
  const list = (what: string, values: readonly number[]): number =>
    side.ints(sideName(output, what), [values.length], values);
  const builtin = op.kind;
  switch (op.kind) {
    case 'MEAN': {
      const inputs = [input.id, list('axes', op.axes)];
      return { builtin, inputs, options: options('ReducerOptions', { keepDims: op.keepDims }) };
    }
    case 'PAD':
      return exportPad(op, input, output, side);
    case 'STRIDED_SLICE':
      return exportStridedSlice(op, input, output, list);
    case 'TRANSPOSE': {
      const inputs = [input.id, list('perm', op.perm)];
      return { builtin, inputs, options: options('TransposeOptions', {}) };
    }
    case 'RESIZE_NEAREST_NEIGHBOR': {
      const { alignCorners, halfPixelCenters } = op;
      const inputs = [input.id, list('size', output.shape.slice(1, 3))];
      const resize = options('ResizeNearestNeighborOptions', { alignCorners, halfPixelCenters });
      return { builtin, inputs, options: resize };
    }
    case 'SPLIT': {
      // The file lists the axis, a scalar, before the data.
      const inputs = [side.ints(sideName(output, 'axis'), [], [op.axis]), input.id];
      return { builtin, inputs, options: options('SplitOptions', { numSplits: op.outputs.length }) };
    }
  }
}

type PadOp = Extract<Op, { readonly kind: 'PAD' }>;

/** PAD fills with the real zero; any other value takes PADV2 and a third operand. */
function exportPad(op: PadOp, input: Tensor, output: Tensor, side: SideTensors): ExportedOp {
  const paddings = side.ints(sideName(output, 'paddings'), [op.paddings.length, 2], op.paddings.flat());
  const realZero = input.quantization?.zeroPoint[0] ?? 0;
  if (op.padValue === realZero) {
    return { builtin: 'PAD', inputs: [input.id, paddings], options: options('PadOptions', {}) };
  }
  const value = side.scalarLike(sideName(output, 'pad_value'), input, op.padValue);
  return { builtin: 'PADV2', inputs: [input.id, paddings, value], options: options('PadV2Options', {}) };
}

/** Fields that are not given keep the schema's defaults. */
function options<N extends OptionsName>(type: N, values: Partial<TableValue<N>>): KnownUnionValue {
  // Correlated by N, which the union of all members cannot express.
  return { type, value: { ...tableDefaults(type), ...values } } as unknown as KnownUnionValue;
}

type Fused = Extract<Op, { readonly activation: unknown }>;
type Windowed = Extract<Op, { readonly strideH: number }>;
type Convolution = Extract<Op, { readonly dilationH: number }>;

function fused({ activation }: Pick<Fused, 'activation'>) {
  return { fusedActivationFunction: codeOf(ACTIVATIONS, activation) };
}

function windowOptions(op: Windowed) {
  return { padding: codeOf(PADDINGS, op.padding), strideW: op.strideW, strideH: op.strideH, ...fused(op) };
}

function convolutionOptions(op: Convolution) {
  return { ...windowOptions(op), dilationWFactor: op.dilationW, dilationHFactor: op.dilationH };
}
