/**
 * The project's own engine: Thumb-2 without any native code, so that it also runs in a browser. Cycles are those of instruction-cost.ts,
 * instruction by instruction; a stop is exact to the instruction.
 */
import { assert } from '../../../common/errors.ts';
import { instructionCost, SEQUENTIAL } from '../../timing/instruction-cost.ts';
import { divideCycles } from '../../timing/cortex-m4.ts';
import { advanceItState, decodeInstruction } from '../../timing/decode.ts';
import type { Instruction } from '../../timing/instruction.ts';
import {
  type Counters,
  type Cpu,
  type CpuStop,
  type DeviceCallbacks,
  type MarkPass,
  type MemoryMapping,
  type RunLimits,
} from '../cpu.ts';
import { branchesToItself, buildBlock, isCurrent, type Block, type Step } from './block.ts';
import { CoreState } from './core-state.ts';
import { AccessFault, GuestMemory } from './guest-memory.ts';

/** From here up a branch is an exception return, which without an exception is one itself (DDI 0403E B1.5.8). */
const EXCEPTION_RETURN_MIN = 0xff00_0000;
const IT_STATE_KEY = 2 ** 32;

interface Mark {
  readonly callback: ((pass: MarkPass) => void) | null;
  passes: MarkPass[];
}

/** Execute-never by the default memory map: peripherals, external devices, system space (DDI 0403E B3.1). */
function isExecuteNever(address: number): boolean {
  return (address >= 0x4000_0000 && address < 0x6000_0000) || address >= 0xa000_0000;
}

export class WasmCpu implements Cpu {
  readonly name = 'wasm';
  private readonly memory = new GuestMemory();
  private readonly core = new CoreState(this.memory);
  private readonly blocks = new Map<number, Block>();
  private readonly marks = new Map<number, Mark>();
  private cycles = 0;
  private instructions = 0;
  private fpuEnabled = false;
  private stopRequested = false;
  /** Executed just before, at the address before; null after a branch and at the start of a run. */
  private previous: Instruction | null = null;
  /** A mark's callback asked to stop: the next run passes it once without counting it again. */
  private stoppedAtMark = false;

  mapMemory(mapping: MemoryMapping): Uint8Array {
    return this.memory.mapMemory(mapping);
  }

  mapDevice(start: number, bytes: number, callbacks: DeviceCallbacks): void {
    this.memory.mapDevice(start, bytes, callbacks);
  }

  readRegister(register: number): number {
    return this.core.readRegister(register);
  }

  writeRegister(register: number, value: number): void {
    this.core.writeRegister(register, value | 0);
  }

  run(pc: number, limits: RunLimits): CpuStop {
    const start = (pc & ~1) >>> 0;
    if (start !== this.core.pc) {
      this.previous = null;
      this.core.itState = 0;
      this.stoppedAtMark = false;
    }
    this.core.pc = start;
    this.core.armState = false;
    this.stopRequested = false;
    const { cyclesMax, instructionsMax = Infinity } = limits;
    for (;;) {
      if (this.stopRequested) return { kind: 'requested', pc: this.core.pc };
      if (this.cycles >= cyclesMax || this.instructions >= instructionsMax) return { kind: 'limit', pc: this.core.pc };
      const stop = this.pass();
      if (stop !== null) {
        this.core.pc = stop.pc;
        return stop;
      }
    }
  }

  stop(): void {
    this.stopRequested = true;
  }

  counters(): Counters {
    return { cycles: this.cycles, instructions: this.instructions };
  }

  accessPc(): number {
    return this.core.pc;
  }

  resetCounters(): void {
    this.cycles = 0;
    this.instructions = 0;
    this.previous = null;
  }

  stepOver(): number {
    const { core } = this;
    const instruction = decodeInstruction((at) => this.memory.halfword(at), core.pc, 0);
    assert(instruction !== null, 'stepOver needs an instruction at pc');
    this.cycles += instructionCost(instruction, null, SEQUENTIAL);
    this.instructions++;
    this.previous = null;
    core.itState = advanceItState(core.itState);
    core.pc = (instruction.address + instruction.size) >>> 0;
    return core.pc;
  }

  addMark(address: number, callback: ((pass: MarkPass) => void) | null): void {
    this.marks.set(address, { callback, passes: [] });
    this.blocks.clear();
  }

  removeMark(address: number): void {
    this.marks.delete(address);
    // The pass that the next run owes is that of this mark; another one's must not be taken for it.
    if (address === this.core.pc) this.stoppedAtMark = false;
    this.blocks.clear();
  }

  takeMarkPasses(address: number): MarkPass[] {
    const mark = this.marks.get(address);
    if (mark === undefined) return [];
    const { passes } = mark;
    mark.passes = [];
    return passes;
  }

  setFpuEnabled(enabled: boolean): void {
    this.fpuEnabled = enabled;
  }

  forgetCode(): void {
    this.blocks.clear();
  }

