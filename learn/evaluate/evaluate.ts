/**
 * One model on one set of labelled inputs, and against the float model on the same inputs: the figures of `thumbelina evaluate`. Classifiers
 * (classes named) are judged by their labels, other models by how well they give back their input.
 */
import { assert, defined, UserError } from '../../common/errors.ts';
import { tensorOf, type Graph, type Op } from '../../firmware-gen/ir/graph.ts';
import { createReference } from '../../firmware-gen/reference/index.ts';
import { modelInputs, quantizedTensor, realValues } from '../data/model-input.ts';
import { bootstrapMean, type Interval } from './bootstrap.ts';
import {
  areaUnderCurve,
  argmax,
  calibrationError,
  classAuc,
  confusionMatrix,
  meanAbsoluteError,
  normalisedLogits,
  softmaxOf,
} from './metrics.ts';

/** What a model made of every sample. */
export interface Predictions {
  /** Real outputs. */
  readonly outputs: readonly Float32Array[];
  /** What goes into the softmax at the end; the outputs where there is none. */
  readonly logits: readonly Float32Array[];
  readonly probabilities: readonly ArrayLike<number>[];
  /** Raw bytes of all outputs, to compare with other executions. */
  readonly outputBytes: readonly Uint8Array[];
}

/** Samples as the models see them; everything by position. */
export interface TestSet {
  readonly inputs: readonly Float32Array[];
  /** Class indices, or null where a sample has none. For models without classes: 0 normal, anything else not. */
  readonly labels: readonly (number | null)[];
  readonly subjects: readonly (string | null)[];
  readonly classes: readonly string[];
}

export function predict(graph: Graph, inputs: readonly Float32Array[], progress?: (done: number) => void): Predictions {
  const reference = createReference(graph);
  const output = tensorOf(graph, graph.outputs[0]!);
  const softmax = graph.ops.find(
    (op): op is Op & { kind: 'SOFTMAX' } => op.kind === 'SOFTMAX' && op.outputs[0] === output.id,
  );
  const before = softmax ? graph.ops.findIndex((op) => op.outputs[0] === softmax.inputs[0]) : -1;
  const result = { outputs: [], logits: [], probabilities: [], outputBytes: [] } as {
    outputs: Float32Array[];
    logits: Float32Array[];
    probabilities: ArrayLike<number>[];
    outputBytes: Uint8Array[];
  };
  for (const [i, input] of inputs.entries()) {
    const fed = modelInputs(graph, input);
    const run = reference.run(fed);
    const bytes = defined(run.outputs[0], 'output');
    const real = realValues(quantizedTensor(graph, output.id, run, fed), bytes);
    const logits =
      before < 0
        ? real
        : realValues(
            quantizedTensor(graph, graph.ops[before]!.outputs[0]!, run, fed),
            defined(run.opOutputs[before], 'logits'),
          );
    result.outputBytes.push(Buffer.concat(run.outputs));
    result.outputs.push(real);
    result.logits.push(logits);
    result.probabilities.push(softmax ? real : softmaxOf(real));
    progress?.(i + 1);
  }
  return result;
}

export interface ClassifierFigures {
  /** 0..1, with its 95 % interval over subjects. */
  readonly top1: number;
  readonly top1Interval: Interval;
  readonly auc: number | null;
  readonly ece: number;
  /** [true class][predicted class], in samples. */
  readonly confusion: readonly (readonly number[])[];
}

export interface ReconstructionFigures {
  /** Mean squared difference of output and input. */
  readonly meanSquaredError: number;
  /** Of that error as a sign of anomaly; null without both kinds of labels. */
  readonly auc: number | null;
}

/** A model against the float model, on the same samples. */
export interface Comparison {
  /** Percent of the float model's top-1; null without labels. */
  readonly relativeTop1: number | null;
  /** Top-1 minus that of the float model, in points, and its 95 % interval: samples are paired, subjects drawn. */
  readonly top1Difference: { readonly points: number; readonly interval: Interval } | null;
  readonly sameTop1Share: number | null;
  readonly maeSoftmax: number | null;
  readonly maeNormalisedLogits: number | null;
  readonly maeOutput: number;
}

