/**
 * The core under a halting debugger (DDI 0403E C1.6): DHCSR, DCRSR and DCRDR, and a machine that runs in slices while it is not halted.
 * Peripherals stand still while the core does; the registers are the debugger's alone, firmware reads of them no more than C_DEBUGEN.
 */
import { debugFaultStatus } from '../../exceptions/exception.ts';
import type { CoreExceptions } from '../../exceptions/core-exceptions.ts';
import type { HaltingDebugger } from '../../exceptions/debug-events.ts';
import type { Machine, Pause, RunResult } from '../../machine.ts';
import { CoreRegisters } from './core-registers.ts';

/** Address of DHCSR; DCRSR and DCRDR follow. */
export const DHCSR = 0xe000_edf0;
const DCRSR = DHCSR + 4;
const DCRDR = DHCSR + 8;

const control = { debug: 1, halt: 2, step: 4, maskInterrupts: 8 } as const;
const CONTROL_BITS = 0x2f;
const KEY = 0xa05f;
const status = { ready: 1 << 16, halted: 1 << 17, sleeping: 1 << 18, lockedUp: 1 << 19 } as const;
const STICKY_RETIRED = 1 << 24;
const STICKY_RESET = 1 << 25;
const DCRSR_WRITE = 1 << 16;

export class CoreDebug implements HaltingDebugger {
  readonly machine: Machine;
  private readonly exceptions: CoreExceptions;
  private readonly registers: CoreRegisters;
  private bits = 0;
  private isHalted = false;
  private pc = 0;
  /** The reset pin is held. */
  private isHeld = false;
  private transfer = 0;
  private sawReset = true;
  /** Instructions when S_RETIRE_ST was last read. */
  private retiredAt = 0;
  private lastStop: RunResult['stop'] | 'paused' = 'paused';

  /**
   * @param vector where the machine runs on: an address with its Thumb bit
   */
  constructor(machine: Machine, exceptions: CoreExceptions, vector: number) {
    this.machine = machine;
    this.exceptions = exceptions;
    this.registers = new CoreRegisters(machine.cpu);
    this.startAt(vector);
    exceptions.debug.debugger = this;
  }

  /** C_DEBUGEN. */
  get isEnabled(): boolean {
    return (this.bits & control.debug) !== 0;
  }

  /** Whether run() can get anywhere: neither halted nor, until a debugger or a reset intervenes, locked up. */
  get runs(): boolean {
    return !this.isHalted && !this.isLockedUp && !this.isHeld;
  }

  /** A fault that nothing handles, or a BKPT that no debugger took: the core does nothing any more. */
  get isLockedUp(): boolean {
    return this.lastStop === 'fault' || this.lastStop === 'breakpoint';
  }

  /** Runs up to a value of the cycle counter, if the core is not halted. Also for what the debugger has changed. */
  run(cyclesMax: number): RunResult | Pause {
    const { machine } = this;
    if (!this.runs) return { ...machine.cpu.counters(), stop: 'paused', pc: this.pc };
    const isStep = (this.bits & control.step) !== 0 && this.isEnabled;
    const before = machine.cpu.counters().instructions;
    const result = machine.resume(this.pc, { cyclesMax, ...(isStep ? { instructionsMax: before + 1 } : {}) });
    this.pc = result.pc;
    this.lastStop = result.stop;
    if (isStep && !this.isHalted && result.instructions > before) this.halt();
    return result;
  }

  /** From DebugEvents: the core has stopped in front of its next instruction. */
  halted(): void {
    this.isHalted = true;
    this.bits |= control.halt;
  }

  wasReset(): void {
    this.sawReset = true;
    this.lastStop = 'paused';
    this.isHalted = false;
    this.bits &= control.debug;
    this.applyMask();
  }

  /** Resets that the debugger has asked for through AIRCR; the reset pin. */
  resetCore(): void {
    this.startAt(this.machine.systemReset());
    // With the vector catch the core is in Debug state before anybody can look.
    this.exceptions.debug.poll();
  }

  /** The reset pin is pulled low, or let go: then the core is reset. */
  holdReset(active: boolean): void {
    if (this.isHeld && !active) this.resetCore();
    this.isHeld = active;
  }

  /** After an access of the debugger to the system: AIRCR may have asked for a reset. */
  afterAccess(): void {
    if (this.exceptions.takeResetRequest()) this.resetCore();
  }

  /** Null: not one of these registers. */
  read(address: number): number | null {
    switch (address) {
      case DHCSR:
        return this.readStatus();
      case DCRSR:
        return 0;
      case DCRDR:
        return this.transfer;
      default:
        return null;
    }
  }

  /** False: not one of these registers. */
  write(address: number, value: number): boolean {
    switch (address) {
      case DHCSR:
        if (value >>> 16 === KEY) this.control(value & CONTROL_BITS);
        return true;
      case DCRSR:
        this.transferRegister(value);
        return true;
      case DCRDR:
        this.transfer = value >>> 0;
        return true;
      default:
        return false;
    }
  }

  private readStatus(): number {
    const { instructions } = this.machine.cpu.counters();
    let word = (this.bits | status.ready) >>> 0;
    if (this.isHalted) word |= status.halted;
    if (this.lastStop === 'idle' && !this.isHalted) word |= status.sleeping;
    if (this.isLockedUp && !this.isHalted) word |= status.lockedUp;
    if (instructions !== this.retiredAt) word |= STICKY_RETIRED;
    if (this.sawReset) word |= STICKY_RESET;
    this.retiredAt = instructions;
    this.sawReset = false;
    return word >>> 0;
  }

  private control(bits: number): void {
    const before = this.bits;
    // Without C_DEBUGEN the other bits read as 0.
    this.bits = (bits & control.debug) === 0 ? 0 : bits;
    this.applyMask();
    if ((this.bits & control.halt) !== 0) {
      if (!this.isHalted) this.halt();
    } else if (this.isHalted || (before & control.halt) !== 0) this.release();
  }

  private halt(): void {
    this.exceptions.system.debugFaultStatus |= debugFaultStatus.halted;
    this.halted();
  }

  /** Out of Debug state, wherever the debugger has put the program counter: also out of lock-up. */
  private release(): void {
    this.isHalted = false;
    this.lastStop = 'paused';
  }

  private applyMask(): void {
    this.exceptions.state.masksInterrupts = (this.bits & control.maskInterrupts) !== 0;
  }

  private transferRegister(selector: number): void {
    if (!this.isHalted) return;
    const register = selector & 0x7f;
    if ((selector & DCRSR_WRITE) === 0) this.transfer = this.registers.read(register, this.pc);
    else if (register === CoreRegisters.PC) this.setPc(this.transfer);
    else this.registers.write(register, this.transfer);
  }

  private startAt(vector: number): void {
    this.setPc(vector);
    this.lastStop = (vector & 1) === 0 ? 'fault' : 'paused';
  }

  private setPc(value: number): void {
    this.pc = (value & ~1) >>> 0;
  }
}
