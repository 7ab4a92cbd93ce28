/** TIMER, SIO and the pad and flash interface registers of the RP2040 (data sheet 4.6, 2.3.1, 2.19, 4.10). One core: the second is never started. */
import type { ClockSignal } from '../clocks.ts';
import { clockOf, InterruptLine, type DeviceContext, type PeripheralSpec } from '../device-context.ts';
import type { GpioPort, PinLevel } from '../gpio-port.ts';
import type { PeripheralHost } from '../peripheral.ts';
import { RegisterDevice, storage, unmodelled, type DeviceTable } from '../register-device.ts';

const ALARMS = 4;
const WORD = 2 ** 32;

/** 64 bits of microseconds, counted by the watchdog's tick. */
export class Rp2040Timer extends RegisterDevice {
  private readonly host: PeripheralHost;
  private readonly clock: ClockSignal;
  private readonly interrupts: readonly InterruptLine[];
  /** Tick at which the timer was 0. */
  private origin = 0;
  private latchedHigh = 0;

  constructor(spec: PeripheralSpec, context: DeviceContext) {
    super(spec.name, spec.base, {
      bytes: 0x1000,
      hasAtomicViews: true,
      registers: [
        { name: 'TIMEHW', offset: 0x00, writeOnly: true },
        { name: 'TIMELW', offset: 0x04, writeOnly: true },
        { name: 'TIMEHR', offset: 0x08, writable: 0 },
        { name: 'TIMELR', offset: 0x0c, writable: 0 },
        ...storage('ALARM0 ALARM1 ALARM2 ALARM3', 0x10),
        { name: 'ARMED', offset: 0x20, oneClears: 0xf },
        { name: 'TIMERAWH', offset: 0x24, writable: 0 },
        { name: 'TIMERAWL', offset: 0x28, writable: 0 },
        ...storage('DBGPAUSE=7 PAUSE', 0x2c),
        { name: 'INTR', offset: 0x34, oneClears: 0xf },
        ...storage('INTE INTF', 0x38),
        { name: 'INTS', offset: 0x40, writable: 0 },
      ],
    });
    this.host = context.host;
    this.clock = clockOf(context, spec);
    const first = spec.irq;
    this.interrupts = Array.from(
      { length: ALARMS },
      (_, alarm) => new InterruptLine(context.host, first === undefined ? undefined : first + alarm),
    );
  }

  override reset(): void {
    super.reset();
    this.origin = this.clock.count();
    this.latchedHigh = 0;
    this.update();
  }

  nextEvent(): number {
    if (this.host.exceptions === null) return Infinity;
    let next = Infinity;
    for (let alarm = 0; alarm < ALARMS; alarm++)
      if (this.bit('ARMED', alarm)) next = Math.min(next, this.clock.cycleOf(this.tickOf(alarm)));
    return next;
  }

  advance(): void {
    for (let alarm = 0; alarm < ALARMS; alarm++) {
      if (!this.bit('ARMED', alarm) || this.now() % WORD !== this.get(`ALARM${alarm}`)) continue;
      this.set('ARMED', this.get('ARMED') & ~(1 << alarm));
      this.set('INTR', this.get('INTR') | (1 << alarm));
    }
    this.update();
  }

  protected override onRead(register: string, stored: number): number {
    const now = this.now();
    switch (register) {
      case 'TIMELR':
        this.latchedHigh = Math.floor(now / WORD);
        return now % WORD;
      case 'TIMEHR':
        return this.latchedHigh;
      case 'TIMERAWL':
        return now % WORD;
      case 'TIMERAWH':
        return Math.floor(now / WORD);
      case 'INTS':
        return (this.get('INTR') & this.get('INTE')) | this.get('INTF');
      default:
        return stored;
    }
  }

  protected override onWrite(register: string): void {
    if (register.startsWith('ALARM')) this.set('ARMED', this.get('ARMED') | (1 << Number(register.slice(5))));
    else if (register === 'TIMEHW') this.origin = this.clock.count() - (this.get('TIMEHW') * WORD + this.get('TIMELW'));
    this.update();
    this.host.reschedule();
  }

  protected override saveOwn(): unknown {
    return { origin: this.origin, latchedHigh: this.latchedHigh };
  }

  protected override restoreOwn(own: unknown): void {
    Object.assign(this, own);
    for (const [alarm, line] of this.interrupts.entries()) line.restore(this.wants(alarm));
  }

  private now(): number {
    return this.clock.count() - this.origin;
  }

