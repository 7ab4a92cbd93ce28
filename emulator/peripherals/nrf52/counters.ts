/** TIMER and RTC of the nRF52 (nRF52840 PS 6.30, 6.22): counters with compare events. */
import type { ClockSignal } from '../clocks.ts';
import { clockOf, type DeviceContext, type PeripheralSpec } from '../device-context.ts';
import { storage, type DeviceTable } from '../register-device.ts';
import { event, task, taskTable, TaskDevice } from './task-device.ts';

interface CounterState {
  readonly isRunning: boolean;
  readonly origin: number;
  readonly held: number;
  readonly seen: number;
}

/** What TIMER and RTC have in common: START, STOP, CLEAR, CC registers and an event when the count becomes equal to one. */
abstract class CompareCounter extends TaskDevice {
  protected readonly clock: ClockSignal;
  protected isRunning = false;
  /** Tick of the clock at which the counter was 0. */
  protected origin = 0;
  /** The count while stopped. */
  protected held = 0;
  private readonly channels: readonly number[];
  /** Counts since origin that compare events have been raised up to. */
  private seen = 0;

  constructor(spec: PeripheralSpec, context: DeviceContext, table: DeviceTable, channels: number) {
    super(spec, context, table);
    this.clock = clockOf(context, spec);
    this.channels = Array.from({ length: channels }, (_, channel) => channel);
  }

  override reset(): void {
    super.reset();
    this.isRunning = false;
    this.held = this.seen = this.origin = 0;
  }

  nextEvent(): number {
    if (!this.isRunning || this.host.exceptions === null) return Infinity;
    const next = this.countsToNextEvent();
    return next === Infinity ? Infinity : this.clock.cycleOf(this.origin + (this.seen + next) * this.divider());
  }

  advance(): void {
    if (!this.isRunning) return;
    for (;;) {
      const now = this.counts();
      let due = Infinity;
      for (const channel of this.channels) due = Math.min(due, this.seen + this.countsTo(channel));
      this.passed?.(this.seen, Math.min(due, now));
      if (due > now) {
        this.seen = now;
        return;
      }
      this.seen = due;
      const matched = this.channels.filter(
        (channel) => this.get(`CC${channel}`) % this.modulus() === due % this.modulus(),
      );
      const shorts = this.get('SHORTS');
      if (matched.some((channel) => ((shorts >>> channel) & 1) === 1)) {
        this.origin += due * this.divider();
        this.seen = 0;
      }
      if (matched.some((channel) => ((shorts >>> (8 + channel)) & 1) === 1)) this.stop();
      for (const channel of matched) this.matched(channel);
      if (!this.isRunning) return;
    }
  }

  protected abstract divider(): number;
  protected abstract modulus(): number;
  /** The count has become equal to a CC register. */
  protected abstract matched(channel: number): void;

  /** The counts behind `from`, up to `to`, have gone by. */
  protected passed?(from: number, to: number): void;

  protected override onRead(register: string, stored: number): number {
    if (!register.startsWith('EVENTS_')) return super.onRead(register, stored);
    this.advance();
    return this.get(register);
  }

  /** What comes is reckoned with the new value, what has been with the old. */
  override write(offset: number, value: number, bytes?: 1 | 2 | 4, lanes?: number): boolean {
    this.advance();
    return super.write(offset, value, bytes, lanes);
  }

  protected start(taskName: string): void {
    if (taskName === 'START' && !this.isRunning) {
      this.isRunning = true;
      this.startAt(this.held);
    } else if (taskName === 'STOP') this.stop();
    else if (taskName === 'CLEAR') this.startAt(0);
  }

  protected startAt(count: number): void {
    this.origin = this.clock.count() - count * this.divider();
    this.held = this.seen = count;
  }

  protected count(): number {
    return this.isRunning ? this.counts() % this.modulus() : this.held;
  }

  /** Of the channels that something waits for or that change the count; Infinity: nothing waits. */
  protected countsToNextEvent(): number {
    if (!this.channels.some((channel) => this.isAwaited(`COMPARE${channel}`))) return Infinity;
    const shorts = this.get('SHORTS');
    let next = Infinity;
    for (const channel of this.channels)
      if (this.isAwaited(`COMPARE${channel}`) || ((shorts >>> channel) & 0x101) !== 0)
        next = Math.min(next, this.countsTo(channel));
    return next;
  }

  /** To the next count at which the counter overflows. */
  protected countsToOverflow(): number {
    return this.modulus() - (this.seen % this.modulus());
  }

  protected override saveOwn(): CounterState {
    const { isRunning, origin, held, seen } = this;
    return { isRunning, origin, held, seen };
  }

  protected override restoreOwn(own: unknown): void {
    Object.assign(this, own as CounterState);
    this.restoreInterrupt();
  }

  private stop(): void {
    this.held = this.count();
    this.isRunning = false;
  }

  /** Counts since origin, without the counter's overflow. */
  private counts(): number {
    return Math.floor((this.clock.count() - this.origin) / this.divider());
  }

  /** From `seen` to the next match of a channel, 1..modulus. */
  private countsTo(channel: number): number {
    const modulus = this.modulus();
    const ahead = ((this.get(`CC${channel}`) % modulus) - (this.seen % modulus) + modulus) % modulus;
    return ahead === 0 ? modulus : ahead;
  }
}

