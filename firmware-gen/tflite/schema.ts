/**
 * The TFLite flatbuffer schema as data: for every table its fields in slot order (a union takes two slots, deprecated fields keep theirs).
 * reader.ts and writer.ts are both driven by TABLES, and the types of TfliteModel are derived from it, so the three cannot disagree.
 * Source: tensorflow/compiler/mlir/lite/schema/schema.fbs as vendored by tflite-micro 90b983c. Enumerations: enums.ts.
 */
import { BUILTIN_OPTIONS, BUILTIN_OPTIONS_2 } from './enums.ts';

export const FILE_IDENTIFIER = 'TFL3';

export type ScalarType = 'bool' | 'int8' | 'uint8' | 'int32' | 'uint32' | 'float32' | 'int64' | 'uint64';

/** Bytes of one scalar in the file; also its alignment. */
export const SCALAR_BYTES: Readonly<Record<ScalarType, number>> = {
  bool: 1,
  int8: 1,
  uint8: 1,
  int32: 4,
  uint32: 4,
  float32: 4,
  int64: 8,
  uint64: 8,
};

/** int64 and uint64 are bigint: TFLite uses their whole range. */
export type ScalarValue<T extends ScalarType> = T extends 'bool'
  ? boolean
  : T extends 'int64' | 'uint64'
    ? bigint
    : number;

/**
 * scalar: inline, `initial` when absent. vector: of scalars. bytes: [ubyte], `align` its data alignment in bytes. tables: vector of tables.
 * union: a type byte and a table. opaque: a table or vector of which only presence is kept (its contents are not described here).
 */
export type Field =
  | { readonly kind: 'scalar'; readonly type: ScalarType; readonly initial: number }
  | { readonly kind: 'vector'; readonly type: ScalarType }
  | { readonly kind: 'bytes'; readonly align: number }
  | { readonly kind: 'string' }
  | { readonly kind: 'table'; readonly table: string }
  | { readonly kind: 'tables'; readonly table: string }
  | { readonly kind: 'union'; readonly names: readonly string[] }
  | { readonly kind: 'opaque' };

function scalar<const T extends ScalarType>(type: T, initial = 0) {
  return { kind: 'scalar', type, initial } as const;
}
const vector = <const T extends ScalarType>(type: T) => ({ kind: 'vector', type }) as const;
const bytes = (align = 1) => ({ kind: 'bytes', align }) as const;
const string = { kind: 'string' } as const;
const table = <const T extends string>(name: T) => ({ kind: 'table', table: name }) as const;
const tables = <const T extends string>(name: T) => ({ kind: 'tables', table: name }) as const;
const union = (names: readonly string[]) => ({ kind: 'union', names }) as const;
const opaque = { kind: 'opaque' } as const;

const fusedActivationFunction = scalar('int8');

