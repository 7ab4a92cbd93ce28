/** Registers of the NVIC (DDI 0403E B3.4): enable, pending, active and priority of the interrupt lines. What they mean is ExceptionState's. */
import { exception } from '../exceptions/exception.ts';
import type { ExceptionHost, Peripheral } from './peripheral.ts';

const SET_ENABLE = 0x000;
const CLEAR_ENABLE = 0x080;
const SET_PENDING = 0x100;
const CLEAR_PENDING = 0x180;
const ACTIVE = 0x200;
/** Armv8-M's NVIC_ITNS: of the Security extension; else reserved. */
const RESERVED = 0x280;
const PRIORITY = 0x300;
const BANK_BYTES = 0x80;
const LINES_PER_WORD = 32;

export class Nvic implements Peripheral {
  readonly name = 'NVIC';
  readonly base = 0xe000_e100;
  readonly bytes = 0x4f0;
  private readonly host: ExceptionHost;
  private readonly hasActive: boolean;

  /** @param hasActive IABR exists: not on Armv6-M */
  constructor(host: ExceptionHost, hasActive = true) {
    this.host = host;
    this.hasActive = hasActive;
  }

  /** The state is reset and saved with the exceptions. */
  reset(): void {
    // Nothing of its own.
  }

  read(offset: number): number {
    const { state } = this.host;
    if (offset >= PRIORITY) return this.priorities(offset - PRIORITY);
    if (offset >= RESERVED) return 0;
    const first = exception.firstInterrupt + (offset % BANK_BYTES) * 8;
    const isSet = (number: number): boolean => {
      if (offset < SET_PENDING) return state.isEnabled(number);
      return offset < ACTIVE ? state.isPending(number) : this.hasActive && state.isActive(number);
    };
    let word = 0;
    for (let bit = 0; bit < LINES_PER_WORD; bit++) if (isSet(first + bit)) word |= 1 << bit;
    return word >>> 0;
  }

  write(offset: number, value: number, _bytes?: 1 | 2 | 4, lanes = 0xffff_ffff): boolean {
    if (offset >= PRIORITY) {
      this.setPriorities(offset - PRIORITY, value, lanes);
    } else {
      const first = exception.firstInterrupt + (offset % BANK_BYTES) * 8;
      for (let bit = 0; bit < LINES_PER_WORD; bit++)
        if (((value & lanes) >>> bit) & 1) this.change(offset & ~(BANK_BYTES - 1), first + bit);
    }
    this.host.changed();
    return true;
  }

  private change(bank: number, number: number): void {
    const { state } = this.host;
    switch (bank) {
      case SET_ENABLE:
        state.setEnabled(number, true);
        break;
      case CLEAR_ENABLE:
        state.setEnabled(number, false);
        break;
      case SET_PENDING:
        state.setPending(number, true);
        break;
      case CLEAR_PENDING:
        state.clearPendingBySoftware(number);
        break;
      default: // active bits are read-only
    }
  }

  private priorities(firstLine: number): number {
    let word = 0;
    for (let lane = 0; lane < 4; lane++)
      word |= this.host.state.priorityOf(exception.firstInterrupt + firstLine + lane) << (lane * 8);
    return word >>> 0;
  }

  private setPriorities(firstLine: number, value: number, lanes: number): void {
    for (let lane = 0; lane < 4; lane++) {
      if (((lanes >>> (lane * 8)) & 0xff) === 0) continue;
      this.host.state.setPriority(exception.firstInterrupt + firstLine + lane, (value >>> (lane * 8)) & 0xff);
    }
  }
}
