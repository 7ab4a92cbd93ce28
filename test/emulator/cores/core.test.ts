import { describe, expect, it } from 'vitest';
import { boardSchema } from '../../../boards/schema.ts';
import { coreOf } from '../../../emulator/cores/core.ts';
import { isMainline, isV8 } from '../../../emulator/cores/core-facts.ts';
import { cores } from '../../../emulator/cores/cores.ts';

/** Part numbers of CPUID, bits 15:4 (DDI 0403E B3.2.3 and the TRMs). */
const PARTS: Readonly<Record<string, number>> = {
  'cortex-m0': 0xc20,
  'cortex-m0plus': 0xc60,
  'cortex-m3': 0xc23,
  'cortex-m4': 0xc24,
  'cortex-m7': 0xc27,
  'cortex-m23': 0xd20,
  'cortex-m33': 0xd21,
};

describe('the table of cores', () => {
  it('should have a core for every name a board may give', () => {
    expect(Object.keys(cores).sort()).toEqual([...boardSchema.shape.core.options].sort());
  });

  it.each(Object.entries(cores))('should describe %s consistently, with a source', (name, core) => {
    expect(core.source).toMatch(/DDI|100230/);
    expect(core.cpuid >>> 24).toBe(0x41); // Arm
    expect((core.cpuid >>> 4) & 0xfff).toBe(PARTS[name]);
    expect((core.cpuid >>> 16) & 0xf).toBe(isMainline(core) ? 0xf : 0xc); // ARMv6-M and Baseline 0xc, else 0xf
    if (!isMainline(core)) expect(core.priorityBits).toBe(2);
  });

  it('should join core and FPU of a board', () => {
    const m7 = coreOf({ core: 'cortex-m7', fpu: 'fpv5-d16' });
    expect(m7).toMatchObject({ name: 'cortex-m7', architecture: 'v7-m', dsp: true, fpu: 'fpv5-dp' });
    expect(m7.mvfr).toEqual([0x1011_0221, 0x1200_0011, 0x40]);
    expect(coreOf({ core: 'cortex-m0', fpu: 'none' }).mvfr).toEqual([0, 0, 0]);
    expect(isV8(coreOf({ core: 'cortex-m23', fpu: 'none' }))).toBe(true);
  });
});
