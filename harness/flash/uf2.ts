/**
 * UF2, the format of boot loaders that are a USB drive: blocks of 512 bytes, each with the address of its 256 bytes of payload
 * (the specification is microsoft/uf2 on GitHub). The drive says in INFO_UF2.TXT which board it is.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../common/errors.ts';
import { parseElf } from '../../emulator/elf.ts';
import type { FlashResult } from './flash.ts';
import type { FlashRequest } from './tools.ts';

const BLOCK_BYTES = 512;
const PAYLOAD_BYTES = 256;
const PAYLOAD_OFFSET = 32;
const MAGIC = [0x0a32_4655, 0x9e5d_5157] as const;
const MAGIC_END = 0x0ab1_6f30;
const FLAG_FAMILY_ID = 0x2000;
const EXIT_FLASH_FAILED = 4;

/** Where bytes belong in flash. */
export interface Uf2Piece {
  readonly address: number;
  readonly bytes: Uint8Array;
}

/** Pages of 256 bytes that any piece touches, the rest of a page zero. @param familyId of the chip, so that another refuses the file */
export function encodeUf2(pieces: readonly Uf2Piece[], familyId: number): Uint8Array {
  const pages = new Map<number, Uint8Array>();
  for (const { address, bytes } of pieces)
    bytes.forEach((byte, index) => {
      const at = address + index;
      const start = at - (at % PAYLOAD_BYTES);
      const page = pages.get(start) ?? new Uint8Array(PAYLOAD_BYTES);
      page[at - start] = byte;
      pages.set(start, page);
    });
  const file = new Uint8Array(pages.size * BLOCK_BYTES);
  [...pages]
    .sort(([a], [b]) => a - b)
    .forEach(([address, page], number) => {
      const offset = number * BLOCK_BYTES;
      const view = new DataView(file.buffer, offset, BLOCK_BYTES);
      const words = [...MAGIC, FLAG_FAMILY_ID, address, PAYLOAD_BYTES, number, pages.size, familyId];
      words.forEach((word, index) => view.setUint32(4 * index, word, true));
      file.set(page, offset + PAYLOAD_OFFSET);
      view.setUint32(BLOCK_BYTES - 4, MAGIC_END, true);
    });
  return file;
}

/**
 * Writes to the drive mounted at request.port, after its INFO_UF2.TXT has named the board. The drive goes away by itself and cannot be read back.
 * @throws UserError: 2 for what the board's description lacks, 3 without the drive, 4 for another board's drive or a failed write
 */
export function copyUf2({ board, elf, bin, port }: FlashRequest): FlashResult {
  const uf2 = board.debug?.uf2;
  if (uf2 === undefined)
    throw new UserError(`board ${board.name}: its description has no "debug.uf2"; choose another --tool`);
  if (port === null)
    throw new UserError('this tool needs --port: the folder where the drive of the boot loader is mounted');
  const info = join(port, 'INFO_UF2.TXT');
  if (!existsSync(info))
    throw new UserError(`${port}: no INFO_UF2.TXT; hold BOOTSEL while you plug the board in, and mount its drive`, 3);
  const boardId = /^Board-ID:\s*(.+?)\s*$/m.exec(readFileSync(info, 'utf8'))?.[1] ?? 'none';
  if (boardId !== uf2.boardId)
    throw new UserError(
      `uf2: the drive's Board-ID is ${boardId}, a ${board.name} has ${uf2.boardId}: another board; nothing was written`,
      EXIT_FLASH_FAILED,
    );
  const target = join(port, 'THUMBELINA.UF2');
  try {
    // Flushed to the medium, for the drive goes away once it has the last block.
    writeFileSync(target, encodeUf2(piecesOf(elf, bin), uf2.familyId), { flush: true });
  } catch (error) {
    throw new UserError(`uf2: ${target}: ${(error as Error).message}`, EXIT_FLASH_FAILED);
  }
  return { tool: 'uf2', command: ['cp', target], chipId: null, said: `Board-ID ${boardId}` };
}

function piecesOf(elf: string | null, bin: FlashRequest['bin']): readonly Uf2Piece[] {
  if (bin !== null) return [{ address: bin.address, bytes: readFileSync(bin.path) }];
  const { segments } = parseElf(readFileSync(elf!), elf!);
  return segments.map(({ loadAddress, bytes }) => ({ address: loadAddress, bytes }));
}
