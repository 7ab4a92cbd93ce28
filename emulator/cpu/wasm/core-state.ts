/** Registers, flags and special registers of the core, and what the statements of the semantics table act on. */
import { cell, CELLS, type SystemFunction } from '../../isa/ir.ts';
import type { Core } from '../../cores/core.ts';
import { SoftFloat } from '../../isa/soft-float.ts';
import { reg } from '../cpu.ts';
import { AccessFault, type GuestMemory } from './guest-memory.ts';
import { SpecialRegisters, sysm } from './special-registers.ts';

const THUMB = 0x0100_0000;
/** In the WebAssembly memory, behind the cells and what translated code leaves: operands of SoftFloat.applyDouble. */
export const DOUBLES_OFFSET = 768;
const IPSR_MASK = 0x1ff;

export interface CoreSnapshot {
  readonly cells: Int32Array;
  readonly pc: number;
  readonly itState: number;
  readonly armState: boolean;
  readonly mainLimit: number;
  readonly processLimit: number;
}

/** Of the whole engine, without memories and marks. */
export interface CpuSnapshot {
  readonly core: CoreSnapshot;
  readonly cycles: number;
  readonly instructions: number;
  readonly fpuEnabled: boolean;
  readonly pipeline: string;
}

export class CoreState {
  readonly memory: GuestMemory;
  readonly model: Core;
  readonly cells: Int32Array;
  readonly softFloat: SoftFloat;
  readonly special: SpecialRegisters;
  /** Address of the instruction being executed. */
  pc = 0;
  /** Where the instruction sends control, or -1 for the next address. */
  branchTo = -1;
  /** A branch with bit 0 clear asked for Arm state. */
  armState = false;
  /** Between instructions: IT state of the next one. */
  itState = 0;

  constructor(memory: GuestMemory, model: Core) {
    this.memory = memory;
    this.model = model;
    this.cells = new Int32Array(memory.wasm.buffer, 0, CELLS);
    this.cells[cell.zero] = 1;
    this.softFloat = new SoftFloat(memory.wasm.buffer, DOUBLES_OFFSET);
    this.special = new SpecialRegisters(this, model);
    memory.refuses = (address, asUser) => this.special.refusesDevice(address, asUser);
  }

  save(): CoreSnapshot {
    const { cells, pc, itState, armState } = this;
    const { mainLimit, processLimit } = this.special;
    return { cells: cells.slice(), pc, itState, armState, mainLimit, processLimit };
  }

  restore(state: CoreSnapshot): void {
    this.cells.set(state.cells);
    this.pc = state.pc;
    this.itState = state.itState;
    this.armState = state.armState;
    this.special.setLimits(state.mainLimit, state.processLimit);
  }

  get(number: number): number {
    return this.cells[number] ?? 0;
  }

  branch(target: number): void {
    this.branchTo = (target & ~1) >>> 0;
  }

  interwork(target: number): void {
    this.armState = (target & 1) === 0;
    this.branchTo = (target & ~1) >>> 0;
  }

  system(fn: SystemFunction, args: readonly number[]): number {
    const [a = 0, b = 0, c = 0] = args;
    switch (fn) {
      case 'readSpecial':
        return this.special.read(a);
      case 'testTarget':
        return this.testTarget(a, b === 1);
      case 'writeSpecial':
        this.special.move(a, b, c);
        return 0;
      case 'checkStack':
        this.special.checkStack(a);
        return 0;
      case 'checkDivisor':
        if (a === 0) throw new AccessFault('read', 'divideByZero', this.pc);
        return 0;
      case 'changeState':
        this.special.changeState(a, b === 1);
        return 0;
    }
  }

  /**
   * TT: read and write permission in bits 18 and 19 (DDI 0553B D1.2.232); unprivileged code learns nothing but by TTT of itself, and no
   * region is named. Without an enabled MPU the default map allows everything.
   */
  private testTarget(address: number, unprivileged: boolean): number {
    if (!this.special.isPrivileged()) return 0;
    const { protection } = this.memory;
    const allows = (access: 'read' | 'write'): boolean =>
      protection === null || protection(access, address >>> 0, 1, unprivileged);
    return (allows('read') ? 1 << 18 : 0) | (allows('write') ? 1 << 19 : 0);
  }

