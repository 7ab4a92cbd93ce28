/** RNG, TEMP, EGU, WDT, PPI and GPIOTE of the nRF52 (nRF52840 PS 6.21, 6.28, 6.8, 6.36, 6.18, 6.10). */
import type { ClockSignal } from '../clocks.ts';
import { clockOf, type DeviceContext, type PeripheralSpec } from '../device-context.ts';
import type { EventRouter, Routes } from '../event-router.ts';
import { RegisterDevice, storage, type RegisterSpec } from '../register-device.ts';
import { event, task, taskTable, TaskDevice } from './task-device.ts';

const many = (count: number, make: (index: number) => RegisterSpec): RegisterSpec[] =>
  Array.from({ length: count }, (_, index) => make(index));

/** Between two numbers without bias correction (6.21.4), of the 16 MHz clock. */
const RNG_TICKS = 30 * 16;

/** Numbers from a xorshift generator with a fixed start: a run is the same every time. */
export class Nrf52Rng extends TaskDevice {
  private readonly clock: ClockSignal;
  private state = 1;
  private due = Infinity;

  constructor(spec: PeripheralSpec, context: DeviceContext) {
    super(
      spec,
      context,
      taskTable([
        task('START', 0),
        task('STOP', 4),
        event('VALRDY', 0x100),
        ...storage('CONFIG', 0x504),
        { name: 'VALUE', offset: 0x508, writable: 0 },
      ]),
    );
    this.clock = clockOf(context, spec);
  }

  override reset(): void {
    super.reset();
    this.state = 1;
    this.due = Infinity;
  }

  nextEvent(): number {
    return this.due === Infinity || !this.isAwaited('VALRDY') ? Infinity : this.clock.cycleOf(this.due);
  }

  advance(): void {
    while (this.due !== Infinity && this.clock.isReached(this.due)) {
      let { state } = this;
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      this.state = state;
      this.set('VALUE', (state >>> 8) & 0xff);
      this.due = this.bit('SHORTS', 0) ? Infinity : this.due + RNG_TICKS;
      this.raise('VALRDY');
    }
  }

  protected override onRead(register: string, stored: number): number {
    this.advance();
    return super.onRead(register, register === 'EVENTS_VALRDY' || register === 'VALUE' ? this.get(register) : stored);
  }

  protected start(taskName: string): void {
    this.due = taskName === 'START' ? this.clock.count() + RNG_TICKS : Infinity;
  }

  protected override saveOwn(): unknown {
    return { state: this.state, due: this.due };
  }

  protected override restoreOwn(own: unknown): void {
    Object.assign(this, own);
    this.restoreInterrupt();
  }
}

/** Quarters of a degree: 25 degrees, measured at once. */
const TEMPERATURE = 25 * 4;

export class Nrf52Temp extends TaskDevice {
  constructor(spec: PeripheralSpec, context: DeviceContext) {
    super(
      spec,
      context,
      taskTable([
        task('START', 0),
        task('STOP', 4),
        event('DATARDY', 0x100),
        { name: 'TEMP', offset: 0x508, reset: TEMPERATURE, writable: 0 },
        ...storage('A0=0x326 A1=0x348 A2=0x3aa A3=0x40e A4=0x4bd A5=0x5a3', 0x520),
        ...storage('B0=0x3fef B1=0x3fbe B2=0x3fbe B3=0x12 B4=0x124 B5=0x27c', 0x540),
        ...storage('T0=0xe2 T1 T2=0x19 T3=0x3c T4=0x50', 0x560),
      ]),
    );
  }

  protected start(taskName: string): void {
    if (taskName === 'START') this.raise('DATARDY');
  }
}

const EGU_CHANNELS = 16;

/** Events by software. */
export class Nrf52Egu extends TaskDevice {
  constructor(spec: PeripheralSpec, context: DeviceContext) {
    super(
      spec,
      context,
      taskTable([
        ...many(EGU_CHANNELS, (n) => task(`TRIGGER${n}`, n * 4)),
        ...many(EGU_CHANNELS, (n) => event(`TRIGGERED${n}`, 0x100 + n * 4)),
      ]),
    );
  }

  protected start(taskName: string): void {
    this.raise(taskName.replace('TRIGGER', 'TRIGGERED'));
  }
}

const RELOAD_KEY = 0x6e52_4635;
const RELOAD_REGISTERS = 8;

/** Counts down from CRV at 32768 Hz, which it starts by itself; a reload of every enabled RR starts anew, at 0 the chip resets. */
export class Nrf52Wdt extends TaskDevice {
  private readonly clocks: DeviceContext['clocks'];
  /** Cycle of the core at which the time is over. */
  private due = Infinity;

  constructor(spec: PeripheralSpec, context: DeviceContext) {
    super(
      spec,
      context,
      taskTable([
        task('START', 0),
        event('TIMEOUT', 0x100),
        { name: 'RUNSTATUS', offset: 0x400, writable: 0 },
        { name: 'REQSTATUS', offset: 0x404, reset: 1, writable: 0 },
        ...storage('CRV=0xffffffff RREN=1 CONFIG=1', 0x504),
        ...many(RELOAD_REGISTERS, (n) => ({ name: `RR${n}`, offset: 0x600 + n * 4, writeOnly: true })),
      ]),
    );
    this.clocks = context.clocks;
  }

  override reset(): void {
    super.reset();
    this.due = Infinity;
  }

  nextEvent(): number {
    return this.due;
  }

  advance(): void {
    if (this.clocks.now() < this.due) return;
    this.due = Infinity;
    this.raise('TIMEOUT');
    this.host.exceptions?.requestReset();
  }

