/** One failing model per rule on options, weights and windows; the operator at fault is never the first one. */
import { describe, expect, it } from 'vitest';
import { options } from '../tflite/model-builder.ts';
import { filter, messageFor, pool2, same, stride1, type Case } from './import-case.ts';

const CASES: readonly Case[] = [
  ['an operator without importer', 'SVDF', /not supported/, ({ b, y }) => b.op('SVDF', [y], [same(b)])],
  ['control flow', 'WHILE', /not supported/, ({ b, y }) => b.op('WHILE', [y], [same(b)])],
  [
    'missing options',
    'CONV_2D',
    /has no options, Conv2DOptions expected/,
    ({ b, y }) => b.op('CONV_2D', [y, filter(b)], [same(b)]),
  ],
  [
    'options of another operator',
    'SOFTMAX',
    /options of type AddOptions, SoftmaxOptions expected/,
    ({ b, y }) => b.op('SOFTMAX', [y], [same(b)], options('AddOptions')),
  ],
  [
    'options where there are none',
    'TANH',
    /options of type AddOptions, none expected/,
    ({ b, y }) => b.op('TANH', [y], [same(b)], options('AddOptions')),
  ],
  ['too many inputs', 'RELU', /has 2 inputs, 1 expected/, ({ b, y }) => b.op('RELU', [y, y], [same(b)])],
  ['an absent input', 'RELU', /input 0 is absent/, ({ b }) => b.op('RELU', [-1], [same(b)])],
  ['too many outputs', 'RELU', /has 2 outputs, 1 expected/, ({ b, y }) => b.op('RELU', [y], [same(b), same(b)])],
  [
    'an unsupported fused activation',
    'ADD',
    /fused activation TANH is not supported/,
    ({ b, x, y }) => b.op('ADD', [x, y], [same(b)], options('AddOptions', { fusedActivationFunction: 4 })),
  ],
  [
    'an unknown fused activation',
    'MUL',
    /fused activation #77 /,
    ({ b, x, y }) => b.op('MUL', [x, y], [same(b)], options('MulOptions', { fusedActivationFunction: 77 })),
  ],
  [
    'an activation on CONCATENATION',
    'CONCATENATION',
    /fused activation RELU is not supported/,
    ({ b, x, y }) =>
      b.op('CONCATENATION', [x, y], [same(b)], options('ConcatenationOptions', { fusedActivationFunction: 1 })),
  ],
  [
    'an unknown padding',
    'MAX_POOL_2D',
    /padding #2 is not known/,
    ({ b, y }) => b.op('MAX_POOL_2D', [y], [same(b)], options('Pool2DOptions', { ...pool2, padding: 2 })),
  ],
  [
    'a stride of 0',
    'MAX_POOL_2D',
    /strideW is 0, 1\.\.32767 expected/,
    ({ b, y }) => b.op('MAX_POOL_2D', [y], [same(b)], options('Pool2DOptions', { ...pool2, strideW: 0 })),
  ],
  [
    'a window larger than its input',
    'AVERAGE_POOL_2D',
    /window 2x9 does not fit/,
    ({ b, y }) => b.op('AVERAGE_POOL_2D', [y], [same(b)], options('Pool2DOptions', { ...pool2, filterWidth: 9 })),
  ],
  [
    'a dilation of 0',
    'CONV_2D',
    /dilationH is 0/,
    ({ b, y }) =>
      b.op('CONV_2D', [y, filter(b)], [same(b)], options('Conv2DOptions', { ...stride1, dilationHFactor: 0 })),
  ],
  [
    'a grouped convolution',
    'CONV_2D',
    /takes 1 channels, the input has 2/,
    ({ b, y }) =>
      b.op('CONV_2D', [y, filter(b, { shape: [4, 1, 1, 1] })], [same(b)], options('Conv2DOptions', stride1)),
  ],
  [
    'a depth multiplier that does not fit',
    'DEPTHWISE_CONV_2D',
    /makes 2 channels, 2 times 3 expected/,
    ({ b, y }) =>
      b.op(
        'DEPTHWISE_CONV_2D',
        [y, filter(b, { shape: [1, 1, 2, 2] })],
        [same(b)],
        options('DepthwiseConv2DOptions', { ...stride1, depthMultiplier: 3 }),
      ),
  ],
  [
    'an asymmetric filter, second channel',
    'CONV_2D',
    /zero point 5, only symmetric/,
    ({ b, y }) =>
      b.op(
        'CONV_2D',
        [y, filter(b, { scale: [1, 1], zeroPoint: [0, 5] })],
        [same(b)],
        options('Conv2DOptions', stride1),
      ),
  ],
  [
    'a filter quantized along another dimension',
    'CONV_2D',
    /quantized along dimension 3, 0 expected/,
    ({ b, y }) =>
      b.op('CONV_2D', [y, filter(b, { scale: [1, 1], axis: 3 })], [same(b)], options('Conv2DOptions', stride1)),
  ],
  [
    'a filter computed at run time',
    'CONV_2D',
    /filter "t2" is not constant/,
    ({ b, y }) => b.op('CONV_2D', [y, b.tensor({ shape: [2, 1, 1, 2] })], [same(b)], options('Conv2DOptions', stride1)),
  ],
  [
    'a filter of another type',
    'CONV_2D',
    /int8 input with int16 filter is not supported/,
    ({ b, y }) =>
      b.op(
        'CONV_2D',
        [y, filter(b, { type: 'INT16', data: new Int16Array(4) })],
        [same(b)],
        options('Conv2DOptions', stride1),
      ),
  ],
  [
    'an int4 filter',
    'CONV_2D',
    /tensor 2 "t2" has type INT4, which is not supported/,
    ({ b, y }) => b.op('CONV_2D', [y, filter(b, { type: 'INT4' })], [same(b)], options('Conv2DOptions', stride1)),
  ],
  [
    'a bias of another type',
    'CONV_2D',
    /int64 bias with int8 input is not supported, int32 is/,
    ({ b, y }) => {
      const bias = b.tensor({ type: 'INT64', shape: [2], scale: [1], data: new BigInt64Array(2) });
      b.op('CONV_2D', [y, filter(b), bias], [same(b)], options('Conv2DOptions', stride1));
    },
  ],
  [
    'a bias of another length',
    'CONV_2D',
    /bias has shape \[3\], \[2\] expected/,
    ({ b, y }) => b.op('CONV_2D', [y, filter(b), b.side(1, 2, 3)], [same(b)], options('Conv2DOptions', stride1)),
  ],
  [
    'a bias type option that contradicts the bias',
    'CONV_2D',
    /quantized_bias_type is INT64 but the bias is INT32/,
    ({ b, y }) =>
      b.op(
        'CONV_2D',
        [y, filter(b), b.side(1, 2)],
        [same(b)],
        options('Conv2DOptions', { ...stride1, quantizedBiasType: 4 }),
      ),
  ],
  [
    'shuffled weights',
    'FULLY_CONNECTED',
    /weights format #1 is not supported/,
    ({ b, y }) =>
      b.op('FULLY_CONNECTED', [y, filter(b)], [same(b)], options('FullyConnectedOptions', { weightsFormat: 1 })),
  ],
  [
    'a dense filter that does not divide the input',
    'FULLY_CONNECTED',
    /filter \[2,5\] does not fit input \[1,4,4,2\]/,
    ({ b, y }) =>
      b.op(
        'FULLY_CONNECTED',
        [y, b.tensor({ shape: [2, 5], data: new Int8Array(10) })],
        [same(b)],
        options('FullyConnectedOptions'),
      ),
  ],
];

describe('importGraph refuses', () => {
  it.each(CASES)('%s (%s)', (_title, kind, message, add) => {
    const text = messageFor(add);
    expect(text).toMatch(message);
    expect(text).toContain(`operator 1 ${kind}: `);
  });
});
