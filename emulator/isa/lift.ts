/** An instruction as the timing decoder sees it, to what it does. The decoder alone says which encodings exist. */
import { isMainline, isV8, type CoreWithFpu } from '../cores/core-facts.ts';
import { isCoprocessorEncoding } from '../timing/decode-fpu.ts';
import type { Instruction } from '../timing/instruction.ts';
import { lift16 } from './lift-16.ts';
import { liftBranchOrControl } from './lift-control.ts';
import { liftModifiedImmediate, liftPlainImmediate, liftShiftedRegister } from './lift-data.ts';
import { liftFpu } from './lift-fpu.ts';
import { liftDualExclusiveOrTable, liftMultipleTransfer, liftSingleTransfer } from './lift-memory.ts';
import { liftLongMultiply, liftMultiply } from './lift-multiply.ts';
import { liftRegisterOperation } from './lift-register.ts';
import { liftAcquireRelease, liftTestTarget } from './lift-v8.ts';
import type { TimingClass } from '../timing/cost.ts';
import { alwaysAligned } from './traps.ts';
import { isAcquireRelease, isTestTarget } from '../timing/decode-v8.ts';
import type { Lifted, Site } from './operands.ts';

/** What of a core decides what an instruction does. */
export type LiftedCore = Pick<CoreWithFpu, 'architecture' | 'fpu'>;

/**
 * Statements of an instruction without its IT condition, which the caller checks. Hints, IT, barriers and instructions that stop the
 * engine have none. null: this engine has no semantics for the encoding.
 */
export function lift(instruction: Instruction, core: LiftedCore): Lifted {
  const body = absent.has(instruction.timing) ? null : liftDecoded(instruction, core);
  return body === null || isMainline(core) ? body : body.map(alwaysAligned);
}

/** What the decoder knows and this core does not execute. */
const absent: ReadonlySet<TimingClass> = new Set(['undefined', 'security', 'coprocessorAbsent', 'fpUndefined']);

function liftDecoded(instruction: Instruction, core: LiftedCore): Lifted {
  const { address, encoding, condition } = instruction;
  const site: Site = { address, inIt: condition !== null };
  if (instruction.size === 2) return lift16(encoding, site);
  const hw1 = encoding >>> 16;
  const hw2 = encoding & 0xffff;
  if (isV8(core) && isTestTarget(hw1, hw2)) return liftTestTarget(hw1, hw2);
  if (isV8(core) && isAcquireRelease(hw1, hw2)) return liftAcquireRelease(hw1, hw2);
  if (isCoprocessorEncoding(hw1)) return liftFpu(hw1, hw2, site, core.fpu);
  if ((hw1 & 0xfe40) === 0xe800) return liftMultipleTransfer(hw1, hw2);
  if ((hw1 & 0xfe40) === 0xe840) return liftDualExclusiveOrTable(hw1, hw2, site);
  if ((hw1 & 0xfe00) === 0xea00) return liftShiftedRegister(hw1, hw2, site);
  if ((hw1 & 0xf800) === 0xf000) {
    if ((hw2 & 0x8000) !== 0) return liftBranchOrControl(hw1, hw2, instruction.target, site);
    return (hw1 & 0x0200) !== 0 ? liftPlainImmediate(hw1, hw2, site) : liftModifiedImmediate(hw1, hw2, site);
  }
  if ((hw1 & 0xfe00) === 0xf800) return liftSingleTransfer(hw1, hw2, site);
  if ((hw1 & 0xff00) === 0xfa00) return liftRegisterOperation(hw1, hw2);
  if ((hw1 & 0xff80) === 0xfb00) return liftMultiply(hw1, hw2);
  return liftLongMultiply(hw1, hw2);
}