  close(): void {
    this.blocks.clear();
  }

  /** One block at core.pc, with its mark. Returns why the run ends, or null with core.pc at the next instruction. */
  private pass(): CpuStop | null {
    const { core } = this;
    const { pc } = core;
    if (this.marks.size !== 0 && this.passMark(pc)) return { kind: 'requested', pc };
    if (core.armState) {
      return {
        kind: 'exception',
        pc,
        detail: 'invalid state (branch to an even address: Arm state does not exist)',
      };
    }
    const block = this.blockAt(pc);
    if (block === null) return this.fetchFault(pc);
    try {
      return this.execute(block);
    } catch (error) {
      if (!(error instanceof AccessFault)) throw error;
      const { access, reason, address } = error;
      return { kind: 'access', pc: core.pc, access, reason, address };
    }
  }

  /** Whether the mark's callback asked to stop before the instruction. */
  private passMark(pc: number): boolean {
    const mark = this.marks.get(pc);
    if (mark === undefined) return false;
    if (this.stoppedAtMark) {
      this.stoppedAtMark = false;
      return false;
    }
    const passed = { address: pc, cycles: this.cycles, instructions: this.instructions };
    mark.passes.push(passed);
    mark.callback?.(passed);
    this.stoppedAtMark = this.stopRequested;
    return this.stopRequested;
  }

  private blockAt(pc: number): Block | null {
    const { itState } = this.core;
    const key = pc + itState * IT_STATE_KEY;
    const known = this.blocks.get(key);
    if (known !== undefined && isCurrent(known, this.core)) return known;
    const built = buildBlock(this.core, pc, itState, (address) => this.marks.has(address));
    if (built !== null) this.blocks.set(key, built);
    return built;
  }

  private fetchFault(pc: number): CpuStop {
    if (pc >= EXCEPTION_RETURN_MIN) return { kind: 'exception', pc, detail: 'exception return without an exception' };
    const reason = isExecuteNever(pc) ? 'protected' : 'unmapped';
    return { kind: 'access', pc, access: 'fetch', reason, address: pc };
  }

  private execute(block: Block): CpuStop | null {
    const { core } = this;
    let carried = this.carriedAcross(block);
    for (const step of block.steps) {
      core.pc = step.instruction.address;
      core.itState = step.itState;
      if (step.condition !== null && step.condition() === 0) {
        this.cycles += step.skippedCycles;
        this.instructions++;
        this.previous = step.instruction;
        continue;
      }
      if (step.stops || (step.isFpu && !this.fpuEnabled)) return this.explainStop(step);
      core.branchTo = -1;
      const divide = step.instruction.divide === null ? 0 : this.divideCycles(step.instruction.divide);
      for (const action of step.actions) action();
      const taken = core.branchTo >= 0 && core.branchTo !== step.next;
      this.cycles += carried + (divide !== 0 ? divide : taken ? step.takenCycles : step.sequentialCycles);
      carried = 0;
      this.instructions++;
      this.previous = step.instruction;
      if (core.branchTo >= 0) {
        core.pc = core.branchTo;
        core.itState = taken ? 0 : block.itState;
        if (taken || step.instruction.branch === 'always') this.previous = null;
        return null;
      }
    }
    core.pc = block.end;
    core.itState = block.itState;
    return null;
  }

  /** What pipelining with the instruction before the block changes about the cost of its first. */
  private carriedAcross(block: Block): number {
    const { previous } = this;
    if (previous === null || (previous.loadedRegisters === 0 && previous.fpArithmeticWrites === 0)) return 0;
    const first = block.steps[0]?.instruction;
    if (first === undefined || first.address !== (previous.address + previous.size) >>> 0) return 0;
    if (first.divide !== null) return 0;
    return instructionCost(first, previous, SEQUENTIAL) - instructionCost(first, null, SEQUENTIAL);
  }

  private divideCycles({ signed, n, m }: { signed: boolean; n: number; m: number }): number {
    return divideCycles(this.core.get(n), this.core.get(m), signed);
  }

  private explainStop(step: Step): CpuStop {
    const { instruction } = step;
    const { address: pc, encoding, size } = instruction;
    if (branchesToItself(instruction)) return { kind: 'endlessLoop', pc };
    if (instruction.timing === 'undefined') return { kind: 'undefined', pc, encoding, bytes: size };
    if (step.isFpu && !this.fpuEnabled) return { kind: 'fpuDisabled', pc };
    switch (instruction.timing) {
      case 'breakpoint':
      case 'supervisorCall':
      case 'waitForInterrupt':
      case 'waitForEvent':
      case 'sendEvent':
      case 'yieldHint':
        return { kind: instruction.timing, pc };
      default: {
        const digits = encoding.toString(16).padStart(size * 2, '0');
        return { kind: 'exception', pc, detail: `0x${digits} is not implemented by this engine` };
      }
    }
  }
}
