/** Log-mel energies and cepstral coefficients in fixed point, and their tables: the twins of tl_log_mel_s16 and tl_dct_s16, bit for bit. */
import { assert } from '../../../common/errors.ts';
import { frexp } from '../../ir/quantized-math.ts';
import { rfftQ31, twiddles } from './fft.ts';

export interface LogMelSpec {
  readonly sampleRateHz: number;
  /** Samples of a frame. */
  readonly frame: number;
  readonly mels: number;
  readonly lowHz: number;
  readonly highHz: number;
}

export interface MelFilter {
  readonly firstBin: number;
  /** Q12. */
  readonly weights: readonly number[];
}

export interface LogMelTables {
  readonly frame: number;
  readonly log2Size: number;
  /** Smallest log energy, Q10. */
  readonly floor: number;
  /** Hann, Q15. */
  readonly window: Int16Array;
  readonly twiddles: { readonly whole: Int32Array; readonly half: Int32Array };
  readonly filters: readonly MelFilter[];
}

/** O'Shaughnessy 1987, the scale of HTK. */
const melOf = (hz: number): number => 2595 * Math.log10(1 + hz / 700);
const hzOf = (mel: number): number => 700 * (10 ** (mel / 2595) - 1);

/** Energies below one count at the output of the transform carry no information. */
const FLOOR = 0;

export function logMelTables({ sampleRateHz, frame, mels, lowHz, highHz }: LogMelSpec): LogMelTables {
  const log2Size = Math.ceil(Math.log2(frame));
  assert(
    log2Size >= 3 && log2Size <= 11 && highHz <= sampleRateHz / 2,
    'frame of 5 to 2048 samples, bands below Nyquist',
  );
  const size = 2 ** log2Size;
  const edges = Array.from({ length: mels + 2 }, (_, i) =>
    hzOf(melOf(lowHz) + ((melOf(highHz) - melOf(lowHz)) * i) / (mels + 1)),
  );
  const filters = Array.from({ length: mels }, (_, m) => {
    const [low, centre, high] = edges.slice(m, m + 3) as [number, number, number];
    const weight = (bin: number): number => {
      const hz = (bin * sampleRateHz) / size;
      return Math.max(0, Math.min((hz - low) / (centre - low), (high - hz) / (high - centre)));
    };
    const bins = Array.from({ length: size / 2 + 1 }, (_, bin) => Math.round(weight(bin) * 4096));
    const first = bins.findIndex((value) => value > 0);
    // A filter narrower than the bins' distance takes the bin nearest to its centre.
    if (first < 0) return { firstBin: Math.round((centre * size) / sampleRateHz), weights: [4096] };
    const last = bins.findLastIndex((value) => value > 0);
    return { firstBin: first, weights: bins.slice(first, last + 1) };
  });
  const window = Int16Array.from({ length: frame }, (_, i) =>
    Math.round(32767 * (0.5 - 0.5 * Math.cos((2 * Math.PI * i) / frame))),
  );
  return {
    frame,
    log2Size,
    floor: FLOOR,
    window,
    twiddles: { whole: twiddles(size, 31), half: twiddles(size / 2, 31) },
    filters,
  };
}

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

/** [coefficients, mels] of the orthonormal DCT-II, Q15. */
export function dctMatrix(coefficients: number, mels: number): Int16Array {
  return Int16Array.from({ length: coefficients * mels }, (_, i) => {
    const [k, m] = [Math.floor(i / mels), i % mels];
    const norm = Math.sqrt((k === 0 ? 1 : 2) / mels);
    return Math.min(32767, Math.round(32768 * norm * Math.cos((Math.PI * k * (m + 0.5)) / mels)));
  });
}

/** Cepstral coefficients as int16 Q7. @param logMel Q10 @param dct of dctMatrix */
export function dct(logMel: ArrayLike<number>, dct: Int16Array): Int16Array {
  const mels = logMel.length;
  return Int16Array.from({ length: dct.length / mels }, (_, c) => {
    let sum = 2 ** 17;
    for (let m = 0; m < mels; m += 1) sum += dct[c * mels + m]! * logMel[m]!;
    return Math.min(32767, Math.max(-32768, Math.floor(sum / 2 ** 18)));
  });
}
