/**
 * Describes blocks to the native engine: what a straight run of code costs, and which of its instructions need attention each time
 * they run (divides, conditional transfers, stops, marks). Computed once per block; the rules are instruction-cost.ts alone.
 */

import type { Core } from '../../cores/core.ts';
import type { CoreTiming } from '../../timing/cost.ts';
import { decodeInstruction, itStateAfter, type ReadHalfword } from '../../timing/decode.ts';
import { instructionCost, SEQUENTIAL, SKIPPED, TAKEN } from '../../timing/instruction-cost.ts';
import type { Instruction } from '../../timing/instruction.ts';
import { alwaysStops, isFpuInstruction } from '../machine-stop.ts';

const FLAG_MARK = 4;
const HEADER_WORDS = 6;

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

/** Part of the cost that the block carries: a conditional instruction counts as skipped, its probe adds the rest when it runs. */
function carriedCost(timing: CoreTiming | null, instruction: Instruction, previous: Instruction | null): number {
  if (instruction.condition !== null) return instructionCost(timing, instruction, previous, SKIPPED);
  if (instruction.divide !== null) return 1;
  // Refill of an unconditional branch is added on the way out, like that of a conditional one.
  return instructionCost(timing, { ...instruction, branch: 'none' }, previous, SEQUENTIAL);
}

export class BlockTable {
  private readonly core: Core;
  private readonly records: BlockRecord[] = [];
  private readonly read: ReadHalfword;
  private readonly isMarked: (address: number) => boolean;
  private readonly fpuEnabled: () => boolean;

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
    const total = this.sum(list, 0);
    const probes: number[] = [];
    for (const [index, instruction] of list.entries()) {
      const probe = this.probe(instruction, list[index - 1] ?? null, index === 0);
      if (probe === null) continue;
      const rest = this.sum(list, index);
      probes.push(instruction.address | 0, ...probe, rest.cycles, rest.instructions);
    }
    const last = list.at(-1) ?? null;
    const flags = this.isMarked(start) ? FLAG_MARK : 0;
    const [fallThrough, taken] = last === null ? [0, 0] : this.waysOut(last, list.at(-2) ?? null, list, block);
    const words = new Int32Array(HEADER_WORDS + probes.length);
    words.set([id, total.cycles, total.instructions, fallThrough, taken, flags]);
    words.set(probes, HEADER_WORDS);
    return words;
  }

  /** Carried cost from instruction `from` of the list to its end. */
  sum(list: readonly Instruction[], from: number): PartialCost {
    let cycles = 0;
    for (let i = from; i < list.length; i++) {
      const instruction = list[i];
      if (instruction !== undefined) cycles += carriedCost(this.core.timing, instruction, list[i - 1] ?? null);
    }
    return { cycles, instructions: Math.max(0, list.length - from) };
  }

  /** [extra cycles when it runs, divide operands or -1, stops] or null if the instruction needs no probe. */
  private probe(
    instruction: Instruction,
    previous: Instruction | null,
    isFirst: boolean,
  ): [number, number, number] | null {
    const stops = alwaysStops(instruction) || (isFpuInstruction(instruction) && !this.fpuEnabled());
    if (instruction.divide !== null) {
      const { signed, n, m } = instruction.divide;
      return [0, (signed ? 0x100 : 0) | (n << 4) | m, 0];
    }
    const extra =
      instruction.condition !== null && instruction.branch === 'none'
        ? instructionCost(this.core.timing, instruction, previous, SEQUENTIAL) -
          instructionCost(this.core.timing, instruction, previous, SKIPPED)
        : 0;
    if (stops || extra > 0 || (!isFirst && this.isMarked(instruction.address))) return [extra, -1, stops ? 1 : 0];
    return null;
  }

  /** Cycles to add when control falls through to the block's end, and when it goes elsewhere. */
  private waysOut(
    last: Instruction,
    beforeLast: Instruction | null,
    list: readonly Instruction[],
    block: BlockRecord,
  ): [number, number] {
    const taken =
      instructionCost(this.core.timing, last, beforeLast, TAKEN) - carriedCost(this.core.timing, last, beforeLast);
    if (last.branch === 'always') return [taken, taken];
    if (last.branch === 'conditional') return [0, taken];
    const next = this.following(list, block);
    if (next === null || next.condition !== null || next.divide !== null) return [0, 0];
    return [carriedCost(this.core.timing, next, last) - carriedCost(this.core.timing, next, null), 0];
  }

  /** The instruction after a block that an engine cut although nothing branches there. */
  following(list: readonly Instruction[], block: BlockRecord): Instruction | null {
    let itState = block.itState;
    for (const instruction of list) itState = itStateAfter(instruction, itState);
    return decodeInstruction(this.read, block.end, itState, this.core);
  }
}
