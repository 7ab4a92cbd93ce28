/** Reads a .tflite from disk into a verified graph. */
import { createHash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { basename } from 'node:path';
import { UserError } from '../common/errors.ts';
import type { Graph } from '../firmware-gen/ir/graph.ts';
import { verify } from '../firmware-gen/ir/verify.ts';
import { importGraph } from '../firmware-gen/passes/import.ts';
import { parseTflite } from '../firmware-gen/tflite/reader.ts';
import type { TfliteModel } from '../firmware-gen/tflite/schema.ts';

export interface SourceModel {
  /** File name without folder and extension; generated names derive from it. */
  readonly name: string;
  readonly path: string;
  readonly sha256: string;
  readonly graph: Graph;
}

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

/** A file that was read but not yet imported. */
export interface ParsedModel {
  readonly name: string;
  readonly path: string;
  readonly sha256: string;
  readonly model: TfliteModel;
}

/** @throws UserError prefixed with the path for everything that is wrong with the file */
export function parseModelFile(path: string): ParsedModel {
  const bytes = readInputFile(path);
  return {
    path,
    name: basename(path).replace(/\.tflite$/i, ''),
    sha256: createHash('sha256').update(bytes).digest('hex'),
    model: withPath(path, () => parseTflite(bytes)),
  };
}

/** @throws UserError prefixed with the path for everything that is wrong with the file */
export function loadModel(path: string): SourceModel {
  return importModel(parseModelFile(path));
}

/** @throws UserError prefixed with the path for what cannot be imported */
export function importModel({ name, path, sha256, model }: ParsedModel): SourceModel {
  const graph = withPath(path, () => importGraph(model, name));
  verify(graph);
  return { name, path, sha256, graph };
}

function withPath<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof UserError) throw new UserError(`${path}: ${error.message}`, error.exitCode);
    throw error;
  }
}
