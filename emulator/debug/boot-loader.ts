/**
 * The USART boot loader in the system memory of STM32 parts: ST AN3155. Bytes in, bytes out, memory behind an interface. It knows the commands
 * that the note has in version 3.1 but read-out and write protection.
 */

export interface BootLoaderTarget {
  /** DEV_ID of the chip, what GET ID answers. */
  readonly productId: number;
  /** Where programs lie; erased bytes are 0xff. */
  readonly flash: { readonly start: number; readonly bytes: number; readonly pageBytes: number };
  /** Null outside of flash and RAM. */
  read(address: number, bytes: number): Uint8Array | null;
  /** False outside of flash and RAM. Programming can only clear bits of flash. */
  write(address: number, bytes: Uint8Array): boolean;
  /** Sets a part of flash to 0xff. */
  erase(address: number, bytes: number): void;
  /** The program at this address is started: its vector table is there. */
  go(address: number): void;
}

const ACK = 0x79;
const NACK = 0x1f;
const SYNC = 0x7f;
/** 3.1. */
const VERSION = 0x31;
const command = {
  get: 0x00,
  getVersion: 0x01,
  getId: 0x02,
  readMemory: 0x11,
  go: 0x21,
  writeMemory: 0x31,
  extendedErase: 0x44,
} as const;
/** Special values of extended erase: mass, bank 1, bank 2 (section 3.8). */
const ERASE_SPECIAL_MIN = 0xfff0;
const ERASE_MASS = 0xffff;

export class BootLoader {
  private readonly target: BootLoaderTarget;
  private readonly send: (bytes: Uint8Array) => void;
  private readonly session: Generator<number, void, Uint8Array>;
  private pending: number[] = [];
  private wanted: number;

  constructor(target: BootLoaderTarget, send: (bytes: Uint8Array) => void) {
    this.target = target;
    this.send = send;
    this.session = this.serve();
    this.wanted = this.session.next().value ?? 0;
  }

  receive(bytes: Uint8Array): void {
    this.pending.push(...bytes);
    while (this.wanted > 0 && this.pending.length >= this.wanted) {
      const next = this.session.next(Uint8Array.from(this.pending.splice(0, this.wanted)));
      this.wanted = next.done === true ? 0 : next.value;
    }
  }

  /** Asks for so many bytes by yielding their number. */
  private *serve(): Generator<number, void, Uint8Array> {
    // The rate is measured on the first byte (section 2.2); until then nothing is answered.
    while ((yield 1)[0] !== SYNC) continue;
    this.answer(ACK);
    for (;;) {
      const [code = 0] = yield 1;
      if (code === SYNC) {
        this.answer(NACK);
        continue;
      }
      const [complement = 0] = yield 1;
      if ((code ^ complement) !== 0xff) this.answer(NACK);
      else if (yield* this.execute(code)) return;
    }
  }

  /** True when the program was started. */
  private *execute(code: number): Generator<number, boolean, Uint8Array> {
    switch (code) {
      case command.get: {
        const list = Object.values(command);
        this.answer(ACK, list.length, VERSION, ...list, ACK);
        return false;
      }
      case command.getVersion:
        this.answer(ACK, VERSION, 0, 0, ACK);
        return false;
      case command.getId:
        this.answer(ACK, 1, this.target.productId >> 8, this.target.productId & 0xff, ACK);
        return false;
      case command.readMemory:
        yield* this.readMemory();
        return false;
      case command.writeMemory:
        yield* this.writeMemory();
        return false;
      case command.extendedErase:
        yield* this.erase();
        return false;
      case command.go: {
        const address = yield* this.address();
        if (address !== null) this.target.go(address);
        return address !== null;
      }
      default:
        this.answer(NACK);
        return false;
    }
  }

  /** Four bytes, the highest first, and their exclusive or. Null, and refused, when it is not in memory. */
  private *address(): Generator<number, number | null, Uint8Array> {
    this.answer(ACK);
    const bytes = yield 5;
    const address = new DataView(bytes.buffer).getUint32(0);
    const isGood = xor(bytes) === 0 && this.target.read(address, 1) !== null;
    this.answer(isGood ? ACK : NACK);
    return isGood ? address : null;
  }

  private *readMemory(): Generator<number, void, Uint8Array> {
    const address = yield* this.address();
    if (address === null) return;
    const [count = 0, complement = 0] = yield 2;
    const bytes = (count ^ complement) === 0xff ? this.target.read(address, count + 1) : null;
    if (bytes === null) this.answer(NACK);
    else this.answer(ACK, ...bytes);
  }

  private *writeMemory(): Generator<number, void, Uint8Array> {
    const address = yield* this.address();
    if (address === null) return;
    const [count = 0] = yield 1;
    const rest = yield count + 2;
    const isGood = xor(Uint8Array.of(count, ...rest)) === 0 && this.target.write(address, rest.slice(0, count + 1));
    this.answer(isGood ? ACK : NACK);
  }

  private *erase(): Generator<number, void, Uint8Array> {
    this.answer(ACK);
    const head = yield 2;
    const number = (head[0]! << 8) | head[1]!;
    const { start, bytes, pageBytes } = this.target.flash;
    if (number >= ERASE_SPECIAL_MIN) {
      const tail: Uint8Array = yield 1;
      const isGood = number === ERASE_MASS && xor(Uint8Array.of(...head, ...tail)) === 0;
      if (isGood) this.target.erase(start, bytes);
      this.answer(isGood ? ACK : NACK);
      return;
    }
    const list: Uint8Array = yield 2 * (number + 1) + 1;
    const pages = Array.from({ length: number + 1 }, (_, i) => (list[2 * i]! << 8) | list[2 * i + 1]!);
    const isGood = xor(Uint8Array.of(...head, ...list)) === 0 && pages.every((page) => (page + 1) * pageBytes <= bytes);
    if (isGood) for (const page of pages) this.target.erase(start + page * pageBytes, pageBytes);
    this.answer(isGood ? ACK : NACK);
  }

  private answer(...bytes: readonly number[]): void {
    this.send(Uint8Array.from(bytes));
  }
}

function xor(bytes: Uint8Array): number {
  return bytes.reduce((all, byte) => all ^ byte, 0);
}
