/** CLOCK, POWER, NVMC, GPIO and TIMER of the nRF52 (nRF52840 PS 5.4, 5.3, 4.3, 6.9, 6.30). The core runs at 64 MHz whatever the source. */
import { clockOf, type DeviceContext, type PeripheralSpec } from '../device-context.ts';
import type { ClockSignal } from '../clocks.ts';
import type { GpioPort, PinLevel } from '../gpio-port.ts';
import { RegisterDevice, storage, type DeviceTable } from '../register-device.ts';
import { event, task, taskTable, TaskDevice } from './task-device.ts';

const CORE_HZ = 64e6;
const LFCLK_HZ = 32768;

const clockTable = taskTable([
  task('HFCLKSTART', 0x000),
  task('HFCLKSTOP', 0x004),
  task('LFCLKSTART', 0x008),
  task('LFCLKSTOP', 0x00c),
  task('CAL', 0x010),
  event('HFCLKSTARTED', 0x100),
  event('LFCLKSTARTED', 0x104),
  event('DONE', 0x10c),
  { name: 'HFCLKRUN', offset: 0x408, writable: 0 },
  { name: 'HFCLKSTAT', offset: 0x40c, reset: 0x1_0000, writable: 0 },
  { name: 'LFCLKRUN', offset: 0x414, writable: 0 },
  { name: 'LFCLKSTAT', offset: 0x418, writable: 0 },
  ...storage('LFCLKSRC', 0x518),
  // POWER has the same address.
  ...storage('RESETREAS', 0x400),
  ...storage('SYSTEMOFF', 0x500),
  ...storage('POFCON', 0x510),
  ...storage('GPREGRET GPREGRET2', 0x51c),
  ...storage('DCDCEN', 0x578),
]);

/** Both oscillators start at once. */
export class Nrf52Clock extends TaskDevice {
  private readonly clocks: DeviceContext['clocks'];

  constructor(spec: PeripheralSpec, context: DeviceContext) {
    super(spec, context, clockTable);
    this.clocks = context.clocks;
    this.update();
  }

  override reset(): void {
    super.reset();
    this.update();
  }

  protected start(taskName: string): void {
    const isStart = taskName.endsWith('START');
    if (taskName === 'CAL') this.raise('DONE');
    else if (taskName.startsWith('HF')) {
      this.set('HFCLKRUN', isStart ? 1 : 0);
      this.set('HFCLKSTAT', isStart ? 0x1_0001 : 0x1_0000);
      if (isStart) this.raise('HFCLKSTARTED');
    } else {
      this.set('LFCLKRUN', isStart ? 1 : 0);
      this.set('LFCLKSTAT', isStart ? 0x1_0000 | (this.get('LFCLKSRC') & 3) : 0);
      if (isStart) this.raise('LFCLKSTARTED');
    }
    this.update();
  }

  private update(): void {
    const lfclk = this.get('LFCLKRUN') === 1 ? LFCLK_HZ : 0;
    this.clocks.update({ core: CORE_HZ, pclk16m: CORE_HZ / 4, lfclk });
  }
}

/** READY is always set; erasing and writing flash from firmware is not modelled. */
export const nvmcTable: DeviceTable = {
  bytes: 0x1000,
  registers: [
    { name: 'READY', offset: 0x400, reset: 1, writable: 0 },
    { name: 'READYNEXT', offset: 0x408, reset: 1, writable: 0 },
    ...storage('CONFIG', 0x504),
    ...storage('ICACHECNF - IHIT IMISS', 0x540),
  ],
};

export class Nrf52Nvmc extends RegisterDevice {
  private readonly context: DeviceContext;

  constructor(spec: PeripheralSpec, context: DeviceContext) {
    super(spec.name, spec.base, nvmcTable);
    this.context = context;
    this.update();
  }

  override reset(): void {
    super.reset();
    this.update();
  }

  protected override onWrite(register: string, value: number): void {
    if (register === 'CONFIG' && value !== 0)
      this.context.host.note(`${this.name}_CONFIG ${value}: writing and erasing flash is not modelled`);
    this.update();
  }

  protected override restoreOwn(): void {
    this.update();
  }

