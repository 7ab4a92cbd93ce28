/**
 * A MUL of a column [1, H, 1, C] and a row [1, 1, W, C] whose only reader is a CONV_2D: the image they span never takes RAM, the convolution
 * makes the rows it needs (tl_convolve_outer_s8). Works on finished calls, so every constant is the one that the separate kernels would get.
 */
import { defined } from '../../../common/errors.ts';
import { tensorOf, type Graph } from '../../ir/graph.ts';
import type { CValue, KernelCall } from '../../ir/schedule.ts';
import { isReadOnce, memberOf, numberIn, tensorIn } from './finished-calls.ts';

/** Fuses where the product's reader is the next call. */
export function fuseOuterConv(calls: readonly KernelCall[], graph: Graph): KernelCall[] {
  const fused: KernelCall[] = [];
  for (let i = 0; i < calls.length; i += 1) {
    const mul = defined(calls[i], 'call');
    const conv = calls[i + 1];
    const both = conv ? fusedCall(mul, conv, calls, graph) : null;
    fused.push(both ?? mul);
    if (both) i += 1;
  }
  return fused;
}

function fusedCall(mul: KernelCall, conv: KernelCall, calls: readonly KernelCall[], graph: Graph): KernelCall | null {
  if (mul.function !== 'tl_broadcast_mul_s8' || conv.function !== 'tl_convolve_few_channels_s8') return null;
  const [mulParams, , column, row] = mul.args as CValue[];
  const [context, params, inputDims, input, ...rest] = conv.args as CValue[];
  const product = defined(mul.writes[0], 'output of a product');
  if (tensorIn(input) !== product || !isReadOnce(product, calls, graph)) return null;
  if (!isOuter(column, row, tensorOf(graph, product).shape, graph) || !hasUnitDilation(params)) return null;
  const filterDims = rest[0];
  return {
    ...conv,
    fusedOpIndices: [mul.opIndex, ...conv.fusedOpIndices],
    function: 'tl_convolve_outer_s8',
    header: 'tl_motion.h',
    args: [context, mulParams, column, row, params, inputDims, ...rest].map((arg) => defined(arg, 'argument')),
    reads: mul.reads,
    scratchBytes: conv.scratchBytes + numberIn(filterDims, 'h') * numberIn(inputDims, 'w') * numberIn(inputDims, 'c'),
    inPlace: [],
  };
}

function isOuter(
  column: CValue | undefined,
  row: CValue | undefined,
  [n, h, w, c]: readonly number[],
  graph: Graph,
): boolean {
  const shapeOf = (value: CValue | undefined): string | null => {
    const id = tensorIn(value);
    return id === null ? null : tensorOf(graph, id).shape.join();
  };
  return n === 1 && shapeOf(column) === [1, h, 1, c].join() && shapeOf(row) === [1, 1, w, c].join();
}

function hasUnitDilation(convParams: CValue | undefined): boolean {
  const dilation = memberOf(convParams, 'dilation');
  return numberIn(dilation, 'h') === 1 && numberIn(dilation, 'w') === 1;
}
