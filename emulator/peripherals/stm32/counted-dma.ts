/** DMA whose channels count items down from what NDTR was written as (RM0090 10.3.10, RM0432 11.4.4): halfway, at the end, and around a ring. */
import type { DeviceContext, PeripheralSpec } from '../device-context.ts';
import { DmaController } from '../dma.ts';
import type { DeviceTable } from '../register-device.ts';

export abstract class CountedDma extends DmaController {
  protected readonly spec: PeripheralSpec;
  /** NDTR as written, and items moved of these. */
  private totals: number[];
  private moved: number[];

  constructor(spec: PeripheralSpec, context: DeviceContext, table: DeviceTable) {
    super(spec, context, table);
    this.spec = spec;
    this.totals = new Array<number>(this.channels).fill(0);
    this.moved = new Array<number>(this.channels).fill(0);
  }

  override reset(): void {
    this.totals.fill(0);
    this.moved.fill(0);
    super.reset();
  }

  protected override saveOwn(): unknown {
    return { totals: [...this.totals], moved: [...this.moved], lines: super.saveOwn() };
  }

  protected override restoreOwn(own: unknown): void {
    const { totals, moved, lines } = own as { totals: number[]; moved: number[]; lines: unknown };
    this.totals = [...totals];
    this.moved = [...moved];
    super.restoreOwn(lines);
  }

  /** Name of the register with the items that are left. */
  protected abstract leftOf(channel: number): string;
  /** The flags of half a transfer. */
  protected abstract halfDone(channel: number): void;
  /** The flags of a whole one, and what else its end does. */
  protected abstract done(channel: number): void;

  /** Number of the item that is next. */
  protected indexOf(channel: number): number {
    return this.moved[channel]!;
  }

  /** The firmware has switched a channel on. */
  protected begin(channel: number): void {
    this.totals[channel] = this.get(this.leftOf(channel));
    this.moved[channel] = 0;
    this.started(channel);
    this.dma.changed();
  }

  /** An item has been moved. @param isRing whether the channel starts again at the end */
  protected count(channel: number, isRing: boolean): void {
    const total = this.totals[channel]!;
    const moved = ++this.moved[channel]!;
    this.set(this.leftOf(channel), total - moved);
    if (moved === total >>> 1) this.halfDone(channel);
    if (moved < total) return;
    this.done(channel);
    if (!isRing) return;
    this.moved[channel] = 0;
    this.set(this.leftOf(channel), total);
  }
}
