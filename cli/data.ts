/** What quantize and evaluate share: which pipeline belongs to a model, and its samples as real inputs. */
import { existsSync } from 'node:fs';
import type { Graph } from '../firmware-gen/ir/graph.ts';
import { loadSamples } from '../learn/data/load.ts';
import { realInput, sampleForm } from '../learn/data/model-input.ts';
import { drawSamples, selectSplit, type Sample, type SampleSet } from '../learn/data/sample-set.ts';
import { loadPipeline, type Pipeline } from '../learn/pipeline.ts';

/** MODEL.pipeline.json beside MODEL.tflite. */
export function pipelinePath(modelPath: string): string {
  return `${modelPath.replace(/\.tflite$/i, '')}.pipeline.json`;
}

/** The pipeline given, else the one beside the model, else null. @throws UserError for a file that is none */
export function findPipeline(modelPath: string, given: string | undefined): Pipeline | null {
  if (given !== undefined) return loadPipeline(given);
  const beside = pipelinePath(modelPath);
  return existsSync(beside) ? loadPipeline(beside) : null;
}

export interface DataChoice {
  readonly path: string;
  readonly split: string | null;
  /** Take what the data set offers for training, when no split is named. */
  readonly training: boolean;
  /** Null: all. */
  readonly count: number | null;
  readonly seed: number;
  /** Which samples are of use; only those are drawn from. Default: all. */
  readonly keep?: (sample: Sample, source: string) => boolean;
}

export interface ChosenData {
  readonly set: SampleSet;
  readonly samples: readonly Sample[];
  /** How many `keep` refused. */
  readonly refused: number;
  readonly inputs: readonly Float32Array[];
}

/** @throws UserError for everything that is wrong with the data */
export function chooseData(graph: Graph, pipeline: Pipeline | null, choice: DataChoice): ChosenData {
  const set = loadSamples(choice.path, sampleForm(graph, pipeline));
  const { keep } = choice;
  const split = selectSplit(set, choice.split, choice.training);
  const all = keep === undefined ? split : split.filter((sample) => keep(sample, set.source));
  const samples = choice.count === null ? all : drawSamples(all, choice.count, choice.seed);
  return {
    set,
    samples,
    refused: split.length - all.length,
    inputs: samples.map(({ values }) => realInput(values, pipeline, set)),
  };
}
