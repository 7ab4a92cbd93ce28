/**
 * How well a score tells known (in distribution, the positives) from unknown. Scores: higher is more familiar. Intervals draw whole subjects,
 * since windows of one subject are not independent.
 */
import { assert } from '../../common/errors.ts';
import type { Interval } from '../evaluate/bootstrap.ts';
import { areaUnderCurve } from '../evaluate/metrics.ts';
import { createRandom } from '../random.ts';

export interface ScoredSet {
  readonly scores: readonly number[];
  readonly subjects: readonly string[];
}

/** Score that `share` of the known samples reach: the threshold that accepts so many of them. */
export function thresholdAt(known: readonly number[], share: number): number {
  assert(known.length > 0 && share > 0 && share <= 1, 'a share of some scores');
  const sorted = [...known].sort((a, b) => b - a);
  return sorted[Math.ceil(share * sorted.length) - 1]!;
}

/** Area under the ROC curve by ranks, ties count half. */
export function auroc(known: readonly number[], unknown: readonly number[]): number {
  const area = areaUnderCurve([...known, ...unknown], [...known.map(() => true), ...unknown.map(() => false)]);
  assert(area !== null, 'both kinds of samples');
  return area;
}

/** Share of unknown samples rejected where 95 % of the known ones are accepted. */
export function tnrAtTpr95(known: readonly number[], unknown: readonly number[]): number {
  const threshold = thresholdAt(known, 0.95);
  return unknown.filter((score) => score < threshold).length / unknown.length;
}

/** Area under precision over recall with the known as positives, as the sum over steps of recall (average precision); ties together. */
export function aupr(known: readonly number[], unknown: readonly number[]): number {
  const all = [...known.map((score) => [score, 1] as const), ...unknown.map((score) => [score, 0] as const)];
  all.sort((a, b) => b[0] - a[0]);
  let [area, positives, recall] = [0, 0, 0];
  for (let i = 0; i < all.length;) {
    const score = all[i]![0];
    for (; i < all.length && all[i]![0] === score; i += 1) positives += all[i]![1];
    const next = positives / known.length;
    area += (next - recall) * (positives / i);
    recall = next;
  }
  return area;
}

export interface OodFigures {
  readonly auroc: number;
  readonly aurocInterval: Interval;
  readonly aupr: number;
  readonly tnrAtTpr95: number;
  readonly tnrInterval: Interval;
  /** With the threshold that was fitted on validation data: shares accepted. */
  readonly knownAccepted: number;
  readonly unknownAccepted: number;
}

const ROUNDS = 500;
const TAIL = 0.025;

export function oodFigures(known: ScoredSet, unknown: ScoredSet, threshold: number, seed = 1): OodFigures {
  const rounds = bootstrapRounds(known, unknown, seed);
  const accepted = (scores: readonly number[]): number =>
    scores.filter((score) => score >= threshold).length / scores.length;
  return {
    auroc: auroc(known.scores, unknown.scores),
    aurocInterval: interval(rounds.map(({ area }) => area)),
    aupr: aupr(known.scores, unknown.scores),
    tnrAtTpr95: tnrAtTpr95(known.scores, unknown.scores),
    tnrInterval: interval(rounds.map(({ tnr }) => tnr)),
    knownAccepted: accepted(known.scores),
    unknownAccepted: accepted(unknown.scores),
  };
}

/** Percentiles 2.5 and 97.5. */
export function interval(values: readonly number[]): Interval {
  const sorted = [...values].sort((a, b) => a - b);
  return { low: sorted[Math.floor(TAIL * sorted.length)]!, high: sorted[Math.ceil((1 - TAIL) * sorted.length) - 1]! };
}

/** All samples by rising score, as arrays that a walk per draw goes over. */
interface Ranking {
  /** Number of the sample's score among the distinct ones. */
  readonly group: Int32Array;
  readonly isKnown: Uint8Array;
  /** Index into subjects. */
  readonly subject: Int32Array;
  readonly subjects: number;
}

function rank(known: ScoredSet, unknown: ScoredSet): Ranking {
  const names = [...new Set([...known.subjects, ...unknown.subjects])];
  const index = new Map(names.map((name, i) => [name, i]));
  const of = (set: ScoredSet, isKnown: number) =>
    set.scores.map((score, i) => ({ score, isKnown, subject: index.get(set.subjects[i]!)! }));
  const all = [...of(known, 1), ...of(unknown, 0)].sort((a, b) => a.score - b.score);
  const group = new Int32Array(all.length);
  for (let i = 1; i < all.length; i += 1) group[i] = group[i - 1]! + (all[i]!.score === all[i - 1]!.score ? 0 : 1);
  return {
    group,
    isKnown: Uint8Array.from(all, (one) => one.isKnown),
    subject: Int32Array.from(all, (one) => one.subject),
    subjects: names.length,
  };
}

/** AUROC and TNR at a TPR of 95 % when each sample counts as often as its subject was drawn; null without both kinds. */
function weighted({ group, isKnown, subject }: Ranking, counts: Int32Array): { area: number; tnr: number } | null {
  let [known, unknown] = [0, 0];
  for (let i = 0; i < group.length; i += 1) {
    if (isKnown[i] === 1) known += counts[subject[i]!]!;
    else unknown += counts[subject[i]!]!;
  }
  if (known === 0 || unknown === 0) return null;
  const needed = Math.ceil(0.95 * known);
  let [knownBelow, unknownBelow, area, tnr] = [0, 0, 0, 0];
  for (let i = 0; i < group.length;) {
    if (known - knownBelow >= needed) tnr = unknownBelow / unknown;
    let [knownHere, unknownHere] = [0, 0];
    for (const now = group[i]; i < group.length && group[i] === now; i += 1) {
      if (isKnown[i] === 1) knownHere += counts[subject[i]!]!;
      else unknownHere += counts[subject[i]!]!;
    }
    area += knownHere * (unknownBelow + unknownHere / 2);
    knownBelow += knownHere;
    unknownBelow += unknownHere;
  }
  return { area: area / (known * unknown), tnr };
}

/** AUROC and TNR at a TPR of 95 % with the subjects of one draw. */
export interface Round {
  readonly area: number;
  readonly tnr: number;
}

/**
 * Draws subjects with replacement; both sets follow, as a subject's known and unknown samples belong together. The same seed and the same order of
 * subjects draw the same ones, so that rounds of several detectors can be subtracted.
 */
export function bootstrapRounds(known: ScoredSet, unknown: ScoredSet, seed = 1): Round[] {
  const ranking = rank(known, unknown);
  const random = createRandom(seed);
  const rounds: Round[] = [];
  for (let tries = 0; rounds.length < ROUNDS && tries < 20 * ROUNDS; tries += 1) {
    const counts = new Int32Array(ranking.subjects);
    for (let i = 0; i < counts.length; i += 1) counts[random.integer(counts.length)]! += 1;
    // A draw without one of the kinds has no such figure.
    const figures = weighted(ranking, counts);
    if (figures !== null) rounds.push(figures);
  }
  assert(rounds.length === ROUNDS, 'enough draws with both kinds');
  return rounds;
}
