/** What writeTflite writes, parseTflite reads back unchanged; the bytes are deterministic and aligned as TFLite requires. */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { ByteBuffer } from 'flatbuffers';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../common/errors.ts';
import { packageRoot } from '../../common/package-root.ts';
import { parseTflite } from '../../firmware-gen/tflite/reader.ts';
import { tableDefaults, type TfliteModel } from '../../firmware-gen/tflite/schema.ts';
import { writeTflite } from '../../firmware-gen/tflite/writer.ts';

const shared = join(packageRoot(), '..', 'shared', 'models');
const sharedModels = existsSync(shared) ? readdirSync(shared).filter((name) => name.endsWith('.tflite')) : [];

/** One of every field kind, with values at the ends of their ranges. */
function syntheticModel(): TfliteModel {
  const tensor = {
    ...tableDefaults('Tensor'),
    shape: [1, 3],
    type: 9,
    buffer: 1,
    name: 'größe',
    quantization: {
      ...tableDefaults('QuantizationParameters'),
      scale: [Math.fround(0.1), 2 ** -126],
      zeroPoint: [-(2n ** 63n), 2n ** 63n - 1n],
      quantizedDimension: -1,
    },
    isVariable: true,
    shapeSignature: [],
  };
  const softmax = {
    ...tableDefaults('Operator'),
    inputs: [0],
    outputs: [0],
    builtinOptions: { type: 'SoftmaxOptions', value: { beta: 1 } },
    customOptions: Uint8Array.of(1, 2, 3),
    mutatingVariableInputs: [true, false],
    largeCustomOptionsOffset: 2n ** 64n - 1n,
  } as const;
  return {
    ...tableDefaults('Model'),
    version: 3,
    operatorCodes: [{ ...tableDefaults('OperatorCode'), deprecatedBuiltinCode: 25, builtinCode: 25, version: 2 }],
    subgraphs: [
      {
        ...tableDefaults('SubGraph'),
        tensors: [tensor],
        inputs: [0],
        outputs: [0],
        operators: [softmax],
        name: 'main',
      },
    ],
    description: '',
    buffers: [
      tableDefaults('Buffer'),
      { ...tableDefaults('Buffer'), data: Uint8Array.of(255, 0, 127) },
      { ...tableDefaults('Buffer'), data: new Uint8Array(0) },
    ],
    metadataBuffer: [1],
    metadata: [{ name: 'note', buffer: 2 }],
    signatureDefs: [],
  };
}

/** Absolute position of the data vector of every buffer: Model slot 4, Buffer slot 0. */
function bufferDataPositions(file: Uint8Array): number[] {
  const bytes = new ByteBuffer(file);
  const field = (table: number, slot: number): number => {
    const vtable = table - bytes.readInt32(table);
    const offset = 4 + 2 * slot < bytes.readInt16(vtable) ? bytes.readInt16(vtable + 4 + 2 * slot) : 0;
    return offset === 0 ? 0 : table + offset;
  };
  const buffers = bytes.__vector(field(bytes.readInt32(0), 4));
  const count = bytes.readInt32(buffers - 4);
  return Array.from({ length: count }, (_, i) => field(bytes.__indirect(buffers + 4 * i), 0))
    .filter((at) => at !== 0)
    .map((at) => bytes.__vector(at));
}

describe('writeTflite', () => {
  it('should round-trip every kind of field', () => {
    const model = syntheticModel();
    expect(parseTflite(writeTflite(model))).toEqual(model);
  });

  it('should write the same bytes twice', () => {
    expect(writeTflite(syntheticModel())).toEqual(writeTflite(syntheticModel()));
  });

  it('should align buffer data to 16 bytes and carry the identifier', () => {
    const file = writeTflite(syntheticModel());
    expect(new TextDecoder().decode(file.subarray(4, 8))).toBe('TFL3');
    const positions = bufferDataPositions(file);
    expect(positions).toHaveLength(2);
    expect(positions.map((at) => at % 16)).toEqual([0, 0]);
    expect([...file.subarray(positions[0], positions[0]! + 3)]).toEqual([255, 0, 127]);
  });

  it('should refuse a field whose contents it does not know', () => {
    const model = syntheticModel();
    const graph = model.subgraphs![0]!;
    const sparse = { ...model, subgraphs: [{ ...graph, tensors: [{ ...graph.tensors![0]!, sparsity: true }] }] };
    expect(() => writeTflite(sparse)).toThrow(
      new UserError(
        'model.subgraphs[0].tensors[0].sparsity cannot be written: its contents are not part of the supported schema; remove the field',
      ),
    );
  });

  it('should refuse options known by name only', () => {
    const model = syntheticModel();
    const graph = model.subgraphs![0]!;
    const operator = { ...graph.operators![0]!, builtinOptions: { type: 'LSTMOptions', value: null } };
    const unknown = { ...model, subgraphs: [{ ...graph, operators: [operator] }] };
    expect(() => writeTflite(unknown)).toThrow(
      /operators\[0\]\.builtinOptions cannot be written: LSTMOptions is known/,
    );
  });

  describe.skipIf(sharedModels.length === 0)('on ../shared/models (skipped when absent)', () => {
    it.each(sharedModels)('should round-trip %s', (name) => {
      const model = parseTflite(new Uint8Array(readFileSync(join(shared, name))));
      const file = writeTflite(model);
      // Not toEqual: its report of a difference in a megabyte of weights takes minutes.
      expect(isDeepStrictEqual(parseTflite(file), model)).toBe(true);
      expect(bufferDataPositions(file).filter((at) => at % 16 !== 0)).toEqual([]);
    });
  });
});
