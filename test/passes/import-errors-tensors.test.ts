/** One failing model per rule on tensors and their quantization; the operator at fault is never the first one. */
import { describe, expect, it } from 'vitest';
import { options } from '../tflite/model-builder.ts';
import { filter, messageFor, same, stride1, type Case } from './import-case.ts';

const CASES: readonly Case[] = [
  [
    'an output shape that is not inferred',
    'LOGISTIC',
    /output 0 has shape \[1,4,4,3\], .*\[1,4,4,2\]/,
    ({ b, y }) => b.op('LOGISTIC', [y], [b.tensor({ shape: [1, 4, 4, 3], scale: [1 / 256], zeroPoint: [-128] })]),
  ],
  [
    'an output scale TFLite fixes',
    'LOGISTIC',
    /output has scale 0\.5 .*TFLite fixes 0\.00390625 and -128/,
    ({ b, y }) => b.op('LOGISTIC', [y], [same(b)]),
  ],
  [
    'requantization where kernels copy',
    'RESHAPE',
    /scale 0\.25 and zero point 0, 0\.5 and 0 expected/,
    ({ b, y }) => b.op('RESHAPE', [y, b.side(32)], [b.tensor({ shape: [32], scale: [0.25] })]),
  ],
  [
    'mixed input types',
    'ADD',
    /inputs mix int8 and int16/,
    ({ b, y }) =>
      b.op(
        'ADD',
        [y, b.tensor({ type: 'INT16', shape: [2], data: new Int16Array(2) })],
        [same(b)],
        options('AddOptions'),
      ),
  ],
  [
    'a type the operator lacks',
    'HARD_SWISH',
    /float32 to int8 is not supported/,
    ({ b }) =>
      b.op(
        'HARD_SWISH',
        [b.tensor({ type: 'FLOAT32', shape: [1], data: new Float32Array(1) })],
        [b.tensor({ shape: [1] })],
      ),
  ],
  [
    'an activation with several scales',
    'RELU',
    /has 2 scales, activations take one/,
    ({ b, y }) => b.op('RELU', [y], [b.tensor({ shape: [1, 4, 4, 2], scale: [1, 2], axis: 3 })]),
  ],
  [
    'int8 without quantization',
    'RELU',
    /int8 tensor "t2" has no quantization/,
    ({ b, y }) => b.op('RELU', [y], [b.tensor({ shape: [1, 4, 4, 2], scale: null })]),
  ],
  [
    'an asymmetric int16 activation',
    'QUANTIZE',
    /int16 tensor "t2" has zero point 4, 0 expected/,
    ({ b, y }) => b.op('QUANTIZE', [y], [b.tensor({ type: 'INT16', shape: [1, 4, 4, 2], zeroPoint: [4] })]),
  ],
  [
    'a dynamic shape',
    'RELU',
    /tensor 2 "t2" dimension -1 of shape \[-1,4,4,2\] is not known/,
    ({ b, y }) => b.op('RELU', [y], [b.tensor({ shape: [-1, 4, 4, 2] })]),
  ],
  [
    'a dimension of 0',
    'RELU',
    /dimension 0 of shape \[1,0\] is not a positive integer/,
    ({ b, y }) => b.op('RELU', [y], [b.tensor({ shape: [1, 0] })]),
  ],
  [
    'an absurd shape',
    'RELU',
    /takes 4611686014132420600 bytes, at most 2\^31-1/,
    ({ b, y }) => b.op('RELU', [y], [b.tensor({ shape: [2147483647, 2147483647] })]),
  ],
  [
    'too many dimensions',
    'RELU',
    /has 9 dimensions, at most 8/,
    ({ b, y }) => b.op('RELU', [y], [b.tensor({ shape: [1, 1, 1, 1, 1, 1, 1, 1, 1] })]),
  ],
  [
    'data that does not fill its shape',
    'ADD',
    /tensor 2 "t2" has 3 bytes of data, shape \[2\] takes 2/,
    ({ b, y }) => b.op('ADD', [y, b.tensor({ shape: [2], data: new Int8Array(3) })], [same(b)], options('AddOptions')),
  ],
  [
    'a string tensor',
    'RELU',
    /has type STRING, which is not supported/,
    ({ b, y }) => b.op('RELU', [y], [b.tensor({ type: 'STRING', shape: [1] })]),
  ],
  [
    'an unknown tensor type',
    'RELU',
    /has type #99/,
    ({ b, y }) => b.op('RELU', [y], [b.tensor({ shape: [1], fields: { type: 99 } })]),
  ],
  [
    'a variable',
    'RELU',
    /is a variable/,
    ({ b, y }) => b.op('RELU', [y], [b.tensor({ shape: [1], fields: { isVariable: true } })]),
  ],
  [
    'a sparse tensor',
    'RELU',
    /is sparse/,
    ({ b, y }) => b.op('RELU', [y], [b.tensor({ shape: [1], fields: { sparsity: true } })]),
  ],
  [
    'an external buffer',
    'RELU',
    /external buffer 2/,
    ({ b, y }) => b.op('RELU', [y], [b.tensor({ shape: [1], fields: { externalBuffer: 2 } })]),
  ],
  [
    'a scale of 0, second channel',
    'CONV_2D',
    /has scale 0, a positive number expected/,
    ({ b, y }) => b.op('CONV_2D', [y, filter(b, { scale: [1, 0] })], [same(b)], options('Conv2DOptions', stride1)),
  ],
  [
    'a zero point out of range',
    'RELU',
    /has zero point 128, -128\.\.127 expected for int8/,
    ({ b, y }) => b.op('RELU', [y], [b.tensor({ shape: [1, 4, 4, 2], zeroPoint: [128] })]),
  ],
  [
    'fewer zero points than scales',
    'CONV_2D',
    /has 2 scales and 1 zero points/,
    ({ b, y }) =>
      b.op('CONV_2D', [y, filter(b, { scale: [1, 1], zeroPoint: [0] })], [same(b)], options('Conv2DOptions', stride1)),
  ],
  [
    'scales that do not fit the dimension',
    'CONV_2D',
    /has 3 scales along dimension 0/,
    ({ b, y }) => b.op('CONV_2D', [y, filter(b, { scale: [1, 1, 1] })], [same(b)], options('Conv2DOptions', stride1)),
  ],
];

describe('importGraph refuses', () => {
  it.each(CASES)('%s (%s)', (_title, kind, message, add) => {
    const text = messageFor(add);
    expect(text).toMatch(message);
    expect(text).toContain(`operator 1 ${kind}: `);
  });
});
