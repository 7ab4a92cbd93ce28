/** Fixed-point FFTs: the twins of tl_fft_q15, tl_fft_q31 and tl_rfft_q31, bit for bit. Complex values are pairs {re, im}. */
import { saturatingRoundingDoublingHighMul as mul } from '../../ir/quantized-math.ts';

function reorder(data: Int16Array | Int32Array): void {
  const size = data.length / 2;
  const bits = Math.log2(size);
  for (let i = 0; i < size; i += 1) {
    let j = 0;
    for (let bit = 0; bit < bits; bit += 1) j |= ((i >> bit) & 1) << (bits - 1 - bit);
    if (j <= i) continue;
    for (let part = 0; part < 2; part += 1) {
      const value = data[2 * i + part]!;
      data[2 * i + part] = data[2 * j + part]!;
      data[2 * j + part] = value;
    }
  }
}

/** Calls `butterfly` with the places of a, b and the twiddle factor, in the kernels' order. */
function stages(size: number, butterfly: (a: number, b: number, w: number) => void): void {
  for (let half = 1; half < size; half *= 2) {
    const step = size / (2 * half);
    for (let k = 0; k < half; k += 1)
      for (let i = k; i < size; i += 2 * half) butterfly(2 * i, 2 * (i + half), 2 * k * step);
  }
}

/** In place, divided by the size. @param data |re|, |im| <= 2^14 @param table twiddles(size, 15) */
export function fftQ15(data: Int16Array, table: ArrayLike<number>): void {
  reorder(data);
  stages(data.length / 2, (a, b, w) => {
    const [wRe, wIm] = [table[w]!, table[w + 1]!];
    const re = data[b]! * wRe - data[b + 1]! * wIm;
    const im = data[b]! * wIm + data[b + 1]! * wRe;
    const aRe = data[a]! * 32768 + 32768;
    const aIm = data[a + 1]! * 32768 + 32768;
    data[a] = (aRe + re) >> 16;
    data[a + 1] = (aIm + im) >> 16;
    data[b] = (aRe - re) >> 16;
    data[b + 1] = (aIm - im) >> 16;
  });
}

/** In place, divided by the size. @param data |re|, |im| <= 2^29 @param table twiddles(size, 31) */
export function fftQ31(data: Int32Array, table: ArrayLike<number>): void {
  reorder(data);
  stages(data.length / 2, (a, b, w) => {
    const [wRe, wIm] = [table[w]!, table[w + 1]!];
    const re = mul(data[b]!, wRe) - mul(data[b + 1]!, wIm);
    const im = mul(data[b]!, wIm) + mul(data[b + 1]!, wRe);
    const [aRe, aIm] = [data[a]!, data[a + 1]!];
    data[b] = (aRe - re) >> 1;
    data[b + 1] = (aIm - im) >> 1;
    data[a] = (aRe + re) >> 1;
    data[a + 1] = (aIm + im) >> 1;
  });
}

/** Bins 0 to size / 2 of `size` real values, divided by the size; size + 2 values. @param tables twiddles of the size and of half of it, Q31 */
export function rfftQ31(
  samples: ArrayLike<number>,
  tables: { readonly whole: ArrayLike<number>; readonly half: ArrayLike<number> },
): Int32Array {
  const half = samples.length / 2;
  const data = new Int32Array(samples.length + 2);
  data.set(samples);
  fftQ31(data.subarray(0, samples.length), tables.half);
  const [re0, im0] = [data[0]!, data[1]!];
  data.set([(re0 - im0) >> 1, 0], 2 * half);
  data.set([(re0 + im0) >> 1, 0], 0);
  for (let k = 1; k <= half / 2; k += 1) {
    const at = 2 * (half - k);
    const [zRe, zIm, mRe, mIm] = [data[2 * k]!, data[2 * k + 1]!, data[at]!, data[at + 1]!];
    const evenRe = (zRe + mRe) >> 1;
    const evenIm = (zIm - mIm) >> 1;
    const oddRe = (zIm + mIm) >> 1;
    const oddIm = (mRe - zRe) >> 1;
    const [wRe, wIm] = [tables.whole[2 * k]!, tables.whole[2 * k + 1]!];
    const re = mul(oddRe, wRe) - mul(oddIm, wIm);
    const im = mul(oddRe, wIm) + mul(oddIm, wRe);
    if (k !== half - k) data.set([(evenRe - re) >> 1, (im - evenIm) >> 1], at);
    data.set([(evenRe + re) >> 1, (evenIm + im) >> 1], 2 * k);
  }
  return data;
}
