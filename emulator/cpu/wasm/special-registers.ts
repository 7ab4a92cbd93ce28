/**
 * Special registers as MRS, MSR and CPS see them (DDI 0403E B5.1.1, B5.2.3; DDI 0419C B4.1 for v6-M, DDI 0553B D1.2 for v8-M). What a core
 * does not have reads as 0 and ignores writes.
 */
import type { Core } from '../../cores/core.ts';
import { isMainline } from '../../cores/core-facts.ts';
import { exception } from '../../exceptions/exception.ts';
import { ccr } from '../../exceptions/system-state.ts';
import { cell } from '../../isa/ir.ts';
import type { CoreState } from './core-state.ts';
import { AccessFault } from './guest-memory.ts';

/** SYSm numbers. */
export const sysm = {
  msp: 8,
  psp: 9,
  msplim: 10,
  psplim: 11,
  primask: 16,
  basepri: 17,
  basepriMax: 18,
  faultmask: 19,
  control: 20,
} as const;
/** System control space, and the software trigger interrupt register in it. */
const SYSTEM_SPACE = 0xe000_e000;
const SYSTEM_SPACE_BYTES = 0x1000;
const STIR = 0xe000_ef00;
const UNPRIVILEGED = 1;
const SPSEL = 2;
const FP_ACTIVE = 4;

export class SpecialRegisters {
  /** After an instruction has changed a mask or CONTROL. */
  onMaskChange: (() => void) | null = null;
  /** Stack pointers, alignment or divisors begin or cease to be checked: code has to be made anew. */
  onChecksChange: (() => void) | null = null;
  /** Armv8-M Mainline: stack pointers may not be moved below these (DDI 0553B B3.21). */
  private limits: readonly [number, number] = [0, 0];
  /** CCR. */
  private configuration = 0;
  private readonly core: CoreState;
  private readonly cells: Int32Array;
  /** BASEPRI, FAULTMASK and the like exist. */
  private readonly hasMasks: boolean;
  private readonly hasLimits: boolean;
  private readonly controlBits: number;
  /** Implemented bits of a priority. */
  private readonly priorityMask: number;

  constructor(core: CoreState, model: Core) {
    this.core = core;
    this.cells = core.cells;
    this.hasMasks = isMainline(model);
    this.hasLimits = model.architecture === 'v8-m.main';
    this.controlBits = (model.hasUnprivileged ? UNPRIVILEGED : 0) | SPSEL | (model.fpu === 'none' ? 0 : FP_ACTIVE);
    this.priorityMask = (0xff << (8 - model.priorityBits)) & 0xff;
  }

  isPrivileged(): boolean {
    return this.get(cell.ipsr) !== 0 || (this.get(cell.control) & UNPRIVILEGED) === 0;
  }

