/**
 * The host's side of SEGGER RTT, as a debug probe does it: reads and writes the rings of a control block in RAM while the core runs. The
 * block is polled at multiples of 1 ms of emulated time, so that a run is the same every time; no instruction of the firmware costs more.
 *
 * Control block, words little-endian: 16 bytes of identifier, number of up-buffers, number of down-buffers, then their descriptors, up first:
 * name, buffer, size in bytes, write offset, read offset, flags. A ring is empty when its offsets are equal.
 */
import { hex32 } from '../../common/units.ts';
import type { HostPoll } from '../machine-parts.ts';
import type { Machine } from '../machine.ts';
import type { SerialLine } from '../peripherals/serial-line.ts';
import type { Stateful } from '../state/stateful.ts';

const IDENTIFIER = new TextEncoder().encode('SEGGER RTT\0\0\0\0\0\0');
const HEADER_BYTES = 24;
const DESCRIPTOR_BYTES = 24;
/** More is no control block. */
const BUFFERS_MAX = 64;
const POLLS_PER_SECOND = 1000;
/** While the block has not been found, RAM is searched only at every so many polls. */
const POLLS_PER_SEARCH = 50;

export interface RttOptions {
  /** Without a symbol _SEGGER_RTT, look for the identifier in RAM while the firmware runs; otherwise nothing is looked for. */
  readonly search: boolean;
  /** Takes what comes from up-buffer 0 and holds what goes to down-buffer 0. */
  readonly line: SerialLine;
  readonly onNote: (text: string) => void;
}

interface Ring {
  readonly buffer: Uint8Array;
  /** Its descriptor's offsets: write at 0, read at 4. */
  readonly offsets: DataView;
}

interface RttSnapshot {
  readonly polledAt: number;
  readonly found: number | null;
  readonly untilSearch: number;
  readonly refused: boolean;
}

export class Rtt implements HostPoll, Stateful {
  private readonly options: RttOptions;
  /** Cycles at the last poll. */
  private polledAt = 0;
  /** Address of the block where it was last seen. */
  private found: number | null = null;
  private untilSearch = 0;
  private refused = false;

  constructor(options: RttOptions) {
    this.options = options;
  }

  save(): RttSnapshot {
    const { polledAt, found, untilSearch, refused } = this;
    return { polledAt, found, untilSearch, refused };
  }

  restore(state: unknown): void {
    Object.assign(this, state as RttSnapshot);
  }

  /** Counter at which to poll next; before `cycles` when it is due. A counter that was set to 0 makes it due. */
  next(cycles: number, machine: Machine): number {
    // An engine that a stop costs cycles is served at the end alone.
    if (machine.cpu.stopsInsideIt !== true || !this.isWanted(machine)) return Infinity;
    if (cycles < this.polledAt) return cycles;
    const period = Math.ceil(machine.board.clockHz / POLLS_PER_SECOND);
    return (Math.floor(this.polledAt / period) + 1) * period;
  }

  poll(machine: Machine): void {
    const { cycles } = machine.cpu.counters();
    if (cycles < this.polledAt) this.refused = false;
    this.polledAt = cycles;
    if (this.refused || !this.isWanted(machine)) return;
    const address = this.locate(machine);
    if (address === null) return;
    this.serve(machine, address);
  }

  private isWanted(machine: Machine): boolean {
    return this.options.search || machine.symbols.find('_SEGGER_RTT') !== null;
  }

  /** The control block, once the firmware has written its identifier. */
  private locate(machine: Machine): number | null {
    const symbol = machine.symbols.find('_SEGGER_RTT');
    const known = symbol?.address ?? this.found;
    if (known !== null && isBlock(machine, known)) return known;
    if (symbol !== null) return null;
    this.found = null;
    if (this.untilSearch-- > 0) return null;
    this.untilSearch = POLLS_PER_SEARCH - 1;
    this.found = searchRam(machine);
    return this.found;
  }

