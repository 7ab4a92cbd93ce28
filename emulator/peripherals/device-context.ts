/** What a device of a chip is given when a board is put together. */
import type { Board } from '../../boards/schema.ts';
import { UserError } from '../../common/errors.ts';
import { exception } from '../exceptions/exception.ts';
import type { Clocks, ClockSignal } from './clocks.ts';
import type { EventRouter } from './event-router.ts';
import type { FlashControl } from './flash-control.ts';
import type { PeripheralHost } from './peripheral.ts';
import type { SerialLine } from './serial-line.ts';

export type PeripheralSpec = Board['peripherals'][number];

export interface DeviceContext {
  readonly host: PeripheralHost;
  readonly clocks: Clocks;
  readonly flash: FlashControl;
  /** The chip's own flash. */
  readonly flashArray: { readonly start: number; readonly bytes: number };
  readonly oscillators: Board['oscillators'];
  /** What the chip's id register reads as; 0: not known. */
  readonly idCode: number;
  /** The far end of a UART, by the name of the peripheral. */
  readonly serialLine: (name: string) => SerialLine;
  readonly events: EventRouter;
  /** Far end of ITM stimulus port 0. */
  readonly itm: SerialLine;
}

/** An interrupt line of the NVIC, driven by a device; does nothing on an engine that takes no interrupts. */
export class InterruptLine {
  private readonly host: PeripheralHost;
  private readonly number: number | null;
  private level = false;

  constructor(host: PeripheralHost, irq: number | undefined) {
    this.host = host;
    this.number = irq === undefined ? null : exception.firstInterrupt + irq;
  }

  set(level: boolean): void {
    if (level === this.level) return;
    this.level = level;
    const { exceptions } = this.host;
    if (this.number === null || exceptions === null) return;
    exceptions.state.setLevel(this.number, level);
    exceptions.changed();
  }

  /** After restore(): the level in the NVIC is restored with the exceptions. */
  restore(level: boolean): void {
    this.level = level;
  }
}

/**
 * The clock a peripheral counts by. Absent in the board description: the core's.
 * @throws UserError for a clock that the chip does not have
 */
export function clockOf({ clocks }: DeviceContext, { name, clock = 'core' }: PeripheralSpec): ClockSignal {
  if (!clocks.has(clock))
    throw new UserError(
      `peripheral ${name} counts by the clock "${clock}", which is none of ${clocks.names().join(', ')}; correct "clock", or list the clock controller first`,
    );
  return clocks.signal(clock);
}
