/** Which blocks are translated together: everything reachable from a hot block by direct branches and calls, up to a size. */
import type { Instruction } from '../../../timing/instruction.ts';
import type { Block, Step } from '../block.ts';

const INSTRUCTIONS_MAX = 1500;
const BLOCKS_MAX = 250;

/** A way out of translated code: what the counters and the interpreter's state are there. */
export interface Site {
  /** Next instruction, or null: cell.target says. */
  readonly pc: number | null;
  /** Through an interworking branch: bit 0 of the target counts. */
  readonly interworks: boolean;
  /** The interpreter must execute the instruction at pc. */
  readonly bails: boolean;
  readonly cycles: number;
  readonly instructions: number;
  readonly previous: Instruction | null;
  readonly itState: number;
}

export interface RegionPlan {
  /** By address. */
  readonly blocks: readonly Block[];
  /** Index of a block by its address. */
  readonly indexOf: ReadonlyMap<number, number>;
}

export const lastStep = (block: Block): Step => block.steps.at(-1)!;

/** Whether the instruction at the end of a block calls: control comes back behind it. */
function isCall(instruction: Instruction): boolean {
  if (instruction.size === 2) return (instruction.encoding & 0xff87) === 0x4780;
  return instruction.timing === 'branch' && (instruction.encoding & 0x5000) === 0x5000;
}

/** Addresses control may go to from a block, as far as the code says. */
function successors(block: Block): number[] {
  const { instruction, stops } = lastStep(block);
  if (stops) return [];
  const list: number[] = [];
  if (instruction.target !== null) list.push(instruction.target);
  if (instruction.branch !== 'always' || isCall(instruction)) list.push(block.end);
  return list;
}

/** @param blockAt a block that may be translated (unmarked, in read-only memory, outside IT), or null */
export function planRegion(entry: number, blockAt: (address: number) => Block | null): RegionPlan {
  const found = new Map<number, Block>();
  const queue = [entry];
  let instructions = 0;
  for (let address = queue.shift(); address !== undefined; address = queue.shift()) {
    if (found.has(address) || found.size >= BLOCKS_MAX) continue;
    const block = blockAt(address);
    if (block === null || (found.size > 0 && instructions + block.steps.length > INSTRUCTIONS_MAX)) continue;
    found.set(address, block);
    instructions += block.steps.length;
    queue.push(...successors(block));
  }
  const blocks = [...found.values()].sort((a, b) => a.start - b.start);
  return { blocks, indexOf: new Map(blocks.map((block, index) => [block.start, index])) };
}
