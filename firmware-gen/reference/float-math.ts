/**
 * exp, logistic and tanh in single precision with a fixed order of operations: every product and every sum is rounded to float32 on its own,
 * nothing is fused. kernels/include/tl_float_math.h writes the same steps in C, so both give the same bits on any IEEE 754 machine, unlike
 * libm. Polynomials: minimax fits published with the Cephes library (S. Moshier, expf and tanhf). Subnormal results are flushed to zero.
 */
const f = Math.fround;

const LOG2_E = f(1.4426950408889634);
/** 1.5 * 2^23: adding it leaves the nearest integer (ties to even) in the low mantissa bits. */
const ROUND_MAGIC = 12582912;
const ROUND_MAGIC_BITS = 0x4b400000;
/** ln 2 in two parts; the high one has 9 significant bits, so k * LN2_HIGH is exact for |k| < 2^15. */
const LN2_HIGH = f(0.693359375);
const LN2_LOW = f(-2.1219444e-4);
/** Above: exp overflows float32. Below: the result would be subnormal. */
const EXP_MAX = f(88.7228317);
const EXP_MIN = f(-87.3365402);

const EXP_P0 = f(1.98756915e-4);
const EXP_P1 = f(1.3981999507e-3);
const EXP_P2 = f(8.3334519073e-3);
const EXP_P3 = f(4.1665795894e-2);
const EXP_P4 = f(1.6666665459e-1);
const EXP_P5 = f(5.0000001201e-1);

const TANH_SMALL = f(0.625);
/** From here on tanh rounds to 1 in float32. */
const TANH_SATURATION = 9.5;
const TANH_P0 = f(-5.70498872745e-3);
const TANH_P1 = f(2.06390887954e-2);
const TANH_P2 = f(-5.37397155531e-2);
const TANH_P3 = f(1.33314422036e-1);
const TANH_P4 = f(-3.33332819422e-1);

/** TFLite's limits: above the first, logistic rounds to 1; below the second, exp(x) is as good. */
const LOGISTIC_ONE_ABOVE = f(16.619047164916992);
const LOGISTIC_EXP_BELOW = -9;

const floatView = new Float32Array(1);
const bitsView = new Int32Array(floatView.buffer);

/** 2^exponent for exponent in [-126, 127]. */
function powerOfTwo(exponent: number): number {
  bitsView[0] = (exponent + 127) << 23;
  return floatView[0] as number;
}

/** e^x of a float32, below 1 ulp off the true value (plus flush to zero below 2^-126). NaN gives NaN. */
export function expF32(x: number): number {
  if (x !== x) return x;
  if (x > EXP_MAX) return Infinity;
  if (x < EXP_MIN) return 0;
  const shifted = f(f(x * LOG2_E) + ROUND_MAGIC);
  floatView[0] = shifted;
  const exponent = (bitsView[0] as number) - ROUND_MAGIC_BITS;
  const k = f(shifted - ROUND_MAGIC);
  let r = f(x - f(k * LN2_HIGH));
  r = f(r - f(k * LN2_LOW));
  let p = EXP_P0;
  p = f(f(p * r) + EXP_P1);
  p = f(f(p * r) + EXP_P2);
  p = f(f(p * r) + EXP_P3);
  p = f(f(p * r) + EXP_P4);
  p = f(f(p * r) + EXP_P5);
  const y = f(f(f(p * f(r * r)) + r) + 1);
  // 2^128 is not a float32: at the top the last doubling is a step of its own.
  return exponent > 127 ? f(f(y * powerOfTwo(127)) * 2) : f(y * powerOfTwo(exponent));
}

/** 1 / (1 + e^-x) of a float32, to 2^-13 relative below -9 (as TFLite) and 2 ulp elsewhere. NaN gives NaN. */
export function logisticF32(x: number): number {
  if (x > LOGISTIC_ONE_ABOVE) return 1;
  if (x < LOGISTIC_EXP_BELOW) return expF32(x);
  return f(1 / f(1 + expF32(-x)));
}

/** tanh of a float32, below 1.5 ulp off; exactly odd, except that -0 gives 0. NaN gives NaN. */
export function tanhF32(x: number): number {
  const magnitude = Math.abs(x);
  if (magnitude < TANH_SMALL) {
    const z = f(x * x);
    let p = TANH_P0;
    p = f(f(p * z) + TANH_P1);
    p = f(f(p * z) + TANH_P2);
    p = f(f(p * z) + TANH_P3);
    p = f(f(p * z) + TANH_P4);
    return f(f(f(p * z) * x) + x);
  }
  if (magnitude >= TANH_SATURATION) return x > 0 ? 1 : -1;
  const y = f(1 - f(2 / f(expF32(f(magnitude + magnitude)) + 1)));
  return x < 0 ? -y : y;
}
