/** Rules about the memory timing of a board, each with the offending value in its message. */
import { UserError } from '../common/errors.ts';
import type { Board } from './schema.ts';

/** Of the shortest flash line, 64 bits. */
const LINE_BYTES_MIN = 8;

/** One without the other would be ignored, or has no numbers. */
export function rejectArtMismatch({ name, timing }: Board): void {
  if ((timing.memory === 'stm32-art') === (timing.art !== undefined)) return;
  throw new UserError(
    `board ${name}: timing.memory "${timing.memory}" ${timing.art === undefined ? 'needs "art", the geometry of its caches' : 'has no "art"; remove it'}`,
  );
}

/** A cache consists of whole sets whose number is a power of two. */
export function rejectOddCaches({ name, timing }: Board): void {
  const { art } = timing;
  if (art === undefined) return;
  for (const kind of ['instruction', 'data'] as const) {
    const [bytes, ways] = [art[`${kind}CacheBytes`], art[`${kind}CacheWays`]];
    const sets = bytes / LINE_BYTES_MIN / ways;
    if (bytes === 0 || (Number.isInteger(sets) && (sets & (sets - 1)) === 0)) continue;
    throw new UserError(
      `board ${name}: timing.art.${kind}CacheBytes ${bytes} with ${ways} ways of ${LINE_BYTES_MIN} bytes are ${sets} sets, not a power of two; correct either`,
    );
  }
}
