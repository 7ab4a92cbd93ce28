/**
 * Pipeline of the Cortex-M7: two instructions a cycle in order where units (dual-issue.ts) and operands allow it. Stages as in LLVM's model: EX1 forms addresses and
 * shifts operands (an early ALU too), EX2 is the late ALU, EX3 ends multiplies and adds addends, EX4 takes what is stored. Numbers: cortex-m7.ts.
 */
import { assert } from '../../common/errors.ts';
import type { LiftedCore } from '../isa/lift.ts';
import { cortexM7Rules as rules } from './cortex-m7.ts';
import { NEVER_EXECUTED, type CoreTiming, type TimingClass } from './cost.ts';
import { formOf, isAddOrMove, isSaturating, type Form, type FormKind } from './data-form.ts';
import { canPair, placeOf, type Place } from './dual-issue.ts';
import { aged, resultOf, waitForFpu, type FpResult } from './fpu-results.ts';
import type { Instruction } from './instruction.ts';
import { maskOf, operandsOf, type Operands } from './operands.ts';
import { REFILLED, StateTable, type Outcome, type Pipeline, type PipelineStep } from './pipeline.ts';

/** Core registers, the cycle from which the late ALU has them, and whether a word's load brings them. */
type Result = readonly [registers: number, ready: number, isWord: boolean];

/** Cycle 0 is that of the older instruction while its place is open, else the next. */
interface State {
  readonly older: Place | null;
  readonly results: readonly Result[];
  readonly fpResults: readonly FpResult[];
  /** Cycles in which VFMA or VMLA keeps others out. */
  readonly macBusy: number;
  /** Cycles since flags were set, as far as it matters. */
  readonly flagsAge: number;
  /** Double words fetched less cycles since the last branch was taken; null: the next instruction is its target. */
  readonly fetched: number | null;
}

const FLAGS_OLD: number = rules.earlyFlags.cycles;
const NOTHING: State = { older: null, results: [], fpResults: [], macBusy: 0, flagsAge: FLAGS_OLD, fetched: null };

const DOUBLE_WORD = 8;
/** Double words that wait in the queue in front of the decoder (DDI 0489F 2.1.1). */
const QUEUE = 4;
/** A stage before the late ALU, and after it. */
const EARLY = 1;
const ADDEND = -1;
const STORED = -2;

/** Their shifter in front of the ALU needs its operand early. */
const SHIFTS_FIRST: ReadonlySet<FormKind> = new Set<FormKind>([
  'shiftedRegister',
  'extract',
  'insert',
  'extendAdd',
  'reverse',
  'pack',
  'saturate',
]);
const STORES: ReadonlySet<TimingClass> = new Set<TimingClass>([
  'storeImmediate',
  'storeRegister',
  'storeMultiple',
  'storeDual',
]);

export class SuperscalarPipeline implements Pipeline {
  private readonly timing: CoreTiming;
  private readonly core: LiftedCore;
  private readonly states = new StateTable<State>(NOTHING);

  constructor(timing: CoreTiming, core: LiftedCore) {
    this.timing = timing;
    this.core = core;
  }

  /** An instruction whose IT condition fails takes what it takes otherwise (measured: jnk0le). */
  step(number: number, instruction: Instruction, outcome: Outcome): PipelineStep {
    const state = this.states.at(number);
    const form = formOf(instruction);
    const operands = operandsOf(instruction, this.core);
    const place = placeOf(instruction, form, outcome.slave ?? 0);
    const needed = Math.max(
      coreWait(state, instruction, operands, form),
      waitForFpu(state.fpResults, instruction, operands),
      instruction.timing === 'fpArithmetic' ? state.macBusy : 0,
    );
    const { older } = state;
    const isPair = older !== null && place !== null && needed <= 0 && canPair(older, place) && !isKeptOut(state, place);
    const issue = isPair ? 0 : Math.max(needed, older === null ? 0 : 1);
    const before = older === null ? 0 : 1;
    const taken = outcome.taken || (instruction.branch === 'always' && outcome.executed);
    const penalty = this.penalty(state, instruction, taken, issue);
    const alone = this.alone(instruction, form);
    // While its place is open the older one's cycle is paid already.
    const cycles = (isPair ? 0 : issue - before + alone) + penalty;
    const fetched = (state.fetched ?? 0) + doubleWords(instruction, state.fetched === null) - cycles;
    if (taken) return { cycles: cycles + Math.max(fetched, 0) * rules.fetch.cycles, next: REFILLED };
    const closes = isPair || place === null || alone > 1 || penalty > 0;
    const passed = closes ? issue + Math.max(isPair ? 1 : alone, 1) : issue;
    const left = this.after(state, instruction, operands, form, { issue, isPair, end: passed + penalty, alone });
    return {
      cycles,
      next: this.states.numberOf({ ...left, older: closes ? null : place, fetched: Math.max(fetched, -QUEUE) }),
    };
  }

  nameOf(state: number): string {
    return this.states.nameOf(state);
  }

  stateNamed(name: string): number {
    return this.states.stateNamed(name);
  }

  /** Without what it waits for. A divide's cycles are added by its operands. */
  private alone({ timing, words, encoding }: Instruction, { kind }: Form): number {
    if (NEVER_EXECUTED.has(timing)) return 1;
    if (timing === 'divide') return 0;
    const cost = this.timing.costs[timing];
    assert(cost !== undefined, `the core's timing table has no class ${timing}`);
    assert(kind !== 'multiply' || cost.cycles === 1, 'multiplies are pipelined');
    if ((timing === 'fpLoad' || timing === 'fpStore') && words === 2) return 1;
    if (timing === 'fpDoubleArithmetic' && (encoding & 0xffb0_0f00) >>> 0 === 0xee20_0b00)
      return rules.fpDoubleMultiply.cycles;
    return Math.max(1, Math.ceil(cost.cycles + (cost.perWord ?? 0) * words));
  }

