/** m, M, X and vFlash* (GDB manual E.2, E.4.1). */
import { bytesOf, hexOf, PACKET_BYTES_MAX, parseHex, parseNumber, parseRange } from './packets.ts';
import { ERROR_ARGUMENT, ERROR_MEMORY, ERROR_NOT_FLASH, ERROR_STATE, OK } from './replies.ts';
import type { FlashError, TargetMemory } from './target-memory.ts';

/** The reply, or null for another kind of packet. */
export function accessMemory(text: string, memory: TargetMemory): string | null {
  if (text.startsWith('vFlash')) return programFlash(text, memory);
  switch (text[0]) {
    case 'm':
      return read(text.slice(1), memory);
    case 'M':
      return write(text.slice(1), memory, parseHex);
    case 'X':
      return write(text.slice(1), memory, bytesOf);
    default:
      return null;
  }
}

function read(text: string, memory: TargetMemory): string {
  const range = parseRange(text);
  if (range === null) return ERROR_ARGUMENT;
  // Fewer bytes than asked for is an answer the protocol allows.
  const bytes = memory.read(range.address, Math.min(range.bytes, PACKET_BYTES_MAX / 2));
  return bytes === null ? ERROR_MEMORY : hexOf(bytes);
}

function write(text: string, memory: TargetMemory, decode: (data: string) => Uint8Array | null): string {
  const colon = text.indexOf(':');
  const range = colon < 0 ? null : parseRange(text.slice(0, colon));
  const data = colon < 0 ? null : decode(text.slice(colon + 1));
  if (range === null || data?.length !== range.bytes) return ERROR_ARGUMENT;
  // With no bytes this is gdb asking whether X is understood.
  if (data.length === 0) return OK;
  return memory.write(range.address, data) ? OK : ERROR_MEMORY;
}

function programFlash(text: string, memory: TargetMemory): string | null {
  if (text === 'vFlashDone') return OK; // every block was programmed as it came
  const erase = /^vFlashErase:(.*)$/.exec(text);
  if (erase !== null) {
    const range = parseRange(erase[1]);
    return range === null ? ERROR_ARGUMENT : flashReply(memory.eraseFlash(range.address, range.bytes));
  }
  const program = /^vFlashWrite:([^:]*):([^]*)$/.exec(text);
  if (program === null) return null;
  const address = parseNumber(program[1]);
  return address === null ? ERROR_ARGUMENT : flashReply(memory.programFlash(address, bytesOf(program[2] ?? '')));
}

function flashReply(error: FlashError | null): string {
  switch (error) {
    case null:
      return OK;
    case 'notFlash':
      return ERROR_NOT_FLASH;
    case 'misaligned':
      return ERROR_ARGUMENT;
    case 'notErased':
      return ERROR_STATE;
  }
}
