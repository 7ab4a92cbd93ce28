/**
 * Finds the instruction that makes a device access or a failing one. libunicorn keeps pc at the start of the block meanwhile, but the
 * registers are current: the instruction is the first, after the last one found in the same pass through the block, whose operands
 * give that address. Wrong only if an earlier instruction's base register has since been changed to give the very same address.
 */
import { accessRange, type ReadRegister } from '../../timing/effective-address.ts';
import type { Instruction } from '../../timing/instruction.ts';
import type { BlockTable } from './block-table.ts';

export class AccessLocator {
  private readonly blocks: BlockTable;
  private readonly register: ReadRegister;
  /** Instructions of blocks that have touched devices: polling loops come here again and again. */
  private readonly lists = new Map<number, readonly Instruction[]>();
  private blockId = -1;
  private pass = -1;
  private last: { readonly address: number; readonly index: number } | null = null;

  constructor(blocks: BlockTable, register: ReadRegister) {
    this.blocks = blocks;
    this.register = register;
  }

  /** @param pass differs for every entry into a block. Returns the instruction's address, or null if none of the block fits. */
  locate(blockId: number, pass: number, address: number): number | null {
    if (blockId !== this.blockId || pass !== this.pass) this.last = null;
    this.blockId = blockId;
    this.pass = pass;
    const list = this.listOf(blockId);
    for (let index = this.last?.index ?? 0; index < list.length; index++) {
      const instruction = list[index];
      if (instruction === undefined || this.alreadySeen(instruction, index, address)) continue;
      const range = accessRange(instruction, this.register);
      if (range === null || (address - range.start) >>> 0 >= range.bytes) continue;
      this.last = { address, index };
      return instruction.address;
    }
    return null;
  }

  forget(): void {
    this.lists.clear();
  }

  /** One instruction accesses each of its words once, in ascending order. */
  private alreadySeen(instruction: Instruction, index: number, address: number): boolean {
    if (this.last?.index !== index) return false;
    return instruction.words < 2 || address <= this.last.address;
  }

  private listOf(blockId: number): readonly Instruction[] {
    const known = this.lists.get(blockId);
    if (known !== undefined) return known;
    const block = this.blocks.record(blockId);
    const list = block === null ? [] : this.blocks.instructions(block);
    this.lists.set(blockId, list);
    return list;
  }
}
