/** Straight runs of code, decoded, costed and made executable once. A block ends where control may leave it, and before a mark. */
import type { Core } from '../../cores/core.ts';
import { decodeInstruction, itStateAfter } from '../../timing/decode.ts';
import { SLAVES_MAX } from '../../timing/memory-system.ts';
import { SEQUENTIAL, SKIPPED, TAKEN, type PipelineStep } from '../../timing/pipeline.ts';
import type { Instruction } from '../../timing/instruction.ts';
import { lift } from '../../isa/lift.ts';
import { checkStackLimit } from '../../isa/stack-limit.ts';
import { alwaysAligned, checkDivisor } from '../../isa/traps.ts';
import { conditionHolds } from '../../isa/operands.ts';
import type { Stmt } from '../../isa/ir.ts';
import type { CodeRange } from '../cpu.ts';
import { alwaysStops, isFpuInstruction } from '../machine-stop.ts';
import type { CoreState } from './core-state.ts';
import { expression, statements, type Action } from './evaluate.ts';
import type { Region } from './guest-memory.ts';

/** Longest block; a longer run is cut, which costs nothing (the pipeline's state goes across the cut). */
const INSTRUCTIONS_MAX = 128;
const TARGETS_MAX = 16;

/** Of one instruction in one pipeline state. A divide's are without those that depend on its operands. */
export interface StepCosts {
  readonly sequential: PipelineStep;
  readonly skipped: PipelineStep;
  readonly taken: PipelineStep;
}

export interface Step {
  readonly instruction: Instruction;
  /** Address of the instruction after it. */
  readonly next: number;
  readonly itState: number;
  /** Null: always executed. */
  readonly condition: (() => number) | null;
  readonly actions: readonly Action[];
  /** What the actions were made of; null where this engine has no semantics. */
  readonly body: readonly Stmt[] | null;
  /** By pipeline state and slave, as far as they were asked for. */
  readonly costs: StepCosts[];
  /** The machine, not the engine, decides about it. */
  readonly stops: boolean;
  readonly isFpu: boolean;
  readonly accessesMemory: boolean;
  /** Memories its accesses have reached so far, as bits of regions; the translator tests those only. */
  touched: number;
}

export interface Block {
  readonly start: number;
  readonly end: number;
  readonly steps: readonly Step[];
  /** IT state after the last instruction. */
  readonly itState: number;
  readonly region: Region;
  /** In writable memory: the bytes it was made from, compared at every entry. */
  readonly code: Uint8Array | null;
  /** Passes so far. */
  passes: number;
  /** Where its indirect branch has gone so far, at most TARGETS_MAX of them. */
  readonly targets: number[];
}

export function makeStep(instruction: Instruction, itState: number, core: CoreState): Step {
  const lifted = lift(instruction, core.model);
  const body = lifted === null ? null : withChecks(lifted, core);
  const { condition } = instruction;
  return {
    instruction,
    next: (instruction.address + instruction.size) >>> 0,
    itState,
    condition: condition === null || condition >= 14 ? null : expression(conditionHolds(condition), core),
    actions: body === null ? [] : statements(body, core),
    body,
    costs: [],
    stops: alwaysStops(instruction) || body === null,
    isFpu: isFpuInstruction(instruction),
    accessesMemory: body?.some(accesses) ?? false,
    touched: 0,
  };
}

/** With what the core's registers ask to be checked just now. */
function withChecks(lifted: readonly Stmt[], { special }: CoreState): readonly Stmt[] {
  let body = lifted;
  if (special.trapsUnaligned()) body = body.map(alwaysAligned);
  if (special.trapsDivision()) body = checkDivisor(body);
  return special.checksStack() ? checkStackLimit(body) : body;
}

export function overlaps(block: Pick<Block, 'start' | 'end'>, { start, bytes }: CodeRange): boolean {
  return block.start < start + bytes && start < block.end;
}

/** What the instruction costs in a pipeline state. @param slave memory that its accesses go to */
export function costsIn(state: number, { costs, instruction }: Step, { pipeline }: Core, slave = 0): StepCosts {
  return (costs[state * SLAVES_MAX + slave] ??= {
    sequential: pipeline.step(state, instruction, { ...SEQUENTIAL, slave }),
    skipped: pipeline.step(state, instruction, SKIPPED),
    taken: pipeline.step(state, instruction, { ...TAKEN, slave }),
  });
}

const accesses = (statement: Stmt): boolean =>
  statement.k === 'load' || statement.k === 'store' || (statement.k === 'when' && statement.then.some(accesses));

/** The block at an address under an IT state, or null where there is no memory. */
export function buildBlock(
  core: CoreState,
  start: number,
  itStateBefore: number,
  isMarked: (address: number) => boolean,
): Block | null {
  const { memory } = core;
  const region = memory.regionOf(start, 2);
  if (region === null) return null;
  const steps: Step[] = [];
  let address = start;
  let itState = itStateBefore;
  while (steps.length < INSTRUCTIONS_MAX) {
    const instruction = decodeInstruction((at) => memory.halfword(at), address, itState, core.model);
    if (instruction === null) break;
    steps.push(makeStep(instruction, itState, core));
    itState = itStateAfter(instruction, itState);
    address = (address + instruction.size) >>> 0;
    if (instruction.branch !== 'none' || isMarked(address)) break;
  }
  if (steps.length === 0) return null;
  const at = region.offset + start - region.start;
  const code = region.writable ? new Uint8Array(memory.wasm.buffer).slice(at, at + address - start) : null;
  return { start, end: address, steps, itState, region, code, passes: 0, targets: [] };
}

/** Whether memory still holds what the block was made from. */
export function isCurrent(block: Block, core: CoreState): boolean {
  const { code, region, start } = block;
  if (code === null) return true;
  const { view } = core.memory;
  const at = region.offset + start - region.start;
  for (let i = 0; i < code.length; i++) if (view.getUint8(at + i) !== code[i]) return false;
  return true;
}

/** Code in memory that the guest cannot write, seen from outside IT. */
export function isTranslatable(block: Block): boolean {
  return block.code === null && block.steps[0]?.itState === 0;
}

/** An indirect branch at its end has gone there. */
export function noteTarget({ targets }: Block, address: number): void {
  if (targets.length < TARGETS_MAX && !targets.includes(address)) targets.push(address);
}
