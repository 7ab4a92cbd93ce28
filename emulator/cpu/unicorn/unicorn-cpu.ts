/**
 * The Cpu interface on libunicorn. Counting happens natively per block; this file explains stops, and corrects the counters when a
 * block was left in its middle, so that what callers see is exact at instruction granularity.
 */
import { assert } from '../../../common/errors.ts';
import { instructionCost, SEQUENTIAL } from '../../timing/instruction-cost.ts';
import {
  reg,
  type AccessKind,
  type Counters,
  type Cpu,
  type CpuStop,
  type DeviceCallbacks,
  type MarkPass,
  type MemoryMapping,
  type RunLimits,
} from '../cpu.ts';
import { loadAddon, type NativeEngine } from './addon.ts';
import { BlockTable, isFpuInstruction } from './block-table.ts';

/** engine.h StopReason. */
const STOP_LIMIT = 0;
const STOP_SPECIAL = 1;
const STOP_ERROR = 2;
const STOP_INTERRUPT = 3;

/** unicorn.h uc_err. */
const UC_ERR_INSN_INVALID = 10;
const UC_ERR_EXCEPTION = 21;
/** unicorn.h uc_mem_type: READ_UNMAPPED 19, WRITE_UNMAPPED, FETCH_UNMAPPED, WRITE_PROT 22, READ_PROT, FETCH_PROT. */
const UC_MEM_READ_UNMAPPED = 19;
const accessKinds: readonly AccessKind[] = ['read', 'write', 'fetch', 'write', 'read', 'fetch'];

/** QEMU's exception numbers of this core, as the interrupt hook reports them. */
const exceptionNames: Readonly<Record<number, string>> = {
  1: 'undefined instruction',
  2: 'SVC',
  3: 'prefetch abort',
  4: 'data abort',
  7: 'BKPT',
  8: 'exception return without an exception',
  17: 'FPU disabled',
  18: 'invalid state (branch to an even address: Arm state does not exist)',
  22: 'lazy FPU stacking',
};

const NO_LIMIT = Number.MAX_SAFE_INTEGER;

interface Region extends MemoryMapping {
  readonly view: DataView;
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
  /** Where the last run stopped; null while running. */
  private stoppedAt: number | null = 0;

