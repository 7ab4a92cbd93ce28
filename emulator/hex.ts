/** Intel HEX (Intel, "Hexadecimal Object File Format Specification", rev A): record types 00 to 05, checksums verified. */
import { UserError } from '../common/errors.ts';
import { SymbolTable, type FirmwareFile, type Segment } from './image.ts';

interface Record {
  readonly type: number;
  readonly offset: number;
  readonly data: Uint8Array;
}

export function isIntelHex(bytes: Uint8Array): boolean {
  return bytes[0] === 0x3a && bytes.length >= 11;
}

/** @throws UserError with the line number on a bad digit, length, checksum or record type, or a missing end record. */
export function parseIntelHex(bytes: Uint8Array, name: string): FirmwareFile {
  const lines = new TextDecoder('latin1').decode(bytes).split(/\r?\n/);
  const pieces: { address: number; data: Uint8Array }[] = [];
  let base = 0;
  let ended = false;
  for (const [index, line] of lines.entries()) {
    if (line.trim() === '') continue;
    const where = `${name}:${index + 1}`;
    if (ended) throw new UserError(`${where}: a record after the end record (type 01); the file is damaged`);
    const record = parseRecord(line.trim(), where);
    switch (record.type) {
      case 0:
        pieces.push({ address: (base + record.offset) >>> 0, data: record.data });
        break;
      case 1:
        ended = true;
        break;
      case 2:
        base = word(record, where) * 16;
        break;
      case 4:
        base = word(record, where) * 65536;
        break;
      case 3: // start addresses: the vector table decides
      case 5:
        break;
      default:
        throw new UserError(`${where}: record type ${record.type} is not Intel HEX (00 to 05)`);
    }
  }
  if (!ended) throw new UserError(`${name}: truncated Intel HEX file (no end record)`);
  if (pieces.length === 0) throw new UserError(`${name}: Intel HEX file without data`);
  return { name, format: 'hex', segments: join(pieces), symbols: new SymbolTable([]) };
}

function parseRecord(line: string, where: string): Record {
  if (!/^:([0-9a-fA-F]{2}){5,}$/.test(line))
    throw new UserError(`${where}: not an Intel HEX record (a colon and pairs of hex digits)`);
  const bytes = Uint8Array.from({ length: (line.length - 1) / 2 }, (_, i) =>
    Number.parseInt(line.slice(1 + i * 2, 3 + i * 2), 16),
  );
  if (bytes[0] !== bytes.length - 5)
    throw new UserError(`${where}: the record announces ${bytes[0] ?? 0} data bytes and holds ${bytes.length - 5}`);
  const sum = bytes.reduce((total, byte) => (total + byte) & 0xff, 0);
  if (sum !== 0) throw new UserError(`${where}: wrong checksum; the file is damaged`);
  return { type: bytes[3] ?? 0, offset: ((bytes[1] ?? 0) << 8) | (bytes[2] ?? 0), data: bytes.subarray(4, -1) };
}

function word(record: Record, where: string): number {
  if (record.data.length !== 2)
    throw new UserError(`${where}: an address record needs 2 data bytes, not ${record.data.length}`);
  return ((record.data[0] ?? 0) << 8) | (record.data[1] ?? 0);
}

/** Runs of records that follow each other become one segment. */
function join(pieces: readonly { address: number; data: Uint8Array }[]): Segment[] {
  const runs: { start: number; end: number; parts: Uint8Array[] }[] = [];
  for (const { address, data } of pieces) {
    const last = runs.at(-1);
    if (last?.end === address) {
      last.parts.push(data);
      last.end += data.length;
    } else {
      runs.push({ start: address, end: address + data.length, parts: [data] });
    }
  }
  return runs.map(({ start, end, parts }) => {
    const bytes = new Uint8Array(end - start);
    let offset = 0;
    for (const part of parts) {
      bytes.set(part, offset);
      offset += part.length;
    }
    return { loadAddress: start, runAddress: start, bytes, memoryBytes: bytes.length };
  });
}
