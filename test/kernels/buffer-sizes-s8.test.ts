/** The scratch that lowering plans is what the kernels' _get_buffer_size functions say. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../common/package-root.ts';
import type { Graph } from '../../firmware-gen/ir/graph.ts';
import { lower } from '../../firmware-gen/passes/lower/index.ts';
import { convCase, depthwiseCase, type Window } from './layer-cases.ts';
import { Random } from './op-cases.ts';

const FUNCTIONS = [
  'tl_convolve_s8',
  'tl_convolve_few_channels_s8',
  'tl_convolve_1x1_s8',
  'tl_depthwise_conv_3x3_s8',
  'tl_depthwise_conv_3x3_stride2_s8',
];
const NEEDED = [...FUNCTIONS, 'tl_matmul_2_columns_s8', 'tl_clamp_s8'];
const UNIT: Window = { filter: [1, 1], stride: [1, 1], dilation: [1, 1], padding: 'SAME' };

/** Values of C expressions over the kernels' functions. */
function valuesInC(expressions: readonly string[]): number[] {
  const folder = mkdtempSync(join(tmpdir(), 'thumbelina-sizes-'));
  try {
    const prints = expressions.map((expression) => `printf("%d\\n", (int)(${expression}));`).join('\n');
    const program = join(folder, 'sizes.c');
    writeFileSync(
      program,
      `#include <stdio.h>\n#include "tl_convolution.h"\nint main(void) {\n${prints}\nreturn 0;\n}\n`,
    );
    const kernels = join(packageRoot(), 'kernels');
    const sources = NEEDED.map((name) => join(kernels, 'src', 'ConvolutionFunctions', `${name}.c`));
    execFileSync('gcc', [
      '-std=c99',
      `-I${join(kernels, 'include')}`,
      program,
      ...sources,
      '-o',
      join(folder, 'sizes'),
    ]);
    return execFileSync(join(folder, 'sizes'), { encoding: 'utf8' }).trim().split('\n').map(Number);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

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
    expect(sizes.map(({ planned }) => planned)).toEqual(valuesInC(sizes.map(({ expression }) => expression)));
  });
});
