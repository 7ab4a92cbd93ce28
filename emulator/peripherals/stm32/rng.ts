/**
 * Random number generator of the STM32 (RM0432 chapter 33, RM0456 chapter 48). A number is ready at once and no error is ever found; the numbers
 * are those of a generator with a fixed start (xorshift32), so that a run can be repeated.
 */
import { InterruptLine, type DeviceContext, type PeripheralSpec } from '../device-context.ts';
import { RegisterDevice, storage, type DeviceTable } from '../register-device.ts';

const CR = { RNGEN: 2, IE: 3, CONDRST: 30 } as const;
const DRDY = 1;
const SEED = 0x2545_f491;

const table: DeviceTable = {
  bytes: 0x400,
  registers: [
    ...storage('CR'),
    { name: 'SR', offset: 0x04, writable: 0 },
    { name: 'DR', offset: 0x08, writable: 0 },
    ...storage('NSCR HTCR', 0x0c),
  ],
};

export class Stm32Rng extends RegisterDevice {
  private readonly interrupt: InterruptLine;
  private state = SEED;

  constructor(spec: PeripheralSpec, { host }: DeviceContext) {
    super(spec.name, spec.base, table);
    this.interrupt = new InterruptLine(host, spec.irq);
  }

  override reset(): void {
    super.reset();
    this.state = SEED;
    this.interrupt.set(false);
  }

  protected override onRead(register: string, stored: number): number {
    if (register === 'SR') return this.isReady() ? DRDY : 0;
    return register === 'DR' && this.isReady() ? this.next() : stored;
  }

  protected override onWrite(): void {
    this.interrupt.set(this.wants());
  }

  protected override saveOwn(): unknown {
    return { state: this.state, level: this.wants() };
  }

  protected override restoreOwn(own: unknown): void {
    const { state, level } = own as { state: number; level: boolean };
    this.state = state;
    this.interrupt.restore(level);
  }

  /** While CONDRST is set it does nothing. */
  private isReady(): boolean {
    return this.bit('CR', CR.RNGEN) && !this.bit('CR', CR.CONDRST);
  }

  private wants(): boolean {
    return this.isReady() && this.bit('CR', CR.IE);
  }

  private next(): number {
    let x = this.state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.state = x >>> 0;
    return this.state;
  }
}
