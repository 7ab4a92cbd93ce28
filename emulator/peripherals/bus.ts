/**
 * Routes device accesses to peripherals. A register nobody models, or of a device whose clock is off, reads as 0 and ignores writes, and is
 * noted once, because start-up code touches many that change nothing here.
 */
import { hex32 } from '../../common/units.ts';
import type { DeviceCallbacks } from '../cpu/cpu.ts';
import type { Stateful } from '../state/stateful.ts';
import type { Peripheral } from './peripheral.ts';

type EventDevice = Peripheral & Required<Pick<Peripheral, 'nextEvent' | 'advance'>>;

export class PeripheralBus implements DeviceCallbacks {
  private readonly peripherals: Peripheral[] = [];
  private readonly withEvents: EventDevice[] = [];
  private readonly note: (text: string) => void;
  /** Cycles that had passed for the devices when the counters of the core were last set to 0. */
  private origin = 0;

  /** @param note called for every access to an unmodelled register, with a text that is the same for the same register. */
  constructor(peripherals: readonly Peripheral[], note: (text: string) => void) {
    this.note = note;
    this.add(peripherals);
  }

  /** Behind those already there: they take precedence. */
  add(peripherals: readonly Peripheral[]): void {
    this.peripherals.push(...peripherals);
    this.withEvents.push(
      ...peripherals.filter((one): one is EventDevice => one.nextEvent !== undefined && one.advance !== undefined),
    );
  }

  /** @param kind at power-on, or by AIRCR, which debug units do not see */
  reset(kind: 'power' | 'system' = 'power'): void {
    // What uses a clock comes behind its controller in a board's list, and must not be left with a clock that is off.
    for (const peripheral of [...this.peripherals].reverse()) {
      if (kind === 'system' && peripheral.systemReset !== undefined) peripheral.systemReset();
      else peripheral.reset();
    }
  }

  /** Counter of the core at which a device next does something of its own accord. */
  nextEvent(): number {
    let next = Infinity;
    for (const peripheral of this.withEvents) next = Math.min(next, peripheral.nextEvent());
    return next - this.origin;
  }

  /** The cycles of a device's time that came before the core's counter was last 0. */
  get elapsedBefore(): number {
    return this.origin;
  }

  /** The core's counter starts anew while time goes on, `cycles` behind its last start; at power-on time itself starts anew. */
  countFrom(cycles: number): void {
    this.origin = cycles;
  }

  /** Every device does what is due. */
  advance(): void {
    for (const peripheral of this.withEvents) peripheral.advance();
  }

  /** The run is over: what is on its way to the host arrives. */
  drain(): void {
    for (const peripheral of this.peripherals) peripheral.drain?.();
  }

  /** The devices that are of this sort. */
  all<T extends object>(is: (device: object) => device is T): T[] {
    return this.peripherals.filter((one): one is Peripheral & T => is(one));
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
    if (peripheral?.isEnabled?.() === false) {
      this.missClock(peripheral);
      return 0;
    }
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
    if (peripheral?.isEnabled?.() === false) {
      this.missClock(peripheral);
      return;
    }
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
    const register = peripheral?.nameOf?.(address - peripheral.base) ?? null;
    if (peripheral === null) this.note(`${access} of an unmodelled register at ${hex32(address)}`);
    else if (register === null)
      this.note(`${access} of an unmodelled ${peripheral.name} register at ${hex32(address)}`);
    else this.note(`${access} of ${peripheral.name}_${register} at ${hex32(address)}, which is not modelled`);
  }

  private missClock({ name, enabledBy }: Peripheral): void {
    this.note(`${name} is used while it is off; it needs ${enabledBy ?? 'its clock'}`);
  }
}
