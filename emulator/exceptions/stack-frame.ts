/** The frames that exception entry pushes and return pops (DDI 0403E B1.5.6, B1.5.7). */
import { reg, type Cpu, type ExceptionPort } from '../cpu/cpu.ts';
import type { FpContext } from './fp-context.ts';

const BASIC_BYTES = 0x20;
const EXTENDED_BYTES = 0x68;
/** Of the stacked xPSR: the stack pointer was moved by 4 to be a multiple of 8. */
const ALIGNED = 1 << 9;
const IPSR_MASK = 0x1ff;
const SPSEL = 2;
/** Registers in the order they lie in memory; the return address and xPSR follow. */
const STACKED = [0, 1, 2, 3, 12, reg.lr] as const;

export interface PushedFrame {
  /** False: a word could not be stored. The stack pointer is where the frame would be. */
  readonly complete: boolean;
  readonly hasFp: boolean;
  readonly wasHandler: boolean;
  readonly onProcessStack: boolean;
  readonly extraCycles: number;
}

export function pushFrame(
  cpu: Cpu,
  port: ExceptionPort,
  returnAddress: number,
  fp: FpContext,
  alignsTo8: boolean,
): PushedFrame {
  const xpsr = cpu.readRegister(reg.xpsr);
  const wasHandler = (xpsr & IPSR_MASK) !== 0;
  const onProcessStack = !wasHandler && (cpu.readRegister(reg.control) & SPSEL) !== 0;
  const hasFp = fp.isActive();
  const sp = cpu.readRegister(reg.sp);
  const mustAlign = (alignsTo8 || hasFp) && (sp & 4) !== 0;
  const frame = (sp - (hasFp ? EXTENDED_BYTES : BASIC_BYTES) - (mustAlign ? 4 : 0)) >>> 0;
  cpu.writeRegister(reg.sp, frame);
  let complete = true;
  const store = (offset: number, value: number): void => {
    complete = port.writeWord((frame + offset) >>> 0, value) && complete;
  };
  for (const [index, register] of STACKED.entries()) store(index * 4, cpu.readRegister(register));
  store(24, returnAddress);
  store(28, (xpsr & ~ALIGNED) | (mustAlign ? ALIGNED : 0));
  const extraCycles = hasFp ? fp.push(frame + BASIC_BYTES, !wasHandler) : 0;
  return { complete, hasFp, wasHandler, onProcessStack, extraCycles };
}

export interface PoppedFrame {
  readonly xpsr: number;
  readonly pc: number;
  readonly extraCycles: number;
  /** Sets the registers and the stack pointer; until then nothing has changed. */
  commit(): void;
}

/** Null when a word cannot be read. */
export function popFrame(
  cpu: Cpu,
  port: ExceptionPort,
  onProcessStack: boolean,
  hasFp: boolean,
  fp: FpContext,
): PoppedFrame | null {
  const stack = onProcessStack ? reg.psp : reg.msp;
  const frame = cpu.readRegister(stack);
  const words: number[] = [];
  for (let offset = 0; offset < BASIC_BYTES; offset += 4) {
    const word = port.readWord((frame + offset) >>> 0);
    if (word === null) return null;
    words.push(word);
  }
  const xpsr = words[7]!;
  const extraCycles = hasFp ? fp.popCycles() : 0;
  return {
    xpsr: (xpsr & ~ALIGNED) >>> 0,
    pc: (words[6]! & ~1) >>> 0,
    extraCycles,
    commit: () => {
      for (const [index, register] of STACKED.entries()) cpu.writeRegister(register, words[index]! >>> 0);
      if (hasFp) fp.pop(frame + BASIC_BYTES);
      const bytes = hasFp ? EXTENDED_BYTES : BASIC_BYTES;
      cpu.writeRegister(stack, (frame + bytes + ((xpsr & ALIGNED) !== 0 ? 4 : 0)) >>> 0);
    },
  };
}
