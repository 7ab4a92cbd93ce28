/**
 * The project's own engine: Thumb-2 without any native code, so that it also runs in a browser. Cycles are those of timing/pipeline.ts,
 * instruction by instruction; a stop is exact to the instruction.
 */
import { CELLS } from '../../isa/ir.ts';
import type { Core } from '../../cores/core.ts';
import { assert } from '../../../common/errors.ts';
import { REFILLED, SEQUENTIAL } from '../../timing/pipeline.ts';
import { divideCycles } from '../../timing/cortex-m4.ts';
import { advanceItState, decodeInstruction, itStateAfter } from '../../timing/decode.ts';
import {
  reg,
  type AccessHook,
  type CodeRange,
  type Counters,
  type Cpu,
  type CpuStop,
  type DeviceCallbacks,
  type ExceptionPort,
  type MarkPass,
  type MemoryMapping,
  type RunLimits,
  type TraceHook,
} from '../cpu.ts';
import { costsIn, noteTarget, type Block, type Step } from './block.ts';
import { BlockCache } from './block-cache.ts';
import { HotCode, type Passage } from './hot-code.ts';
import { accessStop, exceptionReturn, fetchFault, stopBefore } from './stops.ts';
import { CorePort } from './core-port.ts';
import { CoreState, type CpuSnapshot } from './core-state.ts';
import { GuestMemory } from './guest-memory.ts';
import { Marks } from './marks.ts';
import { MemoryTime } from './memory-time.ts';
import type { MemorySystem } from '../../timing/memory-system.ts';
import { Tracer } from './tracer.ts';

/** Passes of a block after which it and what it leads to are translated. */
const HOT_PASSES = 60;

export class WasmCpu implements Cpu {
  readonly name = 'wasm';
  readonly stopsInsideIt = true;
  private readonly memory = new GuestMemory();
  private readonly core: CoreState;
  private readonly blocks: BlockCache;
  private readonly hotCode: HotCode;
  readonly exceptions: ExceptionPort;
  private cyclesMax = Infinity;
  private instructionsMax = Infinity;
  /** The next instruction is one that translated code leaves to the interpreter. */
  private mustInterpret = false;
  private maySwitch = true;
  /** What runs next does so even where a hardware breakpoint is. */
  private mayPass = false;
  private readonly marks = new Marks();
  private cycles = 0;
  private instructions = 0;
  private fpuEnabled = false;
  private closed = false;
  private stopRequested = false;
  /** Of the pipeline. */
  private state = REFILLED;
  private tracer: Tracer | null = null;
  /** Null: zero-wait memories. */
  private memoryTime: MemoryTime | null = null;
  /** Registers before the instruction, kept while there is an access hook. */
  private readonly cellsBefore = new Int32Array(CELLS);

