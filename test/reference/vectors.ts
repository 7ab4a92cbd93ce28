/** Loads test/vectors/tflm: single-op models with inputs and the outputs tflite-micro gave (see test/vectors/README.md). */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { inflateRawSync } from 'node:zlib';
import { z } from 'zod';
import { packageRoot } from '../../common/package-root.ts';
import type { Graph } from '../../firmware-gen/ir/graph.ts';
import { importGraph } from '../../firmware-gen/passes/import.ts';
import { parseTflite } from '../../firmware-gen/tflite/reader.ts';

const base64 = z.string().transform((text) => new Uint8Array(Buffer.from(text, 'base64')));
const fileSchema = z.strictObject({
  tfliteMicroCommit: z.string().length(40),
  cases: z.array(
    z.strictObject({
      name: z.string(),
      modelDeflated: base64.transform((bytes) => new Uint8Array(inflateRawSync(bytes))),
      runs: z.array(z.strictObject({ inputs: z.array(base64), outputs: z.array(base64) })).min(1),
    }),
  ),
});

export interface VectorRun {
  readonly inputs: readonly Uint8Array[];
  readonly outputs: readonly Uint8Array[];
}

export interface VectorCase {
  readonly name: string;
  /** The .tflite file, written by the C++ flatbuffers object API. */
  readonly model: Uint8Array;
  readonly runs: readonly VectorRun[];
}

const FOLDER = join(packageRoot(), 'test', 'vectors', 'tflm');

/** Names `<op>_<type>` of all vector files. */
export function vectorFiles(): string[] {
  return readdirSync(FOLDER)
    .filter((file) => file.endsWith('.json'))
    .map((file) => file.replace(/\.json$/, ''));
}

export function loadVectors(name: string): VectorCase[] {
  const file = fileSchema.parse(JSON.parse(readFileSync(join(FOLDER, `${name}.json`), 'utf8')));
  return file.cases.map(({ name: caseName, modelDeflated, runs }) => ({ name: caseName, model: modelDeflated, runs }));
}

export function vectorGraph(vector: VectorCase): Graph {
  return importGraph(parseTflite(vector.model), 'vector');
}
