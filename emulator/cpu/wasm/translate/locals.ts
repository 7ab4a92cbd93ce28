/** Locals of a translated function. Parameters: 0 the block to begin with, 1 the budget in cycles. Then the cells, then work space. */
import { cell, CELLS } from '../../../isa/ir.ts';

const FIRST_CELL = 2;
/** r0 to r14. */
export const VECTORS = 15;

export const local = {
  entry: 0,
  budget: 1,
  /** Operands of the last addition or subtraction that set flags. */
  flagA: FIRST_CELL + CELLS,
  flagB: FIRST_CELL + CELLS + 1,
  /** How C and V are known: see flagKind. */
  carryKind: FIRST_CELL + CELLS + 2,
  overflowKind: FIRST_CELL + CELLS + 3,
  /** Which way out was taken. */
  site: FIRST_CELL + CELLS + 4,
  address: FIRST_CELL + CELLS + 5,
  work: FIRST_CELL + CELLS + 6,
  signZeroKind: FIRST_CELL + CELLS + 7,
  /** Q is set if its cell says so or the sign bit of this is set. */
  saturatedSign: FIRST_CELL + CELLS + 8,
  /** i64: cycles << INSTRUCTION_BITS | instructions. */
  counters: FIRST_CELL + CELLS + 9,
  /** i64: the budget in the same form. */
  limit: FIRST_CELL + CELLS + 10,
  single: FIRST_CELL + CELLS + 11,
  double: FIRST_CELL + CELLS + 12,
  /** Registers as vectors, see emit-vector.ts. */
  vectors: FIRST_CELL + CELLS + 13,
  /** i64: number of the memory system's state, and events since; see timing-memo.ts. */
  timing: FIRST_CELL + CELLS + 13 + VECTORS,
  /** Of data that is read, the clock of the cache, and v128, work space; see emit-lines.ts. */
  line: FIRST_CELL + CELLS + 14 + VECTORS,
  clock: FIRST_CELL + CELLS + 15 + VECTORS,
  four: FIRST_CELL + CELLS + 16 + VECTORS,
  /** First of the places in memory that groups of accesses have checked. */
  group: FIRST_CELL + CELLS + 17 + VECTORS,
} as const;

export const I32_LOCALS = CELLS + 9;

/**
 * Cycles and instructions travel in one i64: what a short block adds to both is then one 32-bit constant. A region is left well before
 * it has executed 2^24 instructions.
 */
export const INSTRUCTION_BITS = 24;

/** C or V is in its cell, or follows from flagA and flagB. */
export const flagKind = { cell: 0, subtract: 1, add: 2 } as const;
export type FlagKind = (typeof flagKind)[keyof typeof flagKind];

export const localOfCell = (number: number): number => FIRST_CELL + number;

/** Cells that translated code reads and writes in memory: nothing hot uses them. */
export const isMemoryCell = (number: number): boolean => number > cell.fpscr && number < cell.s0;

/** Where the counters are left on the way out, behind the cells. */
export const COUNTERS_OFFSET = 512;
/** Results of the function that goes from region to region. */
export const CHAIN_OFFSET = 520;
