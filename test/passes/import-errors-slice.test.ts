/** One failing STRIDED_SLICE per rule on begin, end, strides and masks; the operator at fault is the second. */
import { describe, expect, it } from 'vitest';
import { options } from '../tflite/model-builder.ts';
import { messageFor, same } from './import-case.ts';

const SLICES: readonly [
  title: string,
  message: RegExp,
  side: readonly [number[], number[], number[]],
  masks: object,
][] = [
  [
    'a stride of 0',
    /stride of dimension 2 is 0/,
    [
      [0, 0, 0, 0],
      [1, 4, 4, 2],
      [1, 1, 0, 1],
    ],
    {},
  ],
  [
    'an empty slice',
    /slice 3:2:1 of dimension 1 \(extent 4\) is empty/,
    [
      [0, 3, 0, 0],
      [1, 2, 4, 2],
      [1, 1, 1, 1],
    ],
    {},
  ],
  [
    'an index out of range',
    /index 4 of dimension 1 is outside/,
    [
      [0, 4, 0, 0],
      [1, 5, 4, 2],
      [1, 1, 1, 1],
    ],
    { shrinkAxisMask: 2 },
  ],
  [
    'an ellipsis',
    /ellipsis_mask 1/,
    [
      [0, 0, 0, 0],
      [1, 4, 4, 2],
      [1, 1, 1, 1],
    ],
    { ellipsisMask: 1 },
  ],
  [
    'a new axis',
    /new_axis_mask 4/,
    [
      [0, 0, 0, 0],
      [1, 4, 4, 2],
      [1, 1, 1, 1],
    ],
    { newAxisMask: 4 },
  ],
  [
    'relative ends',
    /offset = true/,
    [
      [0, 0, 0, 0],
      [1, 4, 4, 2],
      [1, 1, 1, 1],
    ],
    { offset: true },
  ],
  [
    'short lists',
    /end has 3 values/,
    [
      [0, 0, 0, 0],
      [1, 4, 4],
      [1, 1, 1, 1],
    ],
    {},
  ],
  [
    'another output shape',
    /the slice has shape \[1,2,4,2\]/,
    [
      [0, 0, 0, 0],
      [1, 2, 4, 2],
      [1, 1, 1, 1],
    ],
    {},
  ],
];

describe('importGraph refuses', () => {
  it.each(SLICES)('a STRIDED_SLICE with %s', (_title, message, [begin, end, strides], masks) => {
    const text = messageFor(({ b, y }) =>
      b.op(
        'STRIDED_SLICE',
        [y, b.side(...begin), b.side(...end), b.side(...strides)],
        [same(b)],
        options('StridedSliceOptions', masks),
      ),
    );
    expect(text).toMatch(message);
    expect(text).toContain('operator 1 STRIDED_SLICE: ');
  });
});
