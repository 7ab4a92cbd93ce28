/** CRC calculation unit of the STM32 (RM0432 chapter 16): the words, halfwords and bytes written to DR, divided by the polynomial. */
import type { PeripheralSpec } from '../device-context.ts';
import { RegisterDevice, storage, unmodelled, type DeviceTable } from '../register-device.ts';

const CR = { RESET: 0, POLYSIZE: 3, REV_IN: 5, REV_OUT: 7 } as const;
const POLYNOMIAL_BITS = [32, 16, 8, 7] as const;
/** REV_IN: bits are reversed within so many. */
const REVERSED_BITS = [0, 8, 16, 32] as const;

const common: DeviceTable['registers'] = [
  { name: 'DR', offset: 0x00, reset: 0xffff_ffff },
  { name: 'IDR', offset: 0x04 },
];
const table: DeviceTable = {
  bytes: 0x400,
  registers: [
    ...common,
    { name: 'CR', offset: 0x08, writable: 0xf8 },
    ...storage('INIT=0xffffffff POL=0x04c11db7', 0x10),
  ],
};
/** RM0090 chapter 4: one polynomial, one start value, whole words. */
const fixedTable: DeviceTable = {
  bytes: 0x400,
  registers: [...common, { name: 'CR', offset: 0x08, writable: 0 }],
  unmodelled: new Map(unmodelled('INIT POL', 0x10)),
};

export class Stm32Crc extends RegisterDevice {
  private readonly isFixed: boolean;

  /** @param isFixed as in the STM32F4: CRC-32 of words only */
  constructor({ name, base }: PeripheralSpec, isFixed: boolean) {
    super(name, base, isFixed ? fixedTable : table);
    this.isFixed = isFixed;
  }

  protected override onRead(register: string, stored: number): number {
    if (register !== 'DR' || !this.bit('CR', CR.REV_OUT)) return stored;
    return reverse(stored, this.width());
  }

  protected override onWrite(register: string, value: number, old: number, bytes: 1 | 2 | 4): void {
    if (register === 'CR' && ((value >>> CR.RESET) & 1) === 1) this.set('DR', this.initial());
    else if (register === 'INIT') this.set('DR', this.initial());
    else if (register === 'DR') this.set('DR', this.feed(old, value, this.isFixed ? 32 : bytes * 8));
  }

  private width(): number {
    return POLYNOMIAL_BITS[this.field('CR', CR.POLYSIZE, 2) as 0 | 1 | 2 | 3];
  }

  private initial(): number {
    return this.isFixed ? 0xffff_ffff : (this.get('INIT') & mask(this.width())) >>> 0;
  }

  /** Most significant bit first. */
  private feed(crc: number, value: number, bits: number): number {
    const width = this.width();
    const polynomial = this.isFixed ? 0x04c1_1db7 : this.get('POL');
    const group = Math.min(bits, REVERSED_BITS[this.field('CR', CR.REV_IN, 2) as 0 | 1 | 2 | 3]);
    const data = group === 0 ? value : reverseGroups(value, bits, group);
    let rest = crc;
    for (let bit = bits - 1; bit >= 0; bit--) {
      const out = ((rest >>> (width - 1)) ^ (data >>> bit)) & 1;
      rest = (rest << 1) ^ (out === 1 ? polynomial : 0);
    }
    return (rest & mask(width)) >>> 0;
  }
}

function mask(bits: number): number {
  return bits === 32 ? 0xffff_ffff : (1 << bits) - 1;
}

function reverse(value: number, bits: number): number {
  let result = 0;
  for (let bit = 0; bit < bits; bit++) result |= ((value >>> bit) & 1) << (bits - 1 - bit);
  return result >>> 0;
}

function reverseGroups(value: number, bits: number, group: number): number {
  let result = 0;
  for (let start = 0; start < bits; start += group) result |= reverse((value >>> start) & mask(group), group) << start;
  return result >>> 0;
}
