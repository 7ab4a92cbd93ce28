/** The harness itself: what it must catch, and graphs that are all aliases and copies. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Graph, Tensor, TensorId } from '../../firmware-gen/ir/graph.ts';
import { createReference } from '../../firmware-gen/reference/index.ts';
import { tinyModel } from '../emit/tiny-model.ts';
import { buildHostProgram } from './host-build.ts';
import { hostSources } from './host-program.ts';
import { expectSameOutputs, mismatches, runOnHost, runOnTarget } from './run-graph.ts';

const id = (value: number): TensorId => value as TensorId;

function activation(index: number, shape: readonly number[], dtype: Tensor['dtype'] = 'int8'): Tensor {
  const quantization = dtype === 'float32' ? null : { scale: [0.5], zeroPoint: [0], axis: 0 };
  return { id: id(index), name: `t${index}`, dtype, shape, quantization, data: null };
}

/** Input -> RESHAPE -> output: the bytes must be copied, since the caller owns both ends. */
const reshape: Graph = {
  name: 'reshape',
  tensors: [activation(0, [2, 3]), activation(1, [6])],
  ops: [{ index: 0, kind: 'RESHAPE', inputs: [id(0)], outputs: [id(1)] }],
  inputs: [id(0)],
  outputs: [id(1)],
  notes: [],
};

/** A chain with an alias in the middle: RELU -> RESHAPE -> RELU6 in float. */
const chain: Graph = {
  name: 'chain',
  tensors: [0, 1, 2, 3].map((index) => activation(index, index < 2 ? [2, 4] : [8], 'float32')),
  ops: [
    { index: 0, kind: 'RELU', inputs: [id(0)], outputs: [id(1)] },
    { index: 1, kind: 'RESHAPE', inputs: [id(1)], outputs: [id(2)] },
    { index: 2, kind: 'RELU6', inputs: [id(2)], outputs: [id(3)] },
  ],
  inputs: [id(0)],
  outputs: [id(3)],
  notes: [],
};

describe('run-graph', () => {
  for (const dsp of ['off', 'emulated'] as const) {
    it(`should run several graphs in one program, dsp ${dsp}`, async () => {
      const cases = [
        { graph: reshape, inputs: [Uint8Array.from([1, 2, 3, 4, 5, 255])] },
        { graph: tinyModel(), inputs: [Uint8Array.from({ length: 60 }, (_, index) => (index * 37) & 0xff)] },
        { graph: chain, inputs: [new Uint8Array(Float32Array.from([-1, 0, 1.5, 7, -0.25, 6, 5.9, 100]).buffer)] },
      ];
      const results = await runOnHost(cases, { dsp, fuse: true });
      for (const [index, { graph, inputs }] of cases.entries()) {
        expectSameOutputs(graph, results[index]!, createReference(graph).run(inputs).outputs);
      }
    });
  }

  it('should catch a kernel that writes behind its output', async () => {
    const path = 'kernels/src/tl_relu_f32.c';
    const { tree, included } = hostSources([{ graph: chain, inputs: [] }], { fuse: true, dsp: false });
    const broken = new Map(tree).set(
      path,
      `#include "tl_float.h"
tl_status tl_relu_f32(const float *input, int32_t size, float *output)
{
    for (int32_t i = 0; i <= size; ++i) {
        output[i] = input[i < size ? i : 0];
    }
    return TL_OK;
}
`,
    );
    expect(tree.has(path)).toBe(true);
    const folder = mkdtempSync(join(tmpdir(), 'thumbelina-canary-'));
    try {
      const program = await buildHostProgram(broken, folder, [], included);
      writeFileSync(join(folder, 'inputs.bin'), new Uint8Array(32));
      const run = (): Buffer => execFileSync(program, ['inputs.bin', 'outputs.bin'], { cwd: folder, stdio: 'pipe' });
      expect(run).toThrow(/use-after-poison|heap-buffer-overflow/);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('should run several graphs in one image on the emulated core', async () => {
    const cases = [
      { graph: reshape, inputs: [Uint8Array.from([1, 2, 3, 4, 5, 255])] },
      { graph: tinyModel(), inputs: [Uint8Array.from({ length: 60 }, (_, index) => (index * 37) & 0xff)] },
    ];
    const results = await runOnTarget(cases, { fuse: true });
    for (const [index, { graph, inputs }] of cases.entries()) {
      expectSameOutputs(graph, results[index]!.outputs, createReference(graph).run(inputs).outputs, 'on the target');
      expect(results[index]!.cycles).toBeGreaterThan(0);
    }
  });

  it('should name position, actual and reference of a mismatch', () => {
    expect(mismatches(Uint8Array.of(1, 2, 253, 4), Uint8Array.of(1, 2, 3, 4), 'int8', [2, 2])).toEqual([
      '[1, 0]: actual -3, reference 3',
    ]);
    expect(() => expectSameOutputs(reshape, [new Uint8Array(6)], [Uint8Array.of(0, 0, 0, 0, 0, 1)])).toThrow(
      'reshape, output 0 (int8 [6]): 1 mismatches\n[5]: actual 0, reference 1',
    );
  });
});