  read(number: number): number {
    // EPSR reads as 0; bit 0 of SYSm adds IPSR, bit 2 leaves APSR out.
    if (number < 8) return ((number & 4) === 0 ? this.core.apsr() : 0) | ((number & 1) === 0 ? 0 : this.get(cell.ipsr));
    if (!this.isPrivileged() && number !== sysm.control) return 0;
    switch (number) {
      case sysm.msp:
        return this.get(this.usesProcessStack() ? cell.otherSp : cell.sp);
      case sysm.psp:
        return this.get(this.usesProcessStack() ? cell.sp : cell.otherSp);
      case sysm.msplim:
        return this.mainLimit;
      case sysm.psplim:
        return this.processLimit;
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
  move(number: number, value: number, mask: number): void {
    if (number < 4) {
      this.core.setApsr(value, mask);
      return;
    }
    if (!this.isPrivileged()) return;
    const keepsStack = number === sysm.control && this.get(cell.ipsr) !== 0;
    this.write(number, keepsStack ? (value & ~SPSEL) | (this.get(cell.control) & SPSEL) : value);
    if (number >= sysm.primask) this.onMaskChange?.();
  }

  write(number: number, value: number): void {
    const { cells } = this;
    switch (number) {
      case sysm.msp:
        cells[this.usesProcessStack() ? cell.otherSp : cell.sp] = value & ~3;
        break;
      case sysm.psp:
        cells[this.usesProcessStack() ? cell.sp : cell.otherSp] = value & ~3;
        break;
      case sysm.msplim:
        if (this.hasLimits) this.setLimits(value & ~7, this.processLimit);
        break;
      case sysm.psplim:
        if (this.hasLimits) this.setLimits(this.mainLimit, value & ~7);
        break;
      case sysm.primask:
        cells[cell.primask] = value & 1;
        break;
      case sysm.control:
        this.setControl(value);
        break;
      default:
        if (this.hasMasks) this.writeMask(number, value);
    }
  }

  setControl(value: number): void {
    const { cells } = this;
    const switches = ((value ^ this.get(cell.control)) & SPSEL) !== 0;
    cells[cell.control] = value & this.controlBits;
    if (!switches) return;
    const sp = this.get(cell.sp);
    cells[cell.sp] = this.get(cell.otherSp);
    cells[cell.otherSp] = sp;
  }

  /** CPSIE, CPSID. @param which bit 1: PRIMASK, bit 0: FAULTMASK */
  changeState(which: number, disable: boolean): void {
    if (!this.isPrivileged()) return;
    if ((which & 2) !== 0) this.cells[cell.primask] = disable ? 1 : 0;
    if ((which & 1) !== 0) this.setFaultMask(disable ? 1 : 0);
    this.onMaskChange?.();
  }

  get mainLimit(): number {
    return this.limits[0];
  }

  get processLimit(): number {
    return this.limits[1];
  }

  setLimits(mainLimit: number, processLimit: number): void {
    const checked = this.checksStack();
    this.limits = [mainLimit, processLimit];
    if (checked !== this.checksStack()) this.onChecksChange?.();
  }

  /** @param value CCR */
  setConfiguration(value: number): void {
    const changed = value ^ this.configuration;
    this.configuration = value;
    if ((changed & (ccr.unalignedTrap | ccr.divideByZeroTrap)) !== 0) this.onChecksChange?.();
  }

  trapsUnaligned(): boolean {
    return (this.configuration & ccr.unalignedTrap) !== 0;
  }

  trapsDivision(): boolean {
    return (this.configuration & ccr.divideByZeroTrap) !== 0;
  }

  /** The system control space is for privileged code, but for STIR where CCR.USERSETMPEND opens it (DDI 0403E B3.2.1, B3.2.26). */
  refusesDevice(address: number, asUser: boolean): boolean {
    if (address < SYSTEM_SPACE || address - SYSTEM_SPACE >= SYSTEM_SPACE_BYTES) return false;
    if (!asUser && this.isPrivileged()) return false;
    return (address & ~3) >>> 0 !== STIR || (this.configuration & ccr.userSetPending) === 0;
  }

  /** False while no stack pointer can be below its limit. */
  checksStack(): boolean {
    return this.mainLimit !== 0 || this.processLimit !== 0;
  }

  /** Limit of the stack pointer in use. */
  limitInUse(): number {
    return (this.usesProcessStack() ? this.processLimit : this.mainLimit) >>> 0;
  }

  /** @throws AccessFault when the stack pointer may not become this */
  checkStack(value: number): void {
    if (value >>> 0 < this.limitInUse()) throw new AccessFault('write', 'stackLimit', value >>> 0);
  }

  private writeMask(number: number, value: number): void {
    const { cells } = this;
    const wanted = value & this.priorityMask;
    const now = this.get(cell.basepri);
    if (number === sysm.basepri || (number === sysm.basepriMax && wanted !== 0 && (wanted < now || now === 0)))
      cells[cell.basepri] = wanted;
    else if (number === sysm.faultmask) this.setFaultMask(value & 1);
  }

  /** The handlers of HardFault and NMI cannot set it (DDI 0403E B5.2.1, B5.2.3). */
  private setFaultMask(value: number): void {
    const number = this.get(cell.ipsr);
    if (value === 0 || (number !== exception.nmi && number !== exception.hardFault)) this.cells[cell.faultmask] = value;
  }

  private usesProcessStack(): boolean {
    return (this.get(cell.control) & SPSEL) !== 0;
  }

  private get(number: number): number {
    return this.cells[number] ?? 0;
  }
}
