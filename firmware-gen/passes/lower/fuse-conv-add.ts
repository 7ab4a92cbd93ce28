/**
 * A residual block's last convolution and the ADD behind it become one call (tl_convolve_add_s8), which writes over the residual: the
 * convolution's own output never takes RAM. Works on finished calls, so every constant is the one that the separate kernels would get.
 */
import { defined } from '../../../common/errors.ts';
import type { Graph } from '../../ir/graph.ts';
import type { CValue, KernelCall } from '../../ir/schedule.ts';
import { int } from './call.ts';
import { isReadOnce, memberOf, numberIn, tensorIn } from './finished-calls.ts';

/** tl_residual's table, and two pixels of one byte per channel. */
const TABLE_BYTES = 1024;
const PIXELS = 2;
/** The addend with the output offset in it stays within int32. */
const OUTPUT_SHIFT_MIN = -22;

/** Fuses where a convolution's output is read by the next call alone. */
export function fuseConvAdd(calls: readonly KernelCall[], graph: Graph): KernelCall[] {
  const fused: KernelCall[] = [];
  for (let i = 0; i < calls.length; i += 1) {
    const conv = defined(calls[i], 'call');
    const add = calls[i + 1];
    const both = add ? fusedCall(conv, add, calls, graph) : null;
    fused.push(both ?? conv);
    if (both) i += 1;
  }
  return fused;
}

function fusedCall(conv: KernelCall, add: KernelCall, calls: readonly KernelCall[], graph: Graph): KernelCall | null {
  if (conv.function !== 'tl_convolve_s8' || add.function !== 'tl_elementwise_add_s8') return null;
  const [context, params, inputDims, input, filterDims, filter, constants, outputDims] = conv.args as CValue[];
  const [, addParams, narrow, wide, output] = add.args as CValue[];
  const sum = defined(conv.writes[0], 'output of a convolution');
  const [sumIsNarrow, sumIsWide] = [narrow, wide].map((arg) => tensorIn(arg) === sum) as [boolean, boolean];
  const residual = sumIsNarrow ? wide : narrow;
  if (sumIsNarrow === sumIsWide || !residual || !isReadOnce(sum, calls, graph)) return null;
  if (!isWholeRange(params) || !isShiftInRange(addParams)) return null;
  const args = [
    context,
    params,
    inputDims,
    input,
    filterDims,
    filter,
    constants,
    addParams,
    int(sumIsNarrow ? 1 : 0),
    residual,
  ];
  const residualId = tensorIn(residual);
  return {
    opIndex: conv.opIndex,
    fusedOpIndices: [...conv.fusedOpIndices, add.opIndex, ...add.fusedOpIndices],
    function: 'tl_convolve_add_s8',
    header: 'tl_convolution_add.h',
    args: [...args, outputDims, output].map((arg) => defined(arg, 'argument')),
    reads: [...new Set([...conv.reads, ...add.reads.filter((id) => id !== sum)])],
    writes: add.writes,
    scratchBytes: conv.scratchBytes + TABLE_BYTES + PIXELS * numberIn(filterDims, 'n'),
    // A residual that the convolution itself reads, x + conv(x), must outlast it: windows overlap.
    inPlace: add.inPlace.filter(({ input }) => input === residualId && !conv.reads.includes(input)),
  };
}

function isWholeRange(convParams: CValue | undefined): boolean {
  const activation = memberOf(convParams, 'activation');
  return numberIn(activation, 'min') === -128 && numberIn(activation, 'max') === 127;
}

function isShiftInRange(addParams: CValue | undefined): boolean {
  const shift = numberIn(addParams, 'output_shift');
  return shift >= OUTPUT_SHIFT_MIN && shift <= -1;
}
