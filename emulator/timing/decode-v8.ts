/**
 * What Armv8-M adds to Armv7-M (DDI 0553B C2.4): load-acquire, store-release, TT; and the instructions of the Security extension, which is
 * not modelled. null: not one of them.
 */
import type { Decoded } from './instruction.ts';

const SECURITY: Decoded = { timing: 'security' };

/** BXNS, BLXNS. */
export function decodeV8Narrow(hw: number): Decoded | null {
  return (hw & 0xff07) === 0x4704 ? SECURITY : null;
}

/** LDA, STL and their bytes, halfwords and exclusives by bits 7:4; 8..10 and 12..14. */
export function isAcquireRelease(hw1: number, hw2: number): boolean {
  const operation = (hw2 >> 4) & 0xf;
  return (hw1 & 0xffe0) === 0xe8c0 && operation >= 8 && operation !== 11 && operation !== 15;
}

/** TT, TTT, TTA, TTAT. */
export function isTestTarget(hw1: number, hw2: number): boolean {
  return (hw1 & 0xfff0) === 0xe840 && (hw2 & 0xf03f) === 0xf000;
}

export function decodeV8Wide(hw1: number, hw2: number): Decoded | null {
  if (hw1 === 0xe97f && hw2 === 0xe97f) return SECURITY; // SG
  if (isTestTarget(hw1, hw2)) return (hw2 & 0x80) !== 0 ? SECURITY : { timing: 'alu' };
  if ((hw1 & 0xffe0) === 0xec20 && hw2 === 0x0a00) return SECURITY; // VLSTM, VLLDM
  if (!isAcquireRelease(hw1, hw2)) return null;
  const addressRegisters = 1 << (hw1 & 0xf);
  const isLoad = (hw1 & 0x10) !== 0;
  if ((hw2 & 0x40) !== 0)
    return { timing: 'exclusive', addressRegisters, loadedRegisters: 1 << (isLoad ? hw2 >> 12 : hw2 & 0xf) };
  return isLoad
    ? { timing: 'load', addressRegisters, loadedRegisters: 1 << (hw2 >> 12) }
    : { timing: 'storeImmediate', addressRegisters };
}
