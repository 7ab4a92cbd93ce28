/**
 * The reference against tflite-micro's own outputs, op by op and type by type. Integer results and float results made of +, -, *, / and
 * comparisons must be equal bit for bit; where TFLM calls libm's expf or tanhf, ours is another approximation and the bound is in ULP.
 */
import { describe, expect, it } from 'vitest';
import { assert } from '../../common/errors.ts';
import { tensorOf } from '../../firmware-gen/ir/graph.ts';
import { createReference } from '../../firmware-gen/reference/index.ts';
import { loadVectors, vectorFiles, vectorGraph, type VectorCase } from './vectors.ts';

/**
 * Allowed distance in units of the last place, by vector file, with the reason. expF32 is within 1 ULP, glibc's expf and tanhf too; SOFTMAX
 * adds a sum of such values and a quotient, LOGISTIC a sum and a quotient.
 */
const ULP_MAX: Readonly<Record<string, number>> = { logistic_float32: 2, tanh_float32: 2, softmax_float32: 4 };
/** Below this libm gives subnormals and expF32 zero. */
const FLUSH_BELOW = 2 ** -126;

/** Distance of two float32 in representable values; both zeros are one value. */
function ulpDistance(a: number, b: number): number {
  if (Math.abs(a) < FLUSH_BELOW && Math.abs(b) < FLUSH_BELOW) return 0;
  const order = (value: number): number => {
    const bits = new Int32Array(new Float32Array([value]).buffer)[0] ?? 0;
    return bits < 0 ? -(bits & 0x7fffffff) : bits;
  };
  return Math.abs(order(a) - order(b));
}

function maxUlp(actual: Uint8Array, expected: Uint8Array): number {
  const [a, b] = [actual, expected].map((bytes) => new Float32Array(bytes.slice().buffer));
  assert(a && b && a.length === b.length, 'outputs of equal length');
  let worst = 0;
  for (const [i, value] of a.entries()) worst = Math.max(worst, ulpDistance(value, b[i] ?? NaN));
  return worst;
}

function checkCase(file: string, vector: VectorCase): void {
  const graph = vectorGraph(vector);
  const reference = createReference(graph);
  for (const run of vector.runs) {
    const outputs = reference.runOutputs(run.inputs);
    expect(outputs.length).toBe(run.outputs.length);
    for (const [position, expected] of run.outputs.entries()) {
      const actual = outputs[position] ?? new Uint8Array();
      const ulpMax = ULP_MAX[file];
      if (ulpMax === undefined) expect([...actual]).toEqual([...expected]);
      else expect(maxUlp(actual, expected)).toBeLessThanOrEqual(ulpMax);
    }
  }
}

describe('tflite-micro vectors', () => {
  it('cover every op kind on every type that tflite-micro has it for', () => {
    const covered = new Map<string, Set<string>>();
    for (const file of vectorFiles()) {
      for (const vector of loadVectors(file)) {
        const graph = vectorGraph(vector);
        const op = graph.ops[0];
        const input = op?.inputs.find((id) => id !== null);
        assert(op && input !== undefined && input !== null, `${file}: ${vector.name} has one op`);
        const types = covered.get(op.kind) ?? new Set<string>();
        covered.set(op.kind, types.add(tensorOf(graph, input).dtype));
      }
    }
    const all = ['float32', 'int16', 'int8'];
    const kinds =
      'CONV_2D DEPTHWISE_CONV_2D FULLY_CONNECTED AVERAGE_POOL_2D MAX_POOL_2D MEAN ADD SUB MUL MAXIMUM MINIMUM CONCATENATION PAD RESHAPE SQUEEZE EXPAND_DIMS STRIDED_SLICE TRANSPOSE SOFTMAX LOGISTIC TANH RELU RELU6 LEAKY_RELU RESIZE_NEAREST_NEIGHBOR SPLIT QUANTIZE';
    for (const kind of kinds.split(' '))
      expect([kind, [...(covered.get(kind) ?? [])]]).toEqual([kind, expect.arrayContaining(all)]);
    expect([...(covered.get('HARD_SWISH') ?? [])].sort()).toEqual(['float32', 'int8']);
    expect([...(covered.get('DEQUANTIZE') ?? [])].sort()).toEqual(['int16', 'int8', 'uint8']);
  });

  for (const file of vectorFiles()) {
    describe(file, () => {
      for (const vector of loadVectors(file)) {
        it(vector.name, () => {
          checkCase(file, vector);
        });
      }
    });
  }
});