  private serve(machine: Machine, address: number): void {
    const { line } = this.options;
    const header = wordsAt(machine, address, HEADER_BYTES);
    const [ups, downs] = [header?.getUint32(16, true) ?? 0, header?.getUint32(20, true) ?? 0];
    if (ups > BUFFERS_MAX || downs > BUFFERS_MAX) {
      this.refuse(address, `it has ${ups} up-buffers and ${downs} down-buffers, more than ${BUFFERS_MAX}`);
      return;
    }
    if (ups > 0) {
      const up = ringAt(machine, address + HEADER_BYTES);
      if (typeof up === 'string') {
        this.refuse(address, `up-buffer 0 ${up}`);
        return;
      }
      drain(up, line);
    }
    if (line.waiting() === 0 || downs === 0) return;
    const down = ringAt(machine, address + HEADER_BYTES + ups * DESCRIPTOR_BYTES);
    if (typeof down === 'string') this.refuse(address, `down-buffer 0 ${down}`);
    else fill(down, line);
  }

  /** Nothing more is read or written until the next reset. */
  private refuse(address: number, why: string): void {
    this.refused = true;
    this.options.onNote(`the RTT control block at ${hex32(address)} is not used: ${why}`);
  }
}

function drain({ buffer, offsets }: Ring, line: SerialLine): void {
  const write = offsets.getUint32(0, true);
  let read = offsets.getUint32(4, true);
  while (read !== write) {
    line.send(buffer[read] ?? 0);
    read = (read + 1) % buffer.length;
  }
  offsets.setUint32(4, read, true);
}

/** One byte stays free: a full ring would look like an empty one. */
function fill({ buffer, offsets }: Ring, line: SerialLine): void {
  let write = offsets.getUint32(0, true);
  const read = offsets.getUint32(4, true);
  while ((write + 1) % buffer.length !== read) {
    const byte = line.receive();
    if (byte === null) break;
    buffer[write] = byte;
    write = (write + 1) % buffer.length;
  }
  offsets.setUint32(0, write, true);
}

/** The ring of a descriptor, or what is wrong with it. */
function ringAt(machine: Machine, descriptor: number): Ring | string {
  const words = wordsAt(machine, descriptor, DESCRIPTOR_BYTES);
  if (words === null) return `has its descriptor at ${hex32(descriptor)}, outside the RAM`;
  const [pointer, bytes, write, read] = [4, 8, 12, 16].map((at) => words.getUint32(at, true)) as [
    number,
    number,
    number,
    number,
  ];
  if (bytes === 0) return 'has the size 0';
  const buffer = ramAt(machine, pointer, bytes);
  if (buffer === null) return `(${bytes} bytes at ${hex32(pointer)}) lies outside the RAM`;
  if (write >= bytes || read >= bytes) return `of ${bytes} bytes has offsets beyond its end: ${write} and ${read}`;
  return { buffer, offsets: new DataView(words.buffer, words.byteOffset + 12, 8) };
}

/** The guest's own bytes; null when they are not RAM: the rings of a probe are never in flash. */
function ramAt(machine: Machine, address: number, bytes: number): Uint8Array | null {
  const isInside = machine.board.memory.some(
    ({ kind, start, bytes: size }) => kind === 'ram' && address >= start && address + bytes <= start + size,
  );
  return isInside ? machine.memory.tryView(address, bytes) : null;
}

function wordsAt(machine: Machine, address: number, bytes: number): DataView | null {
  const view = ramAt(machine, address, bytes);
  return view === null ? null : new DataView(view.buffer, view.byteOffset, bytes);
}

function isBlock(machine: Machine, address: number): boolean {
  const view = ramAt(machine, address, HEADER_BYTES);
  return view !== null && IDENTIFIER.every((byte, at) => view[at] === byte);
}

/** First word-aligned address with the identifier. */
function searchRam(machine: Machine): number | null {
  for (const { kind, start, bytes } of machine.board.memory) {
    if (kind !== 'ram') continue;
    const view = machine.memory.tryView(start, bytes);
    if (view === null) continue;
    for (let at = 0; at + HEADER_BYTES <= bytes; at += 4)
      if (view[at] === IDENTIFIER[0] && isBlock(machine, start + at)) return start + at;
  }
  return null;
}
