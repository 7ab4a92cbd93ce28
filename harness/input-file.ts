/** Files and standard input as bytes, with errors a user can act on. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { UserError } from '../common/errors.ts';

/** More than the flash of any Cortex-M, external flash included: what is larger (a device, a disk image) is not read to its end. */
const INPUT_BYTES_MAX = 2 ** 28;
const CHUNK_BYTES = 2 ** 20;

/** Whole contents of a file or pipe. @throws UserError naming the file when it cannot be read or is larger than INPUT_BYTES_MAX */
export function readInputFile(path: string): Uint8Array {
  try {
    const file = openSync(path, 'r');
    try {
      const { size } = fstatSync(file);
      if (size <= INPUT_BYTES_MAX) return readUpTo(file, path, size);
      throw tooLarge(path);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    if (error instanceof UserError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? 'no such file' : code === 'EISDIR' ? 'is a folder' : (error as Error).message;
    throw new UserError(`${path}: ${why}; check the path`);
  }
}

/** @param expected what it should hold, for errors. @throws UserError when it cannot be read or is no JSON */
export function readJsonFile(path: string, expected: string): unknown {
  const text = new TextDecoder().decode(readInputFile(path));
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UserError(`${path}: ${(error as Error).message}; expected ${expected}`);
  }
}

/** Standard input to its end; a pipe from another program can be a socket, which /dev/stdin does not open. */
export function readStandardInput(): Uint8Array {
  try {
    return readUpTo(0, 'standard input', 0);
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`standard input: ${(error as Error).message}; redirect it from a file or a pipe`);
  }
}

/** Reads to the end, which a pipe or device does not announce. @param size expected bytes, 0 when unknown */
function readUpTo(file: number, path: string, size: number): Uint8Array {
  const chunks: Uint8Array[] = [];
  let total = 0;
  for (;;) {
    // One byte more than expected, so that the end shows without another allocation.
    const chunk = new Uint8Array(total === 0 && size > 0 ? size + 1 : CHUNK_BYTES);
    const count = readSync(file, chunk);
    if (count === 0) break;
    chunks.push(chunk.subarray(0, count));
    total += count;
    if (total > INPUT_BYTES_MAX) throw tooLarge(path);
  }
  const bytes = new Uint8Array(total);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

function tooLarge(path: string): UserError {
  return new UserError(
    `${path}: larger than ${INPUT_BYTES_MAX / 2 ** 20} MiB, which no microcontroller holds; check the path`,
  );
}
