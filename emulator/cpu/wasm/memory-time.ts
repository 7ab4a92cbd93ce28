/**
 * What a memory system adds to the instruction under way: its fetch, then its accesses as the interpreter makes them. Translated code counts the same with
 * the tables of translate/timing-memo.ts.
 */
import { assert } from '../../../common/errors.ts';
import { mayTranslate, type MemorySystem, type TranslatableMemory } from '../../timing/memory-system.ts';
import type { Instruction } from '../../timing/instruction.ts';
import type { GuestMemory } from './guest-memory.ts';
import type { TimedMemory } from './translate/emit-timing.ts';
import { TimingMemo } from './translate/timing-memo.ts';

export class MemoryTime {
  private readonly system: MemorySystem;
  /** Null: translated code cannot count with it. */
  private readonly translatable: TranslatableMemory | null;
  private now = 0;
  /** The memory of the last access of the instruction. */
  slave = 0;
  /** Cycles so far. */
  extra = 0;

  /** Before anything has run. @param onSetUp called now, and when the memory has been set up in another way */
  constructor(system: MemorySystem, memory: GuestMemory, onSetUp: (timed: TimedMemory) => void) {
    this.system = system;
    memory.timing = (address, isRead) => {
      this.slave = system.slaveOf(address);
      this.extra += system.access(address, isRead, this.now + this.extra);
    };
    this.translatable = mayTranslate(system) && share(system, memory, onSetUp) ? system : null;
  }

  /** Else everything is interpreted. */
  get isTranslatable(): boolean {
    return this.translatable?.isTranslatable === true;
  }

  /** @param now cycle counter before the instruction */
  begin({ address, size }: Instruction, now: number): void {
    this.now = now;
    this.slave = 0;
    this.extra = this.system.fetch(address, size, now);
  }

  countersReset(): void {
    this.system.countersReset();
  }
}

/** Makes the tables of translated code. False: there is no room for them. */
function share(system: TranslatableMemory, memory: GuestMemory, onSetUp: (timed: TimedMemory) => void): boolean {
  const { dataLines: lines } = system;
  const table = memory.reserve(TimingMemo.storageBytes);
  const linesAt = memory.reserve(lines.storageBytes);
  if (table === null || linesAt === null) return false;
  memory.splitBySlaves((address) => system.slaveOf(address));
  lines.moveTo(memory.wasm.buffer, linesAt);
  const memo = new TimingMemo(system, memory, table);
  const region = memory.regionOf(lines.start, lines.bytes);
  assert(region?.start === lines.start, 'the memory with the lines is mapped');
  const setUp = (): void => {
    memo.clear();
    onSetUp({ memo, lines, linesAt, region, extraMax: system.extraMax, lineBytes: system.lineBytes });
  };
  system.onChange = setUp;
  setUp();
  return true;
}
