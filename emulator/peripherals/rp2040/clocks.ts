/** RESETS, XOSC, PLLs, CLOCKS and WATCHDOG tick of the RP2040 (data sheet 2.14, 2.16, 2.18, 2.15, 4.7). Oscillators and PLLs are ready at once. */
import { ClockStage } from '../clock-stage.ts';
import type { ClockRates, ClockSignal } from '../clocks.ts';
import type { DeviceContext, PeripheralSpec } from '../device-context.ts';
import { RegisterDevice, storage } from '../register-device.ts';

/** 2.17: of the ring oscillator after reset, nominal; the real one varies widely. */
const ROSC_HZ = 6.5e6;
const ALL_RESETS = 0x01ff_ffff;

export class Rp2040Resets extends RegisterDevice {
  constructor(spec: PeripheralSpec) {
    super(spec.name, spec.base, {
      bytes: 0x1000,
      hasAtomicViews: true,
      registers: [
        { name: 'RESET', offset: 0, reset: ALL_RESETS, writable: ALL_RESETS },
        { name: 'WDSEL', offset: 4 },
        { name: 'RESET_DONE', offset: 8, writable: 0 },
      ],
    });
  }

  override reset(): void {
    super.reset();
    this.set('RESET_DONE', 0);
  }

  protected override onWrite(): void {
    this.set('RESET_DONE', ~this.get('RESET') & ALL_RESETS);
  }
}

const XOSC_ENABLED = 0xfab;

export class Rp2040Xosc extends ClockStage {
  private readonly crystalHz: number;

  constructor(spec: PeripheralSpec, context: DeviceContext) {
    super(spec, context, {
      bytes: 0x1000,
      hasAtomicViews: true,
      registers: [
        ...storage('CTRL'),
        { name: 'STATUS', offset: 4, writable: 0 },
        ...storage('DORMANT STARTUP=0xc4', 8),
      ],
    });
    this.crystalHz = context.oscillators.hse ?? 0;
    this.clocks.recompute();
  }

  protected override rates(): ClockRates {
    return { rosc: ROSC_HZ, xosc: this.isStable() ? this.crystalHz : 0 };
  }

  protected override onRead(register: string, stored: number): number {
    return register === 'STATUS' && this.isStable() ? 0x8000_1000 : stored;
  }

  private isStable(): boolean {
    return this.field('CTRL', 12, 12) === XOSC_ENABLED && (this.crystalHz ?? 0) > 0;
  }
}

const CS_LOCK = 1 << 31;
/** PD and VCOPD of PWR, and POSTDIVPD. */
const PWR_OFF = 0x21;
const PWR_POSTDIV_OFF = 0x08;

/** @param spec whose name in lower case is that of its clock: pll_sys, pll_usb */
export class Rp2040Pll extends ClockStage {
  constructor(spec: PeripheralSpec, context: DeviceContext) {
    super(spec, context, {
      bytes: 0x1000,
      hasAtomicViews: true,
      registers: storage('CS=1 PWR=0x2d FBDIV_INT PRIM=0x77000'),
    });
  }

  protected override rates({ xosc = 0 }: ClockRates): ClockRates {
    const vco = this.isLocked() ? (xosc / Math.max(1, this.field('CS', 0, 6))) * this.field('FBDIV_INT', 0, 12) : 0;
    const divider = this.field('PRIM', 16, 3) * this.field('PRIM', 12, 3);
    const isOut = (this.get('PWR') & PWR_POSTDIV_OFF) === 0 && divider > 0;
    return { [this.name.toLowerCase()]: isOut ? vco / divider : 0 };
  }

  protected override onRead(register: string, stored: number): number {
    return register === 'CS' && this.isLocked() ? stored | CS_LOCK : stored;
  }

  private isLocked(): boolean {
    return (this.get('PWR') & PWR_OFF) === 0 && this.field('FBDIV_INT', 0, 12) > 0;
  }
}

