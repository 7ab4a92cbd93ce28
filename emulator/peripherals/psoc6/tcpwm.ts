/** Timers, counters and PWM of the PSoC 62 (architecture TRM 002-24526, TCPWM) as counters: up or down, with terminal count and compare. */
import type { ClockSignal } from '../clocks.ts';
import { InterruptLine, type DeviceContext, type PeripheralSpec } from '../device-context.ts';
import type { PeripheralHost } from '../peripheral.ts';
import { RegisterDevice, storage, type RegisterSpec } from '../register-device.ts';

const COUNTERS_AT = 0x100;
const COUNTER_BYTES = 0x40;
const INTR = { terminalCount: 1, compare: 2 } as const;
const MODE = { oneShot: 18, upDown: 16, mode: 24 } as const;

const counterRegisters = (n: number): RegisterSpec[] => [
  ...storage(
    `CNT${n}_CTRL - CNT${n}_COUNTER CNT${n}_CC=0xffffffff CNT${n}_CC_BUFF=0xffffffff CNT${n}_PERIOD=0xffffffff CNT${n}_PERIOD_BUFF=0xffffffff - CNT${n}_TR_CTRL0=0x10 CNT${n}_TR_CTRL1=0x3ff CNT${n}_TR_CTRL2=0x3f`,
    COUNTERS_AT + n * COUNTER_BYTES,
  ),
  { name: `CNT${n}_STATUS`, offset: COUNTERS_AT + n * COUNTER_BYTES + 0x04, writable: 0 },
  { name: `CNT${n}_INTR`, offset: COUNTERS_AT + n * COUNTER_BYTES + 0x30, oneClears: 3 },
  { name: `CNT${n}_INTR_SET`, offset: COUNTERS_AT + n * COUNTER_BYTES + 0x34, writeOnly: true },
  { name: `CNT${n}_INTR_MASK`, offset: COUNTERS_AT + n * COUNTER_BYTES + 0x38 },
  { name: `CNT${n}_INTR_MASKED`, offset: COUNTERS_AT + n * COUNTER_BYTES + 0x3c, writable: 0 },
];

/** One counter: how far it is in its period, by its clock. Counting down is counting up with the ends exchanged. */
class Counter {
  isRunning = false;
  private readonly device: Psoc6Tcpwm;
  private readonly host: PeripheralHost;
  private readonly n: number;
  private readonly clock: ClockSignal;
  private readonly interrupt: InterruptLine;
  /** Tick of the clock at which it was at the start of a period. */
  private origin = 0;
  /** Counts from there while stopped. */
  private held = 0;
  /** Counts from origin that events have been raised up to. */
  private seen = 0;

  constructor(device: Psoc6Tcpwm, host: PeripheralHost, n: number, clock: ClockSignal, irq: number | undefined) {
    this.device = device;
    this.host = host;
    this.n = n;
    this.clock = clock;
    this.interrupt = new InterruptLine(host, irq);
  }

  reset(): void {
    this.isRunning = false;
    this.origin = this.held = this.seen = 0;
    this.update();
  }

  nextEvent(): number {
    if (!this.isRunning || (this.get('INTR_MASK') & 3) === 0) return Infinity;
    const next = this.seen + Math.min(this.toTerminal(), this.toCompare());
    return this.clock.cycleOf(this.origin + next * this.divider());
  }

  advance(): void {
    while (this.isRunning) {
      const [terminal, compare] = [this.seen + this.toTerminal(), this.seen + this.toCompare()];
      const next = Math.min(terminal, compare);
      if (next > this.counts()) break;
      this.seen = next;
      if (next === compare) this.raise(INTR.compare);
      if (next !== terminal) continue;
      this.raise(INTR.terminalCount);
      if (this.field(MODE.oneShot, 1) === 1) this.stop();
    }
    this.update();
  }

  start(): void {
    if (this.isRunning) return;
    this.isRunning = true;
    this.startAt(this.held);
  }

  stop(): void {
    this.held = this.position();
    this.isRunning = false;
  }

  reload(): void {
    this.isRunning = true;
    this.startAt(0);
  }

  capture(): void {
    this.set('CC_BUFF', this.get('CC'));
    this.set('CC', this.count());
  }

  count(): number {
    const position = this.isRunning ? this.position() : this.held;
    return this.isDown() ? this.period() - 1 - position : position;
  }

  /** COUNTER was written. */
  setCount(value: number): void {
    const position = Math.min(value, this.period() - 1);
    this.startAt(this.isDown() ? this.period() - 1 - position : position);
  }

  update(): void {
    this.interrupt.set(this.wants());
  }

  wants(): boolean {
    return (this.get('INTR') & this.get('INTR_MASK')) !== 0;
  }

  save(): readonly [boolean, number, number, number] {
    return [this.isRunning, this.origin, this.held, this.seen];
  }

  restore([isRunning, origin, held, seen]: readonly [boolean, number, number, number]): void {
    Object.assign(this, { isRunning, origin, held, seen });
    this.interrupt.restore(this.wants());
  }

  private startAt(position: number): void {
    this.held = this.seen = position;
    this.origin = this.clock.count() - position * this.divider();
  }

  private raise(bit: number): void {
    this.set('INTR', this.get('INTR') | bit);
  }

  private counts(): number {
    return Math.floor((this.clock.count() - this.origin) / this.divider());
  }

  private position(): number {
    return this.counts() % this.period();
  }

  /** The event is at the tick after the last count of the period. */
  private toTerminal(): number {
    return this.period() - (this.seen % this.period());
  }