  /** The next tick at which the low word equals the alarm, not the one under way unless it does so now. */
  private tickOf(alarm: number): number {
    const now = this.now();
    const ahead = (this.get(`ALARM${alarm}`) - (now % WORD) + WORD) % WORD;
    return this.origin + now + ahead;
  }

  private wants(alarm: number): boolean {
    return (((this.get('INTR') & this.get('INTE')) | this.get('INTF')) & (1 << alarm)) !== 0;
  }

  private update(): void {
    for (const [alarm, line] of this.interrupts.entries()) line.set(this.wants(alarm));
  }
}

const PINS = 30;
const SIO_PREFIXES = ['GPIO_OUT', 'GPIO_OE', 'GPIO_HI_OUT', 'GPIO_HI_OE'] as const;
const SPINLOCKS = 32;

const unmodelledInterpolator = (n: number): [number, string][] =>
  unmodelled(
    'ACCUM0 ACCUM1 BASE0 BASE1 BASE2 POP_LANE0 POP_LANE1 POP_FULL PEEK_LANE0 PEEK_LANE1 PEEK_FULL CTRL_LANE0 CTRL_LANE1 ACCUM0_ADD ACCUM1_ADD BASE_1AND0',
    0x80 + n * 0x40,
  ).map(([offset, name]) => [offset, `INTERP${n}_${name}`]);

/** Masks of pins, from the pads to the SIO. */
export const PULLED_UP = 'GPIO pull-ups';

const sioTable: DeviceTable = {
  bytes: 0x200,
  registers: [
    { name: 'CPUID', offset: 0x00, writable: 0 },
    { name: 'GPIO_IN', offset: 0x04, writable: 0 },
    { name: 'GPIO_HI_IN', offset: 0x08, writable: 0 },
    ...SIO_PREFIXES.flatMap((prefix, index) =>
      ['', '_SET', '_CLR', '_XOR'].map((suffix, word) => ({
        name: prefix + suffix,
        offset: 0x10 + index * 16 + word * 4,
        writeOnly: suffix !== '',
      })),
    ),
    { name: 'FIFO_ST', offset: 0x50, reset: 2, writable: 0 },
    { name: 'FIFO_WR', offset: 0x54, writeOnly: true },
    { name: 'FIFO_RD', offset: 0x58, writable: 0 },
    { name: 'SPINLOCK_ST', offset: 0x5c, writable: 0 },
    ...storage('DIV_UDIVIDEND DIV_UDIVISOR DIV_SDIVIDEND DIV_SDIVISOR DIV_QUOTIENT DIV_REMAINDER', 0x60),
    { name: 'DIV_CSR', offset: 0x78, reset: 1, writable: 0 },
    ...Array.from({ length: SPINLOCKS }, (_, n) => ({ name: `SPINLOCK${n}`, offset: 0x100 + n * 4 })),
  ],
  unmodelled: new Map([...unmodelledInterpolator(0), ...unmodelledInterpolator(1)]),
};

/** Pins, the divider (its result is there at once; 8 cycles on the chip) and the spinlocks. */
export class Rp2040Sio extends RegisterDevice implements GpioPort {
  onChange: (() => void) | null = null;
  readonly pins = PINS;
  private readonly driven: PinLevel[] = Array.from({ length: PINS }, () => null);

  private readonly context: DeviceContext;

  constructor(spec: PeripheralSpec, context: DeviceContext) {
    super(spec.name, spec.base, sioTable);
    this.context = context;
  }

  drive(pin: number, level: PinLevel): void {
    this.driven[pin] = level;
    this.onChange?.();
  }

  output(pin: number): PinLevel {
    return this.bit('GPIO_OE', pin) ? (this.field('GPIO_OUT', pin, 1) as 0 | 1) : null;
  }

  level(pin: number): 0 | 1 {
    const pull = ((this.context.wires.get(PULLED_UP) ?? 0) >>> pin) & 1;
    return this.output(pin) ?? this.driven[pin] ?? (pull as 0 | 1);
  }

  protected override onRead(register: string, stored: number): number {
    if (register.startsWith('SPINLOCK')) {
      // A read claims it: 0 when it is taken already.
      const isFree = this.get(register) === 0;
      this.set(register, 1);
      return isFree ? 1 << Number(register.slice(8)) : 0;
    }
    if (register === 'SPINLOCK_ST') return this.lockStates();
    if (register === 'DIV_QUOTIENT') this.set('DIV_CSR', 1);
    if (register !== 'GPIO_IN') return stored;
    let word = 0;
    for (let pin = 0; pin < PINS; pin++) word |= this.level(pin) << pin;
    return word;
  }

