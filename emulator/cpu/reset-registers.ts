/** The registers of a core after reset (DDI 0403E B1.5.5, TakeReset); those that are UNKNOWN there are 0, so that runs repeat. */
import { reg, type Cpu } from './cpu.ts';

/** APSR clear, Thumb bit set. */
const XPSR_RESET = 0x0100_0000;
const LR_RESET = 0xffff_ffff;

/** @param sp main stack pointer, word 0 of the vector table */
export function resetRegisters(cpu: Cpu, sp: number): void {
  for (let register = 0; register <= 12; register++) cpu.writeRegister(register, 0);
  cpu.writeRegister(reg.control, 0);
  cpu.writeRegister(reg.sp, (sp & ~3) >>> 0);
  cpu.writeRegister(reg.lr, LR_RESET);
  cpu.writeRegister(reg.xpsr, XPSR_RESET);
  cpu.writeRegister(reg.fpscr, 0);
  for (const mask of [reg.primask, reg.faultmask, reg.basepri]) cpu.writeRegister(mask, 0);
}