const TIMER_CHANNELS = 6;
const timerTable = taskTable([
  task('START', 0x000),
  task('STOP', 0x004),
  task('COUNT', 0x008),
  task('CLEAR', 0x00c),
  task('SHUTDOWN', 0x010),
  ...Array.from({ length: TIMER_CHANNELS }, (_, n) => task(`CAPTURE${n}`, 0x040 + n * 4)),
  ...Array.from({ length: TIMER_CHANNELS }, (_, n) => event(`COMPARE${n}`, 0x140 + n * 4)),
  ...storage('MODE BITMODE - PRESCALER=4', 0x504),
  ...Array.from({ length: TIMER_CHANNELS }, (_, n) => ({ name: `CC${n}`, offset: 0x540 + n * 4 })),
]);
const WIDTHS = [16, 8, 24, 32] as const;

/** Counts 16 MHz / 2^PRESCALER, or in counter mode the COUNT tasks. */
export class Nrf52Timer extends CompareCounter {
  constructor(spec: PeripheralSpec, context: DeviceContext) {
    super(spec, context, timerTable, TIMER_CHANNELS);
  }

  override nextEvent(): number {
    return this.isCounter() ? Infinity : super.nextEvent();
  }

  override advance(): void {
    if (!this.isCounter()) super.advance();
  }

  protected divider(): number {
    return 2 ** (this.get('PRESCALER') & 0xf);
  }

  protected modulus(): number {
    return 2 ** WIDTHS[(this.get('BITMODE') & 3) as 0 | 1 | 2 | 3];
  }

  protected matched(channel: number): void {
    this.raise(`COMPARE${channel}`);
  }

  protected override count(): number {
    return this.isCounter() ? this.held : super.count();
  }

  protected override start(taskName: string): void {
    if (taskName.startsWith('CAPTURE')) this.set(`CC${taskName.slice(7)}`, this.count());
    else if (taskName === 'COUNT') this.countOne();
    else super.start(taskName === 'SHUTDOWN' ? 'STOP' : taskName);
  }

  private isCounter(): boolean {
    return (this.get('MODE') & 3) !== 0;
  }

  private countOne(): void {
    if (!this.isCounter() || !this.isRunning) return;
    const count = (this.held + 1) % this.modulus();
    this.held = count;
    for (let channel = 0; channel < TIMER_CHANNELS; channel++) {
      if (this.get(`CC${channel}`) % this.modulus() !== count) continue;
      if (this.bit('SHORTS', channel)) this.held = 0;
      if (this.bit('SHORTS', 8 + channel)) this.isRunning = false;
      this.matched(channel);
    }
  }
}

const RTC_CHANNELS = 4;
const RTC_MODULUS = 2 ** 24;
/** What TRIGOVRFLW sets the counter to. */
const NEAR_OVERFLOW = 0xff_fff0;
const rtcTable = taskTable([
  task('START', 0x000),
  task('STOP', 0x004),
  task('CLEAR', 0x008),
  task('TRIGOVRFLW', 0x00c),
  event('TICK', 0x100),
  event('OVRFLW', 0x104),
  ...Array.from({ length: RTC_CHANNELS }, (_, n) => event(`COMPARE${n}`, 0x140 + n * 4)),
  ...storage('EVTEN EVTENSET EVTENCLR', 0x340),
  { name: 'COUNTER', offset: 0x504, writable: 0 },
  { name: 'PRESCALER', offset: 0x508, writable: 0xfff },
  ...Array.from({ length: RTC_CHANNELS }, (_, n) => ({
    name: `CC${n}`,
    offset: 0x540 + n * 4,
    writable: RTC_MODULUS - 1,
  })),
]);

/**
 * 24 bits at 32768 Hz / (PRESCALER + 1). An event that neither INTEN nor EVTEN enables is not made at all (6.22.5). Tasks act at once, without the
 * one or two ticks of the chip.
 */
export class Nrf52Rtc extends CompareCounter {
  constructor(spec: PeripheralSpec, context: DeviceContext) {
    super(spec, context, rtcTable, RTC_CHANNELS);
  }

  protected divider(): number {
    return this.get('PRESCALER') + 1;
  }

  protected modulus(): number {
    return RTC_MODULUS;
  }

  protected matched(channel: number): void {
    this.raiseEnabled(`COMPARE${channel}`, 0x140 + channel * 4);
  }

  protected override passed(from: number, to: number): void {
    if (to > from) this.raiseEnabled('TICK', 0x100);
    if (Math.floor(to / RTC_MODULUS) > Math.floor(from / RTC_MODULUS)) this.raiseEnabled('OVRFLW', 0x104);
  }

  protected override countsToNextEvent(): number {
    const ticks = this.isAwaited('TICK') ? 1 : Infinity;
    const overflow = this.isAwaited('OVRFLW') ? this.countsToOverflow() : Infinity;
    return Math.min(ticks, overflow, super.countsToNextEvent());
  }

  protected override onRead(register: string, stored: number): number {
    if (register === 'COUNTER') return this.count();
    return register === 'EVTENSET' || register === 'EVTENCLR' ? this.get('EVTEN') : super.onRead(register, stored);
  }

  protected override onWrite(register: string, value: number): void {
    super.onWrite(register, value);
    if (register === 'EVTENSET') this.set('EVTEN', this.get('EVTEN') | value);
    else if (register === 'EVTENCLR') this.set('EVTEN', this.get('EVTEN') & ~value);
  }

  protected override start(taskName: string): void {
    if (taskName === 'TRIGOVRFLW') this.startAt(NEAR_OVERFLOW);
    else super.start(taskName);
  }

  private raiseEnabled(eventName: string, offset: number): void {
    if (this.isEnabledIn('EVTEN', offset) || this.isEnabledIn('INTEN', offset)) this.raise(eventName);
  }
}