  protected override onWrite(register: string, value: number): void {
    const [, plain, how] = /^(GPIO_\w*?)_(SET|CLR|XOR)$/.exec(register) ?? [];
    if (plain !== undefined) {
      const old = this.get(plain);
      this.set(plain, how === 'SET' ? old | value : how === 'CLR' ? old & ~value : old ^ value);
    } else if (register.startsWith('SPINLOCK')) this.set(register, 0);
    else if (register.startsWith('DIV_')) this.divide(register);
    else if (register === 'FIFO_WR') this.context.host.fail(`${this.name}_FIFO_WR: the second core is not emulated`);
    if (register.startsWith('GPIO')) this.onChange?.();
  }

  protected override saveOwn(): unknown {
    return [...this.driven];
  }

  protected override restoreOwn(own: unknown): void {
    for (const [pin, level] of (own as PinLevel[]).entries()) this.driven[pin] = level;
  }

  private lockStates(): number {
    let word = 0;
    for (let lock = 0; lock < SPINLOCKS; lock++) if (this.get(`SPINLOCK${lock}`) !== 0) word |= 1 << lock;
    return word;
  }

  /** 2.3.1.5: writing an operand starts a division of its kind; by 0 the quotient is all ones (or one), the remainder the dividend. */
  private divide(register: string): void {
    const kind = register[4];
    // A result put back, as an interrupt handler does that has used the divider.
    if (kind === 'Q' || kind === 'R') this.set('DIV_CSR', 3);
    if (kind !== 'U' && kind !== 'S') return;
    const isSigned = kind === 'S';
    for (const operand of ['DIVIDEND', 'DIVISOR'])
      this.set(`DIV_${isSigned ? 'U' : 'S'}${operand}`, this.get(`DIV_${kind}${operand}`));
    const read = (operand: string): number =>
      isSigned ? this.get(`DIV_S${operand}`) | 0 : this.get(`DIV_U${operand}`);
    const dividend = read('DIVIDEND');
    const divisor = read('DIVISOR');
    const byZero = isSigned && dividend < 0 ? 1 : -1;
    this.set('DIV_QUOTIENT', divisor === 0 ? byZero : Math.trunc(dividend / divisor));
    this.set('DIV_REMAINDER', divisor === 0 ? dividend : dividend % divisor);
    this.set('DIV_CSR', 3);
  }
}

export const ioBankTable: DeviceTable = {
  bytes: 0x1000,
  hasAtomicViews: true,
  registers: [
    ...Array.from({ length: PINS }, (_, pin) => [
      { name: `GPIO${pin}_STATUS`, offset: pin * 8, writable: 0 },
      { name: `GPIO${pin}_CTRL`, offset: pin * 8 + 4, reset: 0x1f },
    ]).flat(),
    ...storage('INTR0 INTR1 INTR2 INTR3', 0xf0).map((register) => ({ ...register, writable: 0 })),
    ...storage(
      'PROC0_INTE0 PROC0_INTE1 PROC0_INTE2 PROC0_INTE3 PROC0_INTF0 PROC0_INTF1 PROC0_INTF2 PROC0_INTF3',
      0x100,
    ),
    ...storage('PROC0_INTS0 PROC0_INTS1 PROC0_INTS2 PROC0_INTS3', 0x120).map((register) => ({
      ...register,
      writable: 0,
    })),
  ],
};

const PULL_UP = 3;

/** Of the pads only the pull-ups matter. */
export class Rp2040Pads extends RegisterDevice {
  private readonly context: DeviceContext;

  constructor(spec: PeripheralSpec, context: DeviceContext) {
    super(spec.name, spec.base, {
      bytes: 0x1000,
      hasAtomicViews: true,
      registers: [
        ...storage('VOLTAGE_SELECT'),
        ...Array.from({ length: PINS }, (_, pin) => ({ name: `GPIO${pin}`, offset: 4 + pin * 4, reset: 0x56 })),
        ...storage('SWCLK=0xda SWD=0x5a', 0x7c),
      ],
    });
    this.context = context;
  }

  override reset(): void {
    super.reset();
    this.update();
  }

  protected override onWrite(): void {
    this.update();
  }

  protected override restoreOwn(): void {
    this.update();
  }

  private update(): void {
    let mask = 0;
    for (let pin = 0; pin < PINS; pin++) mask |= this.field(`GPIO${pin}`, PULL_UP, 1) << pin;
    this.context.wires.set(PULLED_UP, mask);
  }
}
