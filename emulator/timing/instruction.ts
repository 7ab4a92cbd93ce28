/**
 * What the timing rules need to know about one Thumb-2 instruction: its class, how it may leave the sequence, and which registers
 * tie it to its neighbours. Not a disassembly: operands that cost nothing are not decoded.
 */
import type { TimingClass } from './cost.ts';

export interface Instruction {
  readonly address: number;
  /** Bytes: 2 or 4. */
  readonly size: 2 | 4;
  /** The halfword, or first << 16 | second. */
  readonly encoding: number;
  readonly timing: TimingClass;
  /** Words moved by a multiple or dual transfer, else 0. */
  readonly words: number;
  /** Whether control may ('conditional') or does ('always') go elsewhere than the next address. */
  readonly branch: 'none' | 'conditional' | 'always';
  /** Target of a direct branch, else null. */
  readonly target: number | null;
  /** Inside an IT block: the condition 0..14, else null. */
  readonly condition: number | null;
  /** Core registers a single load writes, as a bit mask: a following address must not need them if it is to pipeline. */
  readonly loadedRegisters: number;
  /** Core registers it computes (not those it loads), as a bit mask. */
  readonly writtenRegisters: number;
  /** Core registers an address is computed from, as a bit mask. */
  readonly addressRegisters: number;
  /** Single-precision registers read (without the addend of a multiply-accumulate) and written by arithmetic, as bit masks. */
  readonly fpReads: number;
  readonly fpArithmeticWrites: number;
  /** Operands of UDIV/SDIV where they decide its cycles, else null. */
  readonly divide: { readonly signed: boolean; readonly n: number; readonly m: number } | null;
  /** IT only: the state it leaves for the instructions after it (DDI 0403E A7.3.3), else 0. */
  readonly itState: number;
}

export type Decoded = Partial<
  Omit<Instruction, 'address' | 'size' | 'encoding' | 'timing' | 'condition' | 'writtenRegisters'>
> & {
  readonly timing: TimingClass;
};

/** Sign-extends the low `bits` of a value. */
export function signExtend(value: number, bits: number): number {
  return (value << (32 - bits)) >> (32 - bits);
}

/** Number of set bits of a register list. */
export function countBits(mask: number): number {
  let count = 0;
  for (let rest = mask >>> 0; rest !== 0; rest &= rest - 1) count++;
  return count;
}
