/**
 * Pipeline of the Cortex-M33: one instruction a cycle in order, results that some instructions give a cycle later, and pairs of 16-bit instructions: a NOP with
 * what follows it, anything with a branch or an IT behind it. Costs and rules with their sources: cortex-m33.ts.
 */
import { assert } from '../../common/errors.ts';
import type { LiftedCore } from '../isa/lift.ts';
import { cortexM33Rules as rules } from './cortex-m33.ts';
import { NEVER_EXECUTED, type CoreTiming, type TimingClass } from './cost.ts';
import { formOf, type Form, type FormKind } from './data-form.ts';
import { FpuScoreboard, NO_FPU_STATE, type FpuState } from './fpu-scoreboard.ts';
import type { Instruction } from './instruction.ts';
import { maskOf, operandsOf, type Operands } from './operands.ts';
import { REFILLED, StateTable, type Outcome, type Pipeline, type PipelineStep } from './pipeline.ts';

/** What the instruction before, alone in its cycle so far, lets pair with it. */
type Slot = 'closed' | 'nop' | 'open' | 'openSetsFlags';

interface State {
  /** The next instruction has been branched to. */
  readonly fresh: boolean;
  readonly slot: Slot;
  /** Core registers whose value a store or the addend of a MAC can have now, and others in the next cycle: computed, loaded. */
  readonly late: number;
  readonly loaded: number;
  readonly lateFlags: boolean;
  /** Registers loaded just now and for how long BX has to wait for them. */
  readonly branchWait: number;
  readonly branchRegisters: number;
  readonly fpu: FpuState;
}

const NOTHING: State = {
  fresh: false,
  slot: 'closed',
  late: 0,
  loaded: 0,
  lateFlags: false,
  branchWait: 0,
  branchRegisters: 0,
  fpu: NO_FPU_STATE,
};

const LATE_KINDS: ReadonlySet<FormKind> = new Set<FormKind>([
  'shiftedRegister',
  'shiftedConstant',
  'extendAdd',
  'pack',
  'saturate',
  'parallel',
  'multiply',
]);
const STORES: ReadonlySet<TimingClass> = new Set<TimingClass>([
  'storeImmediate',
  'storeRegister',
  'storeMultiple',
  'storeDual',
]);
const PAIRED_BRANCHES: ReadonlySet<TimingClass> = new Set<TimingClass>([
  'branch',
  'branchConditional',
  'compareBranch',
  'branchIndirect',
]);
const PAIRED_WITH_NOP: ReadonlySet<TimingClass> = new Set<TimingClass>([
  'alu',
  'load',
  'storeImmediate',
  'storeRegister',
  'hint',
]);

export class PairedPipeline implements Pipeline {
  private readonly timing: CoreTiming;
  private readonly core: LiftedCore;
  private readonly states = new StateTable<State>({ ...NOTHING, fresh: true });

  constructor(timing: CoreTiming, core: LiftedCore) {
    this.timing = timing;
    this.core = core;
  }

  step(number: number, instruction: Instruction, outcome: Outcome): PipelineStep {
    const state = this.states.at(number);
    const { branch, condition } = instruction;
    const form = formOf(instruction);
    const operands = operandsOf(instruction, this.core);
    const taken = outcome.taken || (branch === 'always' && outcome.executed);
    const fpu = new FpuScoreboard(state.fpu, instruction, operands);
    const fetch = state.fresh && instruction.size === 4 && (instruction.address & 2) !== 0;
    const start =
      Math.max(waits(state, instruction, operands, form), fpu.start) + (fetch ? rules.unalignedTarget.cycles : 0);
    const paired = start === 0 && this.pairs(state, instruction, taken);
    const alone = start + this.alone(instruction, operands, form);
    if (taken) return { cycles: alone + this.refill(instruction) - (paired ? 1 : 0), next: REFILLED };
    if (paired && PAIRED_WITH_NOP.has(instruction.timing))
      return this.go(0, this.left(instruction, operands, form, fpu.after(0)));
    if (paired) return this.go(0, { ...state, fresh: false, slot: 'closed' });
    const least = instruction.divide === null ? alone : alone + (this.timing.costs.divide?.cycles ?? 0);
    const next = this.go(alone, aged(state, least, this.left(instruction, operands, form, fpu.after(least))));
    return outcome.executed || condition === null ? next : { ...next, cycles: fetch ? 2 : 1 };
  }