  /** What a branch that was not foreseen costs. */
  private penalty(state: State, instruction: Instruction, taken: boolean, issue: number): number {
    const { branch, target, address, timing } = instruction;
    if (branch === 'none') return 0;
    if (branch === 'always') return this.timing.costs[timing]?.refill ?? 0;
    const isBackward = target !== null && target <= address;
    if (taken === isBackward) return 0;
    if (taken) return target === null ? rules.mispredicted.cycles : rules.forwardTaken.cycles;
    if (timing === 'compareBranch') return rules.mispredicted.cycles;
    const isEarly = state.flagsAge + issue >= FLAGS_OLD;
    return isEarly ? rules.mispredictedEarlyFlags.cycles : rules.mispredicted.cycles;
  }

  private after(
    state: State,
    instruction: Instruction,
    operands: Operands,
    form: Form,
    { issue, isPair, end, alone }: { issue: number; isPair: boolean; end: number; alone: number },
  ): State {
    const { timing } = instruction;
    const { computes, loads, setsFlags } = operands;
    const done = issue + Math.max(alone, 1) - 1;
    const isEarly =
      (form.kind === 'shift' || (!isPair && isAddOrMove(instruction))) &&
      state.results.every(([registers, ready]) => (registers & operands.reads) === 0 || ready + EARLY <= issue);
    const written = computes | maskOf(loads);
    const results = state.results.filter(([registers]) => (registers & written) === 0);
    if (computes !== 0) results.push([computes, done + latencyOf(instruction, form, isEarly), false]);
    if (loads.length > 0) {
      const isNarrow = timing === 'load' && isNarrowLoad(instruction);
      const loaded = isNarrow ? rules.narrowLoad.cycles : rules.wordLoad.cycles;
      results.push([maskOf(loads), done + loaded, !isNarrow]);
    }
    const fpResult = resultOf(instruction, operands, done);
    const fpKept = state.fpResults.filter(([registers]) => (registers & operands.fpWrites) === 0);
    const macBusy = timing === 'fpMultiplyAccumulate' ? issue + 1 + rules.fpMacBusy.cycles : state.macBusy;
    return {
      older: null,
      fetched: null,
      results: results
        .map(([registers, ready, isWord]): Result => [registers, ready - end, isWord])
        .filter(([, ready]) => ready + EARLY > 0),
      fpResults: aged(fpResult === null ? fpKept : [...fpKept, fpResult], end),
      macBusy: Math.max(macBusy - end, 0),
      flagsAge: Math.min(setsFlags ? end - issue : state.flagsAge + end, FLAGS_OLD),
    };
  }
}

/** Double words of the code that the instruction is the first to need. */
function doubleWords({ address, size }: Instruction, isTarget: boolean): number {
  const before = isTarget ? Math.floor(address / DOUBLE_WORD) - 1 : Math.floor((address - 1) / DOUBLE_WORD);
  return Math.floor((address + size - 1) / DOUBLE_WORD) - before;
}

const isKeptOut = ({ macBusy }: State, { unit }: Place): boolean =>
  macBusy > 0 && (unit === 'fpLoad' || unit === 'fpStore' || unit === 'fpMove');

/** First cycle in which the core registers it reads are there for the stages that need them. */
function coreWait(state: State, { timing, addressRegisters }: Instruction, { reads }: Operands, form: Form): number {
  const address = addressRegisters & reads;
  const shifted = SHIFTS_FIRST.has(form.kind) ? form.shifted & reads : 0;
  const stored = STORES.has(timing) ? reads & ~address : 0;
  let needed = 0;
  for (const [registers, ready, isWord] of state.results) {
    const mine = registers & reads;
    if (mine === 0) continue;
    const isLateOnly = (mine & ~(form.addend | stored)) === 0;
    const stage = (mine & (address | shifted)) !== 0 ? EARLY : isLateOnly ? (stored !== 0 ? STORED : ADDEND) : 0;
    // The fast way of a word goes to the late ALU only, and not if the instruction has begun in the early one.
    const slow = isWord && stage === 0 && (form.kind === 'multiply' || shifted !== 0) ? 1 : 0;
    needed = Math.max(needed, ready + stage + slow);
  }
  return needed;
}

function latencyOf(instruction: Instruction, form: Form, isEarly: boolean): number {
  const { timing } = instruction;
  // A base that is written back.
  if (timing !== 'alu' && form.kind !== 'multiply' && !timing.startsWith('fp')) return rules.earlyResult.cycles;
  if (form.kind === 'multiply') return rules.multiplyResult.cycles;
  if (form.kind === 'saturate' || isSaturating(instruction)) return rules.saturatedResult.cycles;
  return isEarly ? rules.earlyResult.cycles : rules.lateResult.cycles;
}

/** LDRB, LDRH, LDRSB, LDRSH in both sizes. */
function isNarrowLoad({ encoding, size }: Instruction): boolean {
  if (size === 4) return ((encoding >>> 21) & 3) !== 2;
  const group = encoding >> 12;
  return group === 5 ? ((encoding >> 9) & 7) !== 4 : group === 7 || group === 8;
}
