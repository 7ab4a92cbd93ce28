/**
 * Graph -> TfliteModel, the inverse of import: attributes become options and side tensors (axes, shapes, paddings), appended behind the
 * graph's own tensors so that importing the result gives the same ids. Operator versions are the ones TFLite's converter would write.
 */
import { assert } from '../../common/errors.ts';
import type { DType, Graph, Tensor, TensorId } from '../ir/graph.ts';
import { BUILTIN_OPERATORS, TENSOR_TYPES, codeOf, type BuiltinOperatorName } from '../tflite/enums.ts';
import {
  tableDefaults,
  type KnownUnionValue,
  type TfliteBuffer,
  type TfliteModel,
  type TfliteOperator,
  type TfliteOperatorCode,
  type TfliteTensor,
} from '../tflite/schema.ts';
import { METADATA_NAME, dynamicMetadata, stripDynamic } from './dynamic.ts';
import { exportOp } from './export/ops.ts';
import { operatorVersion } from './export/versions.ts';

const SCHEMA_VERSION = 3;
/** The deprecated field is int8; codes from here on leave this marker in it. */
const DEPRECATED_CODE_MAX = 127;

/** What one op becomes; `inputs` are final tensor indices, -1 where an optional one is absent. */
export interface ExportedOp {
  readonly builtin: BuiltinOperatorName;
  readonly inputs: readonly number[];
  readonly options: KnownUnionValue | null;
}

/** Gives the index of a new constant tensor, e.g. the axes of MEAN. */
export interface SideTensors {
  ints(name: string, shape: readonly number[], values: readonly number[]): number;
  /** One value of `like`'s type and quantization. */
  scalarLike(name: string, like: Tensor, value: number): number;
}

/** `graph` must satisfy verify(); names are kept. Ops are numbered by position: a gap in Op.index is not preserved. */
export function graphToTflite(graph: Graph): TfliteModel {
  if (!graph.dynamics) return staticToTflite(graph);
  const model = staticToTflite(stripDynamic(graph));
  const data = new TextEncoder().encode(JSON.stringify(dynamicMetadata(graph)));
  const buffers = [...(model.buffers ?? []), { ...tableDefaults('Buffer'), data }];
  const metadata = [{ ...tableDefaults('Metadata'), name: METADATA_NAME, buffer: buffers.length - 1 }];
  return { ...model, buffers, metadata };
}

function staticToTflite(graph: Graph): TfliteModel {
  const table = new TensorWriter(graph.tensors);
  const codes = new OperatorCodes();
  const operators = graph.ops.map((op): TfliteOperator => {
    const { builtin, inputs, options } = exportOp(op, graph, table);
    return {
      ...tableDefaults('Operator'),
      opcodeIndex: codes.index(builtin, operatorVersion(op, graph)),
      inputs,
      outputs: op.outputs,
      builtinOptions: options,
    };
  });
  const subgraph = {
    ...tableDefaults('SubGraph'),
    tensors: table.tensors,
    inputs: graph.inputs,
    outputs: graph.outputs,
    operators,
    name: 'main',
  };
  return {
    ...tableDefaults('Model'),
    version: SCHEMA_VERSION,
    operatorCodes: codes.list,
    subgraphs: [subgraph],
    description: 'Written by Thumbelina',
    buffers: table.buffers,
  };
}

/** The subgraph's tensors and the model's buffers; buffer 0 is TFLite's empty one, which all activations share. */
class TensorWriter implements SideTensors {
  readonly tensors: TfliteTensor[] = [];
  readonly buffers: TfliteBuffer[] = [tableDefaults('Buffer')];

  constructor(tensors: readonly Tensor[]) {
    for (const tensor of tensors) this.add(tensor);
  }

  ints(name: string, shape: readonly number[], values: readonly number[]): number {
    const data = new Uint8Array(4 * values.length);
    const view = new DataView(data.buffer);
    for (const [i, value] of values.entries()) view.setInt32(4 * i, value, true);
    return this.add({ name, dtype: 'int32', shape, quantization: null, data });
  }

  scalarLike(name: string, { dtype, quantization }: Tensor, value: number): number {
    return this.add({ name, dtype, shape: [1], quantization, data: scalarBytes(dtype, value) });
  }

  private add({ name, dtype, shape, quantization, data }: Omit<Tensor, 'id'>): number {
    const buffer = data === null ? 0 : this.buffers.push({ ...tableDefaults('Buffer'), data }) - 1;
    const quantized = quantization && {
      ...tableDefaults('QuantizationParameters'),
      scale: quantization.scale,
      zeroPoint: quantization.zeroPoint.map(BigInt),
      quantizedDimension: quantization.axis,
    };
    const type = codeOf(TENSOR_TYPES, dtype.toUpperCase() as Uppercase<DType>);
    const described = { shape, type, buffer, name, quantization: quantized, hasRank: true };
    return this.tensors.push({ ...tableDefaults('Tensor'), ...described }) - 1;
  }
}

function scalarBytes(dtype: DType, value: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(4));
  switch (dtype) {
    case 'float32':
      view.setFloat32(0, value, true);
      return new Uint8Array(view.buffer);
    case 'int16':
      view.setInt16(0, value, true);
      return new Uint8Array(view.buffer, 0, 2);
    case 'int8':
    case 'uint8':
      view.setInt8(0, value);
      return new Uint8Array(view.buffer, 0, 1);
    case 'int32':
    case 'int64':
    case 'bool':
      throw new Error(`internal: no op takes a ${dtype} scalar`);
  }
}

/** One entry per operator and version, in order of first use. */
class OperatorCodes {
  readonly list: TfliteOperatorCode[] = [];

  index(builtin: BuiltinOperatorName, version: number): number {
    const code = codeOf(BUILTIN_OPERATORS, builtin);
    const known = this.list.findIndex((entry) => entry.builtinCode === code && entry.version === version);
    if (known >= 0) return known;
    const deprecatedBuiltinCode = Math.min(code, DEPRECATED_CODE_MAX);
    return this.list.push({ ...tableDefaults('OperatorCode'), deprecatedBuiltinCode, builtinCode: code, version }) - 1;
  }
}

/** TFLite's index of an operand; -1 stands for an absent optional one. */
export function operandIndex(id: TensorId | null | undefined): number {
  assert(id !== undefined, 'operand is not listed');
  return id ?? -1;
}
