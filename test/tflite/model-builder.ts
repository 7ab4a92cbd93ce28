/** Small TfliteModels for tests, written down tensor by tensor; no file and no shared model is needed. */
import type { UserError } from '../../common/errors.ts';
import { BUILTIN_OPERATORS, TENSOR_TYPES, codeOf } from '../../firmware-gen/tflite/enums.ts';
import type { BuiltinOperatorName, TensorTypeName } from '../../firmware-gen/tflite/enums.ts';
import { tableDefaults } from '../../firmware-gen/tflite/schema.ts';
import type {
  OptionsName,
  TableValue,
  TfliteBuffer,
  TfliteModel,
  TfliteOperator,
  TfliteOperatorCode,
  TfliteTensor,
  UnionValue,
} from '../../firmware-gen/tflite/schema.ts';

export interface TensorSpec {
  readonly type?: TensorTypeName;
  readonly shape: readonly number[];
  /** Default for int8 and int16: 0.5; null: not quantized. */
  readonly scale?: readonly number[] | null;
  readonly zeroPoint?: readonly number[];
  readonly axis?: number;
  readonly data?: ArrayBufferView;
  readonly fields?: Partial<TfliteTensor>;
}

/** Options with the schema's defaults except for `changes`. */
export function options<N extends OptionsName>(type: N, changes: Partial<TableValue<N>> = {}): UnionValue {
  return { type, value: { ...tableDefaults(type), ...changes } } as UnionValue;
}

export const ints = (...values: number[]): Int32Array => Int32Array.from(values);

export class ModelBuilder {
  readonly tensors: TfliteTensor[] = [];
  readonly operators: TfliteOperator[] = [];
  readonly codes: TfliteOperatorCode[] = [];
  readonly buffers: TfliteBuffer[] = [tableDefaults('Buffer')];

  tensor(spec: TensorSpec): number {
    const type = spec.type ?? 'INT8';
    const scale = spec.scale === undefined ? (type === 'INT8' || type === 'INT16' ? [0.5] : null) : spec.scale;
    if (spec.data) {
      const { buffer, byteOffset, byteLength } = spec.data;
      this.buffers.push({ ...tableDefaults('Buffer'), data: new Uint8Array(buffer, byteOffset, byteLength) });
    }
    this.tensors.push({
      ...tableDefaults('Tensor'),
      shape: spec.shape,
      type: codeOf(TENSOR_TYPES, type),
      buffer: spec.data ? this.buffers.length - 1 : 0,
      name: `t${this.tensors.length}`,
      quantization: scale && {
        ...tableDefaults('QuantizationParameters'),
        scale,
        zeroPoint: (spec.zeroPoint ?? scale.map(() => 0)).map(BigInt),
        quantizedDimension: spec.axis ?? 0,
      },
      ...spec.fields,
    });
    return this.tensors.length - 1;
  }

  /** A constant int32 side input, e.g. axes. */
  side(...values: number[]): number {
    return this.tensor({ type: 'INT32', shape: [values.length], scale: null, data: ints(...values) });
  }

  op(
    name: BuiltinOperatorName,
    inputs: readonly number[],
    outputs: readonly number[],
    builtinOptions?: UnionValue,
  ): this {
    const builtinCode = codeOf(BUILTIN_OPERATORS, name);
    this.codes.push({
      ...tableDefaults('OperatorCode'),
      builtinCode,
      deprecatedBuiltinCode: Math.min(builtinCode, 127),
    });
    const opcodeIndex = this.codes.length - 1;
    this.operators.push({
      ...tableDefaults('Operator'),
      opcodeIndex,
      inputs,
      outputs,
      builtinOptions: builtinOptions ?? null,
    });
    return this;
  }

  model(inputs: readonly number[], outputs: readonly number[]): TfliteModel {
    const subgraph = {
      ...tableDefaults('SubGraph'),
      tensors: this.tensors,
      operators: this.operators,
      inputs,
      outputs,
    };
    return {
      ...tableDefaults('Model'),
      version: 3,
      operatorCodes: this.codes,
      subgraphs: [subgraph],
      buffers: this.buffers,
    };
  }
}

/** conv -> max pool -> reshape -> dense -> softmax, int8: every table kind a file has. */
export function classifierModel(): TfliteModel {
  const b = new ModelBuilder();
  const input = b.tensor({ shape: [1, 4, 4, 2], zeroPoint: [3] });
  const filter = b.tensor({
    shape: [4, 3, 3, 2],
    scale: [0.1, 0.2, 0.3, 0.4],
    data: Int8Array.from({ length: 72 }, (_, i) => i - 36),
  });
  const bias = b.tensor({ type: 'INT32', shape: [4], scale: [0.05, 0.1, 0.15, 0.2], data: ints(1, -2, 3, -4) });
  const conv = b.tensor({ shape: [1, 4, 4, 4], zeroPoint: [-128] });
  const pooled = b.tensor({ shape: [1, 2, 2, 4], zeroPoint: [-128] });
  const flat = b.tensor({ shape: [1, 16], zeroPoint: [-128] });
  const dense = b.tensor({ shape: [3, 16], scale: [0.01], data: Int8Array.from({ length: 48 }, (_, i) => 3 * i - 70) });
  const logits = b.tensor({ shape: [1, 3], scale: [0.1], zeroPoint: [7] });
  const output = b.tensor({ shape: [1, 3], scale: [1 / 256], zeroPoint: [-128] });
  b.op(
    'CONV_2D',
    [input, filter, bias],
    [conv],
    options('Conv2DOptions', { strideW: 1, strideH: 1, fusedActivationFunction: 1 }),
  );
  const window = { padding: 1, strideW: 2, strideH: 2, filterWidth: 2, filterHeight: 2 };
  b.op('MAX_POOL_2D', [conv], [pooled], options('Pool2DOptions', window));
  b.op('RESHAPE', [pooled, b.side(-1, 16)], [flat], options('ReshapeOptions', { newShape: [-1, 16] }));
  b.op('FULLY_CONNECTED', [flat, dense, -1], [logits], options('FullyConnectedOptions'));
  b.op('SOFTMAX', [logits], [output], options('SoftmaxOptions', { beta: 1 }));
  return { ...b.model([input], [output]), description: 'test', metadata: [{ name: 'min_runtime_version', buffer: 0 }] };
}

/** What `attempt` throws, which must be a UserError of one line; its message. */
export function userErrorOf(attempt: () => unknown): string {
  try {
    attempt();
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'UserError') throw error;
    if (/[\n\r\u2028\u2029]/.test(error.message))
      throw new Error(`message has several lines: ${JSON.stringify(error.message)}`);
    return (error as UserError).message;
  }
  throw new Error('nothing was thrown');
}
