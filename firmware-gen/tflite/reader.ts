/**
 * Reads a .tflite file into plain objects that mirror the schema; no meaning is added. Driven by TABLES of schema.ts over the verified
 * access of flat-view.ts. What parseTflite returns is sound as data: every index into tensors, buffers and operator codes is in range.
 * Whether the operators make sense is decided by passes/import.ts.
 */
import { UserError } from '../../common/errors.ts';
import { BUILTIN_OPERATORS } from './enums.ts';
import { FlatView, type TableView } from './flat-view.ts';
import {
  FILE_IDENTIFIER,
  SCALAR_BYTES,
  TABLES,
  fieldSlots,
  scalarDefault,
  type Field,
  type TableName,
  type TableValue,
  type TfliteBuffer,
  type TfliteModel,
  type TfliteOperator,
} from './schema.ts';

const SCHEMA_VERSION = 3;
/** Root offset and identifier. */
const FILE_HEADER_BYTES = 8;
/** TFLite leaves offset and size at 0 or 1 for a buffer that is not appended behind the flatbuffer. */
const APPENDED_OFFSET_MIN = 2n;

/** Fields of each table, with slots, computed once. */
const SLOTS = new Map(Object.keys(TABLES).map((name) => [name, fieldSlots(name as TableName)]));

/**
 * Throws UserError naming table, field and byte offset for anything outside the format; the bytes of the file are aliased, not copied.
 * Buffers appended behind the flatbuffer (offset and size) are resolved to `data`.
 */
export function parseTflite(bytes: Uint8Array): TfliteModel {
  const view = new FlatView(bytes);
  if (bytes.length < FILE_HEADER_BYTES) {
    throw new UserError(
      `not a TFLite file: ${bytes.length} bytes, at least ${FILE_HEADER_BYTES} expected; pass a .tflite model`,
    );
  }
  if (view.identifier() !== FILE_IDENTIFIER) {
    throw new UserError(
      `not a TFLite file: identifier at byte 4 is "${view.identifier()}", "${FILE_IDENTIFIER}" expected; pass a .tflite model`,
    );
  }
  const model = decode(view, 'Model', 'model', view.table('model', 0));
  if (model.version !== SCHEMA_VERSION) {
    throw new UserError(
      `TFLite schema version ${model.version} is not supported, version ${SCHEMA_VERSION} is; convert the model again with a current TensorFlow`,
    );
  }
  checkIndices(model);
  return { ...model, buffers: model.buffers?.map((buffer, index) => resolveAppended(bytes, buffer, index)) ?? null };
}

/** The operator's builtin name; a code newer than the schema is `#code`. Old files keep the code in the deprecated int8 field. */
export function operatorName(model: TfliteModel, operator: TfliteOperator): string {
  const code = model.operatorCodes?.[operator.opcodeIndex];
  if (!code) throw new Error(`internal: opcode index ${operator.opcodeIndex} was not checked`);
  const builtin = Math.max(code.builtinCode, code.deprecatedBuiltinCode);
  return BUILTIN_OPERATORS[builtin] ?? `#${builtin}`;
}

function decode<N extends TableName>(view: FlatView, name: N, path: string, table: TableView): TableValue<N> {
  const slots = SLOTS.get(name) ?? [];
  const values: Record<string, unknown> = {};
  let known = 0;
  for (const { name: fieldName, field, slot } of slots) {
    values[fieldName] = decodeField(view, field, `${path}.${fieldName}`, table, slot);
    known = slot + (field.kind === 'union' ? 2 : 1);
  }
  for (let slot = known; slot < view.slotCount(table); slot += 1) {
    const at = view.field(`${path}.#${slot}`, table, slot, 1);
    if (at === null) continue;
    throw new UserError(
      `TFLite file newer than this reader: ${path} (${name}) at byte ${at} has a field in slot ${slot}, ${known} are known; export with an older converter`,
    );
  }
  // One entry per field of TABLES[name], each of its FieldValue type.
  return values as TableValue<N>;
}

