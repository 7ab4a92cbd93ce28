/**
 * Watches a machine run and says where its cycles went. The image is not changed and nothing is sampled: the engine reports every
 * instruction with its cost, and every cycle of the counter ends up in exactly one function.
 */
import { UserError } from '../../common/errors.ts';
import { reg, type AccessHook, type Cpu, type TracePoint } from '../cpu/cpu.ts';
import type { SymbolTable } from '../image.ts';
import { CallTracker } from './call-tracker.ts';
import { FunctionTable } from './functions.ts';
import { PagedCounts } from './paged-counts.ts';
import { Timeline } from './timeline.ts';

const EVENTS_MAX = 1_000_000;
const IPSR_MASK = 0x1ff;

export interface ProfilerOptions {
  /** Entries and exits kept for the timelines; the other figures do not depend on it. */
  readonly eventsMax?: number;
}

/** Counters per address; executed does not count what IT skipped. */
export interface CodeCounts {
  readonly cycles: PagedCounts;
  readonly executed: PagedCounts;
}

export interface DataCounts {
  readonly reads: PagedCounts;
  readonly writes: PagedCounts;
  readonly readBytes: PagedCounts;
  readonly writtenBytes: PagedCounts;
}

/** What was recorded between start() and finish(). */
export interface Recording {
  readonly cycles: number;
  readonly instructions: number;
  readonly calls: CallTracker;
  readonly timeline: Timeline;
  readonly code: CodeCounts;
  readonly data: DataCounts;
}

export class Profiler {
  private readonly cpu: Cpu;
  private readonly timeline: Timeline;
  private readonly calls: CallTracker;
  private readonly code: CodeCounts = { cycles: new PagedCounts(2), executed: new PagedCounts(2) };
  private readonly data: DataCounts = {
    reads: new PagedCounts(1),
    writes: new PagedCounts(1),
    readBytes: new PagedCounts(1),
    writtenBytes: new PagedCounts(1),
  };

  /** Begins with cycle 0, which is where Machine.run and Machine.call put the counters. @throws UserError when the engine cannot */
  constructor(cpu: Cpu, symbols: SymbolTable, options: ProfilerOptions = {}) {
    if (cpu.setTraceHook === undefined || cpu.addAccessHook === undefined)
      throw new UserError(`profile: engine ${cpu.name} cannot trace; use --engine wasm`);
    this.cpu = cpu;
    this.timeline = new Timeline(options.eventsMax ?? EVENTS_MAX);
    this.calls = new CallTracker(
      new FunctionTable(symbols),
      this.timeline,
      {
        exceptionNumber: () => cpu.readRegister(reg.xpsr) & IPSR_MASK,
        linkRegister: () => cpu.readRegister(reg.lr),
      },
      0,
    );
  }

  start(): void {
    this.cpu.setTraceHook?.((point) => this.retire(point));
    this.cpu.addAccessHook?.(this.onAccess);
  }

  /** Stops watching; may be called once. */
  finish(): Recording {
    this.cpu.setTraceHook?.(null);
    this.cpu.removeAccessHook?.(this.onAccess);
    const { cycles, instructions } = this.cpu.counters();
    this.calls.finish(cycles);
    const { calls, timeline, code, data } = this;
    return { cycles, instructions, calls, timeline, code, data };
  }

  private retire(point: TracePoint): void {
    const { address } = point.instruction;
    this.code.cycles.add(address, point.cost);
    if (point.executed) this.code.executed.add(address, 1);
    this.calls.retire(point);
  }

  private readonly onAccess: AccessHook = (access, address, bytes) => {
    const { reads, writes, readBytes, writtenBytes } = this.data;
    const [count, sum] = access === 'read' ? [reads, readBytes] : [writes, writtenBytes];
    count.add(address, 1);
    sum.add(address, bytes);
    return false;
  };
}
