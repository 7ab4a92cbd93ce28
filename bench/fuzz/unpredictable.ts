/** Encodings that templates make and the architecture leaves UNPREDICTABLE, or that would leave the window of memory. */
import type { Encoding } from './random-code.ts';

/** Whether an encoding of a class has a defined outcome. */
export function isSound(kind: string, { word, bytes }: Encoding): boolean {
  switch (kind) {
    case 'fields':
      return isFieldSound(word);
    case 'data':
      return !isSaturationOfHalvesPast16(word, bytes);
    case 'memory':
    case 'stack':
    case 'literal':
      return isTransferSound(word, bytes);
    default:
      return true;
  }
}

/** SSAT16 and USAT16 have four bits of width; the fifth must be 0. */
function isSaturationOfHalvesPast16(word: number, bytes: 2 | 4): boolean {
  return bytes === 4 && (word & 0xff70_f0d0) >>> 0 === 0xf320_0010;
}

/** A bit field ends at bit 31 at the latest, and after it began. */
function isFieldSound(word: number): boolean {
  const lsb = ((word >>> 10) & 0x1c) | ((word >>> 6) & 3);
  const last = word & 0x1f;
  return ((word >>> 20) & 0x1f) === 0x16 ? last >= lsb : lsb + last < 32;
}

/** Lists that are not empty, without a base that is also written back. */
function isNarrowListSound(word: number): boolean {
  const list = word & 0xff;
  if (word >>> 9 === 0x5a || word >>> 9 === 0x5e) return (word & 0x1ff) !== 0; // PUSH, POP
  if (word >>> 12 !== 0xc) return true;
  const base = 1 << ((word >>> 8) & 7);
  const isLoad = (word & 0x0800) !== 0;
  // STM of the base is defined only where it is the lowest register.
  return list !== 0 && (isLoad || (list & base) === 0 || (list & (base - 1)) === 0);
}

/** Lists of two or more, without a base that is also written back. */
function isTransferSound(word: number, bytes: 2 | 4): boolean {
  if (bytes === 2) return isNarrowListSound(word);
  const base = (word >>> 16) & 0xf;
  if ((word & 0xfe40_0000) >>> 0 === 0xe800_0000) {
    const list = word & 0xffff;
    return (list & (list - 1)) !== 0 && (list & (1 << base)) === 0;
  }
  if ((word & 0xfe00_0e00) >>> 0 === 0xec00_0a00 && (word & 0x0120_0000) >>> 0 !== 0x0100_0000) {
    const count = word & 0xff;
    const isDouble = (word & 0x0100) !== 0;
    const first = isDouble ? ((word >>> 12) & 0xf) * 2 : (((word >>> 12) & 0xf) << 1) | ((word >>> 22) & 1);
    return count > 0 && first + count <= 32 && (!isDouble || (count & 1) === 0);
  }
  return true;
}
