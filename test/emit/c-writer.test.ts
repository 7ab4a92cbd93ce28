/** Literals must read back exactly (emlearn prints 1e-7 as 0.000000f); arrays and calls stay within 120 columns. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  arrayInitialiser,
  blockComment,
  floatLiteral,
  intLiteral,
  valueLiterals,
  wrapArguments,
} from '../../firmware-gen/emit/c-writer.ts';

const SEED = 7;

describe('floatLiteral', () => {
  it.each([
    [0, '0.0f'],
    [-0, '-0.0f'],
    [1, '1.0f'],
    [Math.fround(0.1), '0.1f'],
    [Math.fround(1e-7), '1e-7f'],
    [Math.fround(3.4028234663852886e38), '3.4028235e+38f'],
    [Math.fround(1.401298464324817e-45), '1e-45f'],
    [Infinity, 'INFINITY'],
    [-Infinity, '-INFINITY'],
    [NaN, 'NAN'],
  ])('should print %s as %s', (value, text) => {
    expect(floatLiteral(value)).toBe(text);
  });

  it(`should read back as the same float32 (seed ${SEED})`, () => {
    const finite = fc.float({ noNaN: true, noDefaultInfinity: true });
    fc.assert(
      fc.property(finite, (value) => {
        const text = floatLiteral(value);
        expect(text).toMatch(/^-?\d+(\.\d+)?(e[+-]?\d+)?f$/);
        expect(Object.is(Math.fround(Number(text.slice(0, -1))), value)).toBe(true);
      }),
      { seed: SEED, numRuns: 2000 },
    );
  });
});

describe('intLiteral', () => {
  it('should print the limits of int32 and uint32 as C reads them', () => {
    expect([-0x80000000, -1, 0x7fffffff, 0xffffffff].map(intLiteral)).toEqual([
      'INT32_MIN',
      '-1',
      '2147483647',
      '4294967295U',
    ]);
  });

  it('should refuse a fraction', () => {
    expect(() => intLiteral(0.5)).toThrow('not an integer');
  });
});

describe('valueLiterals', () => {
  it('should mark 64-bit values and know that INT64_MIN has no literal', () => {
    expect(valueLiterals('int64_t', BigInt64Array.of(5n, -(2n ** 63n)))).toEqual(['INT64_C(5)', 'INT64_MIN']);
  });
});

describe('layout', () => {
  it('should put at most 16 values on a line and stay within 120 columns', () => {
    const lines = arrayInitialiser(Array.from({ length: 40 }, (_, i) => String(-2000000000 - i))).split('\n');
    expect(lines.every((line) => line.length <= 120)).toBe(true);
    const short = arrayInitialiser(Array.from({ length: 40 }, () => '1')).split('\n');
    expect(short[1]).toBe(`    ${Array.from({ length: 16 }, () => '1').join(', ')},`);
  });

  it('should align arguments under the first when they do not fit', () => {
    expect(wrapArguments('    return f', ['a', 'b'], ';')).toBe('    return f(a, b);');
    const long = 'x'.repeat(70);
    expect(wrapArguments('f', [long, long], ';')).toBe(`f(${long},\n  ${long});`);
  });

  it('should wrap comments', () => {
    expect(blockComment(['short'])).toBe('/* short */');
    expect(blockComment([`${'a'.repeat(100)} ${'b'.repeat(100)}`])).toBe(
      `/* ${'a'.repeat(100)}\n * ${'b'.repeat(100)} */`,
    );
  });
});
