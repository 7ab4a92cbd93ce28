/** Statistics of a window's channels: the twin of tl_window_statistics_s16, bit for bit. */
import { assert } from '../../../common/errors.ts';
import { log2Q10 } from './log-mel.ts';

/** Of every channel: mean, three logarithms of spread, crossings of the mean. */
export const WINDOW_STATISTICS = 5;
export const STATISTICS_FRAMES_MAX = 2048;

const centredLog2 = (value: number): number => Math.min(32767, log2Q10(value) - 16 * 1024);

/** @param window [frames, channels], 2 to 2048 frames @param floors counts, 1 to 1024, by channel @returns [channels, WINDOW_STATISTICS] */
export function windowStatistics(window: Int16Array, floors: Uint16Array): Int16Array {
  const channels = floors.length;
  const frames = window.length / channels;
  assert(frames >= 2 && frames <= STATISTICS_FRAMES_MAX, 'frames of a window');
  const statistics = new Int16Array(channels * WINDOW_STATISTICS);
  for (const [c, floor] of floors.entries()) {
    const values = Array.from({ length: frames }, (_, i) => window[i * channels + c]!);
    const sum = values.reduce((a, b) => a + b);
    const squares = values.reduce((a, b) => a + b * b, 0);
    const moves = values.slice(1).map((value, i) => Math.abs(value - values[i]!));
    const changes = moves.reduce((a, b) => a + b * b, 0);
    const above = values.map((value) => value * frames > sum);
    const crossings = above.slice(1).filter((now, i) => now !== above[i]).length;
    // All below 2^53: frames^2 squares of 2^30, and floors of 2^20.
    statistics.set(
      [
        Math.floor((2 * sum + frames) / (2 * frames)),
        centredLog2(frames * squares - sum * sum + frames * frames * floor * floor),
        centredLog2(changes + frames * floor * floor),
        centredLog2(moves.reduce((a, b) => a + b, 0) + frames * floor),
        Math.floor((32768 * crossings) / frames),
      ],
      c * WINDOW_STATISTICS,
    );
  }
  return statistics;
}
