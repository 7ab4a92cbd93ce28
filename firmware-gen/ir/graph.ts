/**
 * The typed graph every pass works on. Names and meanings are TFLite's; constants that TFLite keeps in side tensors (axes, paddings,
 * begin/end, perm) are resolved to attributes at import. Layouts: activations NHWC, CONV_2D filter [outC, kh, kw, inC], DEPTHWISE_CONV_2D
 * filter [1, kh, kw, outC], FULLY_CONNECTED filter [units, inputs]. Values are immutable; passes return new graphs.
 */
import type { DynamicForm, DynamicScheme, RunScale } from './dynamic.ts';

export type DType = 'int8' | 'uint8' | 'int16' | 'int32' | 'int64' | 'float32' | 'bool';

/** Index into Graph.tensors. */
export type TensorId = number & { readonly unit: 'tensor' };

/** real = scale[c] * (q - zeroPoint[c]); one entry: per tensor; several: per slice along `axis`. */
export interface Quantization {
  readonly scale: readonly number[];
  readonly zeroPoint: readonly number[];
  readonly axis: number;
}

export interface Tensor {
  readonly id: TensorId;
  readonly name: string;
  readonly dtype: DType;
  /** Empty for a scalar. All dimensions are >= 1 and known. */
  readonly shape: readonly number[];
  readonly quantization: Quantization | null;
  /** Little-endian constant data, or null for an activation. */
  readonly data: Uint8Array | null;
}

export type Activation = 'NONE' | 'RELU' | 'RELU6' | 'RELU_N1_TO_1';
export type Padding = 'SAME' | 'VALID';

interface OpBase {
  /** Operator index in the .tflite subgraph; rows of reports carry it. */
  readonly index: number;
  /** In TFLite's order; null where an optional input is absent. Inputs resolved to attributes are not listed. */
  readonly inputs: readonly (TensorId | null)[];
  readonly outputs: readonly TensorId[];
  /** Set on ops whose scales are found at run time; their scale tensors follow the operands (see GraphDynamics). */
  readonly dynamic?: OpDynamics;
}

/** What one op of a dynamic graph needs to know beyond its operands. */
export interface OpDynamics {
  readonly scheme: DynamicScheme;
  readonly form: DynamicForm;
  /** Finest scale the output may get: with a finer one the biases of a layer that reads it would leave the accumulator. */
  readonly least: RunScale | null;
}

interface Window2d {
  readonly padding: Padding;
  readonly strideH: number;
  readonly strideW: number;
  readonly activation: Activation;
}

interface Conv2dAttributes extends Window2d {
  readonly dilationH: number;
  readonly dilationW: number;
}

interface Pool2dAttributes extends Window2d {
  readonly filterH: number;
  readonly filterW: number;
}

export type Op = OpBase &
  (
    | ({ readonly kind: 'CONV_2D' } & Conv2dAttributes) // inputs: input, filter, bias|null
    | ({ readonly kind: 'DEPTHWISE_CONV_2D'; readonly depthMultiplier: number } & Conv2dAttributes) // input, filter, bias|null
    | { readonly kind: 'FULLY_CONNECTED'; readonly activation: Activation; readonly keepNumDims: boolean } // input, filter, bias|null
    | ({ readonly kind: 'AVERAGE_POOL_2D' | 'MAX_POOL_2D' } & Pool2dAttributes)
    | { readonly kind: 'MEAN'; readonly axes: readonly number[]; readonly keepDims: boolean }
    | { readonly kind: 'ADD' | 'SUB' | 'MUL'; readonly activation: Activation } // NumPy broadcasting
    | { readonly kind: 'MAXIMUM' | 'MINIMUM' }
    | { readonly kind: 'CONCATENATION'; readonly axis: number; readonly activation: Activation }
    /** [before, after] per dimension; the pad value is the quantized (or float) constant padValue, default the real zero. */
    | { readonly kind: 'PAD'; readonly paddings: readonly (readonly [number, number])[]; readonly padValue: number }
    | { readonly kind: 'RESHAPE' | 'SQUEEZE' | 'EXPAND_DIMS' }
    /** Resolved: first index and (signed) step per input dimension; the count per dimension is in outputExtent. */
    | {
        readonly kind: 'STRIDED_SLICE';
        readonly begin: readonly number[];
        readonly step: readonly number[];
        readonly outputExtent: readonly number[];
      }
    | { readonly kind: 'TRANSPOSE'; readonly perm: readonly number[] }
    | { readonly kind: 'SOFTMAX'; readonly beta: number }
    | { readonly kind: 'LOGISTIC' | 'TANH' | 'RELU' | 'RELU6' | 'HARD_SWISH' }
    | { readonly kind: 'LEAKY_RELU'; readonly alpha: number }
    | { readonly kind: 'RESIZE_NEAREST_NEIGHBOR'; readonly alignCorners: boolean; readonly halfPixelCenters: boolean }
    | { readonly kind: 'SPLIT'; readonly axis: number }
    | { readonly kind: 'QUANTIZE' | 'DEQUANTIZE' }
  );

export type OpKind = Op['kind'];

export interface Graph {
  readonly name: string;
  readonly tensors: readonly Tensor[];
  /** In execution order. */
  readonly ops: readonly Op[];
  readonly inputs: readonly TensorId[];
  readonly outputs: readonly TensorId[];
  /** What import changed and the user should know (hybrid weights dequantized, ...); printed by inspect and run. */
  readonly notes: readonly string[];
  /** Present in dynamic fixed point graphs (passes/dynamic.ts). */
  readonly dynamics?: GraphDynamics;
}

/**
 * Dynamic fixed point: int8 tensors carry a nominal scale of 1 and have a scale tensor, int32[3] (RunScale), in the arena. A weighted op's
 * operands are input, filter, bias, input's scale and, with predicted ranges, its state; ADD and CONCATENATION list their inputs' scales
 * after the inputs. Output 1 is the output's scale (SOFTMAX has none: its output is static). Ops that keep the scale share the tensor.
 */
export interface GraphDynamics {
  readonly scheme: DynamicScheme;
  readonly form: DynamicForm;
  /** Scale of input 0 for callers that do not give one, from calibration. */
  readonly defaultInput: RunScale;
  /** Finest scale of input 0. */
  readonly leastInput: RunScale | null;
  /** By tensor: where its scale is; tensors without one are static. */
  readonly scaleOf: ReadonlyMap<TensorId, TensorId>;
  /** int32[4] tensors that outlive an inference; all zero before the first. */
  readonly states: readonly TensorId[];
}

export function tensorOf(graph: Graph, id: TensorId): Tensor {
  const tensor = graph.tensors[id];
  if (!tensor) throw new Error(`internal: tensor ${id} is not in graph ${graph.name}`);
  return tensor;
}

export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

const BYTES_PER_ELEMENT: Readonly<Record<DType, number>> = {
  int8: 1,
  uint8: 1,
  bool: 1,
  int16: 2,
  int32: 4,
  float32: 4,
  int64: 8,
};

export function bytesPerElement(dtype: DType): number {
  return BYTES_PER_ELEMENT[dtype];
}

export function tensorBytes(tensor: Tensor): number {
  return elementCount(tensor.shape) * bytesPerElement(tensor.dtype);
}
