/** One failing model per rule on shapes and side inputs (axes, paddings, slices); the operator at fault is never the first one. */
import { describe, expect, it } from 'vitest';
import { ints, options } from '../tflite/model-builder.ts';
import { messageFor, same, type Case } from './import-case.ts';

const CASES: readonly Case[] = [
  [
    'packing of activations',
    'PACK',
    /value \(input 1\) is INT8, INT32 or INT64 expected/,
    ({ b, y }) => b.op('PACK', [b.side(1), y], [same(b)], options('PackOptions', { valuesCount: 2 })),
  ],
  [
    'packing of lists',
    'PACK',
    /only packing of single numbers/,
    ({ b }) => b.op('PACK', [b.side(1), b.side(2, 3)], [same(b)], options('PackOptions', { valuesCount: 2 })),
  ],
  [
    'packing of another count',
    'PACK',
    /packs 3 values from 1 inputs/,
    ({ b }) => b.op('PACK', [b.side(1)], [same(b)], options('PackOptions', { valuesCount: 3 })),
  ],
  [
    'a shape of another length',
    'SHAPE',
    /has 16 bytes of data, shape \[3\] takes 12/,
    ({ b, y }) =>
      b.op(
        'SHAPE',
        [y],
        [b.tensor({ type: 'INT32', shape: [3], scale: null })],
        options('ShapeOptions', { outType: 2 }),
      ),
  ],
  [
    'a shape of another type',
    'SHAPE',
    /has type int8, INT32 or INT64 expected/,
    ({ b, y }) => b.op('SHAPE', [y], [b.tensor({ shape: [4] })], options('ShapeOptions')),
  ],
  [
    'a slice of a table of integers',
    'STRIDED_SLICE',
    /this constant has more dimensions/,
    ({ b }) => {
      const list = b.tensor({ type: 'INT32', shape: [2, 2], scale: null, data: ints(1, 2, 3, 4) });
      b.op('STRIDED_SLICE', [list, b.side(0), b.side(1), b.side(1)], [same(b)], options('StridedSliceOptions'));
    },
  ],
  [
    'shapes that do not broadcast',
    'SUB',
    /\[1,4,4,2\] and \[3\] do not broadcast/,
    ({ b, y }) => b.op('SUB', [y, b.tensor({ shape: [3], data: new Int8Array(3) })], [same(b)], options('SubOptions')),
  ],
  [
    'concatenation of unlike shapes',
    'CONCATENATION',
    /\[1,4,4,2\] and \[1,4,3,2\] differ outside axis 3/,
    ({ b, y }) =>
      b.op(
        'CONCATENATION',
        [y, b.tensor({ shape: [1, 4, 3, 2], data: new Int8Array(24) })],
        [same(b)],
        options('ConcatenationOptions', { axis: -1 }),
      ),
  ],
  [
    'an axis out of range',
    'MEAN',
    /axis 4 is outside a tensor of 4 dimensions/,
    ({ b, y }) => b.op('MEAN', [y, b.side(1, 4)], [same(b)], options('ReducerOptions')),
  ],
  [
    'axes computed at run time',
    'MEAN',
    /axes \(input 1\) is computed at run time/,
    ({ b, y }) =>
      b.op('MEAN', [y, b.tensor({ type: 'INT32', shape: [1], scale: null })], [same(b)], options('ReducerOptions')),
  ],
  [
    'axes of another type',
    'MEAN',
    /axes \(input 1\) is INT8, INT32 or INT64 expected/,
    ({ b, y }) =>
      b.op('MEAN', [y, b.tensor({ shape: [1], data: new Int8Array(1) })], [same(b)], options('ReducerOptions')),
  ],
  [
    'axes whose data does not fill their shape',
    'MEAN',
    /axes \(input 1\) has 4 bytes, \[2\] takes 8/,
    ({ b, y }) =>
      b.op('MEAN', [y, b.tensor({ type: 'INT32', shape: [2], data: ints(1) })], [same(b)], options('ReducerOptions')),
  ],
  [
    'axes of absurd length',
    'MEAN',
    /axes \(input 1\) has shape \[100\]/,
    ({ b, y }) => b.op('MEAN', [y, b.side(...new Array<number>(100).fill(1))], [same(b)], options('ReducerOptions')),
  ],
  [
    'a number of paddings that does not fit',
    'PAD',
    /paddings has 6 values, 8 expected/,
    ({ b, y }) => b.op('PAD', [y, b.side(0, 0, 1, 1, 0, 0)], [same(b)]),
  ],
  [
    'negative padding',
    'PAD',
    /padding 0,-1 of dimension 1 is negative/,
    ({ b, y }) => b.op('PAD', [y, b.side(0, 0, 0, -1, 0, 0, 0, 0)], [same(b)]),
  ],
  [
    'a pad value of another scale',
    'PADV2',
    /pad value and input differ in quantization/,
    ({ b, y }) =>
      b.op(
        'PADV2',
        [y, b.side(0, 0, 0, 0, 0, 0, 0, 0), b.tensor({ shape: [], scale: [2], data: Int8Array.of(1) })],
        [same(b)],
      ),
  ],
  [
    'RESHAPE to another size',
    'RESHAPE',
    /shape \[-1,5\] on 32 elements does not give/,
    ({ b, y }) => b.op('RESHAPE', [y, b.side(-1, 5)], [b.tensor({ shape: [6, 5] })]),
  ],
  [
    'RESHAPE with two unknowns',
    'RESHAPE',
    /more than one -1/,
    ({ b, y }) => b.op('RESHAPE', [y, b.side(-1, -1)], [b.tensor({ shape: [4, 8] })]),
  ],
  [
    'RESHAPE without a shape',
    'RESHAPE',
    /has neither a shape input nor new_shape/,
    ({ b, y }) => b.op('RESHAPE', [y], [b.tensor({ shape: [32] })], options('ReshapeOptions')),
  ],
  [
    'SQUEEZE of a dimension that is not 1',
    'SQUEEZE',
    /\[1,4,4,2\] and \[1,4,4\] differ in their number of elements/,
    ({ b, y }) =>
      b.op('SQUEEZE', [y], [b.tensor({ shape: [1, 4, 4] })], options('SqueezeOptions', { squeezeDims: [-1] })),
  ],
  [
    'EXPAND_DIMS elsewhere',
    'EXPAND_DIMS',
    /axis 1 on \[1,4,4,2\] does not give/,
    ({ b, y }) => b.op('EXPAND_DIMS', [y, b.side(1)], [b.tensor({ shape: [1, 4, 4, 2, 1] })]),
  ],
  [
    'perm that is no permutation',
    'TRANSPOSE',
    /perm \[0,1,1,3\] is not a permutation/,
    ({ b, y }) => b.op('TRANSPOSE', [y, b.side(0, 1, 1, 3)], [same(b)]),
  ],
  [
    'a split that does not divide',
    'SPLIT',
    /dimension 1 of \[1,4,4,2\] does not split into 3/,
    ({ b, y }) => b.op('SPLIT', [b.side(1), y], [same(b), same(b), same(b)], options('SplitOptions', { numSplits: 3 })),
  ],
  [
    'num_splits that contradicts the outputs',
    'SPLIT',
    /num_splits is 3, there are 2 outputs/,
    ({ b, y }) => b.op('SPLIT', [b.side(1), y], [same(b), same(b)], options('SplitOptions', { numSplits: 3 })),
  ],
  [
    'a resize to another size',
    'RESIZE_NEAREST_NEIGHBOR',
    /size \[8,9\] does not give/,
    ({ b, y }) =>
      b.op(
        'RESIZE_NEAREST_NEIGHBOR',
        [y, b.side(8, 9)],
        [b.tensor({ shape: [1, 8, 8, 2] })],
        options('ResizeNearestNeighborOptions'),
      ),
  ],
  [
    'contradicting resize flags',
    'RESIZE_NEAREST_NEIGHBOR',
    /are both set/,
    ({ b, y }) =>
      b.op(
        'RESIZE_NEAREST_NEIGHBOR',
        [y, b.side(8, 8)],
        [b.tensor({ shape: [1, 8, 8, 2] })],
        options('ResizeNearestNeighborOptions', { alignCorners: true, halfPixelCenters: true }),
      ),
  ],
  [
    'a beta of 0',
    'SOFTMAX',
    /beta is 0, a positive number expected/,
    ({ b, y }) => b.op('SOFTMAX', [y], [same(b)], options('SoftmaxOptions')),
  ],
  [
    'an infinite alpha',
    'LEAKY_RELU',
    /alpha is Infinity/,
    ({ b, y }) => b.op('LEAKY_RELU', [y], [same(b)], options('LeakyReluOptions', { alpha: Infinity })),
  ],
];

describe('importGraph refuses', () => {
  it.each(CASES)('%s (%s)', (_title, kind, message, add) => {
    const text = messageFor(add);
    expect(text).toMatch(message);
    expect(text).toContain(`operator 1 ${kind}: `);
  });
});
