/**
 * The built-in model as shipped: the file imports, its figures are those that models/README.md states, and the reference kernels reach
 * them on the unseen subjects of ../shared/data/har-wisdm-watch.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { packageRoot } from '../../common/package-root.ts';
import { tensorOf, type Graph } from '../../firmware-gen/ir/graph.ts';
import { verify } from '../../firmware-gen/ir/verify.ts';
import { importGraph } from '../../firmware-gen/passes/import.ts';
import { createReference } from '../../firmware-gen/reference/index.ts';
import { parseTflite } from '../../firmware-gen/tflite/reader.ts';
import { cutWindows, loadDataset } from '../../learn/har/dataset.ts';
import { CLASSES, MODEL_NAME, WINDOW_FRAMES } from '../../learn/har/recipe.ts';
import { argmaxRows, confusionTable, evaluate } from '../../learn/har/report.ts';
import { applyPipeline, loadPipeline } from '../../learn/pipeline.ts';
import { MOTION_KINDS, syntheticWindow } from '../../learn/synthetic-motion.ts';

const models = join(packageRoot(), 'models');
const file = (suffix: string): string => join(models, `${MODEL_NAME}${suffix}`);
const evaluation = z.object({
  windows: z.number(),
  correct: z.number(),
  confusion: z.array(z.array(z.number())),
});
const figures = z
  .object({ classes: z.array(z.string()), subjects: z.array(z.number()), float: evaluation, int8: evaluation })
  .parse(JSON.parse(readFileSync(file('.figures.json'), 'utf8')));
const pipeline = loadPipeline(file('.pipeline.json'));

function loadGraph(): Graph {
  const graph = importGraph(parseTflite(new Uint8Array(readFileSync(file('.tflite')))), MODEL_NAME);
  verify(graph);
  return graph;
}

function classifier(): (window: Int16Array) => number {
  const reference = createReference(loadGraph());
  return (window) => {
    const [output] = reference.runOutputs([new Uint8Array(applyPipeline(window, pipeline).buffer)]);
    return argmaxRows(new Int8Array(output!.slice().buffer), CLASSES.length)[0]!;
  };
}

describe('the built-in HAR model', () => {
  it('should be int8 from input to output and fit its pipeline', () => {
    const graph = loadGraph();
    const [input, output] = [tensorOf(graph, graph.inputs[0]!), tensorOf(graph, graph.outputs[0]!)];
    expect([input.dtype, output.dtype]).toEqual(['int8', 'int8']);
    expect(input.shape).toEqual(pipeline.layout.shape);
    expect(input.quantization).toMatchObject({
      scale: [pipeline.quantization?.scale],
      zeroPoint: [pipeline.quantization?.zeroPoint],
    });
    expect(output.shape).toEqual([1, pipeline.classes.length]);
    expect(pipeline.classes).toEqual([...CLASSES]);
    expect(readFileSync(file('.tflite')).length).toBeLessThan(64 * 1024);
  });

  it('should have its figures stated in models/README.md', () => {
    const readme = readFileSync(join(models, 'README.md'), 'utf8');
    for (const { correct, windows } of [figures.float, figures.int8]) {
      expect(readme).toContain(`${((100 * correct) / windows).toFixed(1)} % (${correct} of ${windows})`);
    }
    expect(readme).toContain(confusionTable(figures.int8, CLASSES));
  });

  it('should tell the synthetic motions apart', () => {
    const classify = classifier();
    for (const kind of MOTION_KINDS) {
      const answers = [1, 2, 3, 4, 5].map((seed) => CLASSES[classify(syntheticWindow(kind, pipeline, seed))]);
      expect(answers, kind).toEqual([kind, kind, kind, kind, kind]);
    }
  });

  const data = join(packageRoot(), '..', 'shared', 'data', 'har-wisdm-watch');

  it.skipIf(!existsSync(data))(
    'should give the stated confusion matrix on unseen subjects (skipped without ../shared)',
    () => {
      const { recordings, channels } = loadDataset(data);
      const unseen = recordings.filter(({ split }) => split === 'val');
      expect([...new Set(unseen.map(({ subject }) => subject))]).toEqual(figures.subjects);
      const windows = cutWindows(
        { recordings: unseen, channels },
        { classes: CLASSES, windowFrames: WINDOW_FRAMES, hopFrames: WINDOW_FRAMES },
      );
      const classify = classifier();
      const predicted = windows.map(({ samples }) => classify(samples));
      const labels = windows.map(({ label }) => label);
      expect(evaluate(labels, predicted, CLASSES.length)).toEqual(figures.int8);
    },
  );
});
