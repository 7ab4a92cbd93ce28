/**
 * The server's side of OpenOCD's remote_bitbang (its doc/manual/jtag/drivers/remote_bitbang.txt): one character each for the levels of TCK, TMS
 * and TDI, for a look at TDO, for the reset lines. Bytes in, bytes out; the SWD characters of later releases are not understood.
 */
import type { JtagChain } from './jtag.ts';

const ZERO = 0x30;
const SEVEN = 0x37;
const READ = 0x52;
const QUIT = 0x51;
/** r, s, t, u: bit 1 TRST, bit 0 SRST. */
const FIRST_RESET = 0x72;
const LAST_RESET = 0x75;
/** B and b: a lamp. */
const BLINK = [0x42, 0x62];

export interface BitbangPins {
  /** SRST is pulled low, or let go. */
  reset(active: boolean): void;
}

export class RemoteBitbang {
  private readonly chain: JtagChain;
  private readonly pins: BitbangPins;
  private tck = 0;

  constructor(chain: JtagChain, pins: BitbangPins) {
    this.chain = chain;
    this.pins = pins;
  }

  /** The answer; 'quit' when the client goes, a character that is none of the protocol's as a string. */
  receive(bytes: Uint8Array): {
    readonly answer: Uint8Array;
    readonly end: 'quit' | { readonly unknown: number } | null;
  } {
    const answer = new Uint8Array(bytes.length);
    let length = 0;
    for (const byte of bytes) {
      if (byte >= ZERO && byte <= SEVEN) this.levels(byte - ZERO);
      else if (byte === READ) answer[length++] = ZERO + this.chain.out;
      else if (byte >= FIRST_RESET && byte <= LAST_RESET) this.resetLines(byte - FIRST_RESET);
      else if (byte === QUIT) return { answer: answer.subarray(0, length), end: 'quit' };
      else if (!BLINK.includes(byte)) return { answer: answer.subarray(0, length), end: { unknown: byte } };
    }
    return { answer: answer.subarray(0, length), end: null };
  }

  private levels(value: number): void {
    const tck = value >> 2;
    if (tck === 1 && this.tck === 0) this.chain.clock((value >> 1) & 1, value & 1);
    this.tck = tck;
  }

  private resetLines(value: number): void {
    if ((value & 2) !== 0) this.chain.reset();
    this.pins.reset((value & 1) !== 0);
  }
}
