/**
 * Verified access to a flatbuffer. The flatbuffers runtime reads wherever an offset points, so every table, vtable, vector and string is
 * checked here against the file before it is read (format: flatbuffers.dev, "FlatBuffer internals"; same rules as its C++ Verifier).
 * Offsets are unsigned and zero is refused, so they only lead forwards: no cycle exists. A work budget bounds files whose vectors overlap.
 */
import { ByteBuffer } from 'flatbuffers';
import { UserError } from '../../common/errors.ts';
import { SCALAR_BYTES, type ScalarType } from './schema.ts';

const OFFSET_BYTES = 4;
const VTABLE_HEADER_BYTES = 4;
/** The flatbuffer format addresses with signed 32 bits. */
const FILE_BYTES_MAX = 2 ** 31 - 1;
/** Writers may share strings, vectors and tables; this many times on average. */
const OVERLAP_MAX = 4;

/** A checked table: `at` its position, `vtable` and its size in bytes, `bytes` the inline size. All in bytes from the file's start. */
export interface TableView {
  readonly at: number;
  readonly vtable: number;
  readonly vtableBytes: number;
  readonly bytes: number;
}

export class FlatView {
  private readonly data: Uint8Array;
  private readonly buffer: ByteBuffer;
  private readonly utf8 = new TextDecoder();
  /** Bytes of tables, vectors and strings that may still be decoded. A file without overlaps cannot need more than its length. */
  private budget: number;

  constructor(data: Uint8Array) {
    if (data.length > FILE_BYTES_MAX)
      throw this.damaged('file', 0, `is ${data.length} bytes, the format ends at 2^31-1`);
    this.data = data;
    this.buffer = new ByteBuffer(data);
    this.budget = OVERLAP_MAX * data.length;
  }

  get length(): number {
    return this.data.length;
  }

  /** The error for every violated rule: which field, at which byte, what is wrong, what to do. */
  damaged(path: string, at: number, problem: string): UserError {
    return new UserError(
      `damaged TFLite file: ${path} at byte ${at}: ${problem}; the file is truncated or corrupt, export or download it again`,
    );
  }

  /** Requires [at, at+bytes) inside the file and `at` aligned. */
  private require(path: string, at: number, bytes: number, align: number): void {
    if (at < 0 || at + bytes > this.data.length) {
      throw this.damaged(path, at, `${bytes} bytes reach outside the file's ${this.data.length}`);
    }
    if (at % align !== 0) throw this.damaged(path, at, `not aligned to ${align} bytes`);
  }

  private spend(path: string, at: number, bytes: number): void {
    this.budget -= bytes;
    if (this.budget < 0)
      throw this.damaged(
        path,
        at,
        `tables and vectors overlap: their sizes add up to more than ${OVERLAP_MAX} times the file`,
      );
  }

  identifier(): string {
    const text = String.fromCharCode(...this.data.subarray(4, 8));
    return text.replace(/[^ -~]/g, '?');
  }

  /** Follows the offset stored at `at`. */
  private follow(path: string, at: number): number {
    this.require(path, at, OFFSET_BYTES, OFFSET_BYTES);
    const offset = this.buffer.readUint32(at);
    if (offset === 0) throw this.damaged(path, at, 'offset 0 points at itself');
    return at + offset;
  }

  /** The table that the offset stored at `at` refers to. */
  table(path: string, at: number): TableView {
    const table = this.follow(path, at);
    this.require(path, table, 4, 4);
    const vtable = table - this.buffer.readInt32(table);
    this.require(`${path} vtable`, vtable, VTABLE_HEADER_BYTES, 2);
    const vtableBytes = this.buffer.readUint16(vtable);
    const bytes = this.buffer.readUint16(vtable + 2);
    if (vtableBytes < VTABLE_HEADER_BYTES || vtableBytes % 2 !== 0) {
      throw this.damaged(
        `${path} vtable`,
        vtable,
        `size ${vtableBytes} is not an even number from ${VTABLE_HEADER_BYTES} up`,
      );
    }
    this.require(`${path} vtable`, vtable, vtableBytes, 2);
    if (bytes < 4) throw this.damaged(path, table, `inline size ${bytes} is below 4`);
    this.require(path, table, bytes, 4);
    this.spend(path, table, bytes + OFFSET_BYTES);
    return { at: table, vtable, vtableBytes, bytes };
  }

  /** Slots the vtable of `table` has room for; those past the schema's fields are unknown to it. */
  slotCount(table: TableView): number {
    return (table.vtableBytes - VTABLE_HEADER_BYTES) / 2;
  }

  /** Position of the field in `slot`, `bytes` wide, or null when absent. */
  field(path: string, table: TableView, slot: number, bytes: number): number | null {
    if (slot >= this.slotCount(table)) return null;
    const offset = this.buffer.readUint16(table.vtable + VTABLE_HEADER_BYTES + 2 * slot);
    if (offset === 0) return null;
    const at = table.at + offset;
    if (offset < 4 || offset + bytes > table.bytes) {
      throw this.damaged(path, at, `field of ${bytes} bytes lies outside its table of ${table.bytes}`);
    }
    if (at % bytes !== 0) throw this.damaged(path, at, `not aligned to ${bytes} bytes`);
    return at;
  }

  /** Scalar at `at`, which field() or vector() has checked. */
  scalar(type: ScalarType, at: number): boolean | number | bigint {
    switch (type) {
      case 'bool':
        return this.buffer.readUint8(at) !== 0;
      case 'int8':
        return this.buffer.readInt8(at);
      case 'uint8':
        return this.buffer.readUint8(at);
      case 'int32':
        return this.buffer.readInt32(at);
      case 'uint32':
        return this.buffer.readUint32(at);
      case 'float32':
        return this.buffer.readFloat32(at);
      case 'int64':
        return this.buffer.readInt64(at);
      case 'uint64':
        return this.buffer.readUint64(at);
    }
  }

  /** Start and length of the vector that the offset stored at `at` refers to; elements of `elementBytes` are inside the file. */
  vector(path: string, at: number, elementBytes: number): { readonly start: number; readonly count: number } {
    const header = this.follow(path, at);
    this.require(path, header, 4, 4);
    const count = this.buffer.readUint32(header);
    this.require(`${path} (${count} elements)`, header + 4, count * elementBytes, count === 0 ? 1 : elementBytes);
    return { start: header + 4, count };
  }

  scalars(path: string, at: number, type: ScalarType): readonly (boolean | number | bigint)[] {
    const { start, count } = this.vector(path, at, SCALAR_BYTES[type]);
    this.spend(path, start, count * SCALAR_BYTES[type]);
    return Array.from({ length: count }, (_, i) => this.scalar(type, start + i * SCALAR_BYTES[type]));
  }

  /** A view into the file, not a copy. */
  bytes(path: string, at: number): Uint8Array {
    const { start, count } = this.vector(path, at, 1);
    return this.data.subarray(start, start + count);
  }

  /** UTF-8; invalid sequences become U+FFFD. */
  string(path: string, at: number): string {
    const { start, count } = this.vector(path, at, 1);
    this.spend(path, start, count);
    if (start + count >= this.data.length || this.data[start + count] !== 0) {
      throw this.damaged(path, start, `string of ${count} bytes has no terminating zero`);
    }
    return this.utf8.decode(this.data.subarray(start, start + count));
  }
}
