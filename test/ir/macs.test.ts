/** MAC counts by hand on small ops; ops without weights count 0. Published totals: test/passes/import-models.test.ts. */
import { expect, it } from 'vitest';
import { macs, totalMacs } from '../../firmware-gen/ir/macs.ts';
import { importGraph } from '../../firmware-gen/passes/import.ts';
import { ModelBuilder, classifierModel, options } from '../tflite/model-builder.ts';

it('should count outputs times filter elements per output', () => {
  const graph = importGraph(classifierModel(), 'classifier');
  // 4x4 outputs of 4 channels, each 3x3x2; 3 units of 16 inputs.
  expect(graph.ops.map((op) => macs(op, graph))).toEqual([1152, 0, 0, 48, 0]);
  expect(totalMacs(graph)).toBe(1200);
});

it('should count a depthwise convolution once per output channel, whatever the multiplier', () => {
  const b = new ModelBuilder();
  const x = b.tensor({ shape: [1, 5, 5, 2] });
  const filter = b.tensor({ shape: [1, 3, 2, 6], data: new Int8Array(36) });
  const y = b.tensor({ shape: [1, 3, 2, 6] });
  const depthwise = { strideH: 1, strideW: 2, padding: 1, depthMultiplier: 3 };
  b.op('DEPTHWISE_CONV_2D', [x, filter], [y], options('DepthwiseConv2DOptions', depthwise));
  expect(totalMacs(importGraph(b.model([x], [y]), 'm'))).toBe(36 * 6);
});