  constructor() {
    this.blocks = new BlockTable(
      (address) => this.halfword(address),
      (address) => this.marks.has(address),
      () => this.fpuEnabled,
    );
    const { Engine } = loadAddon();
    this.engine = new Engine(
      (address, bytes, itState) => this.blocks.describe(address, bytes, itState),
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
    this.engine.mapDevice(start, bytes, callbacks.read.bind(callbacks), callbacks.write.bind(callbacks));
  }

  readRegister(register: number): number {
    return this.engine.readRegister(register) >>> 0;
  }

  writeRegister(register: number, value: number): void {
    this.engine.writeRegister(register, value >>> 0);
  }

  run(pc: number, limits: RunLimits): CpuStop {
    const start = (pc & ~1) >>> 0;
    if (this.stoppedAt !== start) this.engine.leaveBlock(-1, 0);
    this.stoppedAt = null;
    const cyclesMax = Math.min(limits.cyclesMax + this.origin.cycles, NO_LIMIT);
    const instructionsMax = Math.min((limits.instructionsMax ?? NO_LIMIT) + this.origin.instructions, NO_LIMIT);
    try {
      const raw = this.engine.run(start, cyclesMax, instructionsMax);
      const stop = this.explain(raw);
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
    const [cycles = 0, instructions = 0, blockId = -1, end = -1, fallThrough = 0, taken = 0] = this.engine.counters();
    const counted = { cycles: cycles - this.origin.cycles, instructions: instructions - this.origin.instructions };
    if (this.stoppedAt !== null) {
      return { ...counted, cycles: counted.cycles + (this.stoppedAt === end ? fallThrough : taken) };
    }
    const rest = this.restOfBlock(blockId, this.accessPc());
    return { cycles: counted.cycles - rest.cycles, instructions: counted.instructions - rest.instructions };
  }

  resetCounters(): void {
    assert(this.stoppedAt !== null, 'counters are reset only between runs');
    this.engine.leaveBlock(-1, 0);
    const [cycles = 0, instructions = 0] = this.engine.counters();
    this.origin = { cycles, instructions };
  }

  stepOver(): number {
    assert(this.stoppedAt !== null, 'stepOver is for a stopped engine');
    const instruction = this.blocks.at(this.stoppedAt);
    assert(instruction !== null, 'stepOver needs an instruction at pc');
    this.engine.addCounters(instructionCost(instruction, null, SEQUENTIAL), 1);
    const next = (instruction.address + instruction.size) >>> 0;
    this.engine.leaveBlock(-1, 0);
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
    this.engine.forgetCode();
  }

  close(): void {
    this.engine.close();
  }

  private explain(raw: Float64Array): CpuStop {
    const [reason = 0, code = 0, pc = 0, accessType = -1, address = 0, , , accessPc = 0] = raw;
    if (reason === STOP_LIMIT) return { kind: 'limit', pc };
    if (reason === STOP_SPECIAL) return this.explainSpecial(pc, code);
    if (reason === STOP_INTERRUPT)
      return { kind: 'exception', pc, detail: exceptionNames[code] ?? `exception ${code}` };
    if (reason === STOP_ERROR) {
      if (accessType >= 0 && code !== UC_ERR_INSN_INVALID) {
        const access = accessKinds[accessType - UC_MEM_READ_UNMAPPED] ?? 'read';
        const isProtection = accessType >= UC_MEM_READ_UNMAPPED + 3;
        return {
          kind: 'access',
          pc: access === 'fetch' ? address : pc,
          access,
          reason: isProtection ? 'protected' : 'unmapped',
          address,
        };
      }
      if (code === UC_ERR_INSN_INVALID) return this.undefinedAt(pc);
      return {
        kind: 'exception',
        pc,
        detail: code === UC_ERR_EXCEPTION ? 'unhandled exception' : `libunicorn error ${code}`,
      };
    }
    return { kind: 'requested', pc };
  }

  private explainSpecial(pc: number, code: number): CpuStop {
    if (code === 0) return { kind: 'endlessLoop', pc };
    const instruction = this.blocks.at(pc);
    assert(instruction !== null, `a stop at 0x${pc.toString(16)} needs an instruction there`);
    if (isFpuInstruction(instruction)) return { kind: 'fpuDisabled', pc };
    switch (instruction.timing) {
      case 'breakpoint':
      case 'supervisorCall':
      case 'waitForInterrupt':
      case 'waitForEvent':
        return { kind: instruction.timing, pc };
      default:
        return this.undefinedAt(pc);
    }
  }

  private undefinedAt(pc: number): CpuStop {
    const instruction = this.blocks.at(pc);
    return { kind: 'undefined', pc, encoding: instruction?.encoding ?? 0, bytes: instruction?.size ?? 2 };
  }

  /** Takes back what the block entered last has been charged for instructions that did not run. */
  private settle(stop: CpuStop, raw: Float64Array): void {
    this.stoppedAt = stop.pc;
    const [, , blockId = -1] = this.engine.counters();
    const block = this.blocks.record(blockId);
    const enteredBlock = raw[6] === 1 && !(stop.kind === 'access' && stop.access === 'fetch');
    if (block === null || !enteredBlock || stop.pc < block.start || stop.pc >= block.end) return;
    const rest = this.restOfBlock(blockId, stop.pc);
    this.engine.addCounters(-rest.cycles, -rest.instructions);
    this.engine.leaveBlock(-1, 0);
  }

  private restOfBlock(blockId: number, pc: number): Counters {
    const block = this.blocks.record(blockId);
    if (block === null || pc < block.start || pc >= block.end) return { cycles: 0, instructions: 0 };
    const list = this.blocks.instructions(block);
    const from = list.findIndex((instruction) => instruction.address >= pc);
    return from < 0 ? { cycles: 0, instructions: 0 } : this.blocks.sum(list, from);
  }

  /** In a device callback libunicorn's pc is two past the start of the instruction, whatever its size. */
  private accessPc(): number {
    return (this.readRegister(reg.pc) - 2) >>> 0;
  }

  private halfword(address: number): number | null {
    for (const region of this.regions) {
      const offset = address - region.start;
      if (offset >= 0 && offset + 2 <= region.bytes) return region.view.getUint16(offset, true);
    }
    return null;
  }
}
