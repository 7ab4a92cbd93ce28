/**
 * Writes a TfliteModel as a .tflite file: the inverse of reader.ts, driven by the same TABLES of schema.ts, adding no meaning.
 * A flatbuffer is built back to front, so what a table refers to is written before it (flatbuffers.dev, "FlatBuffer internals").
 * The same model gives the same bytes: fields in a fixed order, no shared strings, no hashing.
 */
import { Builder } from 'flatbuffers';
import { UserError } from '../../common/errors.ts';
import {
  FILE_IDENTIFIER,
  SCALAR_BYTES,
  TABLES,
  fieldSlots,
  scalarDefault,
  type Field,
  type ScalarType,
  type TableName,
  type TfliteModel,
} from './schema.ts';

const INITIAL_BYTES = 4096;
const OFFSET_BYTES = 4;

/** A value ready to go inline into its table: what was decoded before, or the offset of what has been written. */
interface InlineField {
  readonly slot: number;
  readonly bytes: number;
  readonly add: () => void;
}

type TableObject = Readonly<Record<string, unknown>>;

/**
 * The file's bytes. Buffer data starts at multiples of 16 bytes, as TFLite requires. Throws UserError for what schema.ts only knows by
 * name (an `opaque` field that is present, a union member without a table): it cannot be written without losing it.
 */
export function writeTflite(model: TfliteModel): Uint8Array {
  const builder = new Builder(INITIAL_BYTES);
  const root = writeTable(builder, 'Model', 'model', model);
  builder.finish(root, FILE_IDENTIFIER);
  // A copy: asUint8Array is a view into the builder's oversized buffer.
  return builder.asUint8Array().slice();
}

function writeTable(builder: Builder, name: TableName, path: string, value: TableObject): number {
  const slots = fieldSlots(name);
  const inline = slots.flatMap(({ name: fieldName, field, slot }) =>
    prepareField(builder, field, slot, `${path}.${fieldName}`, value[fieldName]),
  );
  const last = slots.at(-1);
  builder.startObject(last ? last.slot + (last.field.kind === 'union' ? 2 : 1) : 0);
  // Wide fields first: no padding between them. Array.sort is stable, so the order is fixed.
  for (const field of inline.sort((a, b) => b.bytes - a.bytes)) field.add();
  return builder.endObject();
}

/** Writes what the field refers to and returns what is left to do inside the table; nothing for an absent or default value. */
function prepareField(builder: Builder, field: Field, slot: number, path: string, value: unknown): InlineField[] {
  if (field.kind === 'scalar') return [scalarField(builder, field.type, slot, value, field.initial)];
  if (field.kind === 'opaque') {
    if (value !== true) return [];
    throw new UserError(
      `${path} cannot be written: its contents are not part of the supported schema; remove the field`,
    );
  }
  if (value === null) return [];
  if (field.kind === 'union') return unionFields(builder, field.names, slot, path, value as UnionObject);
  return [offsetField(builder, slot, writeReferenced(builder, field, path, value))];
}

interface UnionObject {
  readonly type: string;
  readonly value: TableObject | null;
}

function unionFields(
  builder: Builder,
  names: readonly string[],
  slot: number,
  path: string,
  { type, value }: UnionObject,
): InlineField[] {
  const code = names.indexOf(type);
  if (value === null || code < 0 || !(type in TABLES)) {
    throw new UserError(`${path} cannot be written: ${type} is known by name only; remove the operator or its options`);
  }
  const offset = writeTable(builder, type as TableName, path, value);
  return [{ slot, bytes: 1, add: () => builder.addFieldInt8(slot, code, 0) }, offsetField(builder, slot + 1, offset)];
}

function offsetField(builder: Builder, slot: number, offset: number): InlineField {
  return { slot, bytes: OFFSET_BYTES, add: () => builder.addFieldOffset(slot, offset, 0) };
}

type ReferencedField = Exclude<Field, { readonly kind: 'scalar' | 'opaque' | 'union' }>;

/** Offset of the string, vector or table. The types of `value` follow from `field` (FieldValue of schema.ts). */
function writeReferenced(builder: Builder, field: ReferencedField, path: string, value: unknown): number {
  switch (field.kind) {
    case 'string':
      return builder.createString(value as string);
    case 'bytes':
      return writeBytes(builder, value as Uint8Array, field.align);
    case 'vector':
      return writeScalars(builder, field.type, value as readonly unknown[]);
    case 'table':
      return writeTable(builder, field.table as TableName, path, value as TableObject);
    case 'tables': {
      const tables = value as readonly TableObject[];
      const offsets = tables.map((table, i) => writeTable(builder, field.table as TableName, `${path}[${i}]`, table));
      builder.startVector(OFFSET_BYTES, offsets.length, OFFSET_BYTES);
      for (const offset of offsets.reverse()) builder.addOffset(offset);
      return builder.endVector();
    }
  }
}

function writeBytes(builder: Builder, bytes: Uint8Array, align: number): number {
  // Pads now so that the data, written next and ending here, starts aligned; createByteVector itself aligns only its length field.
  builder.prep(align, bytes.length);
  return builder.createByteVector(bytes);
}

function writeScalars(builder: Builder, type: ScalarType, values: readonly unknown[]): number {
  const bytes = SCALAR_BYTES[type];
  builder.startVector(bytes, values.length, bytes);
  for (const value of [...values].reverse()) addElement(builder, type, value);
  return builder.endVector();
}

/** Unsigned values go through the signed writers: the builder stores the low bits, which are the same. */
function addElement(builder: Builder, type: ScalarType, value: unknown): void {
  switch (type) {
    case 'bool':
    case 'int8':
    case 'uint8':
      return builder.addInt8(Number(value));
    case 'int32':
    case 'uint32':
      return builder.addInt32(Number(value) | 0);
    case 'float32':
      return builder.addFloat32(Number(value));
    case 'int64':
    case 'uint64':
      return builder.addInt64(BigInt.asIntN(64, value as bigint));
  }
}

function scalarField(builder: Builder, type: ScalarType, slot: number, value: unknown, initial: number): InlineField {
  const add = (): void => {
    if (value === scalarDefault(type, initial)) return;
    addElement(builder, type, value);
    builder.slot(slot);
  };
  return { slot, bytes: SCALAR_BYTES[type], add };
}
