/**
 * STM32 general-purpose and basic timers (RM0432 chapters 38 and 39): up-counting from the timer clock through PSC and ARR, update and compare
 * flags and their interrupts, one-pulse mode. Other counting modes, captures, output pins, triggers and DMA are not modelled.
 */
import { clockOf, InterruptLine, type DeviceContext, type PeripheralSpec } from '../device-context.ts';
import type { ClockSignal } from '../clocks.ts';
import type { PeripheralHost } from '../peripheral.ts';
import { RegisterDevice, storage, unmodelled, type DeviceTable } from '../register-device.ts';

const CR1 = { CEN: 0, UDIS: 1, URS: 2, OPM: 3, ARPE: 7 } as const;
/** DIR and CMS: counting down and both ways. */
const CR1_NOT_MODELLED = 0x70;
const UIF = 1;
const COMPARES = 0x1e;
const UG = 1;
const CHANNELS = 4;

/** @param bits of counter and auto-reload register: 16 or 32 */
function timerTable(bits: 16 | 32): DeviceTable {
  const all = bits === 32 ? 0xffff_ffff : 0xffff;
  return {
    bytes: 0x400,
    registers: [
      ...storage('CR1 CR2 - DIER'),
      { name: 'SMCR', offset: 0x08 },
      { name: 'SR', offset: 0x10, writable: 0 },
      { name: 'EGR', offset: 0x14, writeOnly: true },
      ...storage('CCMR1 CCMR2 CCER', 0x18),
      { name: 'CNT', offset: 0x24, writable: all },
      { name: 'PSC', offset: 0x28, writable: 0xffff },
      { name: 'ARR', offset: 0x2c, reset: all, writable: all },
      { name: 'RCR', offset: 0x30 },
      ...['CCR1', 'CCR2', 'CCR3', 'CCR4'].map((name, index) => ({ name, offset: 0x34 + index * 4, writable: all })),
      { name: 'BDTR', offset: 0x44 },
    ],
    unmodelled: new Map(unmodelled('DCR DMAR OR1 CCMR3 CCR5 CCR6', 0x48)),
  };
}

export class Stm32Timer extends RegisterDevice {
  private readonly host: PeripheralHost;
  private readonly clock: ClockSignal;
  private readonly updateLine: InterruptLine;
  /** The same line but on advanced timers. */
  private readonly compareLine: InterruptLine;
  /** Of the timer clock, at which the counter was 0 or would have been. */
  private origin = 0;
  /** PSC and ARR as the counter uses them: both are taken over at an update event. */
  private divider = 1;
  private top: number;
  private readonly allOnes: number;
  /** Compare matches seen in this period, one bit per channel. */
  private matched = 0;

  constructor(spec: PeripheralSpec, context: DeviceContext, bits: 16 | 32) {
    super(spec.name, spec.base, timerTable(bits));
    this.host = context.host;
    this.clock = clockOf(context, spec);
    this.updateLine = new InterruptLine(context.host, spec.irq);
    this.compareLine = new InterruptLine(context.host, spec.compareIrq ?? spec.irq);
    this.allOnes = bits === 32 ? 0xffff_ffff : 0xffff;
    this.top = this.allOnes;
  }

  override reset(): void {
    super.reset();
    this.divider = 1;
    this.top = this.allOnes;
    this.matched = 0;
    this.origin = this.clock.count();
    this.update();
  }

  /** The next update, or compare match of a channel whose interrupt is on. */
  nextEvent(): number {
    if (this.host.exceptions === null || !this.isOn()) return Infinity;
    const enabled = this.get('DIER');
    let next = (enabled & UIF) !== 0 || this.bit('CR1', CR1.OPM) ? this.tickOf(this.top + 1) : Infinity;
    for (let channel = 0; channel < CHANNELS; channel++)
      if (((enabled >>> (channel + 1)) & 1) === 1 && ((this.matched >>> channel) & 1) === 0)
        next = Math.min(next, this.tickOf(this.compare(channel)));
    return next === Infinity ? Infinity : this.clock.cycleOf(next);
  }