  /** PS 4.1.3 (W_FLASH, W_FLASHCACHE): at most two wait states, three where the cache has been looked up first; none on a hit. */
  private update(): void {
    const instructionCache = this.bit('ICACHECNF', 0);
    this.context.flash.set({
      waitStates: instructionCache ? 3 : 2,
      lineBits: 128,
      prefetch: false,
      instructionCache,
      dataCache: false,
    });
  }
}

const PINS = 32;
const gpioTable: DeviceTable = {
  bytes: 0x280,
  registers: [
    { name: 'OUT', offset: 0x04 },
    { name: 'OUTSET', offset: 0x08 },
    { name: 'OUTCLR', offset: 0x0c },
    { name: 'IN', offset: 0x10, writable: 0 },
    { name: 'DIR', offset: 0x14 },
    { name: 'DIRSET', offset: 0x18 },
    { name: 'DIRCLR', offset: 0x1c },
    { name: 'LATCH', offset: 0x20, oneClears: 0xffff_ffff },
    ...storage('DETECTMODE', 0x24),
    ...Array.from({ length: PINS }, (_, pin) => ({ name: `PIN_CNF${pin}`, offset: 0x200 + pin * 4, reset: 2 })),
  ],
};

/** The registers begin at 0x500 behind the port's base. */
export class Nrf52Gpio extends RegisterDevice implements GpioPort {
  onChange: (() => void) | null = null;
  readonly pins = PINS;
  private readonly driven: PinLevel[] = Array.from({ length: PINS }, () => null);

  constructor(spec: PeripheralSpec) {
    super(spec.name, spec.base + 0x500, gpioTable);
  }

  drive(pin: number, level: PinLevel): void {
    this.driven[pin] = level;
    this.onChange?.();
  }

  output(pin: number): PinLevel {
    return this.bit('DIR', pin) ? (this.field('OUT', pin, 1) as 0 | 1) : null;
  }

  level(pin: number): 0 | 1 {
    const pull = this.field(`PIN_CNF${pin}`, 2, 2) === 3 ? 1 : 0;
    return this.output(pin) ?? this.driven[pin] ?? pull;
  }

  protected override onRead(register: string, stored: number): number {
    if (register === 'OUTSET' || register === 'OUTCLR') return this.get('OUT');
    if (register === 'DIRSET' || register === 'DIRCLR') return this.get('DIR');
    if (register !== 'IN') return stored;
    let word = 0;
    for (let pin = 0; pin < PINS; pin++) word |= this.level(pin) << pin;
    return word;
  }

  protected override onWrite(register: string, value: number): void {
    if (register.endsWith('SET')) this.set(register.slice(0, -3), this.get(register.slice(0, -3)) | value);
    else if (register.endsWith('CLR')) this.set(register.slice(0, -3), this.get(register.slice(0, -3)) & ~value);
    else if (register === 'DIR')
      for (let pin = 0; pin < PINS; pin++)
        this.set(`PIN_CNF${pin}`, (this.get(`PIN_CNF${pin}`) & ~1) | ((value >>> pin) & 1));
    else if (register.startsWith('PIN_CNF')) {
      const pin = Number(register.slice(7));
      this.set('DIR', (this.get('DIR') & ~(1 << pin)) | ((value & 1) << pin));
    }
    this.onChange?.();
  }

  protected override saveOwn(): unknown {
    return [...this.driven];
  }

  protected override restoreOwn(own: unknown): void {
    for (const [pin, level] of (own as PinLevel[]).entries()) this.driven[pin] = level;
  }
}

const CHANNELS = 6;
const timerTable = taskTable([
  task('START', 0x000),
  task('STOP', 0x004),
  task('COUNT', 0x008),
  task('CLEAR', 0x00c),
  task('SHUTDOWN', 0x010),
  ...Array.from({ length: CHANNELS }, (_, n) => task(`CAPTURE${n}`, 0x040 + n * 4)),
  ...Array.from({ length: CHANNELS }, (_, n) => event(`COMPARE${n}`, 0x140 + n * 4)),
  ...storage('MODE BITMODE - PRESCALER=4', 0x504),
  ...Array.from({ length: CHANNELS }, (_, n) => ({ name: `CC${n}`, offset: 0x540 + n * 4 })),
]);
const WIDTHS = [16, 8, 24, 32] as const;

