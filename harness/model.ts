/** Reads a .tflite from disk into a verified graph. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
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

/** @throws UserError naming the file when it cannot be read */
export function readInputFile(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? 'no such file' : code === 'EISDIR' ? 'is a folder' : (error as Error).message;
    throw new UserError(`${path}: ${why}; check the path`);
  }
}

/** @throws UserError prefixed with the path for everything that is wrong with the file */
export function parseModelFile(path: string): { name: string; sha256: string; model: TfliteModel } {
  const bytes = readInputFile(path);
  return {
    name: basename(path).replace(/\.tflite$/i, ''),
    sha256: createHash('sha256').update(bytes).digest('hex'),
    model: withPath(path, () => parseTflite(bytes)),
  };
}

/** @throws UserError prefixed with the path for everything that is wrong with the file */
export function loadModel(path: string): SourceModel {
  const { name, sha256, model } = parseModelFile(path);
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
