/** int8 kernels on cores without the DSP extension, whose inner loops are others (Armv6-M: assembly, products of 32 bits): the reference's bytes. */
import { describe, expect, it } from 'vitest';
import { createReference } from '../../firmware-gen/reference/index.ts';
import { convCase, depthwiseCase, fullyConnectedCase, type LayerChoice, type Window } from './layer-cases.ts';
import { Random } from './op-cases.ts';
import { expectSameOutputs, runOnTarget, type GraphCase } from './run-graph.ts';

const UNIT: Window = { filter: [1, 1], stride: [1, 1], dilation: [1, 1], padding: 'SAME' };
const SQUARE: Window = { ...UNIT, filter: [3, 3] };
const TWICE: Window = { ...SQUARE, stride: [2, 2] };

/** Every packed kernel, every remainder of a block, sums that are ties and rows of inputs that are not word-aligned. */
function layers(random: Random): GraphCase[] {
  const choices: LayerChoice[] = [{}, { perChannel: true }, { divisor: 4 }, { divisor: 64 }, { divisor: 1024 }];
  return choices.flatMap((choice) => [
    ...[4, 8, 20, 36].map((channels) => convCase(random, [1, 3, 3, channels], random.int(1, 9), UNIT, choice)),
    convCase(random, [1, 5, 4, 8], 6, SQUARE, choice),
    convCase(random, [1, 5, 4, 3], 7, SQUARE, choice),
    ...[SQUARE, TWICE].flatMap((window) =>
      [2, 5, 6].map((lines) => depthwiseCase(random, [1, lines, 7, 8], 1, window, choice)),
    ),
    depthwiseCase(random, [1, 5, 6, 8], 1, { ...SQUARE, filter: [1, 4] }, choice),
    ...[16, 18, 21].map((inputs) => fullyConnectedCase(random, 3, inputs, random.int(1, 9), choice)),
  ]);
}

describe.each(['core-m0plus', 'core-m3', 'core-m23'])('int8 kernels on %s', (board) => {
  it('should equal the reference', async () => {
    const cases = layers(new Random(83));
    const results = await runOnTarget(cases, { fuse: true, board });
    expect(results).toHaveLength(cases.length);
    for (const [index, { graph, inputs }] of cases.entries())
      expectSameOutputs(
        graph,
        results[index]?.outputs ?? [],
        createReference(graph).run(inputs).outputs,
        `case ${index} ${JSON.stringify(graph.ops)}`,
      );
  });
});