const GENERATORS = ['GPOUT0', 'GPOUT1', 'GPOUT2', 'GPOUT3', 'REF', 'SYS', 'PERI', 'USB', 'ADC', 'RTC'] as const;

/** FC0_STATUS: the frequency counter has counted, which takes no time. */
const FC0_DONE = 1 << 4;

export class Rp2040Clocks extends ClockStage {
  private readonly host: DeviceContext['host'];
  /** Hertz by FC0_SRC. */
  declare private counted: readonly number[];

  constructor(spec: PeripheralSpec, context: DeviceContext) {
    super(spec, context, {
      bytes: 0x1000,
      hasAtomicViews: true,
      registers: [
        ...GENERATORS.flatMap((name, index) => [
          { name: `CLK_${name}_CTRL`, offset: index * 12 },
          { name: `CLK_${name}_DIV`, offset: index * 12 + 4, reset: 0x100 },
          { name: `CLK_${name}_SELECTED`, offset: index * 12 + 8, reset: 1, writable: 0 },
        ]),
        ...storage('RESUS_CTRL=0xff', 0x78),
        { name: 'RESUS_STATUS', offset: 0x7c, writable: 0 },
        ...storage('FC0_REF_KHZ FC0_MIN_KHZ FC0_MAX_KHZ=0x1ffffff FC0_DELAY=1 FC0_INTERVAL=8 FC0_SRC', 0x80),
        { name: 'FC0_STATUS', offset: 0x98, writable: 0 },
        { name: 'FC0_RESULT', offset: 0x9c, writable: 0 },
        ...storage('WAKE_EN0=0xffffffff WAKE_EN1=0x7fff SLEEP_EN0=0xffffffff SLEEP_EN1=0x7fff', 0xa0),
        { name: 'ENABLED0', offset: 0xb0, reset: 0xffff_ffff, writable: 0 },
        { name: 'ENABLED1', offset: 0xb4, reset: 0x7fff, writable: 0 },
        ...storage('INTR INTE INTF INTS', 0xb8),
      ],
    });
    this.host = context.host;
  }

  protected override onRead(register: string, stored: number): number {
    if (register === 'FC0_STATUS') return this.get('FC0_SRC') === 0 ? 0 : FC0_DONE;
    if (register === 'FC0_RESULT') return Math.round((this.counted[this.get('FC0_SRC')] ?? 0) / 1000) << 5;
    if (register === 'CLK_REF_SELECTED') return 1 << this.field('CLK_REF_CTRL', 0, 2);
    return register === 'CLK_SYS_SELECTED' ? 1 << this.field('CLK_SYS_CTRL', 0, 1) : stored;
  }

  protected override changed(): void {
    this.host.reschedule();
  }

  protected override rates({ rosc = 0, xosc = 0, pll_sys = 0, pll_usb = 0 }: ClockRates): ClockRates {
    const divided = (name: string, hz: number): number => {
      const divider = this.get(`CLK_${name}_DIV`) / 256;
      return hz / (divider < 1 ? 2 ** 16 : name === 'REF' ? Math.floor(divider) : divider);
    };
    const ref = divided('REF', [rosc, pll_usb, xosc][this.field('CLK_REF_CTRL', 0, 2)] ?? 0);
    const sysAux = [pll_sys, pll_usb, rosc, xosc][this.field('CLK_SYS_CTRL', 5, 3)] ?? 0;
    const sys = divided('SYS', this.bit('CLK_SYS_CTRL', 0) ? sysAux : ref);
    if (sys === 0) {
      this.host.fail(`${this.name}: clk_sys was switched to a source that is off`);
      return {};
    }
    const periSource = [sys, pll_sys, pll_usb, rosc, xosc][this.field('CLK_PERI_CTRL', 5, 3)] ?? 0;
    const peri = this.bit('CLK_PERI_CTRL', 11) ? periSource : 0;
    const auxiliary = (name: string): number =>
      this.bit(`CLK_${name}_CTRL`, 11)
        ? divided(name, [pll_usb, pll_sys, rosc, xosc][this.field(`CLK_${name}_CTRL`, 5, 3)] ?? 0)
        : 0;
    const others = ['USB', 'ADC', 'RTC'].map(auxiliary);
    this.counted = [0, pll_sys, pll_usb, rosc, rosc, xosc, 0, 0, ref, sys, peri, ...others];
    return { core: sys, clk_ref: ref, clk_peri: peri };
  }
}

