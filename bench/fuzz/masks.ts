/**
 * Where an oracle is known to be wrong, as data: nothing else may differ. Each mask says whose defect it is, why that is certain, and what it
 * hides; the fuzzer prints how often each applied.
 */

import type { CoreFacts } from '../../emulator/cores/core-facts.ts';

export type Oracle = 'unicorn' | 'qemu';

export interface Mask {
  readonly name: string;
  readonly oracles: readonly Oracle[];
  readonly reason: string;
  readonly hides: string;
}

export const masks = {
  fixedToFloatRounding: {
    name: 'fixedToFloatRounding',
    oracles: ['unicorn', 'qemu'],
    reason: 'VCVT from fixed point rounds as FPSCR says there; the core always rounds to nearest (DDI 0403E A7.7.229)',
    hides: 'the class fixedToFloat, and sequences that mix it with others, run without a rounding mode in FPSCR',
  },
  dualMultiplyQ: {
    name: 'dualMultiplyQ',
    oracles: ['unicorn', 'qemu'],
    reason:
      'SMLAD and SMLSD set Q when only the sum of the products overflows, before Ra is added; the core looks at the final sum (DDI 0403E A7.7.136)',
    hides: 'Q after SMLAD, SMLADX, SMLSD or SMLSDX with an accumulator',
  },
  dspOnCortexM3: {
    name: 'dspOnCortexM3',
    oracles: ['qemu'],
    reason:
      'these instructions run on its Cortex-M3, being asked for Armv5TE or v6 only; without the DSP extension they are undefined (DDI 0403E A5.3.12 to A5.3.17)',
    hides:
      'SMLAxy, SMULxy, SMLAD, SMLSD, SMUAD, SMUSD, SMLAWy, SMULWy, USAD8, USADA8, SMLALxy, SMLALD, SMLSLD and SXTAB and its kin are not among the undefined encodings of cores without the extension',
  },
  exclusiveDouble: {
    name: 'exclusiveDouble',
    oracles: ['qemu'],
    reason: 'LDREXD and STREXD run on its M-profile cores, which do not have them (DDI 0403E A5.3.6)',
    hides: 'these encodings are not among the undefined ones',
  },
  setEnd: {
    name: 'setEnd',
    oracles: ['qemu'],
    reason: 'SETEND runs on its M-profile cores, which do not have it (DDI 0403E A5.2.5)',
    hides: 'this encoding is not among the undefined ones',
  },
  narrowOnV6: {
    name: 'narrowOnV6',
    oracles: ['qemu'],
    reason:
      'CBZ, CBNZ and IT run on its Cortex-M0, whatever the architecture; Armv6-M does not have them (DDI 0419C A5.2.5)',
    hides: 'these encodings are not among the undefined ones of Armv6-M',
  },
  exclusiveByValue: {
    name: 'exclusiveByValue',
    oracles: ['unicorn', 'qemu'],
    reason: 'STREX succeeds there when memory still holds the value loaded; the core only remembers that it was marked',
    hides: 'exclusives run in classes of their own without other stores, each size for itself',
  },
  secureFloatingPoint: {
    name: 'secureFloatingPoint',
    oracles: ['qemu'],
    reason:
      'the Cortex-M33 there has the Security extension and runs in Secure state: CONTROL.SFPA, and SFPA in the stacked xPSR, exist (DDI 0553B D1.2.39)',
    hides: 'bit 20 of the stacked xPSR; MRS of CONTROL is not generated for Armv8-M',
  },
  priorityBits: {
    name: 'priorityBits',
    oracles: ['qemu'],
    reason: 'it implements all eight bits of a priority, our boards the upper four, as most parts do',
    hides: 'BASEPRI is only given multiples of 16',
  },
} as const satisfies Readonly<Record<string, Mask>>;

export type MaskName = keyof typeof masks;

/** How often each mask hid something or kept something from being generated. */
export class MaskCounts {
  private readonly counts = new Map<MaskName, number>();

  note(name: MaskName): void {
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
  }

  of(name: MaskName): number {
    return this.counts.get(name) ?? 0;
  }
}

/** SMLAD, SMLADX, SMLSD, SMLSDX with an accumulator (T1, DDI 0403E A7.7.136, A7.7.142). */
export function hasDualMultiply(halfwords: readonly number[]): boolean {
  return halfwords.some((hw, at) => [0xfb20, 0xfb40].includes(hw & 0xfff0) && (halfwords[at + 1] ?? 0) >> 12 !== 15);
}

interface Encoding {
  readonly mask: readonly [number, number];
  readonly value: readonly [number, number];
}

/** What dspOnCortexM3 hides. */
const dspLetThrough: readonly Encoding[] = [
  { mask: [0xfff0, 0x00c0], value: [0xfb10, 0x0000] }, // SMLAxy, SMULxy
  { mask: [0xfff0, 0x00e0], value: [0xfb20, 0x0000] }, // SMLAD, SMUAD
  { mask: [0xfff0, 0x00e0], value: [0xfb30, 0x0000] }, // SMLAWy, SMULWy
  { mask: [0xfff0, 0x00e0], value: [0xfb40, 0x0000] }, // SMLSD, SMUSD
  { mask: [0xfff0, 0x00f0], value: [0xfb70, 0x0000] }, // USADA8, USAD8
  { mask: [0xfff0, 0x00c0], value: [0xfbc0, 0x0080] }, // SMLALxy
  { mask: [0xfff0, 0x00e0], value: [0xfbc0, 0x00c0] }, // SMLALD
  { mask: [0xfff0, 0x00e0], value: [0xfbd0, 0x00c0] }, // SMLSLD
  { mask: [0xff80, 0xf080], value: [0xfa00, 0xf080] }, // SXTAB, SXTB16 and their kin
];
const exclusiveDouble: Encoding = { mask: [0xffe0, 0x00f0], value: [0xe8c0, 0x0070] };
const setEnd: Encoding = { mask: [0xfff0, 0], value: [0xb650, 0] };
const narrowOnV6: readonly Encoding[] = [
  { mask: [0xf500, 0], value: [0xb100, 0] }, // CBZ, CBNZ
  { mask: [0xff00, 0], value: [0xbf00, 0] }, // IT
];

const is =
  (hw1: number, hw2: number) =>
  ({ mask, value }: Encoding): boolean =>
    (hw1 & mask[0]) === value[0] && (hw2 & mask[1]) === value[1];

/** The mask that keeps an encoding, undefined on this core, from being compared with QEMU; or null. */
export function undefinedMask({ dsp, architecture }: CoreFacts, hw1: number, hw2: number): MaskName | null {
  const matches = is(hw1, hw2);
  if (!dsp && dspLetThrough.some(matches)) return masks.dspOnCortexM3.name;
  if (matches(exclusiveDouble)) return masks.exclusiveDouble.name;
  if (matches(setEnd)) return masks.setEnd.name;
  return architecture === 'v6-m' && narrowOnV6.some(matches) ? masks.narrowOnV6.name : null;
}
