/** zlib's CRC-32 as the contract prints it. Node 20 has zlib.crc32 only from 20.15 on, which package.json's engines guarantee. */
import { crc32 } from 'node:zlib';

/** Eight lower-case hex digits over the bytes of all parts, one after the other. */
export function crc32Hex(...parts: readonly Uint8Array[]): string {
  return parts
    .reduce((crc, bytes) => crc32(bytes, crc), 0)
    .toString(16)
    .padStart(8, '0');
}
