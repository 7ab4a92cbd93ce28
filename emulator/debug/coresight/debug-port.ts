/**
 * The debug port (IHI 0031C chapter 2): CTRL/STAT, SELECT and the way to access port 0, whatever wire leads to it. A transfer that fails
 * sets STICKYERR, after which access ports do nothing until it is cleared.
 */
import { CoreDebug } from './core-debug.ts';
import { DebugMemory } from './debug-memory.ts';
import { MemAp } from './mem-ap.ts';
import { UserError } from '../../../common/errors.ts';
import type { Machine } from '../../machine.ts';

const STICKY_OVERRUN = 1 << 1;
const STICKY_COMPARE = 1 << 4;
const STICKY_ERROR = 1 << 5;
const READ_OK = 1 << 6;
const WRITE_ERROR = 1 << 7;
const STICKY = STICKY_OVERRUN | STICKY_COMPARE | STICKY_ERROR | WRITE_ERROR;
const RESET_REQUEST = 1 << 26;
const DEBUG_POWER = 1 << 28;
const SYSTEM_POWER = 1 << 30;
/** Requests, ORUNDETECT, TRNMODE, MASKLANE, TRNCNT: what keeps what is written. */
const CONTROL_WRITABLE = RESET_REQUEST | DEBUG_POWER | SYSTEM_POWER | 0x003f_ff0d;
/** SWJ-DP of Cortex-M3 and M4. */
export const JTAG_IDCODE = 0x4ba0_0477;
const SWD_IDCODE = 0x2ba0_1477;
const MODE_PUSHED_VERIFY = 1;

/** Addresses of DP registers. */
export const dp = { abort: 0, idr: 0, controlStatus: 4, select: 8, readBuffer: 12 } as const;

export class DebugPort {
  /** The core behind it; run() it between transfers. */
  readonly core: CoreDebug;
  private readonly accessPort: MemAp;
  private readonly clearsByWriting: boolean;
  private readonly idCode: number;
  private control = 0;
  private sticky = 0;
  private select = 0;

  /**
   * @param vector where the machine runs on: an address with its Thumb bit
   * @param wire in JTAG-DP sticky bits are cleared by writing them, in SW-DP by ABORT
   * @throws UserError on an engine that cannot halt the core
   */
  constructor(machine: Machine, vector: number, wire: 'jtag' | 'swd') {
    const { exceptions } = machine;
    if (exceptions === null || machine.cpu.setHardwareBreakpoints === undefined)
      throw new UserError('a debug port needs an engine that can halt the core; use --engine wasm');
    this.clearsByWriting = wire === 'jtag';
    this.idCode = wire === 'jtag' ? JTAG_IDCODE : SWD_IDCODE;
    this.core = new CoreDebug(machine, exceptions, vector);
    this.accessPort = new MemAp(new DebugMemory(this.core));
  }

  /** Whether a transfer has failed and access ports do nothing any more: answered with FAULT on an SWD wire. */
  get hasFailed(): boolean {
    return this.sticky !== 0;
  }

  /** @param address 0, 4, 8 or 12 */
  readPort(address: number): number {
    switch (address) {
      case dp.idr:
        return this.idCode;
      case dp.controlStatus:
        return this.status();
      case dp.select:
        return this.clearsByWriting ? this.select : 0;
      default:
        return 0;
    }
  }

  writePort(address: number, value: number): void {
    switch (address) {
      case dp.abort:
        if (!this.clearsByWriting) this.abort(value);
        break;
      case dp.controlStatus:
        if (this.clearsByWriting) this.sticky &= ~(value & STICKY);
        this.control = value & CONTROL_WRITABLE;
        break;
      case dp.select:
        this.select = value >>> 0;
        break;
      default:
        break;
    }
  }

  /** ABORT: the bits that clear others; there is never a transfer under way that could be given up. */
  abort(value: number): void {
    const cleared = [0, STICKY_COMPARE, STICKY_ERROR, WRITE_ERROR, STICKY_OVERRUN];
    for (const [bit, flag] of cleared.entries()) if (((value >>> bit) & 1) !== 0) this.sticky &= ~flag;
  }

  /** A read of the access port SELECT names. 0 and STICKYERR where it fails. @param address 0, 4, 8 or 12 */
  readAccess(address: number): number {
    if (!this.mayAccess()) return 0;
    if (this.select >>> 24 !== 0) return 0;
    const value = this.accessPort.read((this.select & 0xf0) | address);
    if (value === null) this.sticky |= STICKY_ERROR;
    return value ?? 0;
  }

  writeAccess(address: number, value: number): void {
    if (!this.mayAccess() || this.select >>> 24 !== 0) return;
    const bank = (this.select & 0xf0) | address;
    if (((this.control >>> 2) & 3) === MODE_PUSHED_VERIFY) {
      const read = this.accessPort.read(bank);
      if (read === null) this.sticky |= STICKY_ERROR;
      else if (read !== value >>> 0) this.sticky |= STICKY_COMPARE;
    } else if (!this.accessPort.write(bank, value)) this.sticky |= STICKY_ERROR;
  }

  /** Power for debug is on, and nothing has failed. */
  private mayAccess(): boolean {
    if (this.sticky !== 0) return false;
    if ((this.control & DEBUG_POWER) !== 0) return true;
    this.sticky |= STICKY_ERROR;
    return false;
  }

  private status(): number {
    const requests = this.control & (RESET_REQUEST | DEBUG_POWER | SYSTEM_POWER);
    const granted = requests << 1;
    return (this.control | granted | this.sticky | (this.sticky === 0 ? READ_OK : 0)) >>> 0;
  }
}
