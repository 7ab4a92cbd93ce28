/**
 * The seven cores as data. Sources: the Technical Reference Manuals, by their Arm document number (M0 DDI 0432C, M0+ DDI 0484C, M3 DDI 0337I,
 * M4 DDI 0439D, M7 DDI 0489F, M23 DDI 0550C, M33 100230). Numbers a part's maker chooses (priority bits, MPU, interrupt lines) are the TRM's
 * maximum or the common choice, as each source says.
 */
import type { CoreFacts, CoreName, Fpu } from './core-facts.ts';

export const cores: Readonly<Record<CoreName, CoreFacts>> = {
  'cortex-m0': {
    architecture: 'v6-m',
    dsp: false,
    cpuid: 0x410c_c200,
    priorityBits: 2,
    mpuRegions: 0,
    interruptLines: 32,
    hasVtor: false,
    hasUnprivileged: false,
    hasCaches: false,
    source:
      'DDI 0432C 4.3 (CPUID r0p0, no VTOR, no MPU, no unprivileged mode); 5.1 (1 to 32 interrupts); DDI 0419C B1.5.4 (2 priority bits on every Armv6-M)',
  },
  'cortex-m0plus': {
    architecture: 'v6-m',
    dsp: false,
    cpuid: 0x410c_c601,
    priorityBits: 2,
    mpuRegions: 8,
    interruptLines: 32,
    hasVtor: true,
    hasUnprivileged: true,
    hasCaches: false,
    source:
      'DDI 0484C 4.3 (CPUID r0p1; VTOR and unprivileged mode optional, taken as present); 4.5 (MPU of 8 regions, optional, taken as present); 5.1 (32 interrupts); DDI 0419C B1.5.4 (2 priority bits)',
  },
  'cortex-m3': {
    architecture: 'v7-m',
    dsp: false,
    cpuid: 0x412f_c231,
    priorityBits: 4,
    mpuRegions: 8,
    interruptLines: 240,
    hasVtor: true,
    hasUnprivileged: true,
    hasCaches: false,
    source:
      'DDI 0337I 4.2 (CPUID r2p1); 5.1 (8 regions); 6.1 (up to 240 interrupts, 3 to 8 priority bits; 4 as on most parts)',
  },
  'cortex-m4': {
    architecture: 'v7-m',
    dsp: true,
    cpuid: 0x410f_c241,
    priorityBits: 4,
    mpuRegions: 8,
    interruptLines: 240,
    hasVtor: true,
    hasUnprivileged: true,
    hasCaches: false,
    source:
      'DDI 0439D 4.2 (CPUID r0p1); 5.1 (8 regions); 6.1 (up to 240 interrupts, 3 to 8 priority bits; 4 as on most parts)',
  },
  'cortex-m7': {
    architecture: 'v7-m',
    dsp: true,
    cpuid: 0x411f_c272,
    priorityBits: 4,
    mpuRegions: 8,
    interruptLines: 240,
    hasVtor: true,
    hasUnprivileged: true,
    hasCaches: true,
    source:
      'DDI 0489F 3.3 (CPUID r1p2); 6.1 (0, 8 or 16 regions; 8 as on most parts); 7.1 (up to 240 interrupts, 3 to 8 priority bits; 4 as on most parts)',
  },
  'cortex-m23': {
    architecture: 'v8-m.base',
    dsp: false,
    cpuid: 0x411c_d200,
    priorityBits: 2,
    mpuRegions: 8,
    interruptLines: 240,
    hasVtor: true,
    hasUnprivileged: true,
    hasCaches: false,
    source:
      'DDI 0550C 4.3 (CPUID r1p0; VTOR optional, taken as present); MPU of 0, 4, 8, 12 or 16 regions, 8 taken; up to 240 interrupts; DDI 0553B B3.8 (2 priority bits on every Baseline core)',
  },
  'cortex-m33': {
    architecture: 'v8-m.main',
    dsp: true,
    cpuid: 0x410f_d213,
    priorityBits: 4,
    mpuRegions: 8,
    interruptLines: 480,
    hasVtor: true,
    hasUnprivileged: true,
    hasCaches: false,
    source:
      '100230 B1 (CPUID r0p3); DSP extension optional, taken as present; MPU of 0, 4, 8, 12 or 16 regions, 8 taken; up to 480 interrupts; 3 to 8 priority bits, 4 as on most parts',
  },
};

/** MVFR0, MVFR1, MVFR2 (DDI 0403E B3.2.21 for the fields; DDI 0439D 7.3 for FPv4-SP, DDI 0489F 9.3 for FPv5). */
export const featureRegisters: Readonly<Record<Fpu, readonly [number, number, number]>> = {
  none: [0, 0, 0],
  'fpv4-sp': [0x1011_0021, 0x1100_0011, 0],
  'fpv5-sp': [0x1011_0021, 0x1100_0011, 0x40],
  'fpv5-dp': [0x1011_0221, 0x1200_0011, 0x40],
};
