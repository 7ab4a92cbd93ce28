/** Asks the kernels' small functions for their values: _get_buffer_size beside what lowering plans. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../../common/package-root.ts';

const NEEDED = [
  'tl_convolve_s8',
  'tl_convolve_add_s8',
  'tl_convolve_few_channels_s8',
  'tl_convolve_1x1_s8',
  'tl_depthwise_conv_3x3_s8',
  'tl_depthwise_conv_3x3_stride2_s8',
  'tl_matmul_2_columns_s8',
  'tl_clamp_s8',
];

/** Values of C integer expressions over the functions of the packed convolution kernels, compiled for this machine. */
export function convolutionValuesInC(expressions: readonly string[]): number[] {
  const folder = mkdtempSync(join(tmpdir(), 'thumbelina-sizes-'));
  try {
    const prints = expressions.map((expression) => `printf("%d\\n", (int)(${expression}));`).join('\n');
    const program = join(folder, 'sizes.c');
    writeFileSync(
      program,
      `#include <stdio.h>\n#include "tl_convolution_add.h"\nint main(void) {\n${prints}\nreturn 0;\n}\n`,
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