  /** @param hotPasses passes of a block after which it is translated; Infinity: everything is interpreted */
  constructor(model: Core, hotPasses = HOT_PASSES) {
    this.core = new CoreState(this.memory, model);
    this.exceptions = new CorePort(this.core, (cycles, instructions) => {
      this.cycles += cycles;
      this.instructions += instructions;
    });
    // Where the first pass is enough, nothing else has to have been executed.
    this.blocks = new BlockCache(this.core, (address) => this.marks.has(address), hotPasses > 1 ? 1 : 0);
    this.hotCode = new HotCode(this.core, this.blocks, hotPasses);
    this.core.special.onChecksChange = () => {
      this.forgetCode();
      this.stop();
    };
  }

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
    if (register === reg.pc) this.state = REFILLED;
  }

  run(pc: number, limits: RunLimits): CpuStop {
    assert(!this.closed, 'the engine is closed');
    const start = (pc & ~1) >>> 0;
    if (start !== this.core.pc) {
      this.core.armState = false;
      this.state = REFILLED;
      this.core.itState = 0;
      this.marks.forgetStop();
    }
    this.core.pc = start;
    this.stopRequested = false;
    const { cyclesMax, instructionsMax = Infinity } = limits;
    [this.cyclesMax, this.instructionsMax] = [cyclesMax, instructionsMax];
    this.maySwitch = instructionsMax === Infinity && !this.isObserved();
    this.mustInterpret = false;
    this.mayPass = limits.passesBreakpoint ?? false;
    for (;;) {
      if (this.stopRequested) return { kind: 'requested', pc: this.core.pc };
      if (this.cycles >= cyclesMax || this.instructions >= instructionsMax)
        return exceptionReturn(this.core) ?? { kind: 'limit', pc: this.core.pc };
      const stop = this.pass();
      if (stop === null) continue;
      this.core.pc = stop.pc;
      return stop;
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
    this.memoryTime?.countersReset();
    [this.cycles, this.instructions] = [0, 0];
    this.state = REFILLED;
  }

  stepOver(): number {
    const { core } = this;
    const instruction = decodeInstruction((at) => this.memory.halfword(at), core.pc, 0, core.model);
    assert(instruction !== null, 'stepOver needs an instruction at pc');
    const { cycles: cost } = core.model.pipeline.step(REFILLED, instruction, SEQUENTIAL);
    this.cycles += cost;
    this.instructions++;
    this.state = REFILLED;
    core.itState = advanceItState(core.itState);
    core.pc = (instruction.address + instruction.size) >>> 0;
    this.tracer?.note(instruction, true, core.pc, cost, this.cycles);
    return core.pc;
  }

  addMark(address: number, callback: ((pass: MarkPass) => void) | null): void {
    this.marks.add(address, callback);
    this.forgetCode();
  }

  removeMark(address: number): void {
    this.marks.remove(address, this.core.pc);
    this.forgetCode();
  }

  takeMarkPasses(address: number): MarkPass[] {
    return this.marks.take(address);
  }

  setFpuEnabled(enabled: boolean): void {
    if (enabled === this.fpuEnabled) return;
    this.fpuEnabled = enabled;
    this.hotCode.setFpuEnabled(enabled);
  }

  forgetCode(range?: CodeRange): void {
    this.blocks.forget(range);
    this.hotCode.forget(range);
  }

  /** While there is a hook, everything is interpreted. */
  setTraceHook(hook: TraceHook | null): void {
    this.tracer = hook === null ? null : new Tracer(hook, this.core);
  }

  setMemorySystem(system: MemorySystem): void {
    this.memoryTime = new MemoryTime(system, this.memory, (timed) => {
      this.forgetCode();
      this.hotCode.setTimedMemory(timed);
      if (this.memoryTime?.isTranslatable === false) this.maySwitch = false;
    });
  }

  /** While there is a hook, everything is interpreted. */
  addAccessHook(hook: AccessHook): void {
    this.memory.addHook(hook);
    this.stop();
  }

  removeAccessHook(hook: AccessHook): void {
    this.memory.removeHook(hook);
  }

  setHardwareBreakpoints(addresses: ReadonlySet<number>): void {
    this.marks.breakpoints = addresses;
    this.forgetCode();
    this.stop();
  }

  save(): CpuSnapshot {
    const { cycles, instructions, fpuEnabled, core } = this;
    return { core: core.save(), cycles, instructions, fpuEnabled, pipeline: core.model.pipeline.nameOf(this.state) };
  }

  restore(state: unknown): void {
    const { core, cycles, instructions, fpuEnabled, pipeline } = state as CpuSnapshot;
    this.setFpuEnabled(fpuEnabled);
    this.core.restore(core);
    [this.cycles, this.instructions] = [cycles, instructions];
    this.state = this.core.model.pipeline.stateNamed(pipeline);
    this.marks.forgetStop();
  }

  close(): void {
    this.closed = true;
    this.forgetCode();
  }

  private isObserved(): boolean {
    const observers = [this.tracer, this.memory.hook];
    return this.memoryTime?.isTranslatable === false || observers.some((observer) => observer !== null);
  }

  /** One block at core.pc, with its mark. Returns why the run ends, or null with core.pc at the next instruction. */
  private pass(): CpuStop | null {
    const { core } = this;
    const { pc } = core;
    if (!this.mayPass && !core.armState && this.marks.breakpoints.has(pc)) return { kind: 'hardwareBreakpoint', pc };
    this.mayPass = false;
    if (this.marks.size !== 0 && this.marks.stopsAt({ ...this.counters(), address: pc }, () => this.stopRequested))
      return { kind: 'requested', pc };
    if (core.armState) return exceptionReturn(core) ?? { kind: 'invalidState', pc };
    if (this.maySwitch && core.itState === 0 && !this.mustInterpret && this.memory.isOpen()) {
      const passage = this.hotCode.run(pc, this.state, this.cycles, this.cyclesMax);
      if (passage !== null) return this.arrive(passage);
    }
    this.mustInterpret = false;
    const block = this.blocks.at(pc, core.itState);
    if (block === null) return exceptionReturn(core) ?? fetchFault(pc);
    let stop: CpuStop | null;
    try {
      stop = this.execute(block);
    } catch (error) {
      stop = accessStop(error, core, this.cellsBefore);
    }
    // Its fetch, and accesses it has made, are not waited for again when the instruction is tried again.
    if (stop !== null) this.cycles += this.memoryTime?.extra ?? 0;
    return stop;
  }

  /** Translated code has run. */
  private arrive({ site, cycles, instructions }: Passage): null {
    this.cycles += cycles;
    this.instructions += instructions;
    this.state = site.state;
    this.mustInterpret = site.bails;
    this.core.goTo(site.pc, site.interworks, site.itState);
    return null;
  }

  private execute(block: Block): CpuStop | null {
    const { core, tracer, memoryTime } = this;
    for (const step of block.steps) {
      core.pc = step.instruction.address;
      core.itState = step.itState;
      memoryTime?.begin(step.instruction, this.cycles);
      if (step.condition !== null && step.condition() === 0) {
        const { cycles, next } = costsIn(this.state, step, core.model).skipped;
        const cost = cycles + (memoryTime?.extra ?? 0);
        this.cycles += cost;
        this.instructions++;
        this.state = next;
        tracer?.note(step.instruction, false, step.next, cost, this.cycles);
        if (this.mustStop()) return this.leaveAfter(step);
        continue;
      }
      const stop = stopBefore(step, this.fpuEnabled, this.memory.protection);
      if (stop !== null) return stop;
      core.branchTo = -1;
      if (this.memory.hook !== null) this.cellsBefore.set(core.cells);
      const sp = tracer === null ? 0 : tracer.stackPointer();
      const { divide: operands } = step.instruction;
      const divide = operands === null ? 0 : divideCycles(core.get(operands.n), core.get(operands.m), operands.signed);
      if (step.accessesMemory) this.memory.touched = 0;
      for (const action of step.actions) action();
      if (step.accessesMemory) step.touched |= this.memory.touched;
      const taken = core.branchTo >= 0 && core.branchTo !== step.next;
      const costs = costsIn(this.state, step, core.model, memoryTime?.slave);
      const { cycles, next } = taken ? costs.taken : costs.sequential;
      const cost = divide + cycles + (memoryTime?.extra ?? 0);
      this.cycles += cost;
      this.instructions++;
      this.state = next;
      tracer?.note(step.instruction, true, core.branchTo >= 0 ? core.branchTo : step.next, cost, this.cycles, sp);
      if (core.branchTo >= 0) {
        if (step.instruction.target === null) noteTarget(block, core.branchTo);
        core.pc = core.branchTo;
        core.itState = taken ? 0 : block.itState;
        return null;
      }
      if (this.mustStop()) return this.leaveAfter(step);
    }
    core.goTo(block.end, false, block.itState);
    return null;
  }

  /** Events and debuggers count on a stop right after the instruction, wherever a block began. */
  private mustStop(): boolean {
    return this.stopRequested || this.cycles >= this.cyclesMax || this.instructions >= this.instructionsMax;
  }

  private leaveAfter(step: Step): null {
    this.core.pc = step.next;
    this.core.itState = itStateAfter(step.instruction, step.itState);
    return null;
  }
}
