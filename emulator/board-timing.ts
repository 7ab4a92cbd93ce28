/** The memory system of a board, for exact timing. */
import { UserError } from '../common/errors.ts';
import type { Board } from '../boards/schema.ts';
import type { Cpu } from './cpu/cpu.ts';
import type { FlashControl } from './peripherals/flash-control.ts';
import { ArtMemory } from './timing/art-memory.ts';
import { CachedFlash } from './timing/cached-flash.ts';
import { L1Memory, type CacheEnables } from './timing/l1-memory.ts';
import type { MemorySystem } from './timing/memory-system.ts';
import { SharedFlash } from './timing/shared-flash.ts';

/** exact: wait states, caches and contention are counted as far as the board's are modelled; flat: every access is zero-wait. */
export type TimingMode = 'exact' | 'flat';

/** Whether --timing exact means anything for the board. */
export function isExactPossible({ timing }: Board): boolean {
  return timing.memory !== 'not-modelled';
}

/** What is counted unless something else is asked for, on an engine that can. */
export function defaultTiming(board: Board): TimingMode {
  return isExactPossible(board) ? 'exact' : 'flat';
}

/**
 * Null where nothing is to be added to the pipeline's cycles.
 * @param enables which of the core's own caches are on
 * @throws UserError when the board's memories are not modelled, or the engine cannot count them
 */
export function memorySystemOf(
  board: Board,
  flash: FlashControl,
  mode: TimingMode,
  cpu: Cpu,
  enables: () => CacheEnables,
): MemorySystem | null {
  if (mode === 'flat' || board.timing.memory === 'zero-wait') return null;
  if (!isExactPossible(board))
    throw new UserError(`--timing exact: wait states of board ${board.name} are not modelled yet; use --timing flat`);
  if (cpu.setMemorySystem === undefined)
    throw new UserError(
      `--timing exact: the ${cpu.name} engine counts no wait states, which board ${board.name} has; use --timing flat or --engine wasm`,
    );
  const { art, cache, l1, shared } = board.timing;
  const { start, bytes } = board.memory.find(({ kind }) => kind === 'flash')!;
  if (art !== undefined) return new ArtMemory({ ...art, start, bytes }, flash);
  if (shared !== undefined) return new SharedFlash({ ...shared, start, bytes });
  if (l1 !== undefined) {
    const bus = board.memory.filter(({ kind }) => kind === 'ram');
    return new L1Memory({ ...l1, flash: { start, bytes }, bus }, flash, enables);
  }
  return cache === undefined ? null : new CachedFlash({ ...cache, start, bytes }, flash);
}
