/**
 * Random straight-line code over every encoding class of Armv7E-M and FPv4-SP, without what is UNPREDICTABLE: templates of bits in
 * which `.` is a random bit and letters are register fields. Memory instructions come with the moves that point their base into RAM.
 */
import { decodeInstruction } from '../../emulator/timing/decode.ts';
import { templates } from './encoding-templates.ts';
import { cortexM4F } from './fuzz-cores.ts';

export const RAM = 0x2000_0000;
/** Random accesses stay within this window. */
export const WINDOW_BYTES = 2048;

/** xorshift32; the state is never 0. */
export class Random {
  private state: number;

  constructor(seed: number) {
    this.state = (Math.imul(seed, 2654435761) ^ 0x9e37_79b9) >>> 0 || 1;
  }

  bits32(): number {
    let x = this.state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (this.state = x >>> 0);
  }

  below(limit: number): number {
    return (this.bits32() >>> 3) % limit;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }
}

function fill(template: string, random: Random): number {
  const values = new Map<string, number>();
  const valueOf = (letter: string, width: number): number => {
    const known = values.get(letter);
    if (known !== undefined) return known;
    const isRegister = 'ndmaseNM'.includes(letter);
    const limit = isRegister ? (letter === 'N' || letter === 'M' ? 8 : Math.min(13, 2 ** width)) : 2 ** width;
    let value = random.below(limit);
    // d and a are the two results of a long multiply, N, s and e the registers of one transfer: they must differ.
    const others = 'da'.includes(letter) ? 'da' : 'NseM'.includes(letter) ? 'NseM' : '';
    while ([...others].some((other) => other !== letter && values.get(other) === value)) value = random.below(limit);
    values.set(letter, value);
    return value;
  };
  let word = 0;
  for (let at = 0; at < template.length; at++) {
    const letter = template[at]!;
    let bit: number;
    if (letter === '0' || letter === '1') bit = Number(letter);
    else if (letter === '.') bit = random.bits32() >>> 31;
    else {
      // The letter's bits, most significant first; a field may be in several pieces.
      const width = [...template].filter((other) => other === letter).length;
      const isRepeated = width === 8;
      const fieldWidth = isRepeated ? 4 : width;
      const index = [...template.slice(0, at)].filter((other) => other === letter).length % fieldWidth;
      bit = (valueOf(letter, fieldWidth) >> (fieldWidth - 1 - index)) & 1;
    }
    word = ((word << 1) | bit) >>> 0;
  }
  return word;
}

