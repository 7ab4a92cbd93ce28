/**
 * The file format of speedscope (speedscope.app/file-format-schema.json), evented: one profile per context, times in cycles of the whole
 * run. While another context runs, all frames of this one are closed, so that every profile's weight is its own cycles.
 */
import type { ShadowStack } from './shadow-stack.ts';
import type { ProfiledFunction } from './functions.ts';
import { timelineKind, type Timeline } from './timeline.ts';

interface SpeedscopeEvent {
  readonly type: 'O' | 'C';
  readonly frame: number;
  readonly at: number;
}

export interface SpeedscopeFile {
  readonly $schema: string;
  readonly name: string;
  readonly exporter: string;
  readonly activeProfileIndex: number;
  readonly shared: {
    readonly frames: readonly { readonly name: string; readonly file?: string; readonly line?: number }[];
  };
  readonly profiles: readonly {
    readonly type: 'evented';
    readonly name: string;
    readonly unit: 'none';
    readonly startValue: number;
    readonly endValue: number;
    readonly events: readonly SpeedscopeEvent[];
  }[];
}

export interface SpeedscopeInput {
  readonly name: string;
  readonly exporter: string;
  readonly timeline: Timeline;
  readonly contexts: readonly ShadowStack[];
  readonly functions: readonly ProfiledFunction[];
  /** Where functions begin in the source, by index, if known. */
  readonly sources: ReadonlyMap<number, { readonly file: string; readonly line: number }>;
  /** Cycles of the whole run. */
  readonly cycles: number;
}

export function speedscopeFile(input: SpeedscopeInput): SpeedscopeFile {
  const end = input.timeline.truncatedAt ?? input.cycles;
  const tracks = recordTracks(input.timeline, end);
  const profiles = input.contexts
    .filter((context) => (tracks.get(context.id)?.length ?? 0) > 0)
    .map((context) => ({
      type: 'evented' as const,
      name: `${context.name} (cycles)`,
      unit: 'none' as const,
      startValue: 0,
      endValue: end,
      events: tracks.get(context.id) ?? [],
    }));
  return {
    $schema: 'https://www.speedscope.app/file-format-schema.json',
    name: input.name,
    exporter: input.exporter,
    activeProfileIndex: 0,
    shared: { frames: input.functions.map((fn) => ({ name: fn.name, ...input.sources.get(fn.index) })) },
    profiles,
  };
}

/** Events by context, balanced, in order. */
function recordTracks(timeline: Timeline, end: number): Map<number, SpeedscopeEvent[]> {
  const tracks = new Map<number, SpeedscopeEvent[]>();
  const open = new Map<number, number[]>();
  let current = -1;
  const listOf = <T>(map: Map<number, T[]>): T[] => {
    const list = map.get(current) ?? [];
    map.set(current, list);
    return list;
  };
  const closeAll = (at: number): void => {
    if (current >= 0)
      listOf(tracks).push(...[...listOf(open)].reverse().map((frame) => ({ type: 'C' as const, frame, at })));
  };
  for (const { kind, subject, at } of timeline.events()) {
    if (kind === timelineKind.switchTo) {
      closeAll(at);
      current = subject;
      listOf(tracks).push(...listOf(open).map((frame) => ({ type: 'O' as const, frame, at })));
    } else if (kind === timelineKind.open) {
      listOf(open).push(subject);
      listOf(tracks).push({ type: 'O', frame: subject, at });
    } else {
      listOf(open).pop();
      listOf(tracks).push({ type: 'C', frame: subject, at });
    }
  }
  closeAll(end);
  return tracks;
}
