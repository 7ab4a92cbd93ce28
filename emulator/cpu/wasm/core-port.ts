/** What the machine's exception model may do to this engine's core. */
import { cell } from '../../isa/ir.ts';
import { exception } from '../../exceptions/exception.ts';
import type { ExceptionPort, LeavesOpen, Protection } from '../cpu.ts';
import type { CoreState } from './core-state.ts';

const WORD_BYTES = 4;

export class CorePort implements ExceptionPort {
  readonly addCounters: (cycles: number, instructions: number) => void;
  private readonly core: CoreState;

  constructor(core: CoreState, addCounters: (cycles: number, instructions: number) => void) {
    this.core = core;
    this.addCounters = addCounters;
  }

  get onMaskChange(): (() => void) | null {
    return this.core.special.onMaskChange;
  }

  set onMaskChange(callback: (() => void) | null) {
    this.core.special.onMaskChange = callback;
  }

  readWord(address: number): number | null {
    const { memory } = this.core;
    const region = memory.regionOf(address >>> 0, WORD_BYTES);
    return region === null ? null : memory.view.getUint32((address >>> 0) - region.start + region.offset, true);
  }

  writeWord(address: number, value: number): boolean {
    const { memory } = this.core;
    const region = memory.regionOf(address >>> 0, WORD_BYTES);
    if (region?.writable !== true) return false;
    memory.view.setUint32((address >>> 0) - region.start + region.offset, value, true);
    return true;
  }

  stackLimit(): number {
    return this.core.special.limitInUse();
  }

  resetStackLimits(): void {
    this.core.special.setLimits(0, 0);
  }

  setConfiguration(value: number): void {
    this.core.special.setConfiguration(value);
  }

  isPrivileged(): boolean {
    return this.core.special.isPrivileged();
  }

  isBelowZero(): boolean {
    const number = this.core.get(cell.ipsr);
    return number === exception.nmi || number === exception.hardFault || this.core.get(cell.faultmask) !== 0;
  }

  setProtection(protection: Protection | null, leavesOpen: LeavesOpen): void {
    this.core.memory.protection = protection;
    this.core.memory.leavesOpen = leavesOpen;
  }

  clearExclusive(): void {
    this.core.cells[cell.exclusiveOpen] = 0;
  }
}
