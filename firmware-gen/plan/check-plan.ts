/**
 * An independent proof of a memory plan: it executes the schedule symbolically over a map that says, for every byte of the arena, whose
 * value it holds. It shares no code with lifetimes.ts and place.ts and never speaks of lifetimes: a plan is right exactly when every byte a
 * kernel or the caller reads still holds the value that was written for it, and no kernel writes over what it is still reading.
 */
import { assert } from '../../common/errors.ts';
import type { TensorId } from '../ir/graph.ts';
import { bytesPerElement, tensorBytes, tensorOf } from '../ir/graph.ts';
import type { KernelCall, MemoryPlan, Schedule } from '../ir/schedule.ts';

const GARBAGE = -1;

interface Range {
  readonly what: string;
  readonly start: number;
  readonly end: number;
}

/** Throws (a bug of ours) naming the call and the tensors at the first byte that the plan loses. */
export function checkPlan(schedule: Schedule, plan: MemoryPlan): void {
  const checker = new PlanChecker(schedule, plan);
  checker.run();
}

/** Ops run in the order of their indices. */
function isBetween(opIndex: number, previous: KernelCall | undefined, next: KernelCall | undefined): boolean {
  return (previous === undefined || previous.opIndex < opIndex) && (next === undefined || opIndex < next.opIndex);
}

class PlanChecker {
  readonly #schedule: Schedule;
  readonly #plan: MemoryPlan;
  /** Per arena byte: the buffer (smallest tensor id among its aliases) whose value is there. */
  readonly #owner: Int32Array;
  readonly #buffer: Int32Array;

  constructor(schedule: Schedule, plan: MemoryPlan) {
    this.#schedule = schedule;
    this.#plan = plan;
    this.#owner = new Int32Array(plan.arenaBytes).fill(GARBAGE);
    this.#buffer = Int32Array.from(schedule.graph.tensors, (tensor) => tensor.id);
    // In execution order an alias's input is settled before its output, so one pass resolves chains.
    for (const alias of schedule.aliases) {
      this.#buffer[alias.output] = this.#buffer[alias.input] ?? GARBAGE;
      const same = plan.tensorOffset[alias.input] === plan.tensorOffset[alias.output];
      assert(same, `plan: alias ${alias.output} is not where its source ${alias.input} is`);
    }
  }

  run(): void {
    const { graph, calls, aliases } = this.#schedule;
    const states = graph.dynamics?.states ?? [];
    const inputs = [...graph.inputs, ...states].map((id) => this.#range(id));
    inputs.forEach((a, i) => inputs.slice(i + 1).forEach((b) => this.#apart(a, b, 'before invoke')));
    for (const id of [...graph.inputs, ...states]) this.#store(id);
    for (const [time, call] of calls.entries()) {
      for (const alias of aliases) if (isBetween(alias.opIndex, calls[time - 1], call)) this.#expectAlias(alias);
      this.#step(call, time);
    }
    for (const alias of aliases) if (isBetween(alias.opIndex, calls.at(-1), undefined)) this.#expectAlias(alias);
    for (const id of [...graph.outputs, ...states]) if (!this.#isConstant(id)) this.#expect(id, 'after invoke');
  }

  #step(call: KernelCall, time: number): void {
    const where = `call ${time} (${call.function}, op ${call.opIndex})`;
    for (const id of call.reads) this.#expect(id, where);
    const scratch = this.#scratchRange(call, time);
    for (const [i, written] of call.writes.entries()) {
      const target = this.#range(written);
      for (const other of call.writes.slice(i + 1)) this.#apart(target, this.#range(other), where);
      for (const read of call.reads) {
        const source = this.#range(read);
        const mayShare = call.inPlace.some((pair) => pair.input === read && pair.output === written);
        if (!(mayShare && source.start === target.start)) this.#apart(source, target, where);
      }
      if (scratch) this.#apart(scratch, target, where);
    }
    if (scratch) {
      for (const read of call.reads) this.#apart(scratch, this.#range(read), where);
      this.#owner.fill(GARBAGE, scratch.start, scratch.end);
    }
    for (const id of call.writes) this.#store(id);
  }

  /** An alias's op writes nothing, but after it (`--per-op`) its output must hold the value. */
  #expectAlias({ opIndex, output }: Schedule['aliases'][number]): void {
    if (this.#plan.tensorOffset[output] != null) this.#expect(output, `op ${opIndex}`);
  }

  #scratchRange(call: KernelCall, time: number): Range | null {
    if (call.scratchBytes === 0) return null;
    const start = this.#plan.scratchOffset[time];
    assert(typeof start === 'number', `plan: call ${time} has no scratch`);
    return this.#inArena({ what: `scratch of call ${time}`, start, end: start + call.scratchBytes }, 4);
  }

  #isConstant(id: TensorId): boolean {
    return tensorOf(this.#schedule.graph, id).data !== null;
  }

  #range(id: TensorId): Range {
    const tensor = tensorOf(this.#schedule.graph, id);
    const start = this.#plan.tensorOffset[id];
    assert(typeof start === 'number', `plan: tensor ${id} (${tensor.name}) has no place`);
    const range = { what: `tensor ${id} (${tensor.name})`, start, end: start + tensorBytes(tensor) };
    return this.#inArena(range, bytesPerElement(tensor.dtype));
  }

  #inArena(range: Range, alignment: number): Range {
    assert(range.start >= 0 && range.end <= this.#plan.arenaBytes, `plan: ${range.what} lies outside the arena`);
    assert(range.start % alignment === 0, `plan: ${range.what} is not aligned to ${alignment}`);
    return range;
  }

  #apart(a: Range, b: Range, where: string): void {
    assert(a.end <= b.start || b.end <= a.start, `plan: ${a.what} overlaps ${b.what} in ${where}`);
  }

  #store(id: TensorId): void {
    const { start, end } = this.#range(id);
    this.#owner.fill(this.#buffer[id] ?? GARBAGE, start, end);
  }

  #expect(id: TensorId, where: string): void {
    const { start, end, what } = this.#range(id);
    for (let at = start; at < end; at += 1) {
      assert(
        this.#owner[at] === this.#buffer[id],
        `plan: byte ${at - start} of ${what} is overwritten before ${where}`,
      );
    }
  }
}
