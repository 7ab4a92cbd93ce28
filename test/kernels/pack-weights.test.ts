/** Offline packing: layouts byte for byte on small examples, and the ranges beyond which the general kernels take over. */
import { describe, expect, it } from 'vitest';
import {
  constantOutput,
  packMatrix,
  packedBias,
  packedConstants,
  pairedRowPlaces,
  quadPlaces,
  rescalingOf,
  type MatrixLayer,
} from '../../firmware-gen/passes/lower/pack-weights.ts';
import { multiplyByQuantizedMultiplier } from '../../firmware-gen/ir/quantized-math.ts';
import { Random } from './op-cases.ts';

const MULTIPLIER = { multiplier: 1518500250, shift: -7 };

function layer(rows: readonly (readonly number[])[], bias: readonly number[] | null = null): MatrixLayer {
  return {
    weights: Int8Array.from(rows.flat()),
    channels: rows.length,
    length: rows[0]?.length ?? 0,
    bias: bias ? Int32Array.from(bias) : null,
    inputOffset: 3,
    outputOffset: -5,
    multipliers: rows.map(() => MULTIPLIER),
  };
}

/** What a kernel computes from a sum. */
function rescaled(sum: number, entry: { multiplier: number; addend: number; shift: number }): number {
  const rounded = (BigInt(2 * sum) * BigInt(entry.multiplier) + (1n << 31n)) >> 32n;
  return Number((rounded + BigInt(entry.addend) - (sum < 0 ? 1n : 0n)) >> BigInt(entry.shift));
}

describe('packing of int8 matrices', () => {
  it('should put two channels into each halfword, in the order of the column', () => {
    const packed = packMatrix(
      layer([
        [1, 2, 3, 4],
        [10, 20, 30, 40],
        [-1, -2, -3, -4],
      ]),
      quadPlaces(4, 4),
    );
    const pair = (low: number, high: number): number => 256 * high + low;
    const halfwords = new Int16Array(packed?.weights.slice().buffer ?? new ArrayBuffer(0));
    expect([...halfwords]).toEqual([
      ...[pair(1, 10), pair(3, 30), pair(-1, 0), pair(-3, 0)],
      ...[pair(2, 20), pair(4, 40), pair(-2, 0), pair(-4, 0)],
    ]);
  });

  it('should fill up columns with places of no element', () => {
    expect(quadPlaces(5, 8)).toEqual([0, 2, 1, 3, 4, null, null, null]);
    expect(pairedRowPlaces(2, 3)).toEqual([0, 1, 2, null, 3, 4, 5, null]);
    expect(pairedRowPlaces(1, 2)).toEqual([0, 1, null, null, null, null, null, null]);
  });

  it('should fold the input offset into the bias, modulo 2^32', () => {
    const packed = packMatrix(
      layer(
        [
          [100, 27],
          [5, 6],
        ],
        [7, -9],
      ),
      quadPlaces(2, 4),
    );
    expect([...(packed?.bias ?? [])]).toEqual([7 + 3 * 127, -9 + 3 * 11]);
    expect(packed && [...packedBias(packed)]).toEqual([388, 256 * 24 + 388, 0, 0]);
    expect(packed && packedConstants(packed).length).toBe(16);
  });

  it('should leave weights of -128 and sums of 2^23 to the general kernel', () => {
    expect(packMatrix(layer([[-127, 5]]), quadPlaces(2, 4))).not.toBeNull();
    expect(packMatrix(layer([[5, -128]]), quadPlaces(2, 4))).toBeNull();
    const row = (length: number): readonly number[] => new Array<number>(length).fill(127);
    expect(packMatrix(layer([row(500)]), quadPlaces(500, 4))).not.toBeNull();
    expect(packMatrix(layer([row(520)]), quadPlaces(520, 4))).toBeNull();
  });

  it('should leave scales of a half and more to the general kernel', () => {
    expect(rescalingOf({ multiplier: 2 ** 30, shift: 0 }, 0, 100)).toBeNull();
    expect(rescalingOf({ multiplier: 2 ** 30, shift: 1 }, 0, 100)).toBeNull();
    expect(rescalingOf({ multiplier: 2 ** 30, shift: -1 }, 0, 100)).not.toBeNull();
    expect(rescalingOf({ multiplier: 2 ** 30, shift: -25 }, 127, 100)).toBeNull();
  });

  it('should know channels that can give one value only', () => {
    const dead = { multiplier: 1320764593, shift: -27 };
    expect(constantOutput({ low: 1073741760, high: 1073741760 }, dead, -128)).toBe(-123);
    expect(constantOutput({ low: -5, high: 5 }, { multiplier: 0, shift: 0 }, 17)).toBe(17);
    expect(constantOutput({ low: -5, high: 5 }, { multiplier: 2 ** 30, shift: 0 }, 17)).toBeNull();
    expect(constantOutput({ low: -(2 ** 31), high: 2 ** 31 }, { multiplier: 0, shift: 0 }, 17)).toBeNull();
  });

  it('should rescale every sum as TFLite does, ties included', () => {
    const random = new Random(71);
    const multipliers = [2 ** 30, 2 ** 30 + 1, 2 ** 31 - 1, 1518500250, 2 ** 30 + random.int(0, 2 ** 30 - 1)];
    for (const multiplier of multipliers) {
      for (const shift of [1, 2, 3, 7, 12, 22]) {
        const zeroPoint = random.int(-128, 127);
        const entry = rescalingOf({ multiplier, shift: -shift }, zeroPoint, 2 ** 22);
        if (!entry) throw new Error(`no rescaling for ${multiplier}, ${shift}`);
        const sums = Array.from({ length: 400 }, (_, i) => i - 200);
        sums.push(...Array.from({ length: 400 }, () => random.int(-(2 ** 22), 2 ** 22)));
        sums.push(...Array.from({ length: 200 }, () => random.int(-512, 512) << Math.min(shift, 12)));
        const expected = sums.map((sum) => multiplyByQuantizedMultiplier(sum, multiplier, -shift) + zeroPoint);
        expect(sums.map((sum) => rescaled(sum, entry))).toEqual(expected);
      }
    }
  });
});
