/** The far end of a UART: collects what the firmware sends and holds what it has yet to read. Any UART model plugs into it. */
export class SerialLine {
  private readonly incoming: number[] = [];
  private readonly sent: number[] = [];
  private readonly onByte: ((byte: number) => void) | null;

  /** @param onByte sees every byte as it is sent. */
  constructor(onByte: ((byte: number) => void) | null = null) {
    this.onByte = onByte;
  }

  /** Bytes for the firmware to read, from the host. */
  feed(bytes: Uint8Array): void {
    for (const byte of bytes) this.incoming.push(byte);
  }

  /** All that the firmware has sent, as UTF-8 text. */
  text(): string {
    return new TextDecoder().decode(Uint8Array.from(this.sent));
  }

  clear(): void {
    this.sent.length = 0;
  }

  send(byte: number): void {
    this.sent.push(byte);
    this.onByte?.(byte);
  }

  /** Next byte for the firmware, or null. */
  receive(): number | null {
    return this.incoming.shift() ?? null;
  }

  waiting(): number {
    return this.incoming.length;
  }
}
