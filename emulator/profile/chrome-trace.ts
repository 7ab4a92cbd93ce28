/**
 * The Trace Event Format of chrome://tracing and Perfetto: begin and end of functions, one track per thread and per exception. A function
 * that is interrupted stays open on its track while the handler runs on another.
 */
import type { ShadowStack } from './shadow-stack.ts';
import type { ProfiledFunction } from './functions.ts';
import { CORE } from './contexts.ts';
import { timelineKind, type Timeline } from './timeline.ts';

interface TraceEvent {
  readonly name: string;
  readonly ph: 'B' | 'E' | 'M';
  readonly pid: number;
  readonly tid: number;
  /** Microseconds at the board's clock. */
  readonly ts: number;
  readonly args: Readonly<Record<string, string | number>>;
}

export interface ChromeTrace {
  readonly displayTimeUnit: 'ns';
  readonly otherData: Readonly<Record<string, string | number>>;
  readonly traceEvents: readonly TraceEvent[];
}

export interface ChromeTraceInput {
  readonly name: string;
  readonly clockHz: number;
  readonly timeline: Timeline;
  readonly contexts: readonly ShadowStack[];
  readonly functions: readonly ProfiledFunction[];
  readonly cycles: number;
}

const PID = 1;
const MICROSECONDS = 1e6;

export function chromeTrace({ name, clockHz, timeline, contexts, functions, cycles }: ChromeTraceInput): ChromeTrace {
  const traceEvents: TraceEvent[] = [metadata('process_name', 0, name)];
  for (const context of contexts) {
    traceEvents.push(metadata('thread_name', context.id, trackName(context)));
    traceEvents.push({ ...metadata('thread_sort_index', context.id, ''), args: { sort_index: context.id } });
  }
  const timed = (ph: 'B' | 'E', tid: number, fn: number, at: number): TraceEvent => ({
    name: functions[fn]?.name ?? '',
    ph,
    pid: PID,
    tid,
    ts: (at / clockHz) * MICROSECONDS,
    args: { cycle: at },
  });
  const open = new Map<number, number[]>();
  let current = -1;
  for (const { kind, subject, at } of timeline.events()) {
    const stack = open.get(current) ?? [];
    open.set(current, stack);
    if (kind === timelineKind.switchTo) current = subject;
    else if (kind === timelineKind.open) {
      stack.push(subject);
      traceEvents.push(timed('B', current, subject, at));
    } else {
      stack.pop();
      traceEvents.push(timed('E', current, subject, at));
    }
  }
  const end = timeline.truncatedAt ?? cycles;
  for (const [tid, stack] of open) for (const fn of stack.reverse()) traceEvents.push(timed('E', tid, fn, end));
  return { displayTimeUnit: 'ns', otherData: { clockHz, cycles: end }, traceEvents };
}

function trackName({ name, exception }: ShadowStack): string {
  if (exception === CORE) return name;
  return exception === 0 ? `thread: ${name}` : `interrupt: ${name}`;
}

function metadata(what: string, tid: number, name: string): TraceEvent {
  return { name: what, ph: 'M', pid: PID, tid, ts: 0, args: { name } };
}