  advance(): void {
    if (!this.isOn()) return;
    const period = (this.top + 1) * this.divider;
    const passed = Math.floor((this.clock.count() - this.origin) / period);
    if (passed > 0) {
      this.flagMatches(this.top);
      const isOnePulse = this.bit('CR1', CR1.OPM);
      this.origin += passed * period;
      if (!this.bit('CR1', CR1.UDIS)) this.updateEvent(true);
      if (isOnePulse) {
        this.set('CR1', this.get('CR1') & ~1);
        this.set('CNT', 0);
      }
      this.matched = 0;
    }
    if (this.isOn()) this.flagMatches(this.position());
    this.update();
  }

  protected override onRead(register: string, stored: number): number {
    if (register !== 'CNT' && register !== 'SR' && register !== 'CR1') return stored;
    this.advance();
    return register === 'CNT' ? this.position() : this.get(register);
  }

  protected override onWrite(register: string, value: number, old: number): void {
    // What has passed belongs to the settings before this write.
    const next = this.get(register);
    this.set(register, old);
    this.advance();
    const position = this.position();
    this.set(register, next);
    this.take(register, value, position, old);
    this.update();
    this.host.reschedule();
  }

  protected override saveOwn(): unknown {
    const { origin, divider, top, matched } = this;
    return { origin, divider, top, matched, wants: this.wants() };
  }

  protected override restoreOwn(own: unknown): void {
    const { wants, ...rest } = own as { wants: number; origin: number; divider: number; top: number; matched: number };
    Object.assign(this, rest);
    this.updateLine.restore((wants & UIF) !== 0);
    this.compareLine.restore((wants & COMPARES) !== 0);
  }

  private take(register: string, value: number, position: number, old: number): void {
    switch (register) {
      case 'CR1':
        if ((value & CR1_NOT_MODELLED) !== 0)
          this.host.note(`${this.name} counts down or both ways; only up is modelled`);
        if (((value ^ old) & 1) !== 0) {
          if ((value & 1) === 1) this.place(this.get('CNT'));
          else this.set('CNT', position);
        }
        break;
      case 'SMCR':
        if ((value & 7) !== 0) this.host.note(`${this.name}_SMCR: slave modes are not modelled`);
        break;
      case 'SR':
        this.set('SR', old & value); // a written 0 clears
        break;
      case 'EGR':
        if ((value & UG) !== 0) this.generate();
        break;
      case 'CNT':
        this.place(this.get('CNT'));
        this.matched = 0;
        break;
      case 'ARR':
        if (!this.bit('CR1', CR1.ARPE)) this.top = this.get('ARR');
        break;
      default:
        if (register.startsWith('CCR')) this.matched &= ~(1 << (Number(register.slice(3)) - 1));
    }
  }

  /** EGR.UG: the counter starts over with the new PSC and ARR. */
  private generate(): void {
    this.updateEvent(!this.bit('CR1', CR1.URS));
    this.place(0);
    this.matched = 0;
  }

  private updateEvent(flags: boolean): void {
    this.divider = this.get('PSC') + 1;
    this.top = this.get('ARR');
    if (flags) this.set('SR', this.get('SR') | UIF);
  }

  private isOn(): boolean {
    return this.bit('CR1', CR1.CEN) && this.top > 0;
  }

  private compare(channel: number): number {
    return this.get(`CCR${channel + 1}`);
  }

  /** Tick at which the counter becomes `count` in this period; Infinity beyond its top. */
  private tickOf(count: number): number {
    return count > this.top + 1 ? Infinity : this.origin + count * this.divider;
  }

  private position(): number {
    if (!this.isOn()) return this.get('CNT');
    const counted = Math.floor((this.clock.count() - this.origin) / this.divider);
    return counted % (this.top + 1);
  }

  private place(count: number): void {
    this.set('CNT', count);
    this.origin = this.clock.count() - count * this.divider;
  }

  private flagMatches(upTo: number): void {
    for (let channel = 0; channel < CHANNELS; channel++) {
      const bit = 1 << channel;
      if ((this.matched & bit) !== 0 || this.compare(channel) > upTo) continue;
      this.matched |= bit;
      this.set('SR', this.get('SR') | (bit << 1));
    }
  }

  private wants(): number {
    return this.get('SR') & this.get('DIER') & (UIF | COMPARES);
  }

  private update(): void {
    const wants = this.wants();
    this.updateLine.set((wants & UIF) !== 0);
    this.compareLine.set((wants & COMPARES) !== 0);
  }
}
