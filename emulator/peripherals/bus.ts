/**
 * Routes device accesses to peripherals. A register nobody models reads as 0 and ignores writes, and is reported once, because
 * start-up code touches many that change nothing here; in strict mode the first one ends the run.
 */
import { hex32 } from '../../common/units.ts';
import type { DeviceCallbacks } from '../cpu/cpu.ts';
import type { Peripheral } from './peripheral.ts';

export interface UnmodelledAccess {
  readonly address: number;
  readonly access: 'read' | 'write';
  /** Peripheral name if the address lies in one, else null. */
  readonly peripheral: string | null;
}

export function describeUnmodelled(access: UnmodelledAccess): string {
  return `${access.access} of ${access.peripheral === null ? 'an unmodelled register' : `an unmodelled ${access.peripheral} register`} at ${hex32(access.address)}`;
}

export class PeripheralBus implements DeviceCallbacks {
  private readonly peripherals: readonly Peripheral[];
  private readonly report: (access: UnmodelledAccess) => void;
  private readonly reported = new Set<string>();

  constructor(peripherals: readonly Peripheral[], report: (access: UnmodelledAccess) => void) {
    this.peripherals = peripherals;
    this.report = report;
  }

  read(address: number, bytes: number): number {
    const word = address & ~3;
    const shift = (address & 3) * 8;
    const value = this.readWord(word >>> 0);
    return bytes === 4 ? value : (value >>> shift) & (bytes === 1 ? 0xff : 0xffff);
  }

  /** A narrow write is merged into the word, as the registers modelled here have no write-only neighbours that would suffer. */
  write(address: number, bytes: number, value: number): void {
    const word = (address & ~3) >>> 0;
    const peripheral = this.find(word);
    let merged = value >>> 0;
    if (bytes < 4) {
      const shift = (address & 3) * 8;
      const mask = ((bytes === 1 ? 0xff : 0xffff) << shift) >>> 0;
      const old = peripheral?.read(word - peripheral.base) ?? 0;
      merged = ((old & ~mask) | ((value << shift) & mask)) >>> 0;
    }
    if (peripheral === null || !peripheral.write(word - peripheral.base, merged)) this.miss(word, 'write', peripheral);
  }

  private readWord(word: number): number {
    const peripheral = this.find(word);
    const value = peripheral?.read(word - peripheral.base) ?? null;
    if (value === null) {
      this.miss(word, 'read', peripheral);
      return 0;
    }
    return value >>> 0;
  }

  private find(address: number): Peripheral | null {
    return this.peripherals.find((one) => address >= one.base && address < one.base + one.bytes) ?? null;
  }

  private miss(address: number, access: 'read' | 'write', peripheral: Peripheral | null): void {
    const key = `${access}${address}`;
    if (this.reported.has(key)) return;
    this.reported.add(key);
    this.report({ address, access, peripheral: peripheral?.name ?? null });
  }
}
