/**
 * Random straight-line code over the encoding classes a core has, without what is UNPREDICTABLE: templates of bits in which `.` is a random bit
 * and letters are register fields. Memory instructions come with the moves that point their base into RAM.
 */
import type { Core } from '../../emulator/cores/core.ts';
import { isMainline, isV8 } from '../../emulator/cores/core-facts.ts';
import { decodeInstruction } from '../../emulator/timing/decode.ts';
import { templates } from './encoding-templates.ts';
import { isSound } from './unpredictable.ts';
import { Random } from './random.ts';

/** What code is made for. */
export interface CodeSpace {
  readonly core: Core;
  /** Where random accesses go. */
  readonly ram: number;
}

/** Random accesses stay within this window. */
export const WINDOW_BYTES = 2048;

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

export interface Encoding {
  readonly word: number;
  readonly bytes: 2 | 4;
}

/** Whether the core executes it: not undefined, nothing that stops it. */
function isExecuted({ word, bytes }: Encoding, core: Core): boolean {
  const first = bytes === 2 ? word : word >>> 16;
  const decoded = decodeInstruction((at) => (at === 0 ? first : word & 0xffff), 0, 0, core);
  return (
    decoded?.size === bytes && !['undefined', 'fpUndefined', 'coprocessorAbsent', 'security'].includes(decoded.timing)
  );
}

const SAMPLES = 50;
const usable = new Map<string, readonly string[]>();

/** Templates of a class of which the core has encodings. */
export function templatesOf(kind: string, core: Core): readonly string[] {
  const key = `${core.name} ${kind}`;
  let found = usable.get(key);
  if (found === undefined) {
    const random = new Random(1);
    const existsHere = (template: string): boolean =>
      Array.from({ length: SAMPLES }, () => encodingOf(template, random)).some((encoding) =>
        isExecuted(encoding, core),
      );
    found = templates[kind]!.filter(existsHere);
    usable.set(key, found);
  }
  return found;
}

const encodingOf = (template: string, random: Random): Encoding => ({
  word: fill(template, random),
  bytes: template.length === 16 ? 2 : 4,
});

/** One encoding of a class that exists on the core and is not UNPREDICTABLE. */
export function randomEncoding(kind: string, random: Random, core: Core): Encoding {
  const list = templatesOf(kind, core);
  for (;;) {
    const encoding = encodingOf(random.pick(list), random);
    if (isExecuted(encoding, core) && isSound(kind, encoding)) return encoding;
  }
}

export const halfwordsOf = ({ word, bytes }: Encoding): number[] =>
  bytes === 2 ? [word] : [word >>> 16, word & 0xffff];

const movw = (rd: number, value: number): number =>
  (0xf240_0000 |
    ((value & 0xf000) << 4) |
    ((value & 0x0800) << 15) |
    ((value & 0x0700) << 4) |
    (rd << 8) |
    (value & 0xff)) >>>
  0;
const movt = (rd: number, value: number): number => (movw(rd, value) | 0x0080_0000) >>> 0;

/** Halfwords that put a constant into a register, r0..r7 where there is no MOVW. */
export function loadConstant({ core }: CodeSpace, register: number, value: number): number[] {
  if (isMainline(core) || isV8(core))
    return [movw(register, value & 0xffff), movt(register, value >>> 16)].flatMap((word) => [
      word >>> 16,
      word & 0xffff,
    ]);
  const byte = (index: number): number => (value >>> (index * 8)) & 0xff;
  const shift = 0x0200 | (register << 3) | register; // LSLS #8
  const append = (index: number): number[] => [shift, 0x3000 | (register << 8) | byte(index)];
  return [0x2000 | (register << 8) | byte(3), ...append(2), ...append(1), ...append(0)];
}
