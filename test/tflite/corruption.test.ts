/**
 * Damaged and hostile files: whatever the bytes are, reading, importing and inspecting ends in a graph that verifies or in a UserError of
 * one line, and soon. All randomness is seeded; a failing case prints its seed.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../common/errors.ts';
import { packageRoot } from '../../common/package-root.ts';
import { formatInspect, inspectGraph } from '../../firmware-gen/inspect.ts';
import { verify } from '../../firmware-gen/ir/verify.ts';
import { importGraph, listUnsupported } from '../../firmware-gen/passes/import.ts';
import { parseTflite } from '../../firmware-gen/tflite/reader.ts';
import { tableDefaults } from '../../firmware-gen/tflite/schema.ts';
import { writeTflite } from '../../firmware-gen/tflite/writer.ts';
import { ModelBuilder, classifierModel, options } from './model-builder.ts';

/** Processor time one file may take, not wall time: tests run beside each other. A hang would be seconds. */
const CPU_MILLISECONDS_MAX = 1000;

/** 'imported', or the message of the UserError. Anything else that is thrown is a failure, with `label` to find the case again. */
function outcome(bytes: Uint8Array, label: string): string {
  const start = process.cpuUsage();
  try {
    const model = parseTflite(bytes);
    listUnsupported(model);
    const graph = importGraph(model, 'damaged');
    verify(graph);
    formatInspect(inspectGraph(graph));
    return 'imported';
  } catch (error) {
    if (!(error instanceof UserError)) throw new Error(`${label}: ${String(error)}`, { cause: error });
    expect(error.message, label).not.toMatch(/[\n\r\u2028\u2029]/);
    expect(error.message.length, label).toBeLessThan(1000);
    return error.message;
  } finally {
    const { user, system } = process.cpuUsage(start);
    expect((user + system) / 1000, `${label}: milliseconds`).toBeLessThan(CPU_MILLISECONDS_MAX);
  }
}

