/**
 * The two shift registers of a UART and the buffers behind them, in ticks of its clock: what the STM32 USARTs of all generations have in
 * common. A byte reaches the host when its last bit has left, and the firmware when its last bit has come.
 */
import type { ClockSignal } from './clocks.ts';
import type { SerialLine } from './serial-line.ts';

interface Frame {
  readonly byte: number;
  /** Tick at which its last stop bit is over. */
  readonly end: number;
}

export interface UartState {
  readonly sending: Frame | null;
  readonly receiving: Frame | null;
  readonly toSend: readonly number[];
  readonly received: readonly number[];
  readonly overrun: boolean;
  readonly idle: boolean;
  readonly lastEnd: number | null;
}

export interface UartLineOptions {
  readonly clock: ClockSignal;
  readonly line: SerialLine;
  /** Ticks that a character takes, start and stop bits included; 0: the clock is not set up. */
  readonly frameTicks: () => number;
  readonly canSend: () => boolean;
  readonly canReceive: () => boolean;
  /** Bytes that wait behind the shift register, in each direction. */
  readonly depth: () => number;
  /** What comes while there is no room replaces the newest byte, and is no overrun. Absent: never. */
  readonly overwrites?: () => boolean;
  /** Whether time passes for devices; without, bytes leave as they are written. */
  readonly hasEvents: boolean;
}

export class UartLine {
  overrun = false;
  /** A whole character of silence has followed the last one received. */
  idle = false;
  private readonly options: UartLineOptions;
  private sending: Frame | null = null;
  private receiving: Frame | null = null;
  private toSend: number[] = [];
  private received: number[] = [];
  /** End of the last character received, until the silence after it has been noticed. */
  private lastEnd: number | null = null;

  constructor(options: UartLineOptions) {
    this.options = options;
  }

  reset(): void {
    this.overrun = this.idle = false;
    this.sending = this.receiving = this.lastEnd = null;
    this.toSend = [];
    this.received = [];
  }

  /** Room for another byte to send. */
  hasRoom(): boolean {
    return this.toSend.length < this.options.depth();
  }

  waitingToSend(): number {
    return this.toSend.length;
  }

  isEmpty(): boolean {
    return this.toSend.length === 0;
  }

  /** Nothing waits and nothing is on its way out. */
  isComplete(): boolean {
    return this.sending === null && this.toSend.length === 0;
  }

  available(): number {
    return this.received.length;
  }

  isReceiving(): boolean {
    return this.receiving !== null;
  }

  /** The byte is lost where there is no room for it. */
  send(byte: number): void {
    if (!this.options.hasEvents) {
      this.options.line.send(byte);
      return;
    }
    if (this.hasRoom()) this.toSend.push(byte);
    else this.toSend[this.toSend.length - 1] = byte;
    this.startSending(this.options.clock.ticks());
  }

  receive(): number {
    return this.received.shift() ?? 0;
  }

  flushReceived(): void {
    this.received = [];
  }

  flushToSend(): void {
    this.toSend = [];
  }

  /** Characters in both directions that are over by now. */
  advance(): void {
    const { clock, line } = this.options;
    while (this.sending !== null && clock.isReached(this.sending.end)) {
      const { byte, end } = this.sending;
      this.sending = null;
      line.send(byte);
      this.startSending(end);
    }
    this.startReceiving(clock.ticks());
    while (this.receiving !== null && clock.isReached(this.receiving.end)) {
      const { byte, end } = this.receiving;
      this.receiving = null;
      this.take(byte);
      this.idle = false;
      this.lastEnd = end;
      this.startReceiving(end);
    }
    if (this.receiving === null && this.lastEnd !== null && clock.isReached(this.lastEnd + this.options.frameTicks())) {
      this.idle = true;
      this.lastEnd = null;
    }
  }

  nextEvent(): number {
    const { clock, hasEvents, frameTicks } = this.options;
    if (!hasEvents) return Infinity;
    this.startReceiving(clock.ticks());
    let next = Infinity;
    if (this.sending !== null) next = clock.cycleOf(this.sending.end);
    if (this.receiving !== null) next = Math.min(next, clock.cycleOf(this.receiving.end));
    else if (this.lastEnd !== null) next = Math.min(next, clock.cycleOf(this.lastEnd + frameTicks()));
    return next;
  }

  /** The run is over: what is on its way out arrives. */
  drain(): void {
    if (this.sending !== null) this.options.line.send(this.sending.byte);
    for (const byte of this.toSend) this.options.line.send(byte);
    this.sending = null;
    this.toSend = [];
  }

  save(): UartState {
    const { sending, receiving, toSend, received, overrun, idle, lastEnd } = this;
    return { sending, receiving, toSend: [...toSend], received: [...received], overrun, idle, lastEnd };
  }

  restore(state: UartState): void {
    const { toSend, received, ...rest } = state;
    Object.assign(this, rest, { toSend: [...toSend], received: [...received] });
  }

  private startSending(now: number): void {
    const { canSend, frameTicks } = this.options;
    const byte = this.toSend[0];
    if (this.sending !== null || byte === undefined || !canSend() || frameTicks() <= 0) return;
    this.toSend.shift();
    this.sending = { byte, end: now + frameTicks() };
  }

  /** The line holds back what comes while the receiver is off: a host that waits for it to be on. */
  private startReceiving(now: number): void {
    const { canReceive, line, frameTicks, hasEvents } = this.options;
    if (this.receiving !== null || !canReceive() || frameTicks() <= 0) return;
    if (!hasEvents && this.received.length > 0) return;
    const byte = line.receive();
    if (byte === null) return;
    if (hasEvents) this.receiving = { byte, end: now + frameTicks() };
    else this.take(byte);
  }

  private take(byte: number): void {
    if (this.received.length < this.options.depth()) this.received.push(byte);
    else if (this.options.overwrites?.() === true) this.received[this.received.length - 1] = byte;
    else this.overrun = true;
  }
}
