/** Reads a .tflite from disk into a verified graph. */
import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { UserError } from '../common/errors.ts';
import type { Graph } from '../firmware-gen/ir/graph.ts';
import { verify } from '../firmware-gen/ir/verify.ts';
import { importGraph } from '../firmware-gen/passes/import.ts';
import { parseTflite } from '../firmware-gen/tflite/reader.ts';
import type { TfliteModel } from '../firmware-gen/tflite/schema.ts';
import { readInputFile } from './input-file.ts';

export interface SourceModel {
  /** File name without folder and extension; generated names derive from it. */
  readonly name: string;
  readonly path: string;
  readonly sha256: string;
  readonly graph: Graph;
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
