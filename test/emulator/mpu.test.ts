/** The memory protection unit's regions alone: subregions, overlaps, aliases, the background map; what QEMU cannot tell (see mpu.c). */
import { describe, expect, it } from 'vitest';
import { Mpu } from '../../emulator/mpu/mpu.ts';
import { PmsaV7Regions } from '../../emulator/mpu/pmsa-v7.ts';
import { PmsaV8Regions } from '../../emulator/mpu/pmsa-v8.ts';

const CONTROL = 0x04;
const NUMBER = 0x08;
const RBAR = 0x0c;
const RASR = 0x10;
const BACKGROUND = 5;
const ON = 1;

/** AP (3 bits), size exponent of two, subregions disabled, execute never. */
const rasr = (ap: number, log2: number, disabled = 0, xn = 0): number =>
  (xn << 28) | (ap << 24) | (disabled << 8) | ((log2 - 1) << 1) | 1;

function unit7(...regions: readonly (readonly [base: number, attributes: number])[]): Mpu {
  const mpu = new Mpu(new PmsaV7Regions(8));
  regions.forEach(([base, attributes], number) => {
    mpu.write(RBAR, (base | 0x10 | number) >>> 0);
    mpu.write(RASR, attributes);
  });
  mpu.write(CONTROL, ON);
  return mpu;
}

const rights = (mpu: Mpu, address: number): string =>
  [true, false]
    .map((privileged) =>
      (['read', 'write', 'fetch'] as const)
        .map((access) => (mpu.allows(access, address, 1, privileged) ? access.charAt(0) : '-'))
        .join(''),
    )
    .join(' ');

describe('PMSAv7', () => {
  it.each([
    [0, '--- ---'],
    [1, 'rwf ---'],
    [2, 'rwf r-f'],
    [3, 'rwf rwf'],
    [4, '--- ---'],
    [5, 'r-f ---'],
    [6, 'r-f r-f'],
    [7, 'r-f r-f'],
  ])('AP %i gives privileged and other code %s', (ap, expected) => {
    expect(rights(unit7([0x2000_0000, rasr(ap, 12)]), 0x2000_0ffc)).toBe(expected);
  });

  it('XN takes the right to execute, nothing else', () => {
    expect(rights(unit7([0x2000_0000, rasr(3, 12, 0, 1)]), 0x2000_0000)).toBe('rw- rw-');
  });

  it('a disabled subregion of 32 bytes lets the region below through', () => {
    const mpu = unit7([0x2000_0000, rasr(3, 12)], [0x2000_0000, rasr(0, 8, 0b0000_0100)]);
    expect(rights(mpu, 0x2000_003f)).toBe('--- ---');
    expect(rights(mpu, 0x2000_0040)).toBe('rwf rwf');
    expect(rights(mpu, 0x2000_005f)).toBe('rwf rwf');
    expect(rights(mpu, 0x2000_0060)).toBe('--- ---');
  });

  it('regions below 256 bytes have no subregions', () => {
    expect(rights(unit7([0x2000_0000, rasr(3, 7, 0xff)]), 0x2000_0010)).toBe('rwf rwf');
  });

  it('an access across the end of a region needs both sides', () => {
    const mpu = unit7([0x2000_0000, rasr(3, 5)]);
    expect(mpu.allows('read', 0x2000_001c, 4, true)).toBe(true);
    expect(mpu.allows('read', 0x2000_001e, 4, true)).toBe(false);
  });

  it('what no region covers: background map for privileged code if asked for, without execution from devices', () => {
    const mpu = unit7();
    expect(rights(mpu, 0x2000_0000)).toBe('--- ---');
    mpu.write(CONTROL, BACKGROUND);
    expect(rights(mpu, 0x2000_0000)).toBe('rwf ---');
    expect(rights(mpu, 0x4000_0000)).toBe('rw- ---');
    expect(rights(mpu, 0xe000_e010)).toBe('rw- rw-');
  });

  it('a region over everything covers its last byte', () => {
    expect(rights(unit7([0, rasr(3, 32)]), 0xdfff_ffff)).toBe('rw- rw-');
  });

  it('RBAR with VALID sets the region number, and reads back with it', () => {
    const mpu = unit7();
    mpu.write(RBAR, 0x2000_0015);
    expect(mpu.read(NUMBER)).toBe(5);
    expect(mpu.read(RBAR)).toBe(0x2000_0005);
    expect(mpu.read(0)).toBe(8 << 8);
  });
});

describe('PMSAv8', () => {
  const unit8 = (...regions: readonly (readonly [rbar: number, rlar: number])[]): Mpu => {
    const mpu = new Mpu(new PmsaV8Regions(8));
    regions.forEach(([rbar, rlar], number) => {
      mpu.write(NUMBER, number);
      mpu.write(RBAR, rbar >>> 0);
      mpu.write(RASR, rlar >>> 0);
    });
    mpu.write(CONTROL, ON);
    return mpu;
  };

  it.each([
    [0, 'rwf ---'],
    [1, 'rwf rwf'],
    [2, 'r-f ---'],
    [3, 'r-f r-f'],
  ])('AP %i gives privileged and other code %s', (ap, expected) => {
    expect(rights(unit8([0x2000_0000 | (ap << 1), 0x2000_0fe1]), 0x2000_0fff)).toBe(expected);
  });

  it('base and limit are those of 32 bytes each', () => {
    const mpu = unit8([0x2000_0022, 0x2000_0041]);
    expect(rights(mpu, 0x2000_001f)).toBe('--- ---');
    expect(rights(mpu, 0x2000_0020)).toBe('rwf rwf');
    expect(rights(mpu, 0x2000_005f)).toBe('rwf rwf');
    expect(rights(mpu, 0x2000_0060)).toBe('--- ---');
  });

  it('an address in two regions is refused', () => {
    const mpu = unit8([0x2000_0002, 0x2000_0fe1], [0x2000_0802, 0x2000_1fe1]);
    expect(rights(mpu, 0x2000_0400)).toBe('rwf rwf');
    expect(rights(mpu, 0x2000_0800)).toBe('--- ---');
  });

  it('aliases reach the three regions after RNR rounded down to 4', () => {
    const mpu = unit8();
    mpu.write(NUMBER, 6);
    mpu.write(0x14, 0x2000_0002);
    mpu.write(0x18, 0x2000_0fe1);
    mpu.write(NUMBER, 5);
    expect(mpu.read(RBAR)).toBe(0x2000_0002);
    expect(mpu.read(RASR)).toBe(0x2000_0fe1);
  });
});
