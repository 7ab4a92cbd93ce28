/** The byte-moving kernels against the reference for every element size, under sanitizers; and how lowering merges dimensions. */
import { describe, expect, it } from 'vitest';
import type { DType } from '../../firmware-gen/ir/graph.ts';
import { mergeView } from '../../firmware-gen/passes/lower/strided-view.ts';
import type { GraphCase } from './run-graph.ts';
import { FORMS, Random, expectReferenceBytes, oneOpGraph, withRandomInputs } from './op-cases.ts';

const DTYPES: readonly DType[] = ['int8', 'int16', 'float32', 'int32', 'uint8'];

function randomShape(random: Random, rankMax: number, extentMax: number): number[] {
  return Array.from({ length: random.int(1, rankMax) }, () => random.int(1, extentMax));
}

function transposeCase(random: Random): GraphCase {
  const shape = randomShape(random, 6, 5);
  const perm = shape.map((_, axis) => axis).sort(() => random.real() - 0.5);
  const dtype = random.pick(DTYPES);
  const output = perm.map((axis) => shape[axis]!);
  return withRandomInputs(
    oneOpGraph('transpose', { kind: 'TRANSPOSE', perm }, [{ shape, dtype }], [{ shape: output, dtype }]),
    random,
  );
}

/** Any begin, any sign of step, at least one element per dimension. */
function sliceCase(random: Random): GraphCase {
  const shape = randomShape(random, 5, 9);
  const axes = shape.map((extent) => {
    const step = random.pick([1, 1, 1, 2, 3, -1, -2]);
    const begin = random.int(0, extent - 1);
    const available = step > 0 ? Math.floor((extent - 1 - begin) / step) + 1 : Math.floor(begin / -step) + 1;
    return random.real() < 0.3 ? { begin: 0, step: 1, extent } : { begin, step, extent: random.int(1, available) };
  });
  const attributes = {
    kind: 'STRIDED_SLICE',
    begin: axes.map((axis) => axis.begin),
    step: axes.map((axis) => axis.step),
    outputExtent: axes.map((axis) => axis.extent),
  } as const;
  const dtype = random.pick(DTYPES);
  // Dimensions of one element may have been shrunk away.
  const kept = attributes.outputExtent.filter((extent) => extent > 1 || random.real() < 0.5);
  return withRandomInputs(oneOpGraph('slice', attributes, [{ shape, dtype }], [{ shape: kept, dtype }]), random);
}

function padCase(random: Random): GraphCase {
  const shape = randomShape(random, 5, 5);
  const paddings = shape.map((): [number, number] =>
    random.real() < 0.5 ? [0, 0] : [random.int(0, 3), random.int(0, 3)],
  );
  const dtype = random.pick(DTYPES);
  const padValue = dtype === 'uint8' ? random.int(0, 255) : random.pick([0, -1, 5, -128]);
  const output = shape.map((extent, axis) => extent + paddings[axis]![0] + paddings[axis]![1]);
  return withRandomInputs(
    oneOpGraph('pad', { kind: 'PAD', paddings, padValue }, [{ shape, dtype }], [{ shape: output, dtype }]),
    random,
  );
}

function concatenationCase(random: Random): GraphCase {
  const shape = randomShape(random, 4, 6);
  const axis = random.int(0, shape.length - 1);
  const dtype = random.pick(DTYPES);
  const inputs = Array.from({ length: random.int(1, 5) }, () =>
    shape.map((extent, d) => (d === axis ? random.int(1, 7) : extent)),
  );
  const total = inputs.reduce((sum, input) => sum + input[axis]!, 0);
  const output = shape.map((extent, d) => (d === axis ? total : extent));
  const signedAxis = random.real() < 0.5 ? axis : axis - shape.length;
  const graph = oneOpGraph(
    'concatenation',
    { kind: 'CONCATENATION', axis: signedAxis, activation: 'NONE' },
    inputs.map((input) => ({ shape: input, dtype })),
    [{ shape: output, dtype }],
  );
  return withRandomInputs(graph, random);
}

function splitCase(random: Random): GraphCase {
  const part = randomShape(random, 4, 5);
  const axis = random.int(0, part.length - 1);
  const count = random.int(1, 4);
  const dtype = random.pick(DTYPES);
  const shape = part.map((extent, d) => (d === axis ? extent * count : extent));
  const signedAxis = random.real() < 0.5 ? axis : axis - part.length;
  const outputs = Array.from({ length: count }, () => ({ shape: part, dtype }));
  return withRandomInputs(
    oneOpGraph('split', { kind: 'SPLIT', axis: signedAxis }, [{ shape, dtype }], outputs),
    random,
  );
}

function resizeCase(random: Random): GraphCase {
  const [n, h, w, c] = [random.int(1, 2), random.int(1, 9), random.int(1, 9), random.int(1, 5)];
  const attributes = {
    kind: 'RESIZE_NEAREST_NEIGHBOR',
    ...random.pick([
      { alignCorners: false, halfPixelCenters: false },
      { alignCorners: true, halfPixelCenters: false },
      { alignCorners: false, halfPixelCenters: true },
    ]),
  } as const;
  const dtype = random.pick(DTYPES);
  const output = [n, random.int(1, 20), random.int(1, 20), c];
  return withRandomInputs(
    oneOpGraph('resize', attributes, [{ shape: [n, h, w, c], dtype }], [{ shape: output, dtype }]),
    random,
  );
}

const CASE_MAKERS = [transposeCase, sliceCase, padCase, concatenationCase, splitCase, resizeCase];

it.each(FORMS)('should equal the reference for random shapes and types, %s', async (form) => {
  const random = new Random(31);
  const cases = CASE_MAKERS.flatMap((makeCase) => Array.from({ length: 50 }, () => makeCase(random)));
  await expectReferenceBytes(cases, form);
});

describe('lowering of byte-moving ops', () => {
  it('should join inputs that are constants', async () => {
    const random = new Random(41);
    const constant = { shape: [2, 3], data: random.bytes(6) };
    const attributes = { kind: 'CONCATENATION', axis: 1, activation: 'NONE' } as const;
    const graph = oneOpGraph('constant', attributes, [constant, { shape: [2, 2] }], [{ shape: [2, 5] }]);
    await expectReferenceBytes([withRandomInputs(graph, random)], 'off');
  });

  it('should merge dimensions that continue each other', () => {
    expect(mergeView({ extent: [2, 1, 3, 4], stride: [12, 12, 4, 1], offset: 7 })).toEqual({
      extent: [24],
      stride: [1],
      offset: 7,
    });
    expect(mergeView({ extent: [4, 2, 3], stride: [1, 12, 4], offset: 0 })).toEqual({
      extent: [4, 6],
      stride: [1, 4],
      offset: 0,
    });
  });
});
