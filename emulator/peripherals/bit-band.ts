/**
 * The bit-band aliases of a Cortex-M3 or M4 (DDI 0337E 4.4, DDI 0439D 3.7): every word of an alias is one bit of the first megabyte of RAM or of the
 * peripherals. A write reads the word behind it, changes the bit and writes the word back, side effects included.
 */
import { hex32 } from '../../common/units.ts';
import type { DeviceCallbacks } from '../cpu/cpu.ts';
import type { PeripheralHost } from './peripheral.ts';

export interface BitBandAlias {
  readonly start: number;
  /** Of the first megabyte behind it. */
  readonly target: number;
}

export const BIT_BAND_BYTES = 0x0200_0000;
export const ramAlias: BitBandAlias = { start: 0x2200_0000, target: 0x2000_0000 };
export const peripheralAlias: BitBandAlias = { start: 0x4200_0000, target: 0x4000_0000 };

/** @param words reads and writes aligned words of the target */
export function bitBand(alias: BitBandAlias, words: DeviceCallbacks): DeviceCallbacks {
  const wordOf = (address: number): number => alias.target + (((address - alias.start) >>> 7) << 2);
  const bitOf = (address: number): number => ((address - alias.start) >>> 2) & 31;
  return {
    read: (address) => (words.read(wordOf(address), 4) >>> bitOf(address)) & 1,
    write: (address, _bytes, value) => {
      const bit = 1 << bitOf(address);
      const old = words.read(wordOf(address), 4);
      words.write(wordOf(address), 4, ((value & 1) === 1 ? old | bit : old & ~bit) >>> 0);
    },
  };
}

export function ramWords(host: PeripheralHost): DeviceCallbacks {
  const missing = (address: number): number => {
    host.fail(`the bit-band alias of ${hex32(address)} is used, where no RAM is`);
    return 0;
  };
  return {
    read: (address) => {
      const word = host.readMemory(address, 4);
      return word === null ? missing(address) : new DataView(word.buffer, word.byteOffset).getUint32(0, true);
    },
    write: (address, _bytes, value) => {
      if (!host.writeMemory(address, Uint8Array.of(value, value >>> 8, value >>> 16, value >>> 24))) missing(address);
    },
  };
}
