/**
 * All detectors that a network allows, on known and unknown windows: fitted and thresholded on in-distribution data of training and validation
 * subjects, judged on subjects that neither saw. The detector to use is chosen by the validation subjects' known against unknown windows.
 */
import { assert, defined } from '../../common/errors.ts';
import type { LabelledSet } from '../deep/data-source.ts';
import type { Network, Outputs } from '../deep/network.ts';
import { DETECTORS, fitDetector, logRank, type DetectorName, type FitData, type Score } from './detectors.ts';
import { fitLogistic } from './logistic.ts';
import { auroc, bootstrapRounds, oodFigures, thresholdAt, type OodFigures, type Round } from './metrics.ts';
import { chooseEpsilon, perturbedScores, type ScoreKind } from './odin.ts';

/** Accepts so many of the known validation windows. */
export const TRUE_POSITIVE_RATE = 0.95;

export interface OodData {
  readonly train: LabelledSet;
  readonly validation: LabelledSet;
  /** Unknown windows of validation subjects: only to choose among detectors. */
  readonly validationUnknown: LabelledSet;
  readonly test: LabelledSet;
  /** Labels are indices into unknownClasses. */
  readonly testUnknown: LabelledSet;
  readonly unknownClasses: readonly string[];
  /** Number of known classes. */
  readonly classes: number;
}

export interface DetectorResult {
  readonly detector: string;
  readonly threshold: number;
  /** Known against unknown windows of the validation subjects. */
  readonly validationAuroc: number;
  readonly all: OodFigures;
  /** Of `all`, by draw of subjects: draws are the same for every detector. */
  readonly rounds: readonly Round[];
  /** One row per unknown class that the test subjects have. */
  readonly byClass: readonly ({ readonly unknown: string } & OodFigures)[];
}

interface Scores {
  readonly validation: readonly number[];
  readonly validationUnknown: readonly number[];
  readonly test: readonly number[];
  readonly testUnknown: readonly number[];
}

const SETS = ['validation', 'validationUnknown', 'test', 'testUnknown'] as const;

interface Judged {
  readonly outputs: Readonly<Record<(typeof SETS)[number], readonly Outputs[]>>;
  readonly fit: FitData;
}

function judgedBy(network: Network, data: OodData): Judged {
  const outputs = Object.fromEntries(
    SETS.map((set) => [set, network.outputs(data[set].windows)]),
  ) as unknown as Judged['outputs'];
  const fit = {
    train: network.outputs(data.train.windows),
    trainLabels: data.train.labels,
    validation: outputs.validation,
    validationLabels: data.validation.labels,
    classes: data.classes,
  };
  return { outputs, fit };
}

const bySet = (of: (set: (typeof SETS)[number]) => readonly number[]): Scores =>
  Object.fromEntries(SETS.map((set) => [set, of(set)])) as unknown as Scores;

/** Detectors that need no gradient. @param names of those wanted */
export function evaluateDetectors(
  network: Network,
  data: OodData,
  names: readonly DetectorName[] = DETECTORS,
): DetectorResult[] {
  const judged = judgedBy(network, data);
  return names.flatMap((name) => {
    const score = fitDetector(name, judged.fit);
    return score === null ? [] : [scored(name, score, judged, data)];
  });
}

function scored(name: string, score: Score, { outputs }: Judged, data: OodData): DetectorResult {
  return resultOf(
    name,
    bySet((set) => outputs[set].map(score)),
    data,
  );
}

/** Scores that calibration with a little unknown data weighs. */
const CALIBRATED = ['msp', 'energy', 'mahalanobis', 'statistics'] as const satisfies readonly DetectorName[];

/**
 * Calibration with a little unknown data (the talk's): a logistic regression over other detectors' scores tells known validation windows from
 * `count` unknown ones. Its validation AUROC is on the other unknown windows.
 */
export function evaluateCalibrated(network: Network, data: OodData, count: number): DetectorResult {
  const judged = judgedBy(network, data);
  const scores = CALIBRATED.map((name) => defined(fitDetector(name, judged.fit), name));
  const vector = (one: Outputs): number[] => scores.map((score) => score(one));
  const { validation, validationUnknown } = judged.outputs;
  const familiarity = fitLogistic(validation.map(vector), validationUnknown.slice(0, count).map(vector));
  const rest = { ...judged, outputs: { ...judged.outputs, validationUnknown: validationUnknown.slice(count) } };
  return scored('calibrated-unknown', (one) => familiarity(vector(one)), rest, data);
}

/**
 * ODIN, or for the heads of generalised ODIN its step along the input's gradient, alone and together with statistics of the window (Fisher's sum of
 * log ranks among known validation windows); takes as long as training some.
 */
export function evaluatePerturbed(network: Network, data: OodData): DetectorResult[] {
  const kind: ScoreKind = network.config.head.kind === 'linear' ? 'odin' : 'deconf';
  const name = kind === 'odin' ? 'odin' : 'deconf-perturbed';
  const epsilon = chooseEpsilon(network, data.validation.windows, kind);
  const perturbed = bySet((set) => perturbedScores(network, data[set].windows, kind, epsilon));
  const { outputs, fit } = judgedBy(network, data);
  const alone = resultOf(name, perturbed, data);
  const density = fitDetector('statistics', fit);
  if (density === null) return [alone];
  const [ofStep, ofDensity] = [logRank(perturbed.validation), logRank(outputs.validation.map(density))];
  const both = bySet((set) => outputs[set].map((one, i) => ofStep(perturbed[set][i]!) + ofDensity(density(one))));
  return [alone, resultOf(`statistics-${name}`, both, data)];
}

function resultOf(detector: string, scores: Scores, data: OodData): DetectorResult {
  const threshold = thresholdAt(scores.validation, TRUE_POSITIVE_RATE);
  const known = { scores: scores.test, subjects: data.test.subjects };
  const unknownOf = (keep: (label: number) => boolean) => {
    const at = data.testUnknown.labels.flatMap((label, i) => (keep(label) ? [i] : []));
    return { scores: at.map((i) => scores.testUnknown[i]!), subjects: at.map((i) => data.testUnknown.subjects[i]!) };
  };
  assert(data.testUnknown.labels.length > 0, 'unknown windows to reject');
  const unknown = unknownOf(() => true);
  const byClass = data.unknownClasses.flatMap((name, index) => {
    const set = unknownOf((label) => label === index);
    return set.scores.length === 0 ? [] : [{ unknown: name, ...oodFigures(known, set, threshold) }];
  });
  return {
    detector,
    threshold,
    validationAuroc: auroc(scores.validation, scores.validationUnknown),
    all: oodFigures(known, unknown, threshold),
    rounds: bootstrapRounds(known, unknown),
    byClass,
  };
}

/** The one with the best validation AUROC. */
export function chooseDetector(results: readonly DetectorResult[]): DetectorResult {
  return defined([...results].sort((a, b) => b.validationAuroc - a.validationAuroc)[0], 'a detector');
}
