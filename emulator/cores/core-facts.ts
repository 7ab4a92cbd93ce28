/** What can be said of a core without its timing: architecture, registers, exception model. The values are in cores.ts. */
import type { Board } from '../../boards/schema.ts';

export type CoreName = Board['core'];

/** Armv6-M, Armv7-M (v7E-M with `dsp`), Armv8-M Baseline and Mainline without the Security extension. */
export type Architecture = 'v6-m' | 'v7-m' | 'v8-m.base' | 'v8-m.main';

/** FPv4 and FPv5 with single precision only, FPv5 with both. */
export type Fpu = 'none' | 'fpv4-sp' | 'fpv5-sp' | 'fpv5-dp';

/** What every part with this core has in common; for what the maker of a part chooses, the value says so in `source`. */
export interface CoreFacts {
  readonly architecture: Architecture;
  /** The DSP extension: SIMD in registers, saturating and dual multiplies. */
  readonly dsp: boolean;
  /** CPUID: implementer, variant, part number, revision. */
  readonly cpuid: number;
  /** Implemented upper bits of a configurable priority. */
  readonly priorityBits: number;
  /** 0: no MPU. */
  readonly mpuRegions: number;
  readonly interruptLines: number;
  /** VTOR exists; without it the vector table is at address 0. */
  readonly hasVtor: boolean;
  /** CONTROL.nPRIV exists. */
  readonly hasUnprivileged: boolean;
  /** Caches of its own for instructions and data may be built in, which CCR switches on. */
  readonly hasCaches: boolean;
  /** Document and section of each of the above. */
  readonly source: string;
}

/** With the FPU that the part has: what decides which instructions there are. */
export interface CoreWithFpu extends CoreFacts {
  readonly fpu: Fpu;
}

/** Armv7-M or Armv8-M Mainline: 32-bit Thumb, IT, configurable faults, BASEPRI and FAULTMASK, unaligned accesses. */
export const isMainline = ({ architecture }: Pick<CoreFacts, 'architecture'>): boolean =>
  architecture === 'v7-m' || architecture === 'v8-m.main';

export const isV8 = ({ architecture }: Pick<CoreFacts, 'architecture'>): boolean =>
  architecture === 'v8-m.base' || architecture === 'v8-m.main';

export const hasDoublePrecision = ({ fpu }: Pick<CoreWithFpu, 'fpu'>): boolean => fpu === 'fpv5-dp';
