/** Why a target under a debugger stopped. */
import type { RunResult } from '../../machine.ts';
import type { WatchHit } from './watch.ts';

export type BreakpointKind = 'software' | 'hardware';

export type Stop =
  | { readonly kind: 'breakpoint'; readonly breakpoint: BreakpointKind }
  | { readonly kind: 'watch'; readonly hit: WatchHit }
  /** historyStart: going back has come to the first moment that is known. */
  | { readonly kind: 'stepped' | 'interrupted' | 'historyStart' }
  /** The machine itself ended the run. */
  | { readonly kind: 'result'; readonly result: RunResult };

/** Work done in slices: yields between them, so that the debugger can interrupt. */
export type Sliced<T> = Generator<undefined, T, undefined>;