/** Timer mode: counts 16 MHz / 2^PRESCALER; capture, compare events and their shorts. */
export class Nrf52Timer extends TaskDevice {
  private readonly clock: ClockSignal;
  private isRunning = false;
  /** Tick of the 16 MHz clock at which the counter was 0, or the count while stopped. */
  private origin = 0;
  private held = 0;
  /** Counts since origin that compare events have been raised up to. */
  private seen = 0;

  constructor(spec: PeripheralSpec, context: DeviceContext) {
    super(spec, context, timerTable);
    this.clock = clockOf(context, spec);
  }

  override reset(): void {
    super.reset();
    this.isRunning = false;
    this.held = this.seen = this.origin = 0;
  }

  nextEvent(): number {
    if (!this.isRunning || this.host.exceptions === null || this.get('INTEN') === 0) return Infinity;
    const waits = Array.from({ length: CHANNELS }, (_, channel) => this.countsTo(channel));
    const next = Math.min(...waits);
    return this.clock.cycleOf(this.origin + (this.seen + next) * this.divider());
  }

  advance(): void {
    if (!this.isRunning) return;
    for (;;) {
      const now = this.counts();
      const due = Array.from({ length: CHANNELS }, (_, channel) => channel)
        .map((channel) => ({ channel, at: this.seen + this.countsTo(channel) }))
        .filter(({ at }) => at <= now)
        .sort((a, b) => a.at - b.at)[0];
      if (due === undefined) {
        this.seen = now;
        return;
      }
      this.seen = due.at;
      this.raise(`COMPARE${due.channel}`);
      if (((this.get('SHORTS') >>> due.channel) & 1) === 1) {
        this.origin += due.at * this.divider();
        this.seen = 0;
      }
      if (((this.get('SHORTS') >>> (8 + due.channel)) & 1) === 1) {
        this.start('STOP');
        return;
      }
      // A second channel at the same count is found with the next turn: countsTo() is never 0.
      for (let other = 0; other < CHANNELS; other++)
        if (other !== due.channel && this.get(`CC${other}`) === this.get(`CC${due.channel}`))
          this.raise(`COMPARE${other}`);
    }
  }

  protected override onRead(register: string, stored: number): number {
    if (!register.startsWith('EVENTS_')) return super.onRead(register, stored);
    this.advance();
    return this.get(register);
  }

  protected override onWrite(register: string, value: number): void {
    this.advance();
    if (register === 'MODE' && value !== 0) this.host.note(`${this.name}_MODE ${value}: only timer mode is modelled`);
    super.onWrite(register, value);
  }

  protected start(taskName: string): void {
    if (taskName.startsWith('CAPTURE')) this.set(`CC${taskName.slice(7)}`, this.count());
    else if (taskName === 'START' && !this.isRunning) {
      this.isRunning = true;
      this.origin = this.clock.count() - this.held * this.divider();
      this.seen = this.held;
    } else if (taskName === 'STOP' || taskName === 'SHUTDOWN') {
      this.held = this.isRunning ? this.count() : this.held;
      this.isRunning = false;
    } else if (taskName === 'CLEAR') {
      this.origin = this.clock.count();
      this.held = this.seen = 0;
    }
  }

  protected override saveOwn(): unknown {
    const { isRunning, origin, held, seen } = this;
    return { isRunning, origin, held, seen };
  }

  protected override restoreOwn(own: unknown): void {
    Object.assign(this, own);
    this.restoreInterrupt();
  }

  private divider(): number {
    return 2 ** (this.get('PRESCALER') & 0xf);
  }

  private modulus(): number {
    return 2 ** WIDTHS[(this.get('BITMODE') & 3) as 0 | 1 | 2 | 3];
  }

  /** Counts since origin, without the counter's overflow. */
  private counts(): number {
    return Math.floor((this.clock.count() - this.origin) / this.divider());
  }

  private count(): number {
    return this.isRunning ? this.counts() % this.modulus() : this.held;
  }

  /** From `seen` to the next match of a channel, 1..modulus. */
  private countsTo(channel: number): number {
    const modulus = this.modulus();
    const ahead = ((this.get(`CC${channel}`) % modulus) - (this.seen % modulus) + modulus) % modulus;
    return ahead === 0 ? modulus : ahead;
  }
}
