/** Rules about the memory timing of a board, each with the offending value in its message. */
import { UserError } from '../common/errors.ts';
import { hex32 } from '../common/units.ts';
import type { Board } from './schema.ts';

/** Of the shortest flash line, 64 bits. */
const LINE_BYTES_MIN = 8;

const isPowerOfTwo = (value: number): boolean => Number.isInteger(value) && (value & (value - 1)) === 0;

/** What describes the caches of which memory. */
const GEOMETRY_OF = { art: 'stm32-art', cache: 'flash-cache', l1: 'l1', shared: 'shared-flash' } as const;

/** One without the other would be ignored, or has no numbers. */
export function rejectGeometryMismatch({ name, timing }: Board): void {
  for (const field of ['art', 'cache', 'l1', 'shared'] as const) {
    if ((timing.memory === GEOMETRY_OF[field]) === (timing[field] !== undefined)) continue;
    throw new UserError(
      `board ${name}: timing.memory "${timing.memory}" ${timing[field] === undefined ? `needs "${field}", its geometry` : `has no "${field}"; remove it`}`,
    );
  }
}

/** A cache consists of whole sets whose number is a power of two. */
export function rejectOddCaches({ name, timing }: Board): void {
  const { art } = timing;
  if (art === undefined) return;
  for (const kind of ['instruction', 'data'] as const) {
    const [bytes, ways] = [art[`${kind}CacheBytes`], art[`${kind}CacheWays`]];
    const sets = bytes / LINE_BYTES_MIN / ways;
    if (bytes === 0 || isPowerOfTwo(sets)) continue;
    throw new UserError(
      `board ${name}: timing.art.${kind}CacheBytes ${bytes} with ${ways} ways of ${LINE_BYTES_MIN} bytes are ${sets} sets, not a power of two; correct either`,
    );
  }
}

/** The same for one cache: whole lines, whole sets. */
export function rejectOddFlashCache({ name, timing }: Board): void {
  const { cache } = timing;
  if (cache === undefined) return;
  const { cacheBytes, ways, lineBytes } = cache;
  if (!isPowerOfTwo(lineBytes))
    throw new UserError(`board ${name}: timing.cache.lineBytes ${lineBytes} is not a power of two; correct it`);
  const sets = cacheBytes / lineBytes / ways;
  if (isPowerOfTwo(sets)) return;
  throw new UserError(
    `board ${name}: timing.cache.cacheBytes ${cacheBytes} with ${ways} ways of ${lineBytes} bytes are ${sets} sets, not a power of two; correct either`,
  );
}

/** The caches of a Cortex-M7 have 4 to 64 KiB each (DDI 0489F 5.2). */
const L1_BYTES: readonly number[] = [4, 8, 16, 32, 64].map((kib) => kib * 1024);

export function rejectOddL1Caches({ name, core, timing }: Board): void {
  const { l1 } = timing;
  if (l1 === undefined) return;
  if (core !== 'cortex-m7')
    throw new UserError(`board ${name}: timing.memory "l1" is a Cortex-M7's, not a ${core}'s; choose another`);
  for (const field of ['instructionCacheBytes', 'dataCacheBytes'] as const) {
    if (L1_BYTES.includes(l1[field])) continue;
    throw new UserError(`board ${name}: timing.l1.${field} ${l1[field]} is none of ${L1_BYTES.join(', ')}; correct it`);
  }
}

/** Only the pipeline of Cortex-M3 and M4 knows when its fetches are made. */
export function rejectOddSharedFlash({ name, core, timing }: Board): void {
  const { shared } = timing;
  if (shared === undefined) return;
  if (core !== 'cortex-m3' && core !== 'cortex-m4')
    throw new UserError(
      `board ${name}: timing.memory "shared-flash" is for Cortex-M3 and M4, not for a ${core}; choose another`,
    );
  if (shared.lineBytes < LINE_BYTES_MIN || !isPowerOfTwo(shared.lineBytes))
    throw new UserError(
      `board ${name}: timing.shared.lineBytes ${shared.lineBytes} is not a power of two from ${LINE_BYTES_MIN} on; correct it`,
    );
}

/** A load's memory is the first that holds its address: the second would never be seen. */
export function rejectOverlappingSlaves({ name, timing }: Board): void {
  const slaves = (timing.art ?? timing.cache)?.slaves ?? [];
  const sorted = [...slaves].sort((a, b) => a.start - b.start);
  for (const [index, slave] of sorted.entries()) {
    const next = sorted[index + 1];
    if (next === undefined || slave.start + slave.bytes <= next.start) continue;
    throw new UserError(
      `board ${name}: timing slaves ${slave.name} (ends ${hex32(slave.start + slave.bytes)}) and ${next.name} (starts ${hex32(next.start)}) overlap; correct "start" or "bytes"`,
    );
  }
}
