/** What the profiler must know of an instruction beyond its timing: encodings of DDI 0403E A7.7 and A5.2, A5.3. */
import type { Instruction } from '../timing/instruction.ts';

/** BL and BLX write the return address to LR. */
export function isCall({ encoding, size }: Instruction): boolean {
  if (size === 2) return (encoding & 0xff87) === 0x4780;
  return (encoding & 0xf800_d000) >>> 0 === 0xf000_d000;
}

/** Waits for an event or an interrupt: cycles that pass behind it are sleep. */
export function isWait({ encoding, size, target, address }: Instruction): boolean {
  return target === address || (size === 2 ? encoding === 0xbf20 || encoding === 0xbf30 : isWideWait(encoding));
}

function isWideWait(encoding: number): boolean {
  return encoding === 0xf3af_8002 || encoding === 0xf3af_8003;
}

const SP = 13;

/**
 * Gives the stack pointer a value from elsewhere: MOV SP,Rm; LDR SP; MSR to MSP, PSP or CONTROL. That is how stacks are switched; frames are
 * made and released by PUSH, POP, ADD and SUB.
 */
export function setsStackPointer({ encoding, size }: Instruction): boolean {
  if (size === 2) return (encoding & 0xff87) === 0x4685;
  const isMsr = (encoding & 0xffe0_ff00) >>> 0 === 0xf380_8800;
  const special = encoding & 0xff;
  if (isMsr) return special === 8 || special === 9 || special === 20;
  // LDR (immediate, literal, register) with Rt = SP.
  return (encoding & 0xff70_0000) >>> 0 === 0xf850_0000 && ((encoding >>> 12) & 0xf) === SP;
}
