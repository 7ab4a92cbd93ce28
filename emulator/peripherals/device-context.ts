/** What a device of a chip is given when a board is put together. */
import type { Board } from '../../boards/schema.ts';
import { UserError } from '../../common/errors.ts';
import { exception } from '../exceptions/exception.ts';
import type { Clocks, ClockSignal } from './clocks.ts';
import type { EventRouter } from './event-router.ts';
import type { DmaBus, DmaRequests } from './dma.ts';
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
  /** Levels that one device of the chip sets for another, by a name both know. */
  readonly wires: Map<string, number>;
  /** Request lines between devices and DMA controllers, and what the latter reach. */
  readonly dma: DmaRequests;
  readonly dmaBus: DmaBus;
  /** Far end of ITM stimulus port 0. */
  readonly itm: SerialLine;
}

/** Lines that are raised, by number: small chips let devices share one. */
const raised = new WeakMap<PeripheralHost, Map<number, Set<InterruptLine>>>();

function raisedOf(host: PeripheralHost, number: number): Set<InterruptLine> {
  const lines = raised.get(host) ?? new Map<number, Set<InterruptLine>>();
  const sharers = lines.get(number) ?? new Set<InterruptLine>();
  raised.set(host, lines.set(number, sharers));
  return sharers;
}

/**
 * An interrupt line of the NVIC, driven by a device; it is raised while any of the devices that share it raises it. Does nothing on an engine
 * that takes no interrupts.
 */
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
    const sharers = this.keep(this.number);
    exceptions.state.setLevel(this.number, sharers.size > 0);
    exceptions.changed();
  }

  /** After restore(): the level in the NVIC is restored with the exceptions. */
  restore(level: boolean): void {
    this.level = level;
    if (this.number !== null) this.keep(this.number);
  }

  private keep(number: number): Set<InterruptLine> {
    const sharers = raisedOf(this.host, number);
    if (this.level) sharers.add(this);
    else sharers.delete(this);
    return sharers;
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
