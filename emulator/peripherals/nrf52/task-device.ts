/**
 * nRF52 devices are made of tasks (a write of 1 starts something), events (registers that become 1) and interrupts on events
 * (nRF52840 PS 1.7, 6.1). INTENSET, INTENCLR and the interrupt line are the same for all.
 */
import type { EventRouter } from '../event-router.ts';
import { InterruptLine, type DeviceContext, type PeripheralSpec } from '../device-context.ts';
import type { PeripheralHost } from '../peripheral.ts';
import { RegisterDevice, type DeviceTable, type RegisterSpec, type UnmodelledRegisters } from '../register-device.ts';

const EVENTS_BASE = 0x100;

/** Registers named EVENTS_... are events, TASKS_... tasks; the table is made complete with INTEN, INTENSET and INTENCLR. */
export function taskTable(registers: readonly RegisterSpec[], unmodelled?: UnmodelledRegisters): DeviceTable {
  return {
    bytes: 0x1000,
    registers: [
      ...registers,
      { name: 'SHORTS', offset: 0x200 },
      { name: 'INTEN', offset: 0x300 },
      { name: 'INTENSET', offset: 0x304 },
      { name: 'INTENCLR', offset: 0x308 },
    ],
    ...(unmodelled === undefined ? {} : { unmodelled }),
  };
}

export const task = (name: string, offset: number): RegisterSpec => ({
  name: `TASKS_${name}`,
  offset,
  writeOnly: true,
});
export const event = (name: string, offset: number): RegisterSpec => ({ name: `EVENTS_${name}`, offset, writable: 1 });

export abstract class TaskDevice extends RegisterDevice {
  protected readonly host: PeripheralHost;
  private readonly interrupt: InterruptLine;
  private readonly router: EventRouter;
  private readonly events: readonly RegisterSpec[];
  private readonly eventOffsets: ReadonlyMap<string, number>;

  constructor(spec: PeripheralSpec, context: DeviceContext, table: DeviceTable) {
    super(spec.name, spec.base, table);
    this.host = context.host;
    this.interrupt = new InterruptLine(context.host, spec.irq);
    this.events = table.registers.filter(({ name }) => name.startsWith('EVENTS_'));
    this.eventOffsets = new Map(this.events.map(({ name, offset }) => [name, offset]));
    this.router = context.events;
    this.router.add(this);
  }

  override reset(): void {
    super.reset();
    this.updateInterrupt();
  }

  trigger(offset: number): void {
    if (this.nameOf(offset)?.startsWith('TASKS_') === true) this.write(offset, 1);
  }

  protected raise(eventName: string): void {
    this.set(`EVENTS_${eventName}`, 1);
    this.updateInterrupt();
    this.router.raised(this.base + this.eventOffsets.get(`EVENTS_${eventName}`)!);
  }

  /** Whether an interrupt or another device waits for the event. */
  protected isAwaited(eventName: string): boolean {
    const offset = this.eventOffsets.get(`EVENTS_${eventName}`)!;
    return this.isEnabledIn('INTEN', offset) || this.router.isRouted(this.base + offset);
  }

  /** Sets of bits by event, beside INTEN. */
  protected isEnabledIn(register: string, eventOffset: number): boolean {
    return this.bit(register, (eventOffset - EVENTS_BASE) / 4);
  }

  /** INTENSET and INTENCLR read as INTEN. */
  protected override onRead(register: string, stored: number): number {
    return register === 'INTENSET' || register === 'INTENCLR' ? this.get('INTEN') : stored;
  }

  protected override onWrite(register: string, value: number): void {
    if (register === 'INTENSET') this.set('INTEN', this.get('INTEN') | value);
    else if (register === 'INTENCLR') this.set('INTEN', this.get('INTEN') & ~value);
    else if (register.startsWith('TASKS_') && (value & 1) !== 0) this.start(register.slice('TASKS_'.length));
    this.updateInterrupt();
    this.host.reschedule();
  }

  /** A task was triggered. */
  protected abstract start(taskName: string): void;

  /** For restoreOwn() of subclasses. */
  protected restoreInterrupt(): void {
    this.interrupt.restore(this.wants());
  }

  protected updateInterrupt(): void {
    this.interrupt.set(this.wants());
  }

  private wants(): boolean {
    return this.events.some(({ name, offset }) => this.get(name) !== 0 && this.isEnabledIn('INTEN', offset));
  }
}
