/**
 * The Cpu interface on libunicorn. Counting happens natively per block; this file explains stops, and corrects the counters when a
 * block was left in its middle, so that what callers see is exact at instruction granularity.
 */
import { assert } from '../../../common/errors.ts';
import type { Core } from '../../cores/core.ts';
import { REFILLED, SEQUENTIAL } from '../../timing/pipeline.ts';
import {
  reg,
  type Counters,
  type Cpu,
  type CpuStop,
  type DeviceCallbacks,
  type MarkPass,
  type MemoryMapping,
  type RunLimits,
} from '../cpu.ts';
import { AccessLocator } from './access-locator.ts';
import { loadAddon, type NativeEngine } from './addon.ts';
import { BlockTable } from './block-table.ts';
import { explainStop } from './explain-stop.ts';

const NO_LIMIT = Number.MAX_SAFE_INTEGER;

interface Region extends MemoryMapping {
  readonly view: DataView;
}

/** Of libunicorn. @throws UserError (exit 3) when the addon is not built or does not load. */
export function unicornVersion(): string {
  return loadAddon().version();
}

export class UnicornCpu implements Cpu {
  readonly name = 'unicorn';
  private readonly engine: NativeEngine;
  private readonly regions: Region[] = [];
  private readonly blocks: BlockTable;
  private readonly marks = new Map<number, ((pass: MarkPass) => void) | null>();
  private fpuEnabled = false;
  /** Subtracted from the native counters, which only grow. */
  private origin: Counters = { cycles: 0, instructions: 0 };
  private readonly core: Core;
  private readonly locator: AccessLocator;
  /** Instruction that makes the device access under way. */
  private accessAt = 0;
  /** Where the last run stopped; null while running. */
  private stoppedAt: number | null = 0;

  /** @param core Cortex-M3 or M4: what libunicorn's one core model runs exactly, with the other's encodings stopped at */
  constructor(core: Core) {
    this.core = core;
    this.blocks = new BlockTable(
      core,
      (address) => this.halfword(address),
      (address) => this.marks.has(address),
      () => this.fpuEnabled,
    );
    this.locator = new AccessLocator(this.blocks, (register) => this.readRegister(register));
    const { Engine } = loadAddon();
    this.engine = new Engine(
      (address, bytes, itState) => this.blocks.describe(address, bytes, itState),
      (id, state) => this.blocks.cost(id, state),
      (address, cycles, instructions) => {
        this.marks.get(address)?.({
          address,
          cycles: cycles - this.origin.cycles,
          instructions: instructions - this.origin.instructions,
        });
      },
    );
  }

  mapMemory(mapping: MemoryMapping): Uint8Array {
    const buffer = this.engine.mapMemory(mapping.start, mapping.bytes, mapping.writable);
    this.regions.push({ ...mapping, view: new DataView(buffer) });
    return new Uint8Array(buffer);
  }

  mapDevice(start: number, bytes: number, callbacks: DeviceCallbacks): void {
    this.engine.mapDevice(
      start,
      bytes,
      (address, size) => {
        this.accessAt = this.pcOfAccess(address);
        return callbacks.read(address, size);
      },
      (address, size, value) => {
        this.accessAt = this.pcOfAccess(address);
        callbacks.write(address, size, value);
      },
    );
  }

  readRegister(register: number): number {
    return this.engine.readRegister(register) >>> 0;
  }

  writeRegister(register: number, value: number): void {
    this.engine.writeRegister(register, value >>> 0);
  }

  run(pc: number, limits: RunLimits): CpuStop {
    const start = (pc & ~1) >>> 0;
    if (this.stoppedAt !== start) this.engine.leaveBlock(-1, REFILLED);
    this.stoppedAt = null;
    const cyclesMax = Math.min(limits.cyclesMax + this.origin.cycles, NO_LIMIT);
    const instructionsMax = Math.min((limits.instructionsMax ?? NO_LIMIT) + this.origin.instructions, NO_LIMIT);
    try {
      const raw = this.engine.run(start, cyclesMax, instructionsMax);
      const stop = explainStop(raw, this.blocks, (address) => this.pcOfAccess(address));
      this.settle(stop, raw);
      return stop;
    } finally {
      this.stoppedAt ??= this.readRegister(reg.pc);
    }
  }

  stop(): void {
    this.engine.stop();
  }

