/** Log-mel energies and cepstral coefficients in fixed point: the twins of tl_log_mel_s16 and tl_dct_s16, bit for bit. */
import { frexp } from '../../ir/quantized-math.ts';
import type { LogMelTables } from '../../ir/sound-tables.ts';
import { rfftQ31 } from './fft.ts';

/** 2^10 * log2(value), rounded down; the twin of tl_log2_q10. @param value integer, 1 to 2^53 */
export function log2Q10(value: number): number {
  const exponent = frexp(value).exponent - 1;
  // The top 16 bits, truncated as the kernel's shifts do.
  let mantissa = exponent >= 15 ? Math.floor(value / 2 ** (exponent - 15)) : value * 2 ** (15 - exponent);
  let fraction = 0;
  for (let bit = 0; bit < 10; bit += 1) {
    mantissa = Math.floor((mantissa * mantissa) / 32768);
    fraction *= 2;
    if (mantissa >= 65536) {
      mantissa >>= 1;
      fraction += 1;
    }
  }
  return exponent * 1024 + fraction;
}

const SPECTRUM_BITS = 15;

/** [mels] log2 energies, Q10. @param samples int16, one frame */
export function logMel(samples: ArrayLike<number>, tables: LogMelTables): Int32Array {
  const scaled = new Int32Array(2 ** tables.log2Size);
  for (let i = 0; i < tables.frame; i += 1) scaled[i] = (samples[i]! * tables.window[i]!) >> 2;
  const spectrum = rfftQ31(scaled, tables.twiddles);
  const any = spectrum.reduce((bits, value) => bits | (value ^ (value >> 31)), 0);
  const right = 32 - Math.clz32(any) - SPECTRUM_BITS;
  const normalised = spectrum.map((value) => (right >= 0 ? value >> right : value << -right));
  return Int32Array.from(tables.filters, ({ firstBin, weights }) => {
    let sum = 0;
    for (const [k, weight] of weights.entries()) {
      const [re, im] = [normalised[2 * (firstBin + k)]!, normalised[2 * (firstBin + k) + 1]!];
      sum += (re * re + im * im) * weight;
    }
    return sum === 0 ? tables.floor : Math.max(tables.floor, log2Q10(sum) + 2 * 1024 * right);
  });
}

/** Cepstral coefficients as int16 Q5: those of full-scale sound fit. @param logMel Q10 @param dct of dctMatrix */
export function dct(logMel: ArrayLike<number>, dct: Int16Array): Int16Array {
  const mels = logMel.length;
  return Int16Array.from({ length: dct.length / mels }, (_, c) => {
    let sum = 2 ** 19;
    for (let m = 0; m < mels; m += 1) sum += dct[c * mels + m]! * logMel[m]!;
    return Math.min(32767, Math.max(-32768, Math.floor(sum / 2 ** 20)));
  });
}
