/** Geometry of CONV_2D, DEPTHWISE_CONV_2D and pooling, resolved once per op: NHWC extents, strides, dilations and leading padding. */
import { assert } from '../../common/errors.ts';
import type { Padding } from '../ir/graph.ts';
import { paddingBefore } from '../ir/op-params.ts';
import type { Operand } from './buffers.ts';
import { extentOf } from './buffers.ts';

export interface Window {
  readonly batches: number;
  readonly inputH: number;
  readonly inputW: number;
  readonly inputC: number;
  readonly filterH: number;
  readonly filterW: number;
  readonly outputH: number;
  readonly outputW: number;
  readonly outputC: number;
  readonly strideH: number;
  readonly strideW: number;
  readonly dilationH: number;
  readonly dilationW: number;
  readonly padH: number;
  readonly padW: number;
}

export interface WindowAttributes {
  readonly padding: Padding;
  readonly strideH: number;
  readonly strideW: number;
  readonly dilationH?: number;
  readonly dilationW?: number;
}

export function windowOf(
  attributes: WindowAttributes,
  input: Operand,
  output: Operand,
  filterH: number,
  filterW: number,
): Window {
  assert(input.tensor.shape.length === 4 && output.tensor.shape.length === 4, 'a window op works on NHWC tensors');
  const { padding, strideH, strideW, dilationH = 1, dilationW = 1 } = attributes;
  const inputH = extentOf(input, 1);
  const inputW = extentOf(input, 2);
  const outputH = extentOf(output, 1);
  const outputW = extentOf(output, 2);
  return {
    batches: extentOf(input, 0),
    inputH,
    inputW,
    inputC: extentOf(input, 3),
    filterH,
    filterW,
    outputH,
    outputW,
    outputC: extentOf(output, 3),
    strideH,
    strideW,
    dilationH,
    dilationW,
    padH: paddingBefore(padding, inputH, filterH, outputH, strideH, dilationH),
    padW: paddingBefore(padding, inputW, filterW, outputW, strideW, dilationW),
  };
}
