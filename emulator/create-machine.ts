/** Builds a Machine from a board, a firmware file and the name of an engine: the one place that picks engines. Node-only. */
import type { Board } from '../boards/schema.ts';
import { UserError } from '../common/errors.ts';
import { coreOf } from './cores/core.ts';
import type { Cpu } from './cpu/cpu.ts';
import { UnicornCpu, unicornVersion } from './cpu/unicorn/unicorn-cpu.ts';
import { WasmCpu } from './cpu/wasm/wasm-cpu.ts';
import { Semihosting } from './debug/semihosting.ts';
import { isElf, parseElf } from './elf.ts';
import { isIntelHex, parseIntelHex } from './hex.ts';
import { binaryImage, type FirmwareFile } from './image.ts';
import { Machine } from './machine.ts';
import { SerialLine } from './peripherals/serial-line.ts';

export type EngineName = 'unicorn' | 'wasm';

export interface MachineOptions {
  readonly board: Board;
  /** File bytes (ELF, Intel HEX or raw binary) or a parsed image. */
  readonly image: Uint8Array | FirmwareFile;
  /** File name for messages. */
  readonly imageName?: string;
  /** wasm (default): the engine of this project, without native code; unicorn: libunicorn, which takes no exceptions; or one made by the caller. */
  readonly engine?: EngineName | Cpu;
  /** An unmodelled peripheral register is a fault. */
  readonly strict?: boolean;
  /** Unmodelled registers and the like, once each. */
  readonly onNote?: (text: string) => void;
  readonly onUartByte?: (byte: number) => void;
  /** Whether serial.text() has what the firmware sent (default); false for runs without an end. */
  readonly keepsUart?: boolean;
  /** Semihosting console. */
  readonly onConsole?: (bytes: Uint8Array, stream: 'stdout' | 'stderr') => void;
  readonly consoleInput?: Uint8Array;
  readonly commandLine?: string;
}

/** Name and version of the engine. @throws UserError (exit 3) when it is not built or does not load. */
export function engineVersion(): string {
  return `libunicorn ${unicornVersion()}`;
}

/** @throws UserError when the image does not fit the board (exit 2) or the engine is not installed (exit 3). */
export function createMachine(options: MachineOptions): Machine {
  const name = options.imageName ?? 'firmware';
  const image = 'segments' in options.image ? options.image : loadImage(options.image, name, options.board);
  const semihosting = new Semihosting({
    onOutput: options.onConsole ?? (() => undefined),
    ...(options.consoleInput === undefined ? {} : { input: options.consoleInput }),
    ...(options.commandLine === undefined ? {} : { commandLine: options.commandLine }),
  });
  return new Machine({
    cpu: makeCpu(options.engine ?? 'wasm', options.board),
    board: options.board,
    image,
    serial: new SerialLine(options.onUartByte ?? null, options.keepsUart ?? true),
    stopHandlers: [semihosting.handler],
    stateful: new Map([['semihosting', semihosting]]),
    strict: options.strict ?? false,
    onNote: options.onNote ?? (() => undefined),
  });
}

/** libunicorn runs what is Armv7-M with at most FPv4-SP as the Cortex-M4 does; its other cores lack the parts that tell them apart. */
const UNICORN_CORES: readonly Board['core'][] = ['cortex-m3', 'cortex-m4'];

function makeCpu(engine: EngineName | Cpu, board: Board): Cpu {
  if (typeof engine === 'object') return engine;
  const core = coreOf(board);
  if (engine === 'wasm') return new WasmCpu(core);
  if (!UNICORN_CORES.includes(board.core))
    throw new UserError(
      `board ${board.name}: the unicorn engine cannot run a ${board.core} exactly, only ${UNICORN_CORES.join(' and ')}; use --engine wasm`,
    );
  return new UnicornCpu(core);
}

/** Recognises the format by its first bytes. @throws UserError on a damaged file. */
export function loadImage(bytes: Uint8Array, name: string, board: Board): FirmwareFile {
  if (isElf(bytes)) return parseElf(bytes, name);
  if (isIntelHex(bytes)) return parseIntelHex(bytes, name);
  return binaryImage(bytes, name, board.memory);
}