/** One encoding of a class that exists on the core and is not UNPREDICTABLE. */
export function randomEncoding(kind: string, random: Random): { word: number; bytes: 2 | 4 } {
  for (;;) {
    const template = random.pick(templates[kind]!);
    const word = fill(template, random);
    const bytes = template.length === 16 ? 2 : 4;
    const first = bytes === 2 ? word : word >>> 16;
    const decoded = decodeInstruction((at) => (at === 0 ? first : word & 0xffff), 0, 0, cortexM4F);
    if (decoded?.timing === 'undefined' || decoded?.size !== bytes) continue;
    if (kind === 'fields' && !isFieldSound(word)) continue;
    if (kind === 'data' && isSaturationOfHalvesPast16(word, bytes)) continue;
    if (kind === 'memory' && !isTransferSound(word, bytes)) continue;
    return { word, bytes };
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

/** Lists of two or more, without a base that is also written back. */
function isTransferSound(word: number, bytes: 2 | 4): boolean {
  if (bytes === 2) return true;
  const base = (word >>> 16) & 0xf;
  if ((word & 0xfe40_0000) >>> 0 === 0xe800_0000) {
    const list = word & 0xffff;
    return (list & (list - 1)) !== 0 && (list & (1 << base)) === 0;
  }
  if ((word & 0xfe00_0e00) >>> 0 === 0xec00_0a00 && (word & 0x0120_0000) >>> 0 !== 0x0100_0000) {
    const count = word & 0xff;
    const first = (((word >>> 12) & 0xf) << 1) | ((word >>> 22) & 1);
    return count > 0 && first + count <= 32;
  }
  return true;
}

export const movw = (rd: number, value: number): number =>
  (0xf240_0000 |
    ((value & 0xf000) << 4) |
    ((value & 0x0800) << 15) |
    ((value & 0x0700) << 4) |
    (rd << 8) |
    (value & 0xff)) >>>
  0;
export const movt = (rd: number, value: number): number => (movw(rd, value) | 0x0080_0000) >>> 0;

/** Groups of halfwords: an instruction with the moves its address needs, or an IT block. */
export function randomSequence(kinds: readonly string[], length: number, random: Random): number[][] {
  const groups: number[][] = [];
  let halfwords: number[] = [];
  const emit = (word: number, bytes: 2 | 4): void => {
    if (bytes === 4) halfwords.push(word >>> 16);
    halfwords.push(word & 0xffff);
  };
  const innerKinds = kinds.filter((name) => name !== 'memory' && !name.startsWith('exclusive'));
  while (length > 0) {
    const kind = random.pick(kinds);
    const { word, bytes } = randomEncoding(kind, random);
    length--;
    halfwords = [];
    groups.push(halfwords);
    const isExclusive = kind.startsWith('exclusive');
    if (kind === 'memory' || isExclusive) {
      const base = bytes === 4 ? (word >>> 16) & 0xf : (word >>> 3) & 7;
      const address = RAM + WINDOW_BYTES / 2 + random.below(isExclusive ? 2 : 64) * 4;
      emit(movw(base, address & 0xffff), 4);
      emit(movt(base, address >>> 16), 4);
      const index = bytes === 2 ? (word >>> 6) & 7 : word & 0xf;
      if (usesIndex(word, bytes)) emit(movw(index, random.below(60)), 4);
      emit(word, bytes);
    } else if (random.below(6) === 0 && length >= 1) {
      // IT with one to four instructions of classes that may stand in it.
      const mask = random.pick([8, 4, 12, 2, 6, 10, 14, 1, 3, 5, 7, 9, 11, 13, 15]);
      emit(0xbf00 | (random.below(14) << 4) | mask, 2);
      const count = 4 - [1, 2, 4, 8].findIndex((bit) => (mask & bit) !== 0);
      for (let i = 0; i < count; i++) {
        const inner = randomEncoding(random.pick(innerKinds), random);
        emit(inner.word, inner.bytes);
        length--;
      }
    } else emit(word, bytes);
  }
  return groups;
}

function usesIndex(word: number, bytes: 2 | 4): boolean {
  if (bytes === 2) return word >>> 12 === 5;
  return (word & 0xfe80_0fc0) >>> 0 === 0xf800_0000;
}

/** Values that find boundaries: small, powers of two and their neighbours, alternating, or anything. */
export function randomWord(random: Random): number {
  switch (random.below(4)) {
    case 0:
      return (
        random.pick([0, 1, -1, 0x7fff_ffff, 0x8000_0000, 0x7fff_8000, 0x8000_8000, 0x7f80_ff01, 0xffff, 0x1_0000]) | 0
      );
    case 1:
      return ((1 << random.below(32)) + random.below(3) - 1) | 0;
    default:
      return random.bits32() | 0;
  }
}

/** Bit patterns of singles: special values, neighbours of integers, denormals, or anything. */
export function randomSingle(random: Random): number {
  const sign = random.below(2) === 0 ? 0 : 0x8000_0000;
  switch (random.below(6)) {
    case 0:
      return (
        sign |
        random.pick([
          0, 1, 0x7f_ffff, 0x80_0000, 0x7f7f_ffff, 0x7f80_0000, 0x7f80_0001, 0x7fc0_0000, 0x7fc1_2345, 0x3f80_0000,
        ])
      );
    case 1:
      return sign | random.below(0x80_0000);
    case 2:
      return sign | ((120 + random.below(40)) << 23) | (random.below(8) << 20);
    case 3:
      return (
        sign |
        ((random.pick([1, 2, 3, 64, 126, 127, 128, 150, 151, 157, 158, 190, 253, 254]) << 23) | random.below(0x80_0000))
      );
    case 4:
      return sign | ((118 + random.below(20)) << 23) | random.below(0x80_0000);
    default:
      return random.bits32() | 0;
  }
}
