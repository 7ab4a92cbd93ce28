/** Puts a firmware file and an engine into a board. Nothing of Node in it: create-machine.ts adds the choice of engines. */
import type { Board } from '../boards/schema.ts';
import type { TimingMode } from './board-timing.ts';
import type { Cpu } from './cpu/cpu.ts';
import { Rtt } from './debug/rtt.ts';
import { Semihosting } from './debug/semihosting.ts';
import { isElf, parseElf } from './elf.ts';
import { isIntelHex, parseIntelHex } from './hex.ts';
import { binaryImage, type FirmwareFile } from './image.ts';
import { Machine } from './machine.ts';
import { emulatorId } from './peripherals/emulator-id.ts';
import type { Peripheral } from './peripherals/peripheral.ts';
import { SerialLine } from './peripherals/serial-line.ts';
import type { Stateful } from './state/stateful.ts';

export interface AssemblyOptions {
  readonly board: Board;
  /** File bytes (ELF, Intel HEX or raw binary) or a parsed image. */
  readonly image: Uint8Array | FirmwareFile;
  /** File name for messages. */
  readonly imageName?: string;
  /** An unmodelled peripheral register is a fault. */
  readonly strict?: boolean;
  /** Unmodelled registers and the like, once each. */
  readonly onNote?: (text: string) => void;
  readonly onUartByte?: (byte: number) => void;
  /** Whether the lines' text() has what the firmware sent (default); false for runs without an end. */
  readonly keepsUart?: boolean;
  /** Semihosting console, and what is sent to ITM stimulus port 0 and RTT up-buffer 0. */
  readonly onConsole?: (bytes: Uint8Array, stream: 'stdout' | 'stderr') => void;
  readonly consoleInput?: Uint8Array;
  /** For RTT down-buffer 0. When given, a control block is looked for in RAM, too, where the image has no symbol _SEGGER_RTT. */
  readonly rttInput?: Uint8Array;
  readonly commandLine?: string;
  /** Devices besides those of the board; at the same address they take precedence over the board's. */
  readonly peripherals?: readonly Peripheral[];
  /** flat (default): zero-wait memories; exact: as the board's; interpreted, and so far slower, where they have no TranslatableMemory. */
  readonly timing?: TimingMode;
}

/** @throws UserError when the image is damaged or does not fit the board (exit 2). */
export function assembleMachine(cpu: Cpu, options: AssemblyOptions): Machine {
  const name = options.imageName ?? 'firmware';
  const image = 'segments' in options.image ? options.image : loadImage(options.image, name, options.board);
  const semihosting = new Semihosting({
    onOutput: options.onConsole ?? (() => undefined),
    ...(options.consoleInput === undefined ? {} : { input: options.consoleInput }),
    ...(options.commandLine === undefined ? {} : { commandLine: options.commandLine }),
  });
  const textLine = (): SerialLine =>
    new SerialLine((byte) => options.onConsole?.(Uint8Array.of(byte), 'stdout'), options.keepsUart ?? true);
  const [itm, rttLine] = [textLine(), textLine()];
  const onNote = options.onNote ?? (() => undefined);
  const rtt = new Rtt({ search: options.rttInput !== undefined, line: rttLine, onNote });
  rttLine.feed(options.rttInput ?? new Uint8Array());
  return new Machine({
    cpu,
    board: options.board,
    image,
    serial: new SerialLine(options.onUartByte ?? null, options.keepsUart ?? true),
    itm,
    peripherals: [...(options.peripherals ?? []), emulatorId()],
    stopHandlers: [semihosting.handler],
    stateful: new Map<string, Stateful>([
      ['semihosting', semihosting],
      ['ITM', itm],
      ['RTT', rtt],
      ['RTT line', rttLine],
    ]),
    outputs: [semihosting, itm, rttLine],
    rtt: rttLine,
    hostPoll: rtt,
    strict: options.strict ?? false,
    timing: options.timing ?? 'flat',
    onNote,
  });
}

/** Recognises the format by its first bytes. @throws UserError on a damaged file. */
export function loadImage(bytes: Uint8Array, name: string, board: Board): FirmwareFile {
  if (isElf(bytes)) return parseElf(bytes, name);
  if (isIntelHex(bytes)) return parseIntelHex(bytes, name);
  return binaryImage(bytes, name, board.memory, board.vectorTable);
}
