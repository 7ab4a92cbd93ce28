/**
 * Which of the quantizer's options to use for all four models, chosen without test data: npm run bench -- quantize-candidates. Every candidate is
 * fitted to one half of each model's calibration samples and scored by what it makes of the other half (signal to noise of the float
 * network's last layer before any softmax). Then, fitted to all of them, each is tested once; all are reported.
 */
import type { Graph } from '../firmware-gen/ir/graph.ts';
import { loadModel } from '../harness/model.ts';
import { compare, predict, type Comparison } from '../learn/evaluate/evaluate.ts';
import { STATIC_DEFAULTS, quantizeStatic, type StaticOptions } from '../learn/quantize/static.ts';
import { ENTRIES, required, samplesOf, type Entry } from './quantize-accuracy.ts';

const sequential = { rounding: 'sequential' } as const;

export const CANDIDATES: Readonly<Record<string, Partial<StaticOptions>>> = {
  'min-max': {},
  'bias correction': { biasCorrection: true },
  'adaptive, bias correction': { rounding: 'adaptive', biasCorrection: true },
  'equalize, bias correction': { equalization: true, biasCorrection: true },
  'mse, bias correction': { method: { kind: 'mse' }, biasCorrection: true },
  sequential,
  'sequential, mse': { ...sequential, method: { kind: 'mse' } },
  'sequential, 99.99 %': { ...sequential, method: { kind: 'percentile', share: 0.9999 } },
  'sequential, equalize': { ...sequential, equalization: true },
};

export interface CandidateRow {
  readonly model: string;
  readonly candidate: string;
  /** dB, on calibration samples that it was not fitted to. */
  readonly heldOutSqnrDb: number;
  /** On the test samples, null without a test: share of the float model's classes (null for the autoencoder as well). */
  readonly sameTop1Share: number | null;
  readonly maeOutput: number | null;
  readonly againstFloat: Comparison['top1Difference'];
  readonly againstPublished: Comparison['top1Difference'];
}

export interface CandidateOptions {
  /** Null: all. */
  readonly models: readonly string[] | null;
  readonly candidates: readonly string[] | null;
  /** False: only the score on calibration samples. */
  readonly test: boolean;
}

/** @param report is called with each row as soon as it is there */
export function benchCandidates(options: CandidateOptions, report: (row: CandidateRow) => void): CandidateRow[] {
  const { models } = options;
  return ENTRIES.filter(({ name }) => models?.includes(name) ?? true).flatMap((entry) =>
    rowsOf(entry, options, report),
  );
}

function rowsOf(
  entry: Entry,
  { candidates, test }: CandidateOptions,
  report: (row: CandidateRow) => void,
): CandidateRow[] {
  const float = loadModel(required('models', `${entry.float}.tflite`)).graph;
  const published = loadModel(required('models', `${entry.int8}.tflite`)).graph;
  const { calibration, set } = samplesOf(entry, float, null);
  const runs = test ? { float: predict(float, set.inputs), published: predict(published, set.inputs) } : null;
  const half = calibration.length >> 1;
  const [fitted, heldOut] = [calibration.slice(0, half), calibration.slice(half)];
  const heldOutRun = predict(float, heldOut);
  const quantize = (samples: readonly Float32Array[], options: Partial<StaticOptions>): Graph =>
    quantizeStatic(float, samples, { ...STATIC_DEFAULTS, ...options }).quantized;
  const chosen = Object.entries(CANDIDATES).filter(([name]) => candidates?.includes(name) ?? true);
  return chosen.map(([candidate, options]) => {
    const heldOutSqnrDb = signalToNoise(heldOutRun.logits, predict(quantize(fitted, options), heldOut).logits);
    const run = runs && predict(quantize(calibration, options), set.inputs);
    const own = run && compare(run, runs.float, set);
    const row = {
      ...{ model: entry.name, candidate, heldOutSqnrDb },
      ...{ sameTop1Share: own?.sameTop1Share ?? null, maeOutput: own?.maeOutput ?? null },
      againstFloat: own?.top1Difference ?? null,
      againstPublished: run && set.classes.length > 0 ? compare(run, runs.published, set).top1Difference : null,
    };
    report(row);
    return row;
  });
}

/** dB over all rows. */
function signalToNoise(expected: readonly Float32Array[], actual: readonly Float32Array[]): number {
  let [signal, noise] = [0, 0];
  for (const [i, row] of expected.entries()) {
    for (const [k, value] of row.entries()) {
      signal += value * value;
      noise += (value - actual[i]![k]!) ** 2;
    }
  }
  return 10 * Math.log10(signal / noise);
}