/** Options of the operators this project knows. A union member that is not here is kept by name only (UnionValue.value is null). */
const OPTION_TABLES = {
  Conv2DOptions: {
    padding: scalar('int8'),
    strideW: scalar('int32'),
    strideH: scalar('int32'),
    fusedActivationFunction,
    dilationWFactor: scalar('int32', 1),
    dilationHFactor: scalar('int32', 1),
    quantizedBiasType: scalar('int8'),
  },
  DepthwiseConv2DOptions: {
    padding: scalar('int8'),
    strideW: scalar('int32'),
    strideH: scalar('int32'),
    depthMultiplier: scalar('int32'),
    fusedActivationFunction,
    dilationWFactor: scalar('int32', 1),
    dilationHFactor: scalar('int32', 1),
  },
  Pool2DOptions: {
    padding: scalar('int8'),
    strideW: scalar('int32'),
    strideH: scalar('int32'),
    filterWidth: scalar('int32'),
    filterHeight: scalar('int32'),
    fusedActivationFunction,
  },
  FullyConnectedOptions: {
    fusedActivationFunction,
    weightsFormat: scalar('int8'),
    keepNumDims: scalar('bool'),
    asymmetricQuantizeInputs: scalar('bool'),
    quantizedBiasType: scalar('int8'),
  },
  SoftmaxOptions: { beta: scalar('float32') },
  ConcatenationOptions: { axis: scalar('int32'), fusedActivationFunction },
  AddOptions: { fusedActivationFunction, potScaleInt16: scalar('bool', 1) },
  SubOptions: { fusedActivationFunction, potScaleInt16: scalar('bool', 1) },
  MulOptions: { fusedActivationFunction },
  MaximumMinimumOptions: {},
  PadOptions: {},
  PadV2Options: {},
  ReshapeOptions: { newShape: vector('int32') },
  SqueezeOptions: { squeezeDims: vector('int32') },
  ExpandDimsOptions: {},
  ReducerOptions: { keepDims: scalar('bool') },
  StridedSliceOptions: {
    beginMask: scalar('int32'),
    endMask: scalar('int32'),
    ellipsisMask: scalar('int32'),
    newAxisMask: scalar('int32'),
    shrinkAxisMask: scalar('int32'),
    offset: scalar('bool'),
  },
  SliceOptions: {},
  TransposeOptions: {},
  LeakyReluOptions: { alpha: scalar('float32') },
  HardSwishOptions: {},
  ResizeNearestNeighborOptions: { alignCorners: scalar('bool'), halfPixelCenters: scalar('bool') },
  ShapeOptions: { outType: scalar('int8') },
  PackOptions: { valuesCount: scalar('int32'), axis: scalar('int32') },
  SplitOptions: { numSplits: scalar('int32') },
  QuantizeOptions: {},
  DequantizeOptions: {},
} as const satisfies Readonly<Record<string, Readonly<Record<string, Field>>>>;

export const TABLES = {
  ...OPTION_TABLES,
  Model: {
    version: scalar('uint32'),
    operatorCodes: tables('OperatorCode'),
    subgraphs: tables('SubGraph'),
    description: string,
    buffers: tables('Buffer'),
    metadataBuffer: vector('int32'),
    metadata: tables('Metadata'),
    signatureDefs: tables('SignatureDef'),
    externalBufferGroups: opaque,
    externalBuffers: opaque,
  },
  OperatorCode: {
    deprecatedBuiltinCode: scalar('int8'),
    customCode: string,
    version: scalar('int32', 1),
    builtinCode: scalar('int32'),
  },
  SubGraph: {
    tensors: tables('Tensor'),
    inputs: vector('int32'),
    outputs: vector('int32'),
    operators: tables('Operator'),
    name: string,
    debugMetadataIndex: scalar('int32', -1),
  },
  Tensor: {
    shape: vector('int32'),
    type: scalar('int8'),
    buffer: scalar('uint32'),
    name: string,
    quantization: table('QuantizationParameters'),
    isVariable: scalar('bool'),
    sparsity: opaque,
    shapeSignature: vector('int32'),
    hasRank: scalar('bool'),
    variantTensors: opaque,
    externalBuffer: scalar('uint32'),
  },
  QuantizationParameters: {
    min: vector('float32'),
    max: vector('float32'),
    scale: vector('float32'),
    zeroPoint: vector('int64'),
    details: union(['NONE', 'CustomQuantization', 'BlockwiseQuantization', 'MultiAxisQuantization']),
    quantizedDimension: scalar('int32'),
  },
  Operator: {
    opcodeIndex: scalar('uint32'),
    inputs: vector('int32'),
    outputs: vector('int32'),
    builtinOptions: union(BUILTIN_OPTIONS),
    customOptions: bytes(),
    customOptionsFormat: scalar('int8'),
    mutatingVariableInputs: vector('bool'),
    intermediates: vector('int32'),
    largeCustomOptionsOffset: scalar('uint64'),
    largeCustomOptionsSize: scalar('uint64'),
    builtinOptions2: union(BUILTIN_OPTIONS_2),
    debugMetadataIndex: scalar('int32', -1),
  },
  /** data inside the flatbuffer, or offset and size (bytes from the start of the file) of data appended behind it; offset <= 1: unused. */
  Buffer: { data: bytes(16), offset: scalar('uint64'), size: scalar('uint64') },
  Metadata: { name: string, buffer: scalar('uint32') },
  SignatureDef: {
    inputs: tables('TensorMap'),
    outputs: tables('TensorMap'),
    signatureKey: string,
    deprecatedTag: string,
    subgraphIndex: scalar('uint32'),
  },
  TensorMap: { name: string, tensorIndex: scalar('uint32') },
} as const satisfies Readonly<Record<string, Readonly<Record<string, Field>>>>;

