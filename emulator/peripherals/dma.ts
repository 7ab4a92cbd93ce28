/**
 * What DMA controllers of all chips have in common: request lines between devices and channels, items moved over the bus, interrupts. Register
 * layouts are the front ends'. A request is served at once: a transfer takes no cycles of the bus, and of several channels the first goes first.
 */
import type { DeviceContext, PeripheralSpec } from './device-context.ts';
import { InterruptLine } from './device-context.ts';
import type { PeripheralHost } from './peripheral.ts';
import { RegisterDevice, type DeviceTable } from './register-device.ts';

/** What a channel's accesses reach; not what the core's do: tightly coupled memories are out of reach on most chips. */
export interface DmaBus {
  /** Null: a bus error. @param bytes 1, 2 or 4 */
  read(address: number, bytes: number): number | null;
  /** False: a bus error. */
  write(address: number, bytes: number, value: number): boolean;
}

/** A device's request for items, on one line. */
export interface DmaSource {
  isRequesting(): boolean;
  /** Does what is due by now. */
  advance(): void;
}

interface Server {
  serve(): void;
}

/** The request lines of a chip, by name: CONTROLLER.STREAM.CHANNEL where the wiring is fixed, else SELECTOR.NUMBER. */
export class DmaRequests {
  private readonly sources = new Map<string, DmaSource>();
  private readonly selectors = new Map<string, (channel: number) => string | null>();
  private readonly servers: Server[] = [];
  private isServing = false;
  private isAsked = false;

  add(lines: readonly string[], source: DmaSource): void {
    for (const line of lines) this.sources.set(line, source);
  }

  addServer(server: Server): void {
    this.servers.push(server);
  }

  /** A request multiplexer: which line its output channel carries; null: none. */
  addSelector(name: string, lineOf: (channel: number) => string | null): void {
    this.selectors.set(name, lineOf);
  }

  lineOf(selector: string, channel: number): string | null {
    return this.selectors.get(selector)?.(channel) ?? null;
  }

  source(line: string): DmaSource | null {
    return this.sources.get(line) ?? null;
  }

  /** Devices that can ask for items do what is due, so that counts and flags are those of now. */
  advance(): void {
    if (this.isServing) return;
    for (const source of new Set(this.sources.values())) source.advance();
  }

  /** A request or a channel has changed: moves what can be moved. */
  changed(): void {
    this.isAsked = true;
    if (this.isServing) return;
    this.isServing = true;
    try {
      while (this.isAsked) {
        this.isAsked = false;
        for (const server of this.servers) server.serve();
      }
    } finally {
      this.isServing = false;
    }
  }
}

/** More than any channel moves without a request that ends. */
const ITEMS_MAX = 0x4_0000;

/** What a channel waits for: a line, nothing (memory to memory), or something that never comes. */
export type Trigger = { readonly line: string } | 'none' | 'never';

export abstract class DmaController extends RegisterDevice implements Server {
  protected readonly host: PeripheralHost;
  protected readonly dma: DmaRequests;
  protected readonly memory: DmaBus;
  protected readonly channels: number;
  private readonly interrupts: readonly InterruptLine[];

  constructor(spec: PeripheralSpec, context: DeviceContext, table: DeviceTable) {
    super(spec.name, spec.base, table);
    this.host = context.host;
    this.dma = context.dma;
    this.memory = context.dmaBus;
    const irqs = spec.irqs ?? [];
    this.channels = irqs.length;
    this.interrupts = irqs.map((irq) => new InterruptLine(context.host, irq));
    this.dma.addServer(this);
  }

  override reset(): void {
    super.reset();
    this.updateInterrupts();
  }

  serve(): void {
    if (this.isEnabled?.() === false) return;
    for (let channel = 0; channel < this.channels; channel++) {
      for (let items = 0; this.isActive(channel) && this.isRequested(channel); items++) {
        if (items === ITEMS_MAX) {
          this.host.fail(`${this.channelName(channel)}: its request does not end, whatever it moves`);
          return;
        }
        this.moveItem(channel);
      }
    }
    this.updateInterrupts();
  }

  /** Enabled, and something is left to move. */
  protected abstract isActive(channel: number): boolean;
  protected abstract triggerOf(channel: number): Trigger;
  protected abstract moveItem(channel: number): void;
  protected abstract wantsInterrupt(channel: number): boolean;
  /** As the manual calls it, for messages. */
  protected abstract channelName(channel: number): string;

  /** The firmware has switched a channel on. */
  protected started(channel: number): void {
    const trigger = this.triggerOf(channel);
    if (trigger === 'never') this.host.note(`${this.channelName(channel)} is enabled with no request selected`);
    else if (trigger !== 'none' && this.dma.source(trigger.line) === null)
      this.host.note(`${this.channelName(channel)} waits for ${trigger.line}, a request that is not modelled`);
  }

  /** False: a bus error, on either side. A narrower target gets the low bytes, a wider one zeros above. */
  protected move(from: number, fromBytes: number, to: number, toBytes: number): boolean {
    const value = this.memory.read(from >>> 0, fromBytes);
    if (value === null) return false;
    const kept = toBytes === 4 ? value : value & ((1 << (8 * toBytes)) - 1);
    return this.memory.write(to >>> 0, toBytes, kept >>> 0);
  }

  protected updateInterrupts(): void {
    for (const [channel, line] of this.interrupts.entries()) line.set(this.wantsInterrupt(channel));
  }

  protected override saveOwn(): unknown {
    return this.interrupts.map((_, channel) => this.wantsInterrupt(channel));
  }

  protected override restoreOwn(own: unknown): void {
    for (const [channel, line] of this.interrupts.entries()) line.restore((own as boolean[])[channel] ?? false);
  }

  private isRequested(channel: number): boolean {
    const trigger = this.triggerOf(channel);
    if (trigger === 'none') return true;
    return trigger !== 'never' && this.dma.source(trigger.line)?.isRequesting() === true;
  }
}
