/** Tables of what firmware makes of sound: twiddle factors, window, mel filters, cosine transform; kernels/include/tl_audio.h. */
import { assert } from '../../common/errors.ts';
import type { CepstraParams } from './system.ts';

/** Of cepstra as frames of a stream: those of full-scale sound fit into int16. */
export const CEPSTRA_FRACTION_BITS = 5;

/** size / 2 pairs {cos, -sin} of 2 pi k / size, with 15 or 31 fraction bits; 1 becomes the largest value. */
export function twiddles(size: number, fractionBits: 15 | 31): Int32Array {
  const one = 2 ** fractionBits;
  const table = new Int32Array(size);
  for (let k = 0; k < size / 2; k += 1) {
    const angle = (2 * Math.PI * k) / size;
    for (const [part, value] of [Math.cos(angle), -Math.sin(angle)].entries())
      table[2 * k + part] = Math.min(one - 1, Math.round(value * one));
  }
  return table;
}

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

/** [coefficients, mels] of the orthonormal DCT-II, Q15. */
export function dctMatrix(coefficients: number, mels: number): Int16Array {
  return Int16Array.from({ length: coefficients * mels }, (_, i) => {
    const [k, m] = [Math.floor(i / mels), i % mels];
    const norm = Math.sqrt((k === 0 ? 1 : 2) / mels);
    return Math.min(32767, Math.round(32768 * norm * Math.cos((Math.PI * k * (m + 0.5)) / mels)));
  });
}

const LOW_HZ = 20;

/** Of a system's front end. */
export function cepstraTables({ sampleRateHz, frameSamples, mels, coefficients }: Omit<CepstraParams, 'hopSamples'>): {
  logMel: LogMelTables;
  /** [coefficients, mels] */
  dct: Int16Array;
} {
  const spec = { sampleRateHz, frame: frameSamples, mels, lowHz: LOW_HZ, highHz: sampleRateHz / 2 };
  return { logMel: logMelTables(spec), dct: dctMatrix(coefficients, mels) };
}