  protected override onWrite(register: string, value: number): void {
    if (register.startsWith('RR') && register !== 'RREN' && value === RELOAD_KEY) {
      this.set('REQSTATUS', this.get('REQSTATUS') & ~(1 << Number(register.slice(2))));
      if (this.get('RUNSTATUS') === 1 && (this.get('REQSTATUS') & this.get('RREN')) === 0) this.reload();
    }
    super.onWrite(register, value);
  }

  protected start(): void {
    if (this.get('RUNSTATUS') === 1) return;
    this.set('RUNSTATUS', 1);
    this.reload();
  }

  protected override saveOwn(): unknown {
    return this.due;
  }

  protected override restoreOwn(own: unknown): void {
    this.due = own as number;
    this.restoreInterrupt();
  }

  private reload(): void {
    this.set('REQSTATUS', this.get('RREN'));
    this.due = this.clocks.now() + Math.ceil((this.clocks.coreHz() * (this.get('CRV') + 1)) / 32768);
  }
}

const PPI_CHANNELS = 32;
const FREE_CHANNELS = 20;
const GROUPS = 6;
/** Event and task of the channels that are fixed (6.18.1), by number; 20 to 29 are the radio's and its like, which are not modelled. */
const FIXED: ReadonlyMap<number, readonly [event: number, task: number]> = new Map([
  [30, [0x4000_b140, 0x4000_800c]],
  [31, [0x4000_b140, 0x4000_8000]],
]);

/** Events start tasks. */
export class Nrf52Ppi extends RegisterDevice implements Routes {
  private readonly router: EventRouter;
  private readonly routes = new Map<number, number[]>();

  constructor(spec: PeripheralSpec, context: DeviceContext) {
    super(spec.name, spec.base, {
      bytes: 0x1000,
      registers: [
        ...many(GROUPS, (n) => ({ name: `TASKS_CHG${n}_EN`, offset: n * 8, writeOnly: true })),
        ...many(GROUPS, (n) => ({ name: `TASKS_CHG${n}_DIS`, offset: n * 8 + 4, writeOnly: true })),
        ...storage('CHEN CHENSET CHENCLR', 0x500),
        ...many(FREE_CHANNELS, (n) => ({ name: `CH${n}_EEP`, offset: 0x510 + n * 8 })),
        ...many(FREE_CHANNELS, (n) => ({ name: `CH${n}_TEP`, offset: 0x514 + n * 8 })),
        ...many(GROUPS, (n) => ({ name: `CHG${n}`, offset: 0x800 + n * 4 })),
        ...many(PPI_CHANNELS, (n) => ({ name: `FORK${n}_TEP`, offset: 0x910 + n * 4 })),
      ],
    });
    this.router = context.events;
    this.router.connect(this);
    this.router.add(this);
  }

  override reset(): void {
    super.reset();
    this.update();
  }

  trigger(offset: number): void {
    this.write(offset, 1);
  }

  isRouted(eventAddress: number): boolean {
    return this.routes.has(eventAddress);
  }

  raised(eventAddress: number): void {
    for (const target of this.routes.get(eventAddress) ?? []) this.router.trigger(target);
  }

  protected override onRead(register: string, stored: number): number {
    return register === 'CHENSET' || register === 'CHENCLR' ? this.get('CHEN') : stored;
  }

  protected override onWrite(register: string, value: number): void {
    const enabled = this.get('CHEN');
    const [, group, how] = /^TASKS_CHG(\d)_(EN|DIS)$/.exec(register) ?? [];
    if (register === 'CHENSET') this.set('CHEN', enabled | value);
    else if (register === 'CHENCLR') this.set('CHEN', enabled & ~value);
    else if (group !== undefined && (value & 1) !== 0) {
      const channels = this.get(`CHG${group}`);
      this.set('CHEN', how === 'EN' ? enabled | channels : enabled & ~channels);
    }
    this.update();
  }

  protected override restoreOwn(): void {
    this.update();
  }

  private update(): void {
    this.routes.clear();
    for (let channel = 0; channel < PPI_CHANNELS; channel++) {
      if (!this.bit('CHEN', channel)) continue;
      const [from, to] =
        channel < FREE_CHANNELS
          ? [this.get(`CH${channel}_EEP`), this.get(`CH${channel}_TEP`)]
          : (FIXED.get(channel) ?? [0, 0]);
      const tasks = [to, this.get(`FORK${channel}_TEP`)].filter((address) => address !== 0);
      if (from !== 0) this.routes.set(from, [...(this.routes.get(from) ?? []), ...tasks]);
    }
  }
}

const GPIOTE_CHANNELS = 8;

/** Keeps how it is set up; what it does with pins is not modelled. */
export class Nrf52Gpiote extends TaskDevice {
  constructor(spec: PeripheralSpec, context: DeviceContext) {
    super(
      spec,
      context,
      taskTable([
        ...many(GPIOTE_CHANNELS, (n) => task(`OUT${n}`, n * 4)),
        ...many(GPIOTE_CHANNELS, (n) => task(`SET${n}`, 0x30 + n * 4)),
        ...many(GPIOTE_CHANNELS, (n) => task(`CLR${n}`, 0x60 + n * 4)),
        ...many(GPIOTE_CHANNELS, (n) => event(`IN${n}`, 0x100 + n * 4)),
        event('PORT', 0x17c),
        ...many(GPIOTE_CHANNELS, (n) => ({ name: `CONFIG${n}`, offset: 0x510 + n * 4 })),
      ]),
    );
  }

  protected start(taskName: string): void {
    this.host.note(`${this.name}_TASKS_${taskName}: tasks and events of pins are not modelled`);
  }
}
