/**
 * Describes blocks to the native engine: what a straight run of code costs, and which of its instructions need attention each time
 * they run (divides, conditional instructions, stops, marks). Computed once per block and state of the pipeline; the rules are timing/pipeline.ts's.
 */
import { assert } from '../../../common/errors.ts';
import type { Core } from '../../cores/core.ts';
import { decodeInstruction, itStateAfter, type ReadHalfword } from '../../timing/decode.ts';
import { SEQUENTIAL, SKIPPED, TAKEN } from '../../timing/pipeline.ts';
import type { Instruction } from '../../timing/instruction.ts';
import { alwaysStops, isFpuInstruction } from '../machine-stop.ts';

const FLAG_MARK = 4;

export interface BlockRecord {
  readonly start: number;
  readonly end: number;
  readonly itState: number;
}

/** Cycles and instructions of part of a block, without what probes add. */
export interface PartialCost {
  readonly cycles: number;
  readonly instructions: number;
}

/** One instruction of a block in the pipeline state it is met in. */
interface Charge {
  /** What the block carries for it: a conditional instruction counts as skipped, and a branch as not taken. */
  readonly cycles: number;
  /** What its probe adds when its condition holds, without a divide's own. */
  readonly extra: number;
  /** State of the pipeline before it, and behind it if it goes on to the next address. */
  readonly before: number;
  readonly next: number;
}

export class BlockTable {
  private readonly core: Core;
  private readonly records: BlockRecord[] = [];
  private readonly read: ReadHalfword;
  private readonly isMarked: (address: number) => boolean;
  readonly fpuEnabled: () => boolean;

  constructor(core: Core, read: ReadHalfword, isMarked: (address: number) => boolean, fpuEnabled: () => boolean) {
    this.core = core;
    this.read = read;
    this.isMarked = isMarked;
    this.fpuEnabled = fpuEnabled;
  }

  record(id: number): BlockRecord | null {
    return this.records[id] ?? null;
  }

  /** The instruction at an address, taken outside IT, or null where no memory is. */
  at(address: number): Instruction | null {
    return decodeInstruction(this.read, address, 0, this.core);
  }

  /** Instructions of a block in order; those that memory no longer holds are left out. */
  instructions(block: BlockRecord): Instruction[] {
    const list: Instruction[] = [];
    let itState = block.itState;
    for (let address = block.start; address < block.end;) {
      const instruction = decodeInstruction(this.read, address, itState, this.core);
      if (instruction === null) break;
      list.push(instruction);
      itState = itStateAfter(instruction, itState);
      address += instruction.size;
    }
    return list;
  }

  /** The words native describe() expects; see hooks.cc. */
  describe(start: number, bytes: number, itState: number): Int32Array {
    const block: BlockRecord = { start, end: start + bytes, itState };
    const id = this.records.push(block) - 1;
    const list = this.instructions(block);
    const flags = this.isMarked(start) ? FLAG_MARK : 0;
    const words = [id, list.length, flags];
    for (const [index, instruction] of list.entries()) {
      if (!this.needsProbe(instruction, index === 0)) continue;
      const { divide } = instruction;
      const operands = divide === null ? -1 : (divide.signed ? 0x100 : 0) | (divide.n << 4) | divide.m;
      words.push(instruction.address | 0, operands, this.stops(instruction) ? 1 : 0, list.length - index);
    }
    return Int32Array.from(words);
  }

  /** The words native costOf() expects: what the block costs when it is entered in a state of the pipeline. */
  cost(id: number, state: number): Int32Array {
    const block = this.record(id);
    assert(block !== null, `block ${id} has been described`);
    const list = this.instructions(block);
    const charges = this.charges(list, state);
    const last = list.at(-1);
    const end = charges.at(-1);
    // Refill of a conditional branch, the only one whose way out is not known here.
    const taken =
      last === undefined || end === undefined
        ? 0
        : this.core.pipeline.step(end.before, last, TAKEN).cycles - end.cycles;
    const words = [sum(charges), last?.branch === 'none' ? 0 : taken, end?.next ?? state];
    for (const [index, instruction] of list.entries()) {
      if (this.needsProbe(instruction, index === 0)) words.push(charges[index]?.extra ?? 0, sum(charges.slice(index)));
    }
    return Int32Array.from(words);
  }

  /** What a block is charged from the instruction at `pc` on when it was entered in a state, and the pipeline's state before that one. */
  rest(block: BlockRecord, state: number, pc: number): PartialCost & { readonly state: number } {
    const list = this.instructions(block);
    const from = list.findIndex((instruction) => instruction.address >= pc);
    const charges = this.charges(list, state);
    const first = charges[from];
    if (first === undefined) return { cycles: 0, instructions: 0, state };
    return { cycles: sum(charges.slice(from)), instructions: list.length - from, state: first.before };
  }

  private charges(list: readonly Instruction[], state: number): Charge[] {
    const { pipeline } = this.core;
    let before = state;
    return list.map((instruction) => {
      const { cycles, next } = pipeline.step(before, instruction, SEQUENTIAL);
      const skipped = instruction.condition === null ? cycles : pipeline.step(before, instruction, SKIPPED).cycles;
      const charge = { cycles: skipped, extra: cycles - skipped, before, next };
      before = next;
      return charge;
    });
  }

  private needsProbe(instruction: Instruction, isFirst: boolean): boolean {
    if (instruction.divide !== null || this.stops(instruction)) return true;
    if (instruction.condition !== null && instruction.branch === 'none') return true;
    return !isFirst && this.isMarked(instruction.address);
  }

  private stops(instruction: Instruction): boolean {
    return alwaysStops(instruction) || (isFpuInstruction(instruction) && !this.fpuEnabled());
  }
}

const sum = (charges: readonly Charge[]): number => charges.reduce((total, { cycles }) => total + cycles, 0);
