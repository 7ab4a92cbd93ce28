/**
 * The clocks of a chip as its firmware has set them up. Cycles of the core are the only time that passes; every other clock is counted
 * relative to them, exactly across changes of either. A chip's clock controller is the only caller of update().
 */
import { assert } from '../../common/errors.ts';
import type { Stateful } from '../state/stateful.ts';

/** Hertz by the name of the clock; `core` is always there. 0: off. */
export type ClockRates = Readonly<Record<string, number>>;

/** Far below a tick, far above what rounding gathers in a run. */
const ROUNDING_TICKS = 1e-6;

export class ClockSignal {
  readonly name: string;
  private readonly clocks: Clocks;
  /** Ticks at the cycle of the last change. */
  private base = 0;
  private baseCycle = 0;
  /** Per cycle of the core. */
  private rate = 0;

  constructor(name: string, clocks: Clocks) {
    this.name = name;
    this.clocks = clocks;
    this.restart();
  }

  hz(): number {
    return this.clocks.hz(this.name);
  }

  /** Since power-on, with a fraction. */
  ticks(): number {
    return this.base + (this.clocks.now() - this.baseCycle) * this.rate;
  }

  isReached(tick: number): boolean {
    return this.ticks() + ROUNDING_TICKS >= tick;
  }

  /** Whole ticks since power-on. */
  count(): number {
    return Math.floor(this.ticks() + ROUNDING_TICKS);
  }

  /** The first cycle at which isReached(tick) if no clock changes until then. */
  cycleOf(tick: number): number {
    if (this.rate === 0) return this.isReached(tick) ? this.baseCycle : Infinity;
    return Math.ceil(this.baseCycle + (tick - this.base) / this.rate - ROUNDING_TICKS);
  }

  restartAtZero(): void {
    this.base = 0;
    this.restart();
  }

  saved(): readonly [number, number] {
    return [this.base, this.baseCycle];
  }

  load([base, baseCycle]: readonly [number, number]): void {
    this.restart();
    this.base = base;
    this.baseCycle = baseCycle;
  }

  private restart(): void {
    this.baseCycle = this.clocks.now();
    const core = this.clocks.hz('core');
    this.rate = core === 0 ? 0 : this.clocks.hz(this.name) / core;
  }
}

export class Clocks implements Stateful {
  /** Cycles of the core since power-on. */
  readonly now: () => number;
  private rates: ClockRates;
  private readonly signals = new Map<string, ClockSignal>();
  private readonly stages: ((rates: ClockRates) => ClockRates)[] = [];
  private readonly listeners: (() => void)[] = [];

  /** @param initial until the chip's clock controller says otherwise */
  constructor(now: () => number, initial: ClockRates) {
    this.now = now;
    this.rates = initial;
  }

  /** Of the core, in Hz. */
  coreHz(): number {
    return this.hz('core');
  }

  hz(name: string): number {
    const hz = this.rates[name];
    assert(hz !== undefined, `no clock is named ${name}; there are ${Object.keys(this.rates).join(', ')}`);
    return hz;
  }

  names(): string[] {
    return Object.keys(this.rates);
  }

  has(name: string): boolean {
    return this.rates[name] !== undefined;
  }

  /** To count a clock by. */
  signal(name: string): ClockSignal {
    let signal = this.signals.get(name);
    if (signal === undefined) this.signals.set(name, (signal = new ClockSignal(name, this)));
    return signal;
  }

  /** Called after every change of a rate. */
  onChange(listener: () => void): void {
    this.listeners.push(listener);
  }

  /** For chips whose clocks are set up by several devices: what one of them makes of the rates before it, in the order they were added. */
  addStage(stage: (rates: ClockRates) => ClockRates): void {
    this.stages.push(stage);
    this.recompute();
  }

  /** The registers behind a stage have changed. */
  recompute(): void {
    let rates = this.rates;
    for (const stage of this.stages) rates = { ...rates, ...stage(rates) };
    this.update(rates);
  }

  /** The firmware has set other rates, from now on. */
  update(rates: ClockRates): void {
    const old = this.rates;
    if (Object.keys(rates).every((name) => rates[name] === old[name])) return;
    const signals = [...this.signals.values()];
    // Every signal counts up to now at the old rates before any is changed.
    const ticks = signals.map((signal) => signal.ticks());
    this.rates = rates;
    for (const [index, signal] of signals.entries()) signal.load([ticks[index]!, this.now()]);
    for (const listener of this.listeners) listener();
  }

  /** Power-on: counts begin at 0. The clock controller's own reset sets the rates. */
  reset(): void {
    for (const signal of this.signals.values()) signal.restartAtZero();
  }

  save(): unknown {
    return { rates: this.rates, signals: new Map([...this.signals].map(([name, signal]) => [name, signal.saved()])) };
  }

  restore(state: unknown): void {
    const { rates, signals } = state as { rates: ClockRates; signals: ReadonlyMap<string, readonly [number, number]> };
    this.rates = rates;
    for (const [name, saved] of signals) this.signal(name).load(saved);
    for (const listener of this.listeners) listener();
  }
}
