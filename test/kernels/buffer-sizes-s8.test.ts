/** The scratch that lowering plans is what the kernels' _get_buffer_size functions say. */
import { describe, expect, it } from 'vitest';
import type { Graph } from '../../firmware-gen/ir/graph.ts';
import { lower } from '../../firmware-gen/passes/lower/index.ts';
import { convCase, depthwiseCase, type Window } from './layer-cases.ts';
import { Random } from './op-cases.ts';
import { convolutionValuesInC } from './values-in-c.ts';

const FUNCTIONS = [
  'tl_convolve_s8',
  'tl_convolve_few_channels_s8',
  'tl_convolve_1x1_s8',
  'tl_depthwise_conv_3x3_s8',
  'tl_depthwise_conv_3x3_stride2_s8',
];
const UNIT: Window = { filter: [1, 1], stride: [1, 1], dilation: [1, 1], padding: 'SAME' };

/** The kernel of a one-op graph, its planned scratch, and the C expression for it. */
function sizeOf(graph: Graph): { kernel: string; planned: number; expression: string } {
  const call = lower(graph, { fuse: true, dsp: true }).calls[0];
  if (!call) throw new Error('no call');
  const isStrip = call.function.includes('_3x3_');
  const shape = graph.tensors[isStrip ? (graph.outputs[0] as number) : 1]?.shape ?? [];
  const expression = `${call.function}_get_buffer_size(&(tl_dims){${shape.join(', ')}})`;
  return { kernel: call.function, planned: call.scratchBytes, expression };
}

describe('scratch of int8 convolutions', () => {
  it('should be planned as the kernels ask for it', () => {
    const random = new Random(61);
    const sizes = [1, 2, 3, 4, 5, 8, 12, 13].flatMap((channels) => {
      const shape = [1, channels + 3, 9, channels];
      const wide = [1, channels + 3, 9, 4 * channels];
      return [
        convCase(random, shape, 5, UNIT),
        convCase(random, shape, 5, { ...UNIT, filter: [3, 2] }),
        convCase(random, shape, 5, { ...UNIT, filter: [2, 5], dilation: [2, 1] }),
        convCase(random, wide, 5, UNIT),
        convCase(random, wide, 5, { ...UNIT, filter: [3, 3], stride: [2, 1] }),
        depthwiseCase(random, wide, 1, { ...UNIT, filter: [3, 3] }),
        depthwiseCase(random, wide, 1, { ...UNIT, filter: [3, 3], padding: 'VALID' }),
        depthwiseCase(random, wide, 1, { ...UNIT, filter: [3, 3], stride: [2, 2] }),
      ].map(({ graph }) => sizeOf(graph));
    });
    expect(new Set(sizes.map(({ kernel }) => kernel))).toEqual(new Set(FUNCTIONS));
    expect(sizes.map(({ planned }) => planned)).toEqual(
      convolutionValuesInC(sizes.map(({ expression }) => expression)),
    );
  });
});
