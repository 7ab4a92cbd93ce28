/** Registers of the core by their number in DCRSR (DDI 0403E C1.6.3). */
import { reg, type Cpu } from '../../cpu/cpu.ts';

const SPECIAL = 20;
const FPSCR = 33;
const S0 = 64;
const FLOATS = 32;

const plain: ReadonlyMap<number, number> = new Map([
  [13, reg.sp],
  [14, reg.lr],
  [16, reg.xpsr],
  [17, reg.msp],
  [18, reg.psp],
  [FPSCR, reg.fpscr],
]);
/** CONTROL, FAULTMASK, BASEPRI, PRIMASK, the highest byte first. */
const specials = [reg.primask, reg.basepri, reg.faultmask, reg.control] as const;

export class CoreRegisters {
  /** DebugReturnAddress: the caller keeps it. */
  static readonly PC = 15;
  private readonly cpu: Cpu;

  constructor(cpu: Cpu) {
    this.cpu = cpu;
  }

  /** @param pc of the next instruction. 0 for a number that is no register. */
  read(register: number, pc: number): number {
    if (register === CoreRegisters.PC) return pc;
    if (register === SPECIAL)
      return specials.reduce((word, part, lane) => (word | (this.cpu.readRegister(part) << (8 * lane))) >>> 0, 0);
    const number = this.numberOf(register);
    return number === null ? 0 : this.cpu.readRegister(number) >>> 0;
  }

  /** Nothing for a number that is no register. */
  write(register: number, value: number): void {
    if (register === SPECIAL) {
      for (const [lane, part] of specials.entries()) this.cpu.writeRegister(part, (value >>> (8 * lane)) & 0xff);
      return;
    }
    const number = this.numberOf(register);
    if (number !== null) this.cpu.writeRegister(number, value >>> 0);
  }

  private numberOf(register: number): number | null {
    if (register <= 12) return register;
    if (register >= S0 && register < S0 + FLOATS) return reg.s0 + register - S0;
    return plain.get(register) ?? null;
  }
}
