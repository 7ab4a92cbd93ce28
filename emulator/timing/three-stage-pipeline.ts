/**
 * Pipeline of Cortex-M3 and M4: fetch, decode, execute. Costs come from the core's table; what ties an instruction to those before it is the
 * fetch queue (fetch-queue.ts) and the rules of three-stage-rules.ts: a load's data phase, the store buffer, addresses and FPU results that are not ready.
 */
import { assert } from '../../common/errors.ts';
import { SKIPPED_CYCLES } from './cortex-m4.ts';
import { NEVER_EXECUTED, type CoreTiming, type TimingClass } from './cost.ts';
import { advance, arrival, REFILLED_QUEUE, type CodePort, type FetchQueue } from './fetch-queue.ts';
import type { Instruction } from './instruction.ts';
import { REFILLED, StateTable, type Outcome, type Pipeline, type PipelineStep } from './pipeline.ts';
import { threeStageRules as rules } from './three-stage-rules.ts';

/** What the instruction before leaves to be waited for. */
interface Pending {
  /** A load's data phase is to come: registers it loads; -1: there is none. */
  readonly loaded: number;
  /** Memory slave of that load. */
  readonly slave: number;
  /** A store's data phase is to come. */
  readonly stores: boolean;
  /** Core registers it has computed. */
  readonly written: number;
  /** Single-precision registers it has computed. */
  readonly fpWritten: number;
  /** It was 16 bits long and no IT: an IT after it costs nothing. */
  readonly folds: boolean;
}

interface State {
  readonly queue: FetchQueue;
  readonly pending: Pending;
}

/** Memories count from 1, that of the code first (memory-system.ts). */
const CODE_SLAVE = 1;

const NOTHING: Pending = { loaded: -1, slave: 0, stores: false, written: 0, fpWritten: 0, folds: false };

const isSingleLoad = (timing: TimingClass): boolean => timing === 'load' || timing === 'exclusive';
const LOADS: ReadonlySet<TimingClass> = new Set<TimingClass>([
  'load',
  'exclusive',
  'loadPc',
  'loadMultiple',
  'loadMultiplePc',
  'loadDual',
]);
const isSingleStore = (timing: TimingClass): boolean => timing === 'storeImmediate' || timing === 'storeRegister';

export class ThreeStagePipeline implements Pipeline {
  private readonly timing: CoreTiming;
  /** Of the lines of the memory with the code, where it has one port; else 0. */
  private readonly lineWords: number;
  private readonly states = new StateTable<State>({ queue: REFILLED_QUEUE, pending: NOTHING });

  constructor(timing: CoreTiming, lineWords = 0) {
    this.timing = timing;
    this.lineWords = lineWords;
  }

  step(state: number, instruction: Instruction, outcome: Outcome): PipelineStep {
    const { queue, pending } = this.states.at(state);
    const { address, size, timing, words, condition } = instruction;
    const slave = outcome.slave ?? 0;
    const start = Math.max(arrival(queue, address, size), wait(instruction, pending, slave));
    const alone = this.alone(instruction);
    const taken = outcome.taken || (instruction.branch === 'always' && outcome.executed);
    const cycles = outcome.executed ? alone : SKIPPED_CYCLES;
    if (taken) return { cycles: start + cycles + this.refill(instruction), next: REFILLED };
    if (timing === 'ifThen' && pending.folds && start === 0) {
      const next = { queue: advance(queue, instruction, 0, 0, this.port(0)), pending: NOTHING };
      return { cycles: 0, next: this.states.numberOf(next) };
    }
    // Whether a condition holds must not change the state: the queue gets the shorter time, and what follows does not depend on it.
    const least = condition === null ? this.least(instruction) : SKIPPED_CYCLES;
    const reads = slave === CODE_SLAVE && condition === null && LOADS.has(timing) ? Math.max(words, 1) : 0;
    const queued = advance(queue, instruction, start, least, this.port(reads));
    const next = { queue: queued, pending: condition === null ? left(instruction, slave) : NOTHING };
    return { cycles: start + cycles, next: this.states.numberOf(next) };
  }

  nameOf(state: number): string {
    return this.states.nameOf(state);
  }

  stateNamed(name: string): number {
    return this.states.stateNamed(name);
  }

  private port(dataWords: number): CodePort {
    return { lineWords: this.lineWords, dataWords };
  }

  /** Without its neighbours and the refill. A load inside IT has its data phase with it. */
  private alone({ timing, words, condition }: Instruction): number {
    if (NEVER_EXECUTED.has(timing)) return 1;
    if (timing === 'divide') return 0;
    const cost = this.timing.costs[timing];
    assert(cost !== undefined, `the core's timing table has no class ${timing}`);
    const dataPhase = condition !== null && isSingleLoad(timing) ? rules.loadData.cycles : 0;
    return cost.cycles + (cost.perWord ?? 0) * words + dataPhase;
  }

  /** What it takes at least: a divide's operands may make it longer, by then the queue is full anyway. */
  private least(instruction: Instruction): number {
    return instruction.divide === null ? this.alone(instruction) : (this.timing.costs.divide?.cycles ?? 0);
  }

  private refill({ timing }: Instruction): number {
    return this.timing.costs[timing]?.refill ?? 0;
  }
}

/** Cycles the instruction waits for the one before it. */
function wait(instruction: Instruction, pending: Pending, slave: number): number {
  const { timing, addressRegisters, fpReads, condition } = instruction;
  if (pending.loaded >= 0) return overlapsLoad(instruction, pending, slave) ? 0 : rules.loadData.cycles;
  if (condition !== null) return 0;
  let cycles = 0;
  if (pending.stores && LOADS.has(timing)) cycles += rules.storeThenLoad.cycles;
  if ((pending.written & addressRegisters) !== 0) cycles += rules.address.cycles;
  if ((pending.fpWritten & fpReads) !== 0) cycles += rules.fpResult.cycles;
  return cycles;
}

/** Whether the address phase of a load or store, or a NOP, goes into the data phase of the load before it. */
function overlapsLoad(
  { timing, addressRegisters, condition }: Instruction,
  { loaded, slave }: Pending,
  to: number,
): boolean {
  if (condition !== null) return false;
  if (timing === 'hint') return true;
  if (!isSingleLoad(timing) && !isSingleStore(timing)) return false;
  return (loaded & addressRegisters) === 0 && slave === to;
}

function left(
  { timing, size, words, loadedRegisters, writtenRegisters, fpArithmeticWrites }: Instruction,
  slave: number,
): Pending {
  return {
    loaded: isSingleLoad(timing) ? loadedRegisters : -1,
    slave: isSingleLoad(timing) ? slave : 0,
    stores: isSingleStore(timing),
    // The base of a multiple transfer is written back in the first of its cycles.
    written: words === 0 ? writtenRegisters : 0,
    fpWritten: fpArithmeticWrites,
    folds: size === 2 && timing !== 'ifThen' && !isSingleLoad(timing),
  };
}