  counters(): Counters {
    const [cycles = 0, instructions = 0, blockId = -1, end = -1, taken = 0, state = 0] = this.engine.counters();
    const counted = { cycles: cycles - this.origin.cycles, instructions: instructions - this.origin.instructions };
    if (this.stoppedAt !== null) {
      return { ...counted, cycles: counted.cycles + (this.stoppedAt === end ? 0 : taken) };
    }
    const rest = this.restOfBlock(blockId, state, this.accessPc());
    return { cycles: counted.cycles - rest.cycles, instructions: counted.instructions - rest.instructions };
  }

  accessPc(): number {
    return this.accessAt;
  }

  resetCounters(): void {
    assert(this.stoppedAt !== null, 'counters are reset only between runs');
    this.engine.leaveBlock(-1, REFILLED);
    const [cycles = 0, instructions = 0] = this.engine.counters();
    this.origin = { cycles, instructions };
    for (const address of this.marks.keys()) this.engine.takeMarkLog(address);
  }

  stepOver(): number {
    assert(this.stoppedAt !== null, 'stepOver is for a stopped engine');
    const instruction = this.blocks.at(this.stoppedAt);
    assert(instruction !== null, 'stepOver needs an instruction at pc');
    this.engine.addCounters(this.core.pipeline.step(REFILLED, instruction, SEQUENTIAL).cycles, 1);
    const next = (instruction.address + instruction.size) >>> 0;
    this.engine.leaveBlock(-1, REFILLED);
    this.stoppedAt = next;
    this.writeRegister(reg.pc, next | 1);
    return next;
  }

  addMark(address: number, callback: ((pass: MarkPass) => void) | null): void {
    this.marks.set(address, callback);
    this.engine.setMark(address, true, callback !== null);
  }

  removeMark(address: number): void {
    this.marks.delete(address);
    this.engine.setMark(address, false, false);
  }

  takeMarkPasses(address: number): MarkPass[] {
    const log = this.engine.takeMarkLog(address);
    const passes: MarkPass[] = [];
    for (let i = 0; i + 1 < log.length; i += 2) {
      passes.push({
        address,
        cycles: (log[i] ?? 0) - this.origin.cycles,
        instructions: (log[i + 1] ?? 0) - this.origin.instructions,
      });
    }
    return passes;
  }

  setFpuEnabled(enabled: boolean): void {
    if (enabled === this.fpuEnabled) return;
    this.fpuEnabled = enabled;
    this.engine.forgetBlocks();
  }

  forgetCode(): void {
    this.locator.forget();
    this.engine.forgetCode();
  }

  close(): void {
    this.engine.close();
  }

  /** Takes back what the block entered last has been charged for instructions that did not run. */
  private settle(stop: CpuStop, raw: Float64Array): void {
    this.stoppedAt = stop.pc;
    this.writeRegister(reg.pc, stop.pc | 1); // libunicorn's own may still be that of the block before
    const [, , blockId = -1, , , state = 0] = this.engine.counters();
    const block = this.blocks.record(blockId);
    const enteredBlock = raw[6] === 1 && !(stop.kind === 'access' && stop.access === 'fetch');
    if (block === null || !enteredBlock || stop.pc < block.start || stop.pc >= block.end) return;
    const rest = this.blocks.rest(block, state, stop.pc);
    this.engine.addCounters(-rest.cycles, -rest.instructions);
    this.engine.leaveBlock(stop.pc, rest.state);
  }

  private restOfBlock(blockId: number, state: number, pc: number): Counters {
    const block = this.blocks.record(blockId);
    if (block === null || pc < block.start || pc >= block.end) return { cycles: 0, instructions: 0 };
    return this.blocks.rest(block, state, pc);
  }

  /** Address of the instruction of the block entered last that accesses `address`; the block's own if none is found. */
  private pcOfAccess(address: number): number {
    const [, instructions = 0, blockId = -1] = this.engine.counters();
    return (
      this.locator.locate(blockId, instructions, address) ??
      this.blocks.record(blockId)?.start ??
      this.readRegister(reg.pc)
    );
  }

  private halfword(address: number): number | null {
    for (const region of this.regions) {
      const offset = address - region.start;
      if (offset >= 0 && offset + 2 <= region.bytes) return region.view.getUint16(offset, true);
    }
    return null;
  }
}