/** Null when no sample has a label. @throws UserError when outputs are not classes */
export function classifierFigures(predictions: Predictions, set: TestSet): ClassifierFigures | null {
  const { labels, subjects, classes } = set;
  requireClasses(predictions, classes);
  const known = labels.flatMap((label, i) => (label === null ? [] : [i]));
  if (known.length === 0) return null;
  const truth = known.map((i) => labels[i]!);
  const probabilities = known.map((i) => predictions.probabilities[i]!);
  const predicted = known.map((i) => argmax(predictions.outputs[i]!));
  const correct = predicted.map((label, i) => (label === truth[i] ? 1 : 0));
  return {
    top1: correct.reduce<number>((a, b) => a + b, 0) / correct.length,
    top1Interval: bootstrapMean(
      correct,
      known.map((i) => subjects[i]!),
    ),
    auc: classAuc(probabilities, truth, classes.length),
    ece: calibrationError(probabilities, truth),
    confusion: confusionMatrix(truth, predicted, classes.length),
  };
}

function requireClasses({ outputs }: Predictions, classes: readonly string[]): void {
  const count = outputs[0]?.length ?? 0;
  if (count === classes.length) return;
  throw new UserError(
    `the model has ${count} outputs, the pipeline names ${classes.length} classes; correct "classes"`,
  );
}

/** Null when outputs are not of the input's size. */
export function reconstructionFigures({ outputs }: Predictions, set: TestSet): ReconstructionFigures | null {
  const { inputs, labels } = set;
  if (outputs[0]?.length !== inputs[0]?.length) return null;
  const errors = outputs.map((output, i) => {
    const input = inputs[i]!;
    return output.reduce((sum, value, k) => sum + (value - input[k]!) ** 2, 0) / output.length;
  });
  const known = labels.flatMap((label, i) => (label === null ? [] : [i]));
  return {
    meanSquaredError: errors.reduce((a, b) => a + b, 0) / errors.length,
    auc: areaUnderCurve(
      known.map((i) => errors[i]!),
      known.map((i) => labels[i] !== 0),
    ),
  };
}

/** @throws UserError when the two models have outputs of different size */
export function compare(predictions: Predictions, float: Predictions, set: TestSet): Comparison {
  const { outputs, logits, probabilities } = predictions;
  assert(outputs.length === float.outputs.length, 'both models saw the same samples');
  if (outputs[0]?.length !== float.outputs[0]?.length)
    throw new UserError(
      `the models have ${outputs[0]?.length} and ${float.outputs[0]?.length} outputs; compare forms of one model`,
    );
  const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
  const maeOutput = mean(outputs.map((row, i) => meanAbsoluteError(row, float.outputs[i]!)));
  const none = {
    relativeTop1: null,
    top1Difference: null,
    sameTop1Share: null,
    maeSoftmax: null,
    maeNormalisedLogits: null,
  };
  if (set.classes.length === 0) return { ...none, maeOutput };
  const classes = outputs.map((row) => argmax(row));
  const floatClasses = float.outputs.map((row) => argmax(row));
  return {
    ...none,
    ...pairedTop1(classes, floatClasses, set),
    sameTop1Share: mean(classes.map((label, i) => (label === floatClasses[i] ? 1 : 0))),
    maeSoftmax: mean(probabilities.map((row, i) => meanAbsoluteError(row, float.probabilities[i]!))),
    maeNormalisedLogits: mean(
      logits.map((row, i) => meanAbsoluteError(normalisedLogits(row), normalisedLogits(float.logits[i]!))),
    ),
    maeOutput,
  };
}

function pairedTop1(
  classes: readonly number[],
  floatClasses: readonly number[],
  { labels, subjects }: TestSet,
): Pick<Comparison, 'relativeTop1' | 'top1Difference'> {
  const known = labels.flatMap((label, i) => (label === null ? [] : [i]));
  if (known.length === 0) return { relativeTop1: null, top1Difference: null };
  const right = (list: readonly number[], i: number): number => (list[i] === labels[i] ? 1 : 0);
  const own = known.reduce((sum, i) => sum + right(classes, i), 0);
  const other = known.reduce((sum, i) => sum + right(floatClasses, i), 0);
  const points = known.map((i) => 100 * (right(classes, i) - right(floatClasses, i)));
  return {
    relativeTop1: other === 0 ? null : (100 * own) / other,
    top1Difference: {
      points: (100 * (own - other)) / known.length,
      interval: bootstrapMean(
        points,
        known.map((i) => subjects[i]!),
      ),
    },
  };
}