  nameOf(state: number): string {
    return this.states.nameOf(state);
  }

  stateNamed(name: string): number {
    return this.states.stateNamed(name);
  }

  private go(cycles: number, next: State): PipelineStep {
    return { cycles, next: this.states.numberOf(next) };
  }

  private pairs({ slot, late, loaded }: State, { size, timing, condition }: Instruction, taken: boolean): boolean {
    if (slot === 'closed' || size !== 2 || condition !== null) return false;
    if (timing === 'ifThen') return true;
    if (PAIRED_BRANCHES.has(timing)) return !(taken && timing === 'branchConditional' && slot === 'openSetsFlags');
    return slot === 'nop' && PAIRED_WITH_NOP.has(timing) && (late | loaded) === 0;
  }

  /** Without what it waits for, and without the refill. */
  private alone({ timing, words, encoding }: Instruction, { setsFlags, computes }: Operands, { kind }: Form): number {
    if (NEVER_EXECUTED.has(timing)) return 1;
    if (timing === 'divide') return 0;
    const cost = this.timing.costs[timing];
    assert(cost !== undefined, `the core's timing table has no class ${timing}`);
    const lateWithFlags = setsFlags && (kind === 'multiply' || kind === 'shiftedConstant');
    const pairToCore = timing === 'fpMovePair' && computes !== 0 && (encoding & 0x0010_0000) !== 0;
    return (
      cost.cycles +
      (cost.perWord ?? 0) * words +
      (lateWithFlags ? rules.flagsOfLateResult.cycles : 0) +
      (pairToCore ? rules.fpPairToCore.cycles : 0)
    );
  }

  private refill({ timing }: Instruction): number {
    return this.timing.costs[timing]?.refill ?? 0;
  }

  /** State of which nothing before the instruction is part. */
  private left(instruction: Instruction, operands: Operands, { kind }: Form, fpu: FpuState): State {
    const { timing, size, condition } = instruction;
    const { setsFlags, computes, loads } = operands;
    const twoCycles = setsFlags && (kind === 'multiply' || kind === 'shiftedConstant');
    const isNarrow = size === 2 && condition === null && timing !== 'ifThen';
    const toCore = timing === 'fpMove' || timing === 'fpStatus';
    return {
      fresh: false,
      slot: isNarrow ? (timing === 'hint' ? 'nop' : setsFlags ? 'openSetsFlags' : 'open') : 'closed',
      late: !twoCycles && (LATE_KINDS.has(kind) || toCore) ? computes : 0,
      loaded: maskOf(loads.slice(-1)),
      lateFlags: kind === 'shiftedRegister' && setsFlags,
      branchWait: loads.length > 0 ? rules.loadedBranchTarget.cycles : 0,
      branchRegisters: maskOf(loads.slice(-1)),
      fpu,
    };
  }
}

/** A state after some cycles, with what is still to come of the one before. */
function aged(before: State, cycles: number, left: State): State {
  const branchWait = left.branchRegisters === 0 ? Math.max(before.branchWait - cycles, 0) : left.branchWait;
  const branchRegisters = left.branchRegisters === 0 ? before.branchRegisters : left.branchRegisters;
  return { ...left, branchWait, branchRegisters: branchWait === 0 ? 0 : branchRegisters };
}

/** Cycles the integer side makes the instruction wait. */
function waits(state: State, { timing, addressRegisters }: Instruction, { reads }: Operands, form: Form): number {
  if (timing === 'branchIndirect' && (state.branchRegisters & reads) !== 0) return state.branchWait;
  if (timing === 'branchConditional') return state.lateFlags ? rules.lateFlags.cycles : 0;
  const stored = STORES.has(timing) ? reads & ~addressRegisters : 0;
  // A move to the FPU takes the result of any unit.
  const late = timing === 'fpMove' || timing === 'fpMovePair' ? 0 : state.late & reads & ~(form.addend | stored);
  const loaded = state.loaded & reads & ~((form.kind === 'multiply' ? form.addend : 0) | stored);
  if (loaded !== 0) return rules.loadLatency.cycles - 1;
  return late !== 0 ? rules.resultLatency.cycles - 1 : 0;
}
