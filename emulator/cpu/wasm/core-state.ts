/** Registers, flags and special registers of the core, and what the statements of the semantics table act on. */
import { cell, CELLS, type SystemFunction } from '../../isa/ir.ts';
import { SoftFloat } from '../../isa/soft-float.ts';
import { reg } from '../cpu.ts';
import type { GuestMemory } from './guest-memory.ts';

const THUMB = 0x0100_0000;
/** SYSm numbers of MRS and MSR (DDI 0403E B5.1.1). */
const sysm = { msp: 8, psp: 9, primask: 16, basepri: 17, basepriMax: 18, faultmask: 19, control: 20 } as const;
const UNPRIVILEGED = 1;
const SPSEL = 2;
const IPSR_MASK = 0x1ff;

export interface CoreSnapshot {
  readonly cells: Int32Array;
  readonly pc: number;
  readonly itState: number;
  readonly armState: boolean;
}

export class CoreState {
  readonly memory: GuestMemory;
  readonly cells: Int32Array;
  readonly softFloat = new SoftFloat();
  /** Address of the instruction being executed. */
  pc = 0;
  /** Where the instruction sends control, or -1 for the next address. */
  branchTo = -1;
  /** A branch with bit 0 clear asked for Arm state. */
  armState = false;
  /** Between instructions: IT state of the next one. */
  itState = 0;
  /** After an instruction has changed a mask or CONTROL. */
  onMaskChange: (() => void) | null = null;
  /** Implemented bits of a priority. */
  priorityMask = 0xff;

  constructor(memory: GuestMemory) {
    this.memory = memory;
    this.cells = new Int32Array(memory.wasm.buffer, 0, CELLS);
    this.cells[cell.zero] = 1;
  }

  save(): CoreSnapshot {
    const { cells, pc, itState, armState } = this;
    return { cells: cells.slice(), pc, itState, armState };
  }

  restore(state: CoreSnapshot): void {
    this.cells.set(state.cells);
    this.pc = state.pc;
    this.itState = state.itState;
    this.armState = state.armState;
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
    if (fn === 'readSpecial') return this.readSpecial(a);
    if (fn === 'writeSpecial') this.moveToSpecial(a, b, c);
    else this.changeState(a, b === 1);
    return 0;
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
        return this.readSpecial(sysm.msp) >>> 0;
      case reg.psp:
        return this.readSpecial(sysm.psp) >>> 0;
      case reg.control:
        return this.get(cell.control) >>> 0;
      case reg.primask:
        return this.get(cell.primask) >>> 0;
      case reg.faultmask:
        return this.get(cell.faultmask) >>> 0;
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
        this.writeSpecial(sysm.msp, value);
        break;
      case reg.psp:
        this.writeSpecial(sysm.psp, value);
        break;
      case reg.control:
        this.setControl(value);
        break;
      case reg.primask:
        this.cells[cell.primask] = value & 1;
        break;
      case reg.faultmask:
        this.cells[cell.faultmask] = value & 1;
        break;
      default:
        this.cells[cell.basepri] = value & 0xff;
    }
  }

  private apsr(): number {
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
  private setApsr(value: number, mask: number): void {
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

  private usesProcessStack(): boolean {
    return (this.get(cell.control) & SPSEL) !== 0;
  }

  isPrivileged(): boolean {
    return this.get(cell.ipsr) !== 0 || (this.get(cell.control) & UNPRIVILEGED) === 0;
  }

  private readSpecial(number: number): number {
    // EPSR reads as 0; bit 0 of SYSm adds IPSR, bit 2 leaves APSR out.
    if (number < 8) return ((number & 4) === 0 ? this.apsr() : 0) | ((number & 1) === 0 ? 0 : this.get(cell.ipsr));
    if (!this.isPrivileged() && number !== sysm.control) return 0;
    switch (number) {
      case sysm.msp:
        return this.get(this.usesProcessStack() ? cell.otherSp : cell.sp);
      case sysm.psp:
        return this.get(this.usesProcessStack() ? cell.sp : cell.otherSp);
      case sysm.primask:
        return this.get(cell.primask);
      case sysm.basepri:
      case sysm.basepriMax:
        return this.get(cell.basepri);
      case sysm.faultmask:
        return this.get(cell.faultmask);
      case sysm.control:
        return this.get(cell.control);
      default:
        return 0;
    }
  }

  /** MSR: without privilege nothing but APSR changes (B5.2.3); Handler mode cannot choose the process stack. */
  private moveToSpecial(number: number, value: number, mask: number): void {
    if (number < 4) {
      this.setApsr(value, mask);
      return;
    }
    if (!this.isPrivileged()) return;
    const keepsStack = number === sysm.control && this.get(cell.ipsr) !== 0;
    this.writeSpecial(number, keepsStack ? (value & ~SPSEL) | (this.get(cell.control) & SPSEL) : value);
    if (number >= sysm.primask) this.onMaskChange?.();
  }

  private writeSpecial(number: number, value: number): void {
    const { cells } = this;
    switch (number) {
      case sysm.msp:
        cells[this.usesProcessStack() ? cell.otherSp : cell.sp] = value & ~3;
        break;
      case sysm.psp:
        cells[this.usesProcessStack() ? cell.sp : cell.otherSp] = value & ~3;
        break;
      case sysm.primask:
        cells[cell.primask] = value & 1;
        break;
      case sysm.basepri:
        cells[cell.basepri] = value & this.priorityMask;
        break;
      case sysm.basepriMax: {
        const wanted = value & this.priorityMask;
        const now = this.get(cell.basepri);
        if (wanted !== 0 && (wanted < now || now === 0)) cells[cell.basepri] = wanted;
        break;
      }
      case sysm.faultmask:
        cells[cell.faultmask] = value & 1;
        break;
      case sysm.control:
        this.setControl(value);
        break;
      default:
    }
  }

  private setControl(value: number): void {
    const { cells } = this;
    const switches = ((value ^ this.get(cell.control)) & SPSEL) !== 0;
    cells[cell.control] = value & 7;
    if (!switches) return;
    const sp = this.get(cell.sp);
    cells[cell.sp] = this.get(cell.otherSp);
    cells[cell.otherSp] = sp;
  }

  /** CPSIE, CPSID. @param which bit 1: PRIMASK, bit 0: FAULTMASK */
  private changeState(which: number, disable: boolean): void {
    if (!this.isPrivileged()) return;
    if ((which & 2) !== 0) this.cells[cell.primask] = disable ? 1 : 0;
    if ((which & 1) !== 0) this.cells[cell.faultmask] = disable ? 1 : 0;
    this.onMaskChange?.();
  }
}
