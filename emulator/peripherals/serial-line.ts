/** The far end of a UART or another channel of bytes: collects what the firmware sends and holds what it has yet to read. */
import type { Stateful } from '../state/stateful.ts';

export class SerialLine implements Stateful {
  private readonly incoming: number[] = [];
  private readonly sent: number[] = [];
  private readonly onByte: ((byte: number) => void) | null;
  private readonly keeps: boolean;
  /** Called when the host has fed bytes; set by the UART. */
  onIncoming: (() => void) | null = null;
  /** Sees every byte as it is sent, besides the listener given at creation. */
  onSent: ((byte: number) => void) | null = null;
  /** How often in a row the firmware has looked for a byte and found none. */
  private fruitless = 0;
  /** What is sent is kept, but shown to nobody: it has been shown before. */
  muted = false;

  /** @param onByte sees every byte as it is sent. @param keeps whether text() has it, too; not for runs without an end */
  constructor(onByte: ((byte: number) => void) | null = null, keeps = true) {
    this.onByte = onByte;
    this.keeps = keeps;
  }

  /** Bytes for the firmware to read, from the host. */
  feed(bytes: Uint8Array): void {
    this.fruitless = 0;
    for (const byte of bytes) this.incoming.push(byte);
    this.onIncoming?.();
  }

  /** All that the firmware has sent, as UTF-8 text. */
  text(): string {
    return new TextDecoder().decode(Uint8Array.from(this.sent));
  }

  clear(): void {
    this.sent.length = 0;
  }

  send(byte: number): void {
    this.fruitless = 0;
    if (this.keeps) this.sent.push(byte);
    if (this.muted) return;
    this.onByte?.(byte);
    this.onSent?.(byte);
  }

  save(): unknown {
    return { incoming: Uint8Array.from(this.incoming), sent: Uint8Array.from(this.sent) };
  }

  restore(state: unknown): void {
    const { incoming, sent } = state as { incoming: Uint8Array; sent: Uint8Array };
    this.incoming.length = this.sent.length = 0;
    this.feed(incoming);
    for (const byte of sent) this.sent.push(byte);
  }

  /** Next byte for the firmware, or null. */
  receive(): number | null {
    return this.incoming.shift() ?? null;
  }

  waiting(): number {
    if (this.incoming.length === 0) this.fruitless++;
    return this.incoming.length;
  }

  /** How often the firmware has looked for input in vain since it last sent or was sent something. */
  fruitlessPolls(): number {
    return this.fruitless;
  }
}
