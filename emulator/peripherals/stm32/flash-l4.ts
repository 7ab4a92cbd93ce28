/**
 * Programming and erasing the flash of an STM32L4+: RM0432 3.3.5 to 3.3.7. Standard programming in double words; fast programming and
 * programming over what is not erased (but with zeros) are refused with the error flags of the manual.
 */
import {
  eraseFlash,
  littleEndian,
  LOCK,
  STRT,
  type FlashProgramming,
  type ProgrammingParts,
} from './flash-programming.ts';

const cr = { program: 1 << 0, pageErase: 1 << 1, massErase1: 1 << 2, massErase2: 1 << 15, fast: 1 << 18 } as const;
const END_INTERRUPT = 1 << 24;
const sr = { end: 1 << 0, notErased: 1 << 3, alignment: 1 << 5, size: 1 << 6, sequence: 1 << 7 } as const;
/** All error flags of SR. */
export const SR_ERRORS_L4 = 0xc3fa;
const DBANK = 22;
/** 3.3.1: in dual bank mode; twice as much in single bank mode. */
const PAGE_BYTES = 4096;
const DOUBLE_WORD = 8;

export class FlashL4 implements FlashProgramming {
  private readonly parts: ProgrammingParts;
  /** First half of a double word. */
  private first: { readonly address: number; readonly value: number } | null = null;

  constructor(parts: ProgrammingParts) {
    this.parts = parts;
  }

  reset(): void {
    this.first = null;
  }

  save(): unknown {
    return this.first;
  }

  restore(state: unknown): void {
    this.first = state as typeof this.first;
  }

  control(value: number): void {
    if ((value & cr.program) === 0) this.first = null;
    if ((value & cr.fast) !== 0) this.parts.host.note('FLASH: fast programming is not modelled');
    if ((value & STRT) === 0) return;
    const { registers, array } = this.parts;
    registers.set('CR', value & ~STRT);
    if (this.hasErrors() || (value & cr.program) !== 0) {
      this.flag(sr.sequence);
      return;
    }
    const bankBytes = array.bytes / 2;
    if ((value & cr.massErase1) !== 0) eraseFlash(this.parts, array.start, bankBytes);
    if ((value & cr.massErase2) !== 0) eraseFlash(this.parts, array.start + bankBytes, bankBytes);
    if ((value & cr.pageErase) !== 0) this.erasePage((value >>> 3) & 0xff, (value >>> 11) & 1);
    this.finish();
  }

  readonly store = (address: number, bytes: number, value: number): boolean => {
    const { registers } = this.parts;
    if (!registers.bit('CR', 0) || (registers.get('CR') & LOCK) !== 0) return false;
    if (this.hasErrors() || registers.bit('CR', 18)) this.flag(sr.sequence);
    else if (bytes !== 4) this.flag(sr.size);
    else if (this.first === null && address % DOUBLE_WORD === 0) this.first = { address, value };
    else if (this.first?.address !== address - 4) this.flag(sr.alignment);
    else this.program(this.first.address, this.first.value, value);
    return true;
  };

  private program(address: number, low: number, high: number): void {
    this.first = null;
    const { host } = this.parts;
    const isErased = host.readMemory(address, DOUBLE_WORD)?.every((byte) => byte === 0xff) === true;
    if (!isErased && (low | high) !== 0) {
      this.flag(sr.notErased);
      return;
    }
    host.writeFlash(address, Uint8Array.of(...littleEndian(low, 4), ...littleEndian(high, 4)));
    this.finish();
  }

  private erasePage(page: number, bank: number): void {
    const { registers, array } = this.parts;
    const isDual = registers.bit('OPTR', DBANK);
    const bytes = isDual ? PAGE_BYTES : 2 * PAGE_BYTES;
    eraseFlash(this.parts, array.start + page * bytes + (isDual ? (bank * array.bytes) / 2 : 0), bytes);
  }

  private hasErrors(): boolean {
    return (this.parts.registers.get('SR') & SR_ERRORS_L4) !== 0;
  }

  private finish(): void {
    if ((this.parts.registers.get('CR') & END_INTERRUPT) !== 0) this.flag(sr.end);
  }

  private flag(bit: number): void {
    const { registers } = this.parts;
    registers.set('SR', registers.get('SR') | bit);
  }
}