/** xorshift32, period 2^32-1. */
function random(seed: number): (below: number) => number {
  let state = seed | 0 || 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/** Some bytes of a copy replaced; half of the edits are aligned words of telling values, as offsets and lengths are. */
function damage(bytes: Uint8Array, seed: number): Uint8Array {
  const next = random(seed * 2654435761);
  const copy = bytes.slice();
  const view = new DataView(copy.buffer);
  const words = [0, 1, 0x7fffffff, 0x80000000, 0xffffffff, copy.length, next(copy.length), next(64)];
  for (let edits = 1 + next(6); edits > 0; edits -= 1) {
    if (next(2) === 0) copy[next(copy.length)] = next(256);
    else view.setUint32(4 * next(Math.floor(copy.length / 4)), words[next(words.length)] ?? 0, true);
  }
  return copy;
}

/** Slices, pads, splits, side inputs of every kind: what the classifier lacks. */
function layoutModel(): Uint8Array {
  const b = new ModelBuilder();
  const x = b.tensor({ shape: [1, 4, 4, 2] });
  const padded = b.tensor({ shape: [1, 6, 6, 2] });
  const sliced = b.tensor({ shape: [1, 3, 6, 2] });
  const moved = b.tensor({ shape: [1, 2, 3, 6] });
  const parts = [b.tensor({ shape: [1, 1, 3, 6] }), b.tensor({ shape: [1, 1, 3, 6] })];
  const joined = b.tensor({ shape: [1, 1, 3, 12] });
  const mean = b.tensor({ shape: [1, 12] });
  b.op('PAD', [x, b.side(0, 0, 1, 1, 1, 1, 0, 0)], [padded], options('PadOptions'));
  const slice = [b.side(0, 0, 0, 0), b.side(1, 6, 6, 2), b.side(1, 2, 1, 1)];
  b.op('STRIDED_SLICE', [padded, ...slice], [sliced], options('StridedSliceOptions'));
  b.op('TRANSPOSE', [sliced, b.side(0, 3, 1, 2)], [moved], options('TransposeOptions'));
  b.op('SPLIT', [b.side(1), moved], parts, options('SplitOptions', { numSplits: 2 }));
  b.op('CONCATENATION', parts, [joined], options('ConcatenationOptions', { axis: 3 }));
  b.op('MEAN', [joined, b.side(1, 2)], [mean], options('ReducerOptions'));
  return writeTflite(b.model([x], [mean]));
}

const MODELS: readonly [string, Uint8Array][] = [
  ['classifier', writeTflite(classifierModel())],
  ['layout ops', layoutModel()],
];

describe.each(MODELS)('a damaged file (%s)', (_name, bytes) => {
  it('should import when intact', () => {
    expect(outcome(bytes, 'intact')).toBe('imported');
  });

  it('should be refused when cut anywhere', () => {
    // The last bytes can be padding of the data that is placed last.
    for (let length = 0; length < bytes.length - 16; length += 1) {
      expect(outcome(bytes.slice(0, length), `cut to ${length}`), `cut to ${length}`).not.toBe('imported');
    }
  });

  it('should import or be refused with any single word replaced', () => {
    const refused = new Set<string>();
    for (let at = 0; at + 4 <= bytes.length; at += 4) {
      for (const word of [0, 1, 0x7fffffff, 0x80000000, 0xffffffff, 0xfffffffc, bytes.length - at]) {
        const copy = bytes.slice();
        new DataView(copy.buffer).setUint32(at, word, true);
        const result = outcome(copy, `word 0x${word.toString(16)} at ${at}`);
        if (result !== 'imported') refused.add(result);
      }
    }
    expect(refused.size).toBeGreaterThan(200);
  });

  it('should import or be refused with random bytes replaced', () => {
    let refused = 0;
    for (let seed = 1; seed <= 4000; seed += 1)
      if (outcome(damage(bytes, seed), `seed ${seed}`) !== 'imported') refused += 1;
    expect(refused).toBeGreaterThan(1000);
  });
});

describe('a hostile file', () => {
  it('should not multiply work by overlapping vectors', () => {
    // 20000 entries of one vector, all redirected to the one table that has a long string: 2 GB of text from a file of 1 MB.
    const count = 20000;
    const names = Array.from({ length: count }, (_, i) => (i === 0 ? 'x'.repeat(100_000) : 'x'));
    const bytes = writeTflite({ ...classifierModel(), metadata: names.map((name) => ({ name, buffer: 0 })) });
    expect(outcome(bytes, 'without overlap')).toBe('imported');
    const view = new DataView(bytes.buffer);
    let vector = 0;
    while (view.getUint32(vector, true) !== count) vector += 4;
    const first = vector + 4;
    const table = first + view.getUint32(first, true);
    for (let i = 0; i < count; i += 1) view.setUint32(first + 4 * i, table - (first + 4 * i), true);
    expect(outcome(bytes, 'overlap')).toMatch(
      /metadata\[\d+\]\.name at byte \d+: tables and vectors overlap: .* 4 times the file/,
    );
  });

  it('should be refused when its shapes overflow every integer', () => {
    const b = new ModelBuilder();
    const shape = new Array<number>(8).fill(2147483647);
    const [x, y] = [b.tensor({ shape }), b.tensor({ shape })];
    const bytes = writeTflite(b.op('RELU', [x], [y]).model([x], [y]));
    expect(outcome(bytes, 'absurd shape')).toMatch(/operator 0 RELU: tensor 0 "t0" shape .* at most 2\^31-1/);
  });

  it('should be refused without subgraphs, tensors or buffers', () => {
    const empty = { ...tableDefaults('Model'), version: 3 };
    expect(outcome(writeTflite(empty), 'empty')).toMatch(/has 0 subgraphs/);
    const bare = { ...empty, subgraphs: [tableDefaults('SubGraph')] };
    expect(outcome(writeTflite(bare), 'bare')).toMatch(/has 0 inputs and 0 outputs/);
  });
});

const sharedModel = join(packageRoot(), '..', 'shared', 'models', 'pretrainedResnet_quant.tflite');

describe.skipIf(!existsSync(sharedModel))('a damaged real file (needs ../shared/models)', () => {
  it('should import or be refused with random bytes replaced, and when cut', () => {
    const bytes = new Uint8Array(readFileSync(sharedModel));
    for (let seed = 1; seed <= 300; seed += 1) {
      outcome(damage(bytes, seed), `seed ${seed}`);
      outcome(bytes.slice(0, random(seed)(bytes.length)), `cut with seed ${seed}`);
    }
  });
});
