/** Samples of a data set that a lock file names, as the bytes of a model's input. */
import { dirname, join, resolve } from 'node:path';
import { UserError } from '../common/errors.ts';
import type { DataChoice } from '../harness/check/lock-file.ts';
import type { Samples } from '../harness/check/measure.ts';
import { loadModel } from '../harness/model.ts';
import { inputBytes, inputTensor } from '../learn/data/model-input.ts';
import { classOf } from '../learn/data/sample-set.ts';
import { chooseData, findPipeline, pipelinePath } from './data.ts';

/** @throws UserError for everything that is wrong with the data, and for a model that classifies nothing */
export function lockedSamples(lockPath: string, modelPath: string, data: DataChoice): Samples {
  const pipeline = findPipeline(modelPath, undefined);
  if (pipeline === null)
    throw new UserError(`${pipelinePath(modelPath)}: no such file; it says how data become the model's input`);
  if (pipeline.classes.length === 0)
    throw new UserError(`${pipelinePath(modelPath)}: names no classes; accuracy is of classifiers, leave --data out`);
  const { graph } = loadModel(modelPath);
  const labelOf = (label: Parameters<typeof classOf>[0], source: string): number | null =>
    classOf(label, pipeline.classes, source);
  const chosen = chooseData(graph, pipeline, {
    path: join(dirname(resolve(lockPath)), data.path),
    split: data.split,
    training: false,
    count: data.samples,
    seed: data.seed,
    keep: (sample, source) => sample.label !== null && labelOf(sample, source) !== null,
  });
  if (chosen.samples.length === 0)
    throw new UserError(`${chosen.set.source}: no sample has a label the model knows (${pipeline.classes.join(', ')})`);
  const tensor = inputTensor(graph);
  return {
    inputs: chosen.inputs.map((input) => inputBytes(tensor, input)),
    labels: chosen.samples.map((sample) => labelOf(sample, chosen.set.source)!),
  };
}
