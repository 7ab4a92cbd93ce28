/** Streams cut into windows, running statistics and resampling: the twins of kernels/include/tl_stream.h, bit for bit. */
import { assert } from '../../../common/errors.ts';
import type { StreamParams } from '../../ir/system.ts';

/** Windows of int16 frames. */
export class Stream {
  readonly #params: StreamParams;
  readonly #ring: Int16Array;
  #position = 0;
  #untilDue: number;

  constructor(params: StreamParams) {
    this.#params = params;
    this.#ring = new Int16Array(params.frames * params.channels);
    this.#untilDue = params.frames;
  }

  /** True when a window is due. @param frame one int16 per channel */
  push(frame: ArrayLike<number>): boolean {
    const { channels, frames, hop } = this.#params;
    for (let c = 0; c < channels; c += 1) this.#ring[this.#position * channels + c] = frame[c]!;
    this.#position = (this.#position + 1) % frames;
    this.#untilDue -= 1;
    if (this.#untilDue > 0) return false;
    this.#untilDue = hop;
    return true;
  }

  /** The newest frames in time order, [frames, channels]. */
  window(): Int16Array {
    const split = this.#position * this.#params.channels;
    const window = new Int16Array(this.#ring.length);
    window.set(this.#ring.subarray(split));
    window.set(this.#ring.subarray(0, split), this.#ring.length - split);
    return window;
  }
}

/** Exact sums of one channel; at most 65536 values at a time. */
export class RunningSums {
  #sum = 0;
  #squares = 0;
  #count = 0;

  /** @param outgoing value that leaves the window, null while it grows */
  push(incoming: number, outgoing: number | null): void {
    this.#sum += incoming - (outgoing ?? 0);
    this.#squares += incoming * incoming - (outgoing ?? 0) ** 2;
    if (outgoing === null) this.#count += 1;
  }

  /** Rounded to nearest, halves up. */
  mean(): number {
    return Math.floor((2 * this.#sum + this.#count) / (2 * this.#count));
  }

  /** Rounded down. */
  variance(): number {
    const count = BigInt(this.#count);
    return Number((count * BigInt(this.#squares) - BigInt(this.#sum) ** 2n) / (count * count));
  }
}

export interface ResampleParams {
  readonly channels: number;
  /** Output rate = up / down times the input rate. */
  readonly up: number;
  readonly down: number;
  readonly taps: number;
  /** [up, taps] Q15, newest sample first. */
  readonly filter: Int16Array;
}

export class Resampler {
  readonly #params: ResampleParams;
  readonly #history: Int16Array;
  #phase = 0;

  constructor(params: ResampleParams) {
    this.#params = params;
    this.#history = new Int16Array(params.taps * params.channels);
  }

  /** The frames that are due after this one. */
  push(frame: ArrayLike<number>): Int16Array[] {
    const { channels, up, down, taps, filter } = this.#params;
    this.#history.copyWithin(channels, 0);
    for (let c = 0; c < channels; c += 1) this.#history[c] = frame[c]!;
    const frames: Int16Array[] = [];
    for (; this.#phase < up; this.#phase += down) {
      const output = new Int16Array(channels);
      for (let c = 0; c < channels; c += 1) {
        let sum = 1 << 14;
        for (let t = 0; t < taps; t += 1) sum += filter[this.#phase * taps + t]! * this.#history[t * channels + c]!;
        output[c] = Math.min(32767, Math.max(-32768, sum >> 15));
      }
      frames.push(output);
    }
    this.#phase -= up;
    return frames;
  }
}

/** Input samples that the filter spans on either side of an output, in periods of the lower rate. */
const HALF_WIDTH = 6;

/**
 * Low-pass filter for a rate change by up / down: a sinc with its cut-off at 0.9 of the lower rate's half, under a Hann window. Each phase sums
 * to one, so that constants stay what they are up to rounding.
 */
export function designResampler(channels: number, up: number, down: number): ResampleParams {
  assert(up >= 1 && down >= 1, 'a rate change is a ratio of positive integers');
  const slower = Math.max(1, down / up);
  const half = Math.ceil(HALF_WIDTH * slower);
  const taps = 2 * half;
  const cutOff = 0.9 / slower;
  const filter = new Int16Array(up * taps);
  for (let phase = 0; phase < up; phase += 1) {
    // Distance, in input samples, of tap t from the output's instant, delayed by half the filter.
    const values = Array.from({ length: taps }, (_, t) => {
      const x = t + phase / up - half;
      const angle = Math.PI * x * cutOff;
      const hann = Math.abs(x) >= half ? 0 : 0.5 + 0.5 * Math.cos((Math.PI * x) / half);
      return (angle === 0 ? 1 : Math.sin(angle) / angle) * hann;
    });
    const sum = values.reduce((a, b) => a + b, 0);
    const integers = values.map((value) => Math.round((value / sum) * 32768));
    const largest = integers.indexOf(Math.max(...integers));
    integers[largest] = integers[largest]! + 32768 - integers.reduce((a, b) => a + b, 0);
    // A single tap of one whole does not fit Q15.
    filter.set(
      integers.map((value) => Math.min(32767, value)),
      phase * taps,
    );
    assert(integers.reduce((a, b) => a + Math.abs(b), 0) < 65536, 'the accumulator holds a phase');
  }
  return { channels, up, down, taps, filter };
}
