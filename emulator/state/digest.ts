/** A short name for the contents of an image, to notice that a state or a recording belongs to another one. */
import type { FirmwareFile } from '../image.ts';

const OFFSET_BASIS = 0x811c_9dc5;
const PRIME = 0x0100_0193;

/** 32-bit FNV-1a over every segment's address and bytes, as 8 hex digits. Guards against mix-ups, not against forgery. */
export function imageDigest(image: FirmwareFile): string {
  let hash = OFFSET_BASIS;
  const add = (byte: number): void => {
    hash = Math.imul(hash ^ byte, PRIME);
  };
  for (const { loadAddress, bytes } of image.segments) {
    for (let shift = 0; shift < 32; shift += 8) add((loadAddress >>> shift) & 0xff);
    for (const byte of bytes) add(byte);
  }
  return (hash >>> 0).toString(16).padStart(8, '0');
}
