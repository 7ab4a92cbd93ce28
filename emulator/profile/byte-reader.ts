/** Little-endian reader for DWARF: fixed sizes, LEB128, text; every read is checked against the end. */

/** Data that end too early or make no sense; its text says what. */
export class DwarfError extends Error {}

export class ByteReader {
  at: number;
  readonly end: number;
  private readonly bytes: Uint8Array;
  private readonly view: DataView;

  constructor(bytes: Uint8Array, at = 0, end = bytes.length) {
    if (at > end || end > bytes.length) throw new DwarfError('a unit reaches past the end of its section');
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = at;
    this.end = end;
  }

  get isAtEnd(): boolean {
    return this.at >= this.end;
  }

  u8(): number {
    return this.view.getUint8(this.advance(1));
  }

  i8(): number {
    return this.view.getInt8(this.advance(1));
  }

  u16(): number {
    return this.view.getUint16(this.advance(2), true);
  }

  u32(): number {
    return this.view.getUint32(this.advance(4), true);
  }

  skip(count: number): void {
    this.advance(count);
  }

  /** Exact up to 2^53; more does not occur in a 32-bit program. */
  unsignedLeb(): number {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      if ((byte & 0x80) === 0) return value;
      scale *= 128;
      if (scale > 2 ** 63) throw new DwarfError('a LEB128 number is too long');
    }
  }

  signedLeb(): number {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      scale *= 128;
      if ((byte & 0x80) === 0) return (byte & 0x40) === 0 ? value : value - scale;
      if (scale > 2 ** 63) throw new DwarfError('a LEB128 number is too long');
    }
  }

  text(): string {
    const end = this.bytes.indexOf(0, this.at);
    if (end < 0 || end >= this.end) throw new DwarfError('a name has no end');
    const text = new TextDecoder().decode(this.bytes.subarray(this.at, end));
    this.at = end + 1;
    return text;
  }

  private advance(count: number): number {
    const at = this.at;
    if (count < 0 || at + count > this.end) throw new DwarfError('a unit ends too early');
    this.at = at + count;
    return at;
  }
}
