/** Random numbers from a seed, and values of registers that find boundaries. */

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

/** Bit patterns of doubles, low word first: special values, neighbours of integers, denormals, singles, nearly equal exponents, or anything. */
export function randomDouble(random: Random): [number, number] {
  const sign = random.below(2) === 0 ? 0 : 0x8000_0000;
  const low = random.pick([0, 0, 1, 0xffff_ffff, random.bits32(), random.bits32()]);
  const fraction = random.below(0x10_0000);
  switch (random.below(7)) {
    case 0: {
      const uppers = [
        0, 0xf_ffff, 0x10_0000, 0x7fef_ffff, 0x7ff0_0000, 0x7ff8_0000, 0x7ff8_1234, 0x3ff0_0000, 0x7ff0_0001,
      ];
      return [low, sign | random.pick(uppers)];
    }
    case 1:
      return [low, sign | fraction];
    case 2:
      return [0, sign | ((1020 + random.below(40)) << 20) | (random.below(16) << 16)];
    case 3: {
      const exponents = [
        1, 2, 53, 900, 1022, 1023, 1024, 1053, 1054, 1055, 1075, 1076, 1150, 1151, 1279, 2045, 2046, 872, 896, 897, 873,
      ];
      return [low, sign | (random.pick(exponents) << 20) | fraction];
    }
    case 4: // a single, exactly
      return [(low & 0xe000_0000) >>> 0, sign | ((896 + random.below(254)) << 20) | fraction];
    case 5:
      return [low, sign | ((1010 + random.below(30)) << 20) | fraction];
    default:
      return [random.bits32(), random.bits32()];
  }
}
