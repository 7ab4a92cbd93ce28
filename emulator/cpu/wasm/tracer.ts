/** Tells a trace hook of every executed instruction, through one object that is used again. */
import { cell } from '../../isa/ir.ts';
import type { Instruction } from '../../timing/instruction.ts';
import type { TraceHook, TracePoint } from '../cpu.ts';
import type { CoreState } from './core-state.ts';

export class Tracer {
  private readonly hook: TraceHook;
  private readonly core: CoreState;
  private point: TracePoint | null = null;

  constructor(hook: TraceHook, core: CoreState) {
    this.hook = hook;
    this.core = core;
  }

  /** To be called before each instruction. */
  stackPointer(): number {
    return this.core.get(cell.sp) >>> 0;
  }

  /**
   * @param next where control goes @param cost of it in cycles @param cycles counter after it
   * @param spBefore stackPointer() before it; absent: it does not change the stack pointer
   */
  note(
    instruction: Instruction,
    executed: boolean,
    next: number,
    cost: number,
    cycles: number,
    spBefore = this.stackPointer(),
  ): void {
    const point = (this.point ??= { instruction, executed, next, cost, cycles, spBefore, sp: 0 });
    point.instruction = instruction;
    point.executed = executed;
    point.next = next;
    point.cost = cost;
    point.cycles = cycles;
    point.spBefore = spBefore;
    point.sp = this.stackPointer();
    this.hook(point);
  }
}
