/** A line to a device: bytes both ways, no promise that any arrive whole. */
export interface Link {
  /** For messages: the port's path. */
  readonly name: string;
  write(bytes: Uint8Array): void;
  /** Set by whoever listens. */
  onData: (bytes: Uint8Array) => void;
  /** Called once when the line is gone: unplugged, renumbered, closed by the other side. */
  onLost: (reason: string) => void;
  close(): Promise<void>;
}
