/** Builds a Machine from a board, an image and the name of an engine: the one place (besides tests) that picks engines. Node-only. */
import type { Board } from '../boards/schema.ts';
import { UnicornCpu } from './cpu/unicorn/unicorn-cpu.ts';
import { isElf, parseElf } from './elf.ts';
import { binaryImage, type FirmwareFile } from './image.ts';
import { Machine } from './machine.ts';
import type { UnmodelledAccess } from './peripherals/bus.ts';

export interface MachineOptions {
  readonly board: Board;
  /** File bytes (ELF, Intel HEX or raw binary) or a parsed image. */
  readonly image: Uint8Array | FirmwareFile;
  /** File name for messages. */
  readonly imageName?: string;
  readonly engine?: 'unicorn';
  /** An unmodelled peripheral register is a fault. */
  readonly strict?: boolean;
  readonly onUnmodelled?: (access: UnmodelledAccess) => void;
}

/** @throws UserError when the image does not fit the board or the engine is not installed. */
export function createMachine(options: MachineOptions): Machine {
  const image =
    'segments' in options.image
      ? options.image
      : loadImage(options.image, options.imageName ?? 'firmware', options.board);
  return new Machine({
    cpu: new UnicornCpu(),
    board: options.board,
    image,
    peripherals: () => [],
    stopHandlers: [],
    strict: options.strict ?? false,
    onUnmodelled: options.onUnmodelled ?? (() => undefined),
  });
}

/** Recognises the format by its first bytes. */
export function loadImage(bytes: Uint8Array, name: string, board: Board): FirmwareFile {
  if (isElf(bytes)) return parseElf(bytes, name);
  const flash = board.memory.find((region) => region.kind === 'flash');
  return binaryImage(bytes, name, flash?.start ?? 0);
}
