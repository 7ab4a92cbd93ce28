/**
 * FPU of the Cortex-M33 beside its integer pipeline: results of several cycles, and one instruction that may be issued a cycle before its operand is there
 * and then holds the unit a cycle longer. Numbers: cortexM33Rules.
 */
import { cortexM33Rules as rules } from './cortex-m33.ts';
import type { Instruction } from './instruction.ts';
import type { Operands } from './operands.ts';

/** Single-precision registers, and in how many cycles others can use them, an addend first. */
type Result = readonly [registers: number, addend: number, others: number];

export interface FpuState {
  /** Cycles in which the unit takes nothing. */
  readonly busy: number;
  readonly results: readonly Result[];
}

export const NO_FPU_STATE: FpuState = { busy: 0, results: [] };

const isFpu = ({ timing }: Instruction): boolean => timing.startsWith('fp') && timing !== 'fpUndefined';
const computes = ({ timing }: Instruction): boolean => timing === 'fpArithmetic' || timing === 'fpMultiplyAccumulate';

export class FpuScoreboard {
  /** Cycles until the unit takes the instruction. */
  readonly start: number;
  private readonly state: FpuState;
  private readonly instruction: Instruction;
  private readonly written: number;
  /** Its operand is not there yet when it is issued. */
  private readonly held: number;

  constructor(state: FpuState, instruction: Instruction, { fpReads, fpWrites }: Operands) {
    this.state = state;
    this.instruction = instruction;
    this.written = fpWrites;
    const isMac = instruction.timing === 'fpMultiplyAccumulate';
    const reads = isMac ? instruction.fpReads : fpReads;
    const addend = isMac ? instruction.fpArithmeticWrites & ~reads : 0;
    const wait = (registers: number, column: 1 | 2): number =>
      state.results.reduce((most, result) => Math.max(most, (result[0] & registers) === 0 ? 0 : result[column]), 0);
    const operands = wait(reads, 2);
    const early = computes(instruction) ? 1 : 0;
    this.start = isFpu(instruction) ? Math.max(state.busy, wait(addend, 1), operands - early) : 0;
    this.held = early === 1 && operands > this.start ? 1 : 0;
  }

  /** @param cycles until the instruction after it may be issued, from now */
  after(cycles: number): FpuState {
    const { busy, results } = aged(this.state, cycles);
    const { timing } = this.instruction;
    const isMac = timing === 'fpMultiplyAccumulate';
    const past = cycles - this.start;
    const mine = (latency: number): number => Math.max(latency + this.held - past, 0);
    const others = mine(isMac ? rules.fpMacLatency.cycles : rules.fpLatency.cycles);
    const addend = isMac ? mine(rules.fpMacToAddend.cycles) : others;
    const kept = results.filter(([registers]) => (registers & this.written) === 0);
    const isLate = this.written !== 0 && (computes(this.instruction) || timing === 'fpMovePair');
    return {
      busy: Math.max(busy, computes(this.instruction) ? (isMac ? rules.fpMacBusy.cycles : 0) + this.held : 0),
      results: isLate && others > 0 ? [...kept, [this.written, addend, others]] : kept,
    };
  }
}

function aged({ busy, results }: FpuState, cycles: number): FpuState {
  const left = results
    .map(([registers, addend, others]): Result => [
      registers,
      Math.max(addend - cycles, 0),
      Math.max(others - cycles, 0),
    ])
    .filter(([, , others]) => others > 0);
  return { busy: Math.max(busy - cycles, 0), results: left };
}
