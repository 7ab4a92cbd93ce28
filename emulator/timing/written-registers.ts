/**
 * Core registers that an instruction computes, as a bit mask: results of data processing and written-back base registers, not loaded values. What needs one
 * of them as an address right after has to wait on cores that form addresses before the execute stage.
 */

const bit = (register: number): number => 1 << register;
const SP = bit(13);
const LR = bit(14);
const NONE = 0;

/** TST, CMP and CMN of the 16-bit data-processing group. */
const COMPARES_16 = [8, 10, 11];

function written16(hw: number): number {
  const low = bit(hw & 7);
  const high = bit((hw >> 8) & 7);
  switch (hw >> 12) {
    case 0x0:
    case 0x1:
      return low;
    case 0x2:
      return (hw & 0x0800) === 0 ? high : NONE; // MOV, CMP
    case 0x3:
    case 0xa: // ADR, ADD Rd, SP
      return high;
    case 0x4:
      if (hw < 0x4400) return COMPARES_16.includes((hw >> 6) & 0xf) ? NONE : low;
      if (hw >= 0x4800) return NONE; // LDR literal
      if ((hw & 0x0300) === 0x0300) return (hw & 0x80) !== 0 ? LR : NONE; // BLX, BX
      return (hw & 0x0300) === 0x0100 ? NONE : bit((hw & 7) | ((hw >> 4) & 8));
    case 0xb:
      if ((hw & 0x0f00) === 0 || (hw & 0x0600) === 0x0400) return SP; // ADD, SUB SP; PUSH, POP
      return (hw & 0x0f00) === 0x0200 || (hw & 0x0f00) === 0x0a00 ? low : NONE; // extend, reverse
    case 0xc:
      return high;
    default:
      return NONE;
  }
}

function written32(hw1: number, hw2: number): number {
  const base = bit(hw1 & 0xf);
  const rd = bit((hw2 >> 8) & 0xf);
  if ((hw1 & 0xfe40) === 0xe800) return (hw1 & 0x20) !== 0 ? base : NONE; // LDM, STM
  if ((hw1 & 0xfe40) === 0xe840) return (hw1 & 0x20) !== 0 ? base : NONE; // LDRD, STRD
  if ((hw1 & 0xfe00) === 0xea00) return rd;
  if ((hw1 & 0xf800) === 0xf000) return (hw2 & 0x8000) === 0 ? rd : (hw2 & 0xd000) === 0xd000 ? LR : rd;
  if ((hw1 & 0xfe00) === 0xf800) return (hw1 & 0x80) === 0 && (hw2 & 0x0900) === 0x0900 ? base : NONE;
  if ((hw1 & 0xff80) === 0xfb80) return rd | bit(hw2 >> 12);
  if ((hw1 & 0xfe00) === 0xfa00) return rd;
  if ((hw1 & 0xfe00) === 0xec00) return (hw1 & 0x20) !== 0 ? base : NONE; // VLDM, VSTM
  if ((hw1 & 0xff10) === 0xee10 && (hw2 & 0x10) !== 0) return bit(hw2 >> 12); // VMOV to a core register
  return NONE;
}

/** Without the pc: writing it is a branch. @param encoding the halfword, or first << 16 | second */
export function writtenRegisters(encoding: number, size: 2 | 4): number {
  const mask = size === 2 ? written16(encoding) : written32(encoding >>> 16, encoding & 0xffff);
  return mask & 0x7fff;
}
