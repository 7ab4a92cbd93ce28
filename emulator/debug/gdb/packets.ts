/**
 * Framing of the gdb remote protocol (GDB manual, appendix E.1): `$data#cs`, acknowledgements, and the interrupt byte. Whatever bytes
 * arrive, in whatever pieces, the reader only ever yields whole events and keeps at most PACKET_BYTES_MAX of them.
 */

/** Longest packet accepted, as announced by PacketSize. */
export const PACKET_BYTES_MAX = 0x4000;

const DOLLAR = 0x24;
const HASH = 0x23;
const STAR = 0x2a;
const PLUS = 0x2b;
const MINUS = 0x2d;
const ESCAPE = 0x7d;
const ESCAPE_XOR = 0x20;
const INTERRUPT = 0x03;

export type PacketEvent =
  /** Unescaped data of a packet whose checksum is right. */
  | { readonly kind: 'packet'; readonly data: Uint8Array }
  | { readonly kind: 'badChecksum' }
  /** Checksum right, but longer than PACKET_BYTES_MAX; the data is lost. */
  | { readonly kind: 'oversized' }
  | { readonly kind: 'ack' }
  | { readonly kind: 'nak' }
  | { readonly kind: 'interrupt' };

export class PacketReader {
  private readonly data = new Uint8Array(PACKET_BYTES_MAX);
  private state: 'outside' | 'data' | 'escape' | 'checksumHigh' | 'checksumLow' = 'outside';
  private length = 0;
  private sum = 0;
  private checksumHigh = -1;

  /** Events completed by these bytes, in order. Bytes outside packets that mean nothing are dropped. */
  push(bytes: Uint8Array): PacketEvent[] {
    const events: PacketEvent[] = [];
    for (const byte of bytes) {
      const event = this.take(byte);
      if (event !== null) events.push(event);
    }
    return events;
  }

  private take(byte: number): PacketEvent | null {
    switch (this.state) {
      case 'outside':
        return this.outside(byte);
      case 'data':
      case 'escape':
        this.inside(byte);
        return null;
      case 'checksumHigh':
        this.checksumHigh = hexDigit(byte);
        this.state = 'checksumLow';
        return null;
      case 'checksumLow':
        return this.finish(hexDigit(byte));
    }
  }

  private outside(byte: number): PacketEvent | null {
    switch (byte) {
      case DOLLAR:
        this.begin();
        return null;
      case PLUS:
        return { kind: 'ack' };
      case MINUS:
        return { kind: 'nak' };
      case INTERRUPT:
        return { kind: 'interrupt' };
      default:
        return null;
    }
  }

  private begin(): void {
    this.state = 'data';
    this.length = 0;
    this.sum = 0;
  }

  private inside(byte: number): void {
    if (byte === HASH) {
      this.state = 'checksumHigh';
      return;
    }
    // A `$` is always escaped inside data: a bare one begins the next packet, the end of this one having been lost.
    if (byte === DOLLAR) {
      this.begin();
      return;
    }
    this.sum = (this.sum + byte) & 0xff;
    if (this.state === 'data' && byte === ESCAPE) {
      this.state = 'escape';
      return;
    }
    if (this.length < PACKET_BYTES_MAX) this.data[this.length] = this.state === 'escape' ? byte ^ ESCAPE_XOR : byte;
    this.length++;
    this.state = 'data';
  }

  private finish(checksumLow: number): PacketEvent {
    this.state = 'outside';
    const expected = this.checksumHigh < 0 || checksumLow < 0 ? -1 : this.checksumHigh * 16 + checksumLow;
    if (expected !== this.sum) return { kind: 'badChecksum' };
    if (this.length > PACKET_BYTES_MAX) return { kind: 'oversized' };
    return { kind: 'packet', data: this.data.slice(0, this.length) };
  }
}

/** A packet around data, with what the protocol reserves escaped. */
export function encodePacket(data: Uint8Array): Uint8Array {
  const framed: number[] = [DOLLAR];
  let sum = 0;
  const add = (byte: number): void => {
    framed.push(byte);
    sum = (sum + byte) & 0xff;
  };
  for (const byte of data) {
    if (byte === DOLLAR || byte === HASH || byte === ESCAPE || byte === STAR) {
      add(ESCAPE);
      add(byte ^ ESCAPE_XOR);
    } else add(byte);
  }
  const digits = sum.toString(16).padStart(2, '0');
  framed.push(HASH, digits.charCodeAt(0), digits.charCodeAt(1));
  return Uint8Array.from(framed);
}

/** Value of an ASCII hex digit, or -1. */
function hexDigit(byte: number): number {
  const value = Number.parseInt(String.fromCharCode(byte), 16);
  return Number.isNaN(value) ? -1 : value;
}

/** Latin-1, one character a byte, so that binary data survives: the protocol is text with binary tails. */
export function textOf(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

export function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0) & 0xff);
}

export function hexOf(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0');
  return text;
}

/** Bytes of a string of hex digit pairs, or null when it is none. */
export function parseHex(text: string): Uint8Array | null {
  if (text.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(text)) return null;
  return Uint8Array.from({ length: text.length / 2 }, (_, index) =>
    Number.parseInt(text.slice(index * 2, index * 2 + 2), 16),
  );
}

/** An unsigned hex number of at most 32 bits, or null. */
export function parseNumber(text: string | undefined): number | null {
  return text !== undefined && /^[0-9a-fA-F]{1,8}$/.test(text) ? Number.parseInt(text, 16) : null;
}

/** `address,length`, or null. */
export function parseRange(text: string | undefined): { address: number; bytes: number } | null {
  const parts = (text ?? '').split(',');
  const address = parseNumber(parts[0]);
  const bytes = parseNumber(parts[1]);
  return parts.length !== 2 || address === null || bytes === null ? null : { address, bytes };
}