  private toCompare(): number {
    const at = this.isDown() ? this.period() - 1 - this.get('CC') : this.get('CC');
    if (at < 0 || at >= this.period()) return Infinity;
    const ahead = (at - (this.seen % this.period()) + this.period()) % this.period();
    return ahead === 0 ? this.period() : ahead;
  }

  private period(): number {
    return (this.get('PERIOD') % this.device.modulus) + 1;
  }

  private divider(): number {
    return 2 ** (this.field(8, 8) & 7);
  }

  private isDown(): boolean {
    return this.field(MODE.upDown, 2) === 1;
  }

  private field(shift: number, bits: number): number {
    return this.device.field(`CNT${this.n}_CTRL`, shift, bits);
  }

  private get(register: string): number {
    return this.device.get(`CNT${this.n}_${register}`);
  }

  private set(register: string, value: number): void {
    this.device.set(`CNT${this.n}_${register}`, value);
  }
}

/** spec.clock and spec.irq are those of the first counter, the others follow. PWM modes count as timers do; their lines are not modelled. */
export class Psoc6Tcpwm extends RegisterDevice {
  readonly modulus: number;
  private readonly host: PeripheralHost;
  private readonly counters: readonly Counter[];

  constructor(spec: PeripheralSpec, context: DeviceContext, bits: 16 | 32, count: number) {
    super(spec.name, spec.base, {
      bytes: 0x1_0000,
      registers: [
        ...storage('CTRL CTRL_CLR CTRL_SET CMD_CAPTURE CMD_RELOAD CMD_STOP CMD_START INTR_CAUSE'),
        ...Array.from({ length: count }, (_, n) => counterRegisters(n)).flat(),
      ],
    });
    this.host = context.host;
    this.modulus = 2 ** bits;
    const firstLine = Number(/\d+$/.exec(spec.clock ?? '')?.[0] ?? 0);
    this.counters = Array.from({ length: count }, (_, n) => {
      const clock = context.clocks.signal(`pclk${firstLine + n}`);
      return new Counter(this, context.host, n, clock, spec.irq === undefined ? undefined : spec.irq + n);
    });
  }

  override reset(): void {
    super.reset();
    for (const counter of this.counters) counter.reset();
  }

  nextEvent(): number {
    if (this.host.exceptions === null) return Infinity;
    let next = Infinity;
    for (const counter of this.counters) if (counter.isRunning) next = Math.min(next, counter.nextEvent());
    return next;
  }

  advance(): void {
    for (const counter of this.counters) if (counter.isRunning) counter.advance();
  }

  /** What has been is reckoned with the old value. */
  override write(offset: number, value: number, bytes?: 1 | 2 | 4, lanes?: number): boolean {
    this.advance();
    return super.write(offset, value, bytes, lanes);
  }

  protected override onRead(register: string, stored: number): number {
    this.advance();
    if (register === 'CTRL_SET' || register === 'CTRL_CLR') return this.get('CTRL');
    if (register.startsWith('CMD_')) return 0;
    if (register === 'INTR_CAUSE')
      return this.counters.reduce((word, counter, n) => word | (counter.wants() ? 1 << n : 0), 0);
    const [, n = '', name] = /^CNT(\d+)_(\w+)$/.exec(register) ?? [];
    const counter = this.counters[Number(n)];
    if (counter === undefined || n === '') return stored;
    switch (name) {
      case 'COUNTER':
        return counter.count();
      case 'STATUS':
        return (counter.isRunning ? 0x8000_0000 : 0) | (this.field(`CNT${n}_CTRL`, MODE.upDown, 2) === 1 ? 1 : 0);
      case 'INTR':
      case 'CC':
        return this.get(register);
      case 'INTR_MASKED':
        return this.get(`CNT${n}_INTR`) & this.get(`CNT${n}_INTR_MASK`);
      default:
        return stored;
    }
  }

  protected override onWrite(register: string, value: number): void {
    const [, n = '', name] = /^CNT(\d+)_(\w+)$/.exec(register) ?? [];
    if (n !== '') this.counterWritten(Number(n), name ?? '', value);
    else this.command(register, value);
    this.host.reschedule();
  }

  protected override saveOwn(): unknown {
    return this.counters.map((counter) => counter.save());
  }

  protected override restoreOwn(own: unknown): void {
    for (const [n, state] of (own as ReturnType<Counter['save']>[]).entries()) this.counters[n]?.restore(state);
  }

  private counterWritten(n: number, name: string, value: number): void {
    const counter = this.counters[n]!;
    if (name === 'COUNTER') counter.setCount(value);
    else if (name === 'INTR_SET') this.set(`CNT${n}_INTR`, this.get(`CNT${n}_INTR`) | (value & 3));
    else if (name === 'CTRL' && this.field(`CNT${n}_CTRL`, MODE.upDown, 2) > 1)
      this.host.note(`${this.name}_CNT${n}_CTRL: counting up and down is not modelled`);
    counter.update();
  }

  /** Bits are counters; a command reaches those that CTRL enables. */
  private command(register: string, value: number): void {
    const old = this.get('CTRL');
    if (register === 'CTRL_SET') this.set('CTRL', old | value);
    else if (register === 'CTRL_CLR') this.set('CTRL', old & ~value);
    for (const [n, counter] of this.counters.entries()) {
      const isEnabled = this.bit('CTRL', n);
      if (!isEnabled && counter.isRunning) counter.stop();
      if (!isEnabled || ((value >>> n) & 1) === 0) continue;
      if (register === 'CMD_START') counter.start();
      else if (register === 'CMD_STOP') counter.stop();
      else if (register === 'CMD_RELOAD') counter.reload();
      else if (register === 'CMD_CAPTURE') counter.capture();
    }
  }
}