export type TableName = keyof typeof TABLES;
export type OptionsName = keyof typeof OPTION_TABLES;

/** The members of a union whose tables are described above. */
export type KnownUnionValue = {
  readonly [N in OptionsName]: { readonly type: N; readonly value: TableValue<N> };
}[OptionsName];
/** A union member known by name only: `type` is its name in the schema, or `#code` for a code newer than the schema. */
export interface UnknownUnionValue {
  readonly type: string;
  readonly value: null;
}
export type UnionValue = KnownUnionValue | UnknownUnionValue;

/** Absent vectors, strings, tables and unions are null. `opaque` is true when present. bytes alias the file: do not write to them. */
export type FieldValue<F> = F extends { kind: 'scalar'; type: infer T extends ScalarType }
  ? ScalarValue<T>
  : F extends { kind: 'vector'; type: infer T extends ScalarType }
    ? readonly ScalarValue<T>[] | null
    : F extends { kind: 'bytes' }
      ? Uint8Array | null
      : F extends { kind: 'string' }
        ? string | null
        : F extends { kind: 'table'; table: infer N extends TableName }
          ? TableValue<N> | null
          : F extends { kind: 'tables'; table: infer N extends TableName }
            ? readonly TableValue<N>[] | null
            : F extends { kind: 'union' }
              ? UnionValue | null
              : boolean;

export type TableValue<N extends TableName> = {
  readonly [F in keyof (typeof TABLES)[N]]: FieldValue<(typeof TABLES)[N][F]>;
};

export type TfliteModel = TableValue<'Model'>;
export type TfliteSubGraph = TableValue<'SubGraph'>;
export type TfliteTensor = TableValue<'Tensor'>;
export type TfliteQuantization = TableValue<'QuantizationParameters'>;
export type TfliteOperator = TableValue<'Operator'>;
export type TfliteOperatorCode = TableValue<'OperatorCode'>;
export type TfliteBuffer = TableValue<'Buffer'>;

/** Fields of a table in slot order, each with its first slot number; vtable offset = 4 + 2 * slot. */
export function fieldSlots(
  name: TableName,
): readonly { readonly name: string; readonly field: Field; readonly slot: number }[] {
  let slot = 0;
  return Object.entries<Field>(TABLES[name]).map(([fieldName, field]) => {
    const entry = { name: fieldName, field, slot };
    slot += field.kind === 'union' ? 2 : 1;
    return entry;
  });
}

/** The value a table has when every field is absent; spread it to build a table: `{ ...tableDefaults('Tensor'), name: 'x' }`. */
export function tableDefaults<N extends TableName>(name: N): TableValue<N> {
  const entries = fieldSlots(name).map(({ name: fieldName, field }) => [fieldName, defaultValue(field)]);
  // Built from the same table as the type, one entry per field.
  return Object.fromEntries(entries) as TableValue<N>;
}

function defaultValue(field: Field): unknown {
  if (field.kind === 'opaque') return false;
  return field.kind === 'scalar' ? scalarDefault(field.type, field.initial) : null;
}

/** `initial` of the schema in the type the scalar is read as. */
export function scalarDefault(type: ScalarType, initial: number): boolean | number | bigint {
  if (type === 'bool') return initial !== 0;
  return type === 'int64' || type === 'uint64' ? BigInt(initial) : initial;
}
