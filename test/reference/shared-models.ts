/** Where the models and figures outside the repository lie, and how tests say that they are absent. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../common/package-root.ts';
import type { Graph } from '../../firmware-gen/ir/graph.ts';
import { tensorOf } from '../../firmware-gen/ir/graph.ts';
import { importGraph } from '../../firmware-gen/passes/import.ts';
import { parseTflite } from '../../firmware-gen/tflite/reader.ts';
import { lcgInputs as tensorLcgInputs } from '../../harness/lcg.ts';

const SHARED = join(packageRoot(), '..', 'shared');

export const hasSharedModels = existsSync(join(SHARED, 'models')) && existsSync(join(SHARED, 'truth'));
export const sharedHint = hasSharedModels ? '' : ' (skipped: ../shared/models is absent)';

export function sharedPath(...parts: string[]): string {
  return join(SHARED, ...parts);
}

export function loadSharedModel(file: string): Graph {
  return importGraph(parseTflite(readFileSync(sharedPath('models', file))), file.replace(/\.tflite$/, ''));
}

/** The contract's `--lcg SEED` inputs of a graph. */
export function lcgInputs(graph: Graph, seed: number): Uint8Array[] {
  return tensorLcgInputs(
    graph.inputs.map((id) => tensorOf(graph, id)),
    seed,
  );
}
