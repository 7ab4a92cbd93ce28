/** Kalman filter over whitened features with class Gaussians: the twin of tl_kalman_s8, bit for bit. */
import type { KalmanParams } from '../../ir/system.ts';

export interface KalmanState {
  /** Whitened steps times 2^8. */
  readonly mean: Int32Array;
  readonly variance: Uint16Array;
  started: boolean;
}

const VARIANCE_MAX = 65535;
const VALUE_MAX = 2 ** 22 - 1;
const DIFFERENCE_MAX = 32768;
const DISTANCE_MAX = 2 ** 30;

const clamp = (value: number, limit: number): number => Math.min(limit, Math.max(-limit, value));

export function kalmanStart({ size }: KalmanParams): KalmanState {
  return { mean: new Int32Array(size), variance: new Uint16Array(size), started: false };
}

/** @param phi null for a window without evidence. @returns scores by class, null without evidence; `state` moves on */
export function kalmanStep(params: KalmanParams, state: KalmanState, phi: Int8Array | null): Int32Array | null {
  const { size, classes, centres, drift, noise } = params;
  const { mean, variance } = state;
  for (let i = 0, row = 0; i < size; i += 1, row += i) {
    const prior = state.started ? Math.min(VARIANCE_MAX, variance[i]! + drift[i]!) : VARIANCE_MAX;
    if (phi === null) {
      variance[i] = prior;
      continue;
    }
    const measured = whitened(params, row, i, phi) * 256;
    if (!state.started) {
      mean[i] = measured;
      variance[i] = noise[i]!;
      continue;
    }
    const gain = Math.floor((prior * 32768) / (prior + noise[i]!));
    // Products of 15 and 32 bits are exact in a double.
    mean[i]! += Math.floor((gain * (measured - mean[i]!) + 16384) / 32768);
    variance[i] = prior - Math.floor((prior * gain + 16384) / 32768);
  }
  if (phi === null) return null;
  state.started = true;
  return Int32Array.from({ length: classes }, (_, c) => {
    let sum = 0;
    for (let i = 0; i < size; i += 1) sum += clamp((mean[i]! >> 8) - centres[c * size + i]!, DIFFERENCE_MAX) ** 2;
    return -Math.min(DISTANCE_MAX, sum);
  });
}

function whitened({ whitening, offset, shift }: KalmanParams, row: number, i: number, phi: Int8Array): number {
  let sum = 0;
  for (let j = 0; j <= i; j += 1) sum += whitening[row + j]! * (phi[j]! + offset);
  return clamp(sum >> shift, VALUE_MAX);
}
