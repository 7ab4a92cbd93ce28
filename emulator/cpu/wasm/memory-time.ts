/** What a memory system adds to the instruction under way: its fetch, then its accesses as the interpreter makes them. */
import type { MemorySystem } from '../../timing/memory-system.ts';
import type { Instruction } from '../../timing/instruction.ts';
import type { GuestMemory } from './guest-memory.ts';

export class MemoryTime {
  private readonly system: MemorySystem;
  private now = 0;
  /** The memory of the last access of the instruction. */
  slave = 0;
  /** Cycles so far. */
  extra = 0;

  constructor(system: MemorySystem, memory: GuestMemory) {
    this.system = system;
    memory.timing = (address, isRead) => {
      this.slave = system.slaveOf(address);
      this.extra += system.access(address, isRead, this.now + this.extra);
    };
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
