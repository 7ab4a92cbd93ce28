/**
 * Routes device accesses to peripherals. A register nobody models reads as 0 and ignores writes, and is noted once, because start-up
 * code touches many that change nothing here.
 */
import { hex32 } from '../../common/units.ts';
import type { DeviceCallbacks } from '../cpu/cpu.ts';
import type { Stateful } from '../state/stateful.ts';
import type { Peripheral } from './peripheral.ts';

type EventDevice = Peripheral & Required<Pick<Peripheral, 'nextEvent' | 'advance'>>;

export class PeripheralBus implements DeviceCallbacks {
  private readonly peripherals: readonly Peripheral[];
  private readonly withEvents: readonly EventDevice[];
  private readonly note: (text: string) => void;

  /** @param note called for every access to an unmodelled register, with a text that is the same for the same register. */
  constructor(peripherals: readonly Peripheral[], note: (text: string) => void) {
    this.peripherals = peripherals;
    this.withEvents = peripherals.filter(
      (one): one is EventDevice => one.nextEvent !== undefined && one.advance !== undefined,
    );
    this.note = note;
  }

  reset(): void {
    for (const peripheral of this.peripherals) peripheral.reset();
  }

  /** Absolute cycle of the next thing a device does of its own accord. */
  nextEvent(): number {
    let next = Infinity;
    for (const peripheral of this.withEvents) next = Math.min(next, peripheral.nextEvent());
    return next;
  }

  /** Every device does what is due. */
  advance(): void {
    for (const peripheral of this.withEvents) peripheral.advance();
  }

  /** The devices that have a state, by name and address. */
  parts(): [string, Stateful][] {
    return this.peripherals.flatMap((one) => {
      const { save, restore } = one;
      if (save === undefined || restore === undefined) return [];
      const part = { save: () => save.call(one), restore: (state: unknown) => restore.call(one, state) };
      return [[`${one.name} at ${hex32(one.base)}`, part]];
    });
  }

  read(address: number, bytes: number): number {
    const word = (address & ~3) >>> 0;
    const peripheral = this.find(word);
    const value = peripheral?.read(word - peripheral.base) ?? null;
    if (value === null) {
      this.miss(word, 'read', peripheral);
      return 0;
    }
    const shift = (address & 3) * 8;
    return bytes === 4 ? value >>> 0 : (value >>> shift) & (bytes === 1 ? 0xff : 0xffff);
  }

  /** A byte or halfword in the low lanes is written as a word (data registers); elsewhere it is merged with what is read back. */
  write(address: number, bytes: number, value: number): void {
    const word = (address & ~3) >>> 0;
    const peripheral = this.find(word);
    let merged = value >>> 0;
    const shift = (address & 3) * 8;
    const lanes = bytes === 4 ? 0xffff_ffff : ((bytes === 1 ? 0xff : 0xffff) << shift) >>> 0;
    if (shift !== 0) {
      const old = peripheral?.read(word - peripheral.base) ?? 0;
      merged = ((old & ~lanes) | ((value << shift) & lanes)) >>> 0;
    }
    if (peripheral === null || !peripheral.write(word - peripheral.base, merged, bytes as 1 | 2 | 4, lanes))
      this.miss(word, 'write', peripheral);
  }

  private find(address: number): Peripheral | null {
    return this.peripherals.find((one) => address >= one.base && address < one.base + one.bytes) ?? null;
  }

  private miss(address: number, access: 'read' | 'write', peripheral: Peripheral | null): void {
    const what = peripheral === null ? 'an unmodelled register' : `an unmodelled ${peripheral.name} register`;
    this.note(`${access} of ${what} at ${hex32(address)}`);
  }
}
