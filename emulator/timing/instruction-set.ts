/**
 * Which encodings a core has, as a subset of what the decoders know: DDI 0419C A5 (Armv6-M), DDI 0403E A5 (v7-M, marked "DSP" there),
 * DDI 0553B C2 (v8-M Baseline). The FPU's encodings are decode-fpu.ts's, the additions of Armv8-M decode-v8.ts's.
 */
import { isMainline, type CoreFacts } from '../cores/core-facts.ts';

type Rule = (hw1: number, hw2: number) => boolean;
/** An encoding group: bits that are fixed in both halfwords. */
const matches =
  (mask1: number, value1: number, mask2 = 0, value2 = 0): Rule =>
  (hw1, hw2) =>
    (hw1 & mask1) === value1 && (hw2 & mask2) === value2;
const anyOf =
  (...rules: readonly Rule[]): Rule =>
  (hw1, hw2) =>
    rules.some((rule) => rule(hw1, hw2));

/** BL, MSR, MRS, DMB, DSB, ISB: all 32-bit encodings of Armv6-M. */
const wideV6 = anyOf(
  matches(0xf800, 0xf000, 0xd000, 0xd000),
  matches(0xffe0, 0xf380, 0xd000, 0x8000),
  matches(0xffe0, 0xf3e0, 0xd000, 0x8000),
  matches(0xfff0, 0xf3b0, 0xd0f0, 0x8040),
  matches(0xfff0, 0xf3b0, 0xd0f0, 0x8050),
  matches(0xfff0, 0xf3b0, 0xd0f0, 0x8060),
);

/** What Baseline adds: B.W, CLREX, MOVW, MOVT, SDIV, UDIV, exclusives of words, bytes and halfwords. */
const wideBaseline = anyOf(
  wideV6,
  matches(0xf800, 0xf000, 0xd000, 0x9000),
  matches(0xfff0, 0xf3b0, 0xd0f0, 0x8020),
  matches(0xfbf0, 0xf240, 0x8000, 0),
  matches(0xfbf0, 0xf2c0, 0x8000, 0),
  matches(0xffd0, 0xfb90),
  matches(0xffe0, 0xe840),
  matches(0xffe0, 0xe8c0, 0x00e0, 0x0040),
);

/** PKH; SSAT16, USAT16; parallel and saturating additions, SEL, extensions that add or work on pairs of bytes; multiplies of halves. */
const dsp = anyOf(
  matches(0xffe0, 0xeac0),
  matches(0xff70, 0xf320, 0xf0c0, 0),
  matches(0xff80, 0xfa80, 0x0080, 0),
  matches(0xfff0, 0xfa80, 0x00c0, 0x0080),
  matches(0xfff0, 0xfaa0, 0x0080, 0x0080),
  (hw1, hw2) => (hw1 & 0xff80) === 0xfa00 && (hw2 & 0x0080) !== 0 && !isPlainExtension(hw1),
  (hw1) => (hw1 & 0xff80) === 0xfb00 && (hw1 & 0x0070) !== 0,
  matches(0xffd0, 0xfbc0, 0x0080, 0x0080),
  matches(0xfff0, 0xfbd0),
  matches(0xfff0, 0xfbe0, 0x00f0, 0x0060),
);

/** SXTH, UXTH, SXTB, UXTB without an addend; 2 and 3 work on pairs of bytes. */
function isPlainExtension(hw1: number): boolean {
  const operation = (hw1 >> 4) & 7;
  return (hw1 & 0xf) === 15 && operation !== 2 && operation !== 3;
}

/** CPS of FAULTMASK exists only where FAULTMASK does. */
const changesFaultmask = (hw: number): boolean => (hw & 0xffe0) === 0xb660 && (hw & 0xf) !== 2;
const isIfThen = (hw: number): boolean => (hw & 0xff00) === 0xbf00 && (hw & 0xf) !== 0;
const isCompareBranch = (hw: number): boolean => (hw & 0xf500) === 0xb100;

export function hasEncoding(core: CoreFacts, hw1: number, hw2: number, size: 2 | 4): boolean {
  const baseline = core.architecture === 'v8-m.base';
  if (size === 2) {
    if (isMainline(core)) return true;
    return !isIfThen(hw1) && !changesFaultmask(hw1) && (baseline || !isCompareBranch(hw1));
  }
  if (!isMainline(core)) return baseline ? wideBaseline(hw1, hw2) : wideV6(hw1, hw2);
  return core.dsp || !dsp(hw1, hw2);
}
