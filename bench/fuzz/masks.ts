/**
 * Where an oracle is known to be wrong, as data: nothing else may differ. Each mask says whose defect it is, why that is certain, and what it
 * hides; the fuzzer prints how often each applied.
 */

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
  dualMultiplyWithoutDsp: {
    name: 'dualMultiplyWithoutDsp',
    oracles: ['qemu'],
    reason:
      'SMLAD, SMLSD, SMLALD, SMLSLD and their kin run on its Cortex-M3, which has no DSP extension: there they are undefined (DDI 0403E A5.3.16, A5.3.17)',
    hides: 'these encodings are not among the undefined ones of cores without the extension',
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

/** SMLAD, SMLSD, SMUAD, SMUSD, SMLALD and SMLSLD, with X or without. */
export function isDualMultiply(hw1: number, hw2: number): boolean {
  const form = hw1 & 0xfff0;
  if (form === 0xfb20 || form === 0xfb40) return (hw2 & 0xe0) === 0;
  return (form === 0xfbc0 || form === 0xfbd0) && (hw2 & 0xe0) === 0xc0;
}
