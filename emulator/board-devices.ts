/** The devices of a board as one part of the machine: bus, clocks, the way to the flash, and the far ends of its UARTs. */
import type { Board } from '../boards/schema.ts';
import type { Cpu } from './cpu/cpu.ts';
import { chipIdRegister } from './debug/chip-id.ts';
import { BIT_BAND_BYTES, bitBand, peripheralAlias, ramAlias, ramWords } from './peripherals/bit-band.ts';
import { boardPeripherals } from './peripherals/board-peripherals.ts';
import { PeripheralBus } from './peripherals/bus.ts';
import { Clocks } from './peripherals/clocks.ts';
import { DmaRequests } from './peripherals/dma.ts';
import { dmaBus } from './peripherals/dma-bus.ts';
import { EventRouter } from './peripherals/event-router.ts';
import { FlashControl } from './peripherals/flash-control.ts';
import type { Peripheral, PeripheralHost } from './peripherals/peripheral.ts';
import { SerialLine } from './peripherals/serial-line.ts';
import type { Stateful } from './state/stateful.ts';

interface DeviceSpace {
  readonly start: number;
  readonly bytes: number;
}

/** Of every core (DDI 0403E B3.1). */
const DEVICE_SPACES: readonly DeviceSpace[] = [
  { start: 0x4000_0000, bytes: 0x2000_0000 },
  { start: 0xe000_0000, bytes: 0x0010_0000 },
];
/** The same around the bit-band alias of the peripherals. */
const BANDED_SPACES: readonly DeviceSpace[] = [
  { start: 0x4000_0000, bytes: 0x0200_0000 },
  { start: 0x4400_0000, bytes: 0x1c00_0000 },
  { start: 0xe000_0000, bytes: 0x0010_0000 },
];
/** What is mapped around a device that lies elsewhere. */
const BLOCK_BYTES = 0x1_0000;

function deviceSpaces({ peripherals, bitBand: hasBitBand }: Board): DeviceSpace[] {
  const inside = (base: number): boolean =>
    DEVICE_SPACES.some(({ start, bytes }) => base >= start && base < start + bytes);
  const blocks = new Set(
    peripherals.filter(({ base }) => !inside(base)).map(({ base }) => base - (base % BLOCK_BYTES)),
  );
  return [
    ...(hasBitBand ? BANDED_SPACES : DEVICE_SPACES),
    ...[...blocks].map((start) => ({ start, bytes: BLOCK_BYTES })),
  ];
}

export interface BoardDevicesParts {
  readonly cpu: Cpu;
  readonly board: Board;
  /** Far end of the board's own UART. */
  readonly serial: SerialLine;
  /** Far end of ITM stimulus port 0; absent: nobody listens. */
  readonly itm?: SerialLine;
  /** Besides those of the board, and before them. */
  readonly extra: readonly Peripheral[];
  readonly note: (text: string) => void;
}

export class BoardDevices implements Stateful {
  readonly bus: PeripheralBus;
  readonly clocks: Clocks;
  readonly itm: SerialLine;
  readonly flash = new FlashControl({
    waitStates: 0,
    lineBits: 32,
    prefetch: false,
    instructionCache: false,
    dataCache: false,
  });
  private readonly parts: BoardDevicesParts;
  private readonly spaces: readonly DeviceSpace[];
  /** Of the UARTs that the board's users do not see, by the peripheral's name. */
  private readonly otherLines = new Map<string, SerialLine>();

  constructor(parts: BoardDevicesParts) {
    this.parts = parts;
    this.itm = parts.itm ?? new SerialLine();
    this.bus = new PeripheralBus(parts.extra, parts.note);
    this.spaces = deviceSpaces(parts.board);
    this.clocks = new Clocks(() => this.cycles(), { core: parts.board.clockHz });
  }

  /** Cycles since power-on, whenever the core's counter was last set to 0. */
  cycles(): number {
    return this.bus.elapsedBefore + this.parts.cpu.counters().cycles;
  }

  /** Makes the devices of the board and maps them. @throws UserError for what the chip does not have */
  attach(host: PeripheralHost): void {
    const { board, cpu } = this.parts;
    const { clocks, flash, bus, itm } = this;
    const { oscillators } = board;
    const serialLine = (name: string): SerialLine => this.serialLine(name);
    const flashArray = board.memory.find(({ kind }) => kind === 'flash') ?? { start: 0, bytes: 0 };
    const events = new EventRouter();
    const idCode = chipIdRegister(board)?.word ?? 0;
    const dma = new DmaRequests();
    const reach = dmaBus(board.memory, bus, (address) => this.covers(address), host);
    const wires = new Map<string, number>();
    const chip = { clocks, flash, flashArray, oscillators, idCode, serialLine, events, wires, dma, dmaBus: reach, itm };
    bus.add(boardPeripherals(board, { host, ...chip }));
    for (const { start, bytes } of this.spaces) cpu.mapDevice(start, bytes, bus);
    if (!board.bitBand) return;
    cpu.mapDevice(peripheralAlias.start, BIT_BAND_BYTES, bitBand(peripheralAlias, bus));
    cpu.mapDevice(ramAlias.start, BIT_BAND_BYTES, bitBand(ramAlias, ramWords(host)));
  }

  covers(address: number): boolean {
    return this.spaces.some(({ start, bytes }) => address >= start && address - start < bytes);
  }

  /** Far end of a UART by the peripheral's name. */
  serialLine(name: string): SerialLine {
    const { board, serial } = this.parts;
    if (board.peripherals.find(({ base }) => base === board.uart?.base)?.name === name) return serial;
    let line = this.otherLines.get(name);
    if (line === undefined) this.otherLines.set(name, (line = new SerialLine()));
    return line;
  }

  /** The devices that are of this sort, as isGpioPort. */
  all<T extends object>(is: (device: object) => device is T): T[] {
    return this.bus.all(is);
  }

  /** Call with the core's counter at 0. */
  powerOn(): void {
    this.bus.countFrom(0);
    this.clocks.reset();
    this.bus.reset();
  }

  /** Before the core's counter is set to 0 without a reset: time goes on. */
  restartCounter(): void {
    this.bus.countFrom(this.cycles());
  }

  stateParts(): [string, Stateful][] {
    return [
      ...this.bus.parts(),
      ...[...this.otherLines].map(([name, line]): [string, Stateful] => [`serial line of ${name}`, line]),
      ['clocks', this.clocks],
      ['time before the counter', this],
    ];
  }

  save(): unknown {
    return this.bus.elapsedBefore;
  }

  restore(state: unknown): void {
    this.bus.countFrom(state as number);
  }
}
