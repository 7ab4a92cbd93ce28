/** Judges a decision system, integers and all: the score its gate thresholds, on windows of known and unknown activities. */
import { UserError } from '../../common/errors.ts';
import type { DecisionSystem } from '../../firmware-gen/ir/system.ts';
import { headAtScale } from '../../firmware-gen/reference/decision/head-at-scale.ts';
import {
  cosineScores,
  indexOfLargest,
  linearScores,
  mahalanobisDistance,
  relativePowers,
  unknownMargin,
} from '../../firmware-gen/reference/decision/heads.ts';
import { nearestPrototype } from '../../firmware-gen/reference/decision/prototypes.ts';
import { windowStatistics } from '../../firmware-gen/reference/signal/window-statistics.ts';
import { SystemReference } from '../../firmware-gen/reference/system.ts';
import { bootstrapMean, type Interval } from '../evaluate/bootstrap.ts';
import { cutWindows, type LabelledWindow, type MotionDataset, type Recording } from '../har/dataset.ts';
import { oodFigures, thresholdAt, type OodFigures } from './metrics.ts';

/** What the gate compares with its threshold; higher is more familiar. @param reference of the system @param window raw counts */
export function gateScore(system: DecisionSystem, reference: SystemReference, window: Int16Array): number {
  const { gate } = system;
  if (gate.kind === 'statistics')
    return -nearestPrototype(gate.head, windowStatistics(window, gate.head.floors)).distance;
  const { phi, scale } = reference.features(window);
  if (gate.kind === 'mahalanobis') return -Number(mahalanobisDistance(gate.head, phi).distance);
  const head = headAtScale(system.head, scale);
  if (head.kind === 'linear' && gate.kind === 'unknown-class')
    return unknownMargin(gate.head, Math.max(...linearScores(head.head, phi)), phi);
  if (head.kind === 'linear') return -relativePowers(head.scale, linearScores(head.head, phi)).sum;
  const { scores, squaredNorm } = cosineScores(head.head, phi);
  return scores[indexOfLargest(scores)]! / 32768 / Math.sqrt(Math.max(1, squaredNorm));
}

/** The threshold that the gate holds, as a score. */
export function gateThreshold({ head, gate }: DecisionSystem): number {
  if (gate.kind === 'mahalanobis' || gate.kind === 'statistics') return -gate.distanceMax;
  if (gate.kind === 'max-softmax') return -gate.sumMax;
  if (gate.kind === 'unknown-class') return gate.marginMin;
  return Math.sqrt((head.kind === 'cosine' ? head.head.thresholdSquared : 0) / 2 ** 30);
}

/** The same system with another threshold. @throws UserError for a cosine that is not positive */
export function withThreshold(system: DecisionSystem, score: number): DecisionSystem {
  const { head, gate } = system;
  if (gate.kind === 'mahalanobis' || gate.kind === 'statistics')
    return { ...system, gate: { ...gate, distanceMax: -score } };
  if (gate.kind === 'max-softmax') return { ...system, gate: { ...gate, sumMax: -score } };
  if (gate.kind === 'unknown-class') return { ...system, gate: { ...gate, marginMin: score } };
  if (!(score > 0) || head.kind !== 'cosine')
    throw new UserError(
      `the threshold of a cosine must be positive, not ${score}; accept a smaller share or train longer`,
    );
  return {
    ...system,
    head: { ...head, head: { ...head.head, thresholdSquared: Math.floor(score * score * 2 ** 30) } },
  };
}

export interface SystemWindows {
  readonly samples: readonly Int16Array[];
  /** Indices into the labels that were asked for. */
  readonly labels: readonly number[];
  readonly subjects: readonly string[];
}

/** Windows without overlap. @throws UserError for a data set of another form than the system's stream */
export function systemWindows(
  { stream, name }: Pick<DecisionSystem, 'stream' | 'name'>,
  data: MotionDataset,
  recordings: readonly Recording[],
  labels: readonly string[],
): SystemWindows {
  if (data.channels.length !== stream.channels)
    throw new UserError(
      `${name} takes ${stream.channels} channels, the data set has ${data.channels.length}; use another`,
    );
  const windows: LabelledWindow[] = cutWindows(
    { recordings, channels: data.channels },
    { classes: labels, windowFrames: stream.frames, hopFrames: stream.frames },
  );
  return {
    samples: windows.map(({ samples }) => samples),
    labels: windows.map(({ label }) => label),
    subjects: windows.map(({ subject }) => String(subject)),
  };
}

/** Threshold that accepts `share` of windows of the known classes. */
export function fitThreshold(system: DecisionSystem, known: SystemWindows, share: number): number {
  const reference = new SystemReference(system);
  return thresholdAt(
    known.samples.map((window) => gateScore(system, reference, window)),
    share,
  );
}

export interface SystemFigures {
  /** Share of known windows whose class is right, accepted or not. */
  readonly accuracy: number;
  readonly accuracyInterval: Interval;
  /** Share of known windows accepted. */
  readonly accepted: number;
  readonly acceptedInterval: Interval;
  readonly subjects: number;
  readonly known: number;
  readonly unknown: number;
  /** Null without unknown windows. */
  readonly all: OodFigures | null;
  readonly byClass: readonly ({ readonly unknown: string; readonly windows: number } & OodFigures)[];
}

/** @param known one window or more @param unknownLabels names of unknown.labels */
export function systemFigures(
  system: DecisionSystem,
  known: SystemWindows,
  unknown: SystemWindows,
  unknownLabels: readonly string[],
): SystemFigures {
  const reference = new SystemReference(system);
  const decided = known.samples.map((window) => reference.decide(window));
  const right = decided.map(({ label }, i) => Number(label === known.labels[i]));
  const accepted = decided.map((one) => Number(one.accepted));
  const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
  const scoresOf = ({ samples }: SystemWindows): number[] =>
    samples.map((window) => gateScore(system, reference, window));
  const [knownScores, unknownScores] = [scoresOf(known), scoresOf(unknown)];
  const threshold = gateThreshold(system);
  const familiar = { scores: knownScores, subjects: known.subjects };
  const figures = (keep: (label: number) => boolean): { windows: number; figures: OodFigures } => {
    const at = unknown.labels.flatMap((label, i) => (keep(label) ? [i] : []));
    const strange = { scores: at.map((i) => unknownScores[i]!), subjects: at.map((i) => unknown.subjects[i]!) };
    return { windows: at.length, figures: oodFigures(familiar, strange, threshold) };
  };
  return {
    accuracy: mean(right),
    accuracyInterval: bootstrapMean(right, known.subjects),
    accepted: mean(accepted),
    acceptedInterval: bootstrapMean(accepted, known.subjects),
    subjects: new Set([...known.subjects, ...unknown.subjects]).size,
    known: knownScores.length,
    unknown: unknownScores.length,
    all: unknown.labels.length > 0 ? figures(() => true).figures : null,
    byClass: unknownLabels.flatMap((name, index) => {
      if (!unknown.labels.includes(index)) return [];
      const { windows, figures: row } = figures((label) => label === index);
      return [{ unknown: name, windows, ...row }];
    }),
  };
}
