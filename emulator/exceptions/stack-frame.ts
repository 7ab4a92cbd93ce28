/** The frames that exception entry pushes and return pops (DDI 0403E B1.5.6, B1.5.7). */
import { reg, type Cpu } from '../cpu/cpu.ts';
import type { FpContext } from './fp-context.ts';
import type { Refusal, StackAccess, StackingRefusal } from './stack-access.ts';

const BASIC_BYTES = 0x20;
const EXTENDED_BYTES = 0x68;
/** Of the stacked xPSR: the stack pointer was moved by 4 to be a multiple of 8. */
const ALIGNED = 1 << 9;
const IPSR_MASK = 0x1ff;
const UNPRIVILEGED = 1;
const SPSEL = 2;
/** Registers in the order they lie in memory; the return address and xPSR follow. */
const STACKED = [0, 1, 2, 3, 12, reg.lr] as const;

export interface PushedFrame {
  /** Why a word could not be stored, or null. The stack pointer is where the frame would be. */
  readonly refused: StackingRefusal | null;
  readonly hasFp: boolean;
  readonly wasHandler: boolean;
  readonly onProcessStack: boolean;
  readonly extraCycles: number;
}

export function pushFrame(
  cpu: Cpu,
  stack: StackAccess,
  returnAddress: number,
  fp: FpContext,
  { alignsTo8, ready }: { readonly alignsTo8: boolean; readonly ready: number },
): PushedFrame {
  const xpsr = cpu.readRegister(reg.xpsr);
  const wasHandler = (xpsr & IPSR_MASK) !== 0;
  const onProcessStack = !wasHandler && (cpu.readRegister(reg.control) & SPSEL) !== 0;
  const hasFp = fp.isActive();
  const sp = cpu.readRegister(reg.sp);
  const mustAlign = (alignsTo8 || hasFp) && (sp & 4) !== 0;
  const frame = (sp - (hasFp ? EXTENDED_BYTES : BASIC_BYTES) - (mustAlign ? 4 : 0)) >>> 0;
  // Below the limit nothing is stored, and the stack pointer ends at the limit (DDI 0553B B3.19, PushStack).
  const { limit } = stack;
  if (frame < limit) {
    cpu.writeRegister(reg.sp, limit);
    return { refused: 'limit', hasFp, wasHandler, onProcessStack, extraCycles: 0 };
  }
  cpu.writeRegister(reg.sp, frame);
  const privileged = wasHandler || (cpu.readRegister(reg.control) & UNPRIVILEGED) === 0;
  let refused: Refusal | null = null;
  const store = (offset: number, value: number): void => {
    refused = stack.write(frame + offset, value, privileged) ?? refused;
  };
  for (const [index, register] of STACKED.entries()) store(index * 4, cpu.readRegister(register));
  store(24, returnAddress);
  store(28, (xpsr & ~ALIGNED) | (mustAlign ? ALIGNED : 0));
  const fpFrame = hasFp ? fp.push(frame + BASIC_BYTES, !wasHandler, ready) : { refused: null, extraCycles: 0 };
  refused = fpFrame.refused ?? refused;
  const { extraCycles } = fpFrame;
  return { refused, hasFp, wasHandler, onProcessStack, extraCycles };
}

export interface PoppedFrame {
  readonly xpsr: number;
  readonly pc: number;
  readonly extraCycles: number;
  /** Sets the registers and the stack pointer; until then nothing has changed. */
  commit(): void;
}

/** Or why a word cannot be read. @param toHandler the mode that is returned to: its privilege counts */
export function popFrame(
  cpu: Cpu,
  access: StackAccess,
  { toHandler, onProcessStack, alignsTo8 }: Readonly<Record<'toHandler' | 'onProcessStack' | 'alignsTo8', boolean>>,
  hasFp: boolean,
  fp: FpContext,
): PoppedFrame | Refusal {
  const stack = onProcessStack ? reg.psp : reg.msp;
  const frame = cpu.readRegister(stack);
  const privileged = toHandler || (cpu.readRegister(reg.control) & UNPRIVILEGED) === 0;
  const words: number[] = [];
  for (let offset = 0; offset < BASIC_BYTES; offset += 4) {
    const word = access.read(frame + offset, privileged);
    if (typeof word === 'string') return word;
    words.push(word);
  }
  const fpWords = hasFp ? fp.fetch(frame + BASIC_BYTES, privileged) : [];
  if (typeof fpWords === 'string') return fpWords;
  const xpsr = words[7]!;
  const extraCycles = hasFp ? fp.popCycles() : 0;
  return {
    xpsr: (xpsr & ~ALIGNED) >>> 0,
    pc: (words[6]! & ~1) >>> 0,
    extraCycles,
    commit: () => {
      for (const [index, register] of STACKED.entries()) cpu.writeRegister(register, words[index]! >>> 0);
      if (hasFp) fp.pop(fpWords);
      const bytes = hasFp ? EXTENDED_BYTES : BASIC_BYTES;
      cpu.writeRegister(stack, ((frame + bytes) | ((alignsTo8 || hasFp) && (xpsr & ALIGNED) !== 0 ? 4 : 0)) >>> 0);
    },
  };
}