function decodeField(view: FlatView, field: Field, path: string, table: TableView, slot: number): unknown {
  if (field.kind === 'union') return decodeUnion(view, field.names, path, table, slot);
  const at = view.field(path, table, slot, field.kind === 'scalar' ? SCALAR_BYTES[field.type] : 4);
  switch (field.kind) {
    case 'scalar':
      return at === null ? scalarDefault(field.type, field.initial) : view.scalar(field.type, at);
    case 'opaque':
      return at !== null;
    case 'vector':
      return at === null ? null : view.scalars(path, at, field.type);
    case 'bytes':
      return at === null ? null : view.bytes(path, at);
    case 'string':
      return at === null ? null : view.string(path, at);
    case 'table':
      return at === null ? null : decode(view, field.table as TableName, path, view.table(path, at));
    case 'tables':
      return at === null ? null : decodeTables(view, field.table as TableName, path, at);
  }
}

function decodeTables(view: FlatView, name: TableName, path: string, at: number): unknown[] {
  const { start, count } = view.vector(path, at, 4);
  return Array.from({ length: count }, (_, i) => {
    const elementPath = `${path}[${i}]`;
    return decode(view, name, elementPath, view.table(elementPath, start + 4 * i));
  });
}

/** Null when either the type is NONE or the table is absent; which operators may lack options is decided at import. */
function decodeUnion(view: FlatView, names: readonly string[], path: string, table: TableView, slot: number): unknown {
  const typeAt = view.field(`${path} type`, table, slot, 1);
  const valueAt = view.field(path, table, slot + 1, 4);
  const code = typeAt === null ? 0 : Number(view.scalar('uint8', typeAt));
  if (code === 0 || valueAt === null) return null;
  const type = names[code] ?? `#${code}`;
  const member = view.table(path, valueAt);
  return { type, value: type in TABLES ? decode(view, type as TableName, path, member) : null };
}

function resolveAppended(bytes: Uint8Array, buffer: TfliteBuffer, index: number): TfliteBuffer {
  if (buffer.offset < APPENDED_OFFSET_MIN) return { ...buffer, offset: 0n, size: 0n };
  const end = buffer.offset + buffer.size;
  if (end > BigInt(bytes.length)) {
    throw new UserError(
      `damaged TFLite file: model.buffers[${index}] lies at bytes ${buffer.offset}..${end}, the file has ${bytes.length}; export or download it again`,
    );
  }
  if (buffer.data && buffer.data.length > 0) {
    throw new UserError(
      `damaged TFLite file: model.buffers[${index}] has both inline data and data at byte ${buffer.offset}; export the model again`,
    );
  }
  return { data: bytes.subarray(Number(buffer.offset), Number(end)), offset: 0n, size: 0n };
}

function checkIndex(path: string, index: number, count: number, what: string): void {
  if (index >= 0 && index < count) return;
  throw new UserError(
    `damaged TFLite file: ${path} is ${index}, the model has ${count} ${what}; export or download it again`,
  );
}

function checkIndices(model: TfliteModel): void {
  const bufferCount = model.buffers?.length ?? 0;
  const codeCount = model.operatorCodes?.length ?? 0;
  for (const [i, metadata] of (model.metadata ?? []).entries()) {
    checkIndex(`model.metadata[${i}].buffer`, metadata.buffer, bufferCount, 'buffers');
  }
  for (const [s, graph] of (model.subgraphs ?? []).entries()) {
    const path = `model.subgraphs[${s}]`;
    const tensorCount = graph.tensors?.length ?? 0;
    const checkTensors = (field: string, indices: readonly number[] | null, optional: boolean): void => {
      for (const [i, tensor] of (indices ?? []).entries()) {
        if (optional && tensor === -1) continue;
        checkIndex(`${path}.${field}[${i}]`, tensor, tensorCount, 'tensors');
      }
    };
    for (const [i, tensor] of (graph.tensors ?? []).entries()) {
      checkIndex(`${path}.tensors[${i}].buffer`, tensor.buffer, bufferCount, 'buffers');
    }
    checkTensors('inputs', graph.inputs, false);
    checkTensors('outputs', graph.outputs, false);
    for (const [i, operator] of (graph.operators ?? []).entries()) {
      checkIndex(`${path}.operators[${i}].opcodeIndex`, operator.opcodeIndex, codeCount, 'operator codes');
      checkTensors(`operators[${i}].inputs`, operator.inputs, true);
      checkTensors(`operators[${i}].outputs`, operator.outputs, false);
      checkTensors(`operators[${i}].intermediates`, operator.intermediates, true);
    }
  }
}