  /** Where translated code was left: at `pc`, or null: at cell.target, whose bit 0 counts if it is reached by an interworking branch. */
  goTo(pc: number | null, interworks: boolean, itState: number): void {
    this.itState = itState;
    if (pc !== null) {
      this.pc = pc;
      return;
    }
    const target = this.get(cell.target);
    this.armState = interworks && (target & 1) === 0;
    this.pc = (target & ~1) >>> 0;
  }

  readRegister(number: number): number {
    if (number < 15) return this.get(number) >>> 0;
    if (number >= reg.s0) return this.get(cell.s0 + number - reg.s0) >>> 0;
    switch (number) {
      case reg.pc:
        return this.pc >>> 0;
      case reg.xpsr:
        return (
          (this.apsr() |
            (this.armState ? 0 : THUMB) |
            ((this.itState & 3) << 25) |
            ((this.itState & 0xfc) << 8) |
            this.get(cell.ipsr)) >>>
          0
        );
      case reg.fpscr:
        return this.get(cell.fpscr) >>> 0;
      case reg.msp:
        return this.special.read(sysm.msp) >>> 0;
      case reg.psp:
        return this.special.read(sysm.psp) >>> 0;
      case reg.control:
        return this.get(cell.control) >>> 0;
      case reg.primask:
        return this.get(cell.primask) >>> 0;
      case reg.faultmask:
        return this.get(cell.faultmask) >>> 0;
      case reg.msplim:
        return this.special.mainLimit >>> 0;
      case reg.psplim:
        return this.special.processLimit >>> 0;
      default:
        return this.get(cell.basepri) >>> 0;
    }
  }

  writeRegister(number: number, value: number): void {
    if (number < 15) this.cells[number] = number === cell.sp ? value & ~3 : value;
    else if (number >= reg.s0) this.cells[cell.s0 + number - reg.s0] = value;
    else this.writeNamed(number, value);
  }

  private writeNamed(number: number, value: number): void {
    switch (number) {
      case reg.pc:
        this.pc = (value & ~1) >>> 0;
        break;
      case reg.xpsr:
        this.setApsr(value, 3);
        this.itState = ((value >>> 25) & 3) | ((value >>> 8) & 0xfc);
        this.cells[cell.ipsr] = value & IPSR_MASK;
        this.armState = false;
        break;
      case reg.fpscr:
        this.cells[cell.fpscr] = value;
        break;
      case reg.msp:
        this.special.write(sysm.msp, value);
        break;
      case reg.psp:
        this.special.write(sysm.psp, value);
        break;
      case reg.control:
        this.special.setControl(value);
        break;
      case reg.primask:
        this.cells[cell.primask] = value & 1;
        break;
      case reg.faultmask:
        this.cells[cell.faultmask] = value & 1;
        break;
      case reg.msplim:
        this.special.write(sysm.msplim, value);
        break;
      case reg.psplim:
        this.special.write(sysm.psplim, value);
        break;
      default:
        this.cells[cell.basepri] = value & 0xff;
    }
  }

  apsr(): number {
    const { cells } = this;
    const zero = this.get(cell.zero) === 0 ? 1 << 30 : 0;
    return (
      (this.get(cell.negative) & 0x8000_0000) |
      zero |
      (this.get(cell.carry) << 29) |
      ((this.get(cell.overflow) >>> 31) << 28) |
      (this.get(cell.saturated) << 27) |
      ((cells[cell.greaterEqual] ?? 0) << 16)
    );
  }

  /** @param mask bit 1: NZCVQ, bit 0: GE */
  setApsr(value: number, mask: number): void {
    const { cells } = this;
    if ((mask & 2) !== 0) {
      cells[cell.negative] = value;
      cells[cell.zero] = ~value & (1 << 30);
      cells[cell.carry] = (value >>> 29) & 1;
      cells[cell.overflow] = value << 3;
      cells[cell.saturated] = (value >>> 27) & 1;
    }
    if ((mask & 1) !== 0) cells[cell.greaterEqual] = (value >>> 16) & 0xf;
  }
}