const TICK_ENABLE = 9;
const WATCHDOG = { enable: 30, trigger: 31 } as const;
/** 4.7.2: it counts down twice in a tick (RP2040-E1). */
const COUNTS_PER_TICK = 2;
const KEPT = ['REASON', ...Array.from({ length: 8 }, (_, n) => `SCRATCH${n}`)];

/** The tick for the timer, and a reset of the whole chip when nothing has been loaded for too long. */
export class Rp2040Watchdog extends ClockStage {
  private readonly host: DeviceContext['host'];
  /** Tick at which the count is 0. */
  private due = Infinity;

  constructor(spec: PeripheralSpec, context: DeviceContext) {
    super(spec, context, {
      bytes: 0x1000,
      hasAtomicViews: true,
      registers: [
        { name: 'CTRL', offset: 0, reset: 0x0700_0000, writable: 0x4700_0000 },
        { name: 'LOAD', offset: 4, writeOnly: true },
        { name: 'REASON', offset: 8, writable: 0 },
        ...storage('SCRATCH0 SCRATCH1 SCRATCH2 SCRATCH3 SCRATCH4 SCRATCH5 SCRATCH6 SCRATCH7', 0x0c),
        { name: 'TICK', offset: 0x2c, reset: 0x200, writable: 0x3ff },
      ],
    });
    this.host = context.host;
  }

  override reset(): void {
    super.reset();
    this.due = Infinity;
  }

  systemReset(): void {
    const kept = KEPT.map((name): [string, number] => [name, this.get(name)]);
    this.reset();
    for (const [name, value] of kept) this.set(name, value);
  }

  nextEvent(): number {
    return this.due === Infinity || !this.bit('CTRL', WATCHDOG.enable) ? Infinity : this.tick().cycleOf(this.due);
  }

  advance(): void {
    if (this.due === Infinity || !this.bit('CTRL', WATCHDOG.enable) || !this.tick().isReached(this.due)) return;
    this.expire(1);
  }

  protected override onRead(register: string, stored: number): number {
    const isRunning = this.bit('TICK', TICK_ENABLE);
    if (register === 'TICK') return stored | (isRunning ? 1 << 10 : 0);
    if (register !== 'CTRL' || this.due === Infinity) return stored;
    return stored | Math.max(0, Math.round((this.due - this.tick().ticks()) * COUNTS_PER_TICK));
  }

  protected override changed(register: string, value: number): void {
    if (register === 'LOAD') this.due = this.tick().ticks() + (value & 0xff_ffff) / COUNTS_PER_TICK;
    else if (register === 'CTRL' && value >>> WATCHDOG.trigger === 1) this.expire(2);
    this.host.reschedule();
  }

  protected override saveOwn(): unknown {
    return this.due;
  }

  protected override restoreOwn(own: unknown): void {
    this.due = own as number;
  }

  protected override rates({ clk_ref = 0 }: ClockRates): ClockRates {
    const cycles = this.field('TICK', 0, 9);
    return { tick: this.bit('TICK', TICK_ENABLE) && cycles > 0 ? clk_ref / cycles : 0 };
  }

  private tick(): ClockSignal {
    return this.clocks.signal('tick');
  }

  private expire(reason: number): void {
    this.due = Infinity;
    this.set('REASON', reason);
    this.host.exceptions?.requestReset();
  }
}
