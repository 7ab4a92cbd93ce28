/** The reference on whole models: equal to recorded tflite-micro outputs op by op where there is a record, and fast enough to be an oracle. */
import { readFileSync, readdirSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { basename, join } from 'node:path';
import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { packageRoot } from '../../common/package-root.ts';
import { tensorOf } from '../../firmware-gen/ir/graph.ts';
import { createReference } from '../../firmware-gen/reference/index.ts';
import { hasSharedModels, lcgInputs, loadSharedModel, sharedHint, sharedPath } from './shared-models.ts';

const truthSchema = z.object({
  models: z.record(
    z.string(),
    z.object({
      model_path: z.string(),
      seeds: z.record(
        z.string(),
        z.object({ input_crc32: z.string(), op_output_crc32: z.array(z.string()), output: z.array(z.number()) }),
      ),
    }),
  ),
});

const truth = hasSharedModels
  ? truthSchema.parse(JSON.parse(readFileSync(sharedPath('truth', 'tflm_lcg_seed1.json'), 'utf8'))).models
  : {};
const modelFiles = hasSharedModels ? readdirSync(sharedPath('models')).filter((file) => file.endsWith('.tflite')) : [];

function hex(bytes: Uint8Array): string {
  return crc32(bytes).toString(16).padStart(8, '0');
}

describe.skipIf(!hasSharedModels)(`recorded tflite-micro outputs${sharedHint}`, () => {
  it('covers four models', () => {
    expect(Object.keys(truth)).toHaveLength(4);
  });

  it.each(Object.entries(truth))('equals the record of %s in every op and the output', (_, record) => {
    const graph = loadSharedModel(basename(record.model_path));
    const reference = createReference(graph);
    for (const [seed, expected] of Object.entries(record.seeds)) {
      const inputs = lcgInputs(graph, Number(seed));
      expect(hex(inputs[0] ?? new Uint8Array())).toBe(expected.input_crc32);
      const { outputs, opOutputs } = reference.run(inputs);
      expect(opOutputs.map(hex)).toEqual(expected.op_output_crc32);
      expect([...new Int8Array((outputs[0] ?? new Uint8Array()).buffer)]).toEqual(expected.output);
    }
  });
});

const recordSchema = z.object({
  models: z.array(
    z.object({
      file: z.string(),
      sha256: z.string(),
      runs: z.array(z.object({ seed: z.number(), opOutputCrc32: z.array(z.string()) })),
    }),
  ),
});
const RECORDS = recordSchema.parse(
  JSON.parse(readFileSync(join(packageRoot(), 'test', 'vectors', 'tflm-models.json'), 'utf8')),
).models;

describe.skipIf(!hasSharedModels)(`tflite-micro on ${RECORDS.length} models with four seeds${sharedHint}`, () => {
  it.each(RECORDS)('$file: every op output has the recorded CRC-32', ({ file, sha256, runs }) => {
    expect(
      createHash('sha256')
        .update(readFileSync(sharedPath('models', file)))
        .digest('hex'),
    ).toBe(sha256);
    const graph = loadSharedModel(file);
    const reference = createReference(graph);
    for (const { seed, opOutputCrc32 } of runs) {
      const actual = reference.run(lcgInputs(graph, seed)).opOutputs.map(hex);
      for (const [position, op] of graph.ops.entries()) {
        // The one op here in which tflite-micro calls libm: float SOFTMAX is held to a ULP bound by vectors.test.ts instead.
        const input = op.inputs[0];
        if (op.kind === 'SOFTMAX' && input != null && tensorOf(graph, input).dtype === 'float32') continue;
        expect([op.index, actual[position]]).toEqual([op.index, opOutputCrc32[op.index]]);
      }
    }
  });
});

describe.skipIf(!hasSharedModels)(`all models run${sharedHint}`, () => {
  it('finds the 13 models', () => {
    expect(modelFiles).toHaveLength(13);
  });

  it.each(modelFiles)('%s: repeatable, and the input reaches the last op with weights', (file) => {
    const graph = loadSharedModel(file);
    const reference = createReference(graph);
    const first = reference.run(lcgInputs(graph, 1)).opOutputs.map(hex);
    const other = reference.run(lcgInputs(graph, 2)).opOutputs.map(hex);
    expect(reference.run(lcgInputs(graph, 1)).opOutputs.map(hex)).toEqual(first);
    // Not the output itself: a saturated softmax may be the same for two inputs of noise.
    const last = graph.ops.findLastIndex((op) => op.kind === 'FULLY_CONNECTED' || op.kind === 'CONV_2D');
    expect(other[last]).not.toBe(first[last]);
  });
});
