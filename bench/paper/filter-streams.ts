/** Decisions along whole recordings by four rules, their accuracy, and how many windows after a change of activity they follow it. */
import type { DecisionSystem, LatentFilter } from '../../firmware-gen/ir/system.ts';
import {
  cosinePowers,
  cosineScores,
  indexOfLargest,
  relativePowers,
} from '../../firmware-gen/reference/decision/heads.ts';
import { kalmanStart, kalmanStep } from '../../firmware-gen/reference/decision/kalman.ts';
import { stickyFilter, stickyParams, uniformBelief } from '../../firmware-gen/reference/decision/sticky-filter.ts';
import { SystemReference } from '../../firmware-gen/reference/system.ts';
import type { FeatureRun } from '../../learn/decision/fit-kalman.ts';
import type { Stream } from '../../learn/har/dataset.ts';

export const RULES = ['frame-wise', 'sticky HMM', 'Kalman', 'Kalman + sticky HMM'] as const;
export type Rule = (typeof RULES)[number];

/** Features and truths of successive windows of one recording. */
export interface StreamFeatures {
  readonly subject: string;
  readonly features: readonly Int8Array[];
  /** Class that more than half of the window's frames have; null: none, as in transitions. */
  readonly truths: readonly (number | null)[];
}

export function streamFeatures(system: DecisionSystem, stream: Stream): StreamFeatures {
  const reference = new SystemReference(system);
  const { frames, hop, channels } = system.stream;
  const labels = new Int8Array(stream.frames).fill(-1);
  for (const { label, start, end } of stream.segments) labels.fill(system.classes.indexOf(label), start, end);
  const features: Int8Array[] = [];
  const truths: (number | null)[] = [];
  for (let start = 0; start + frames <= stream.frames; start += hop) {
    features.push(reference.features(stream.samples.subarray(start * channels, (start + frames) * channels)).phi);
    const inside = labels.subarray(start, start + frames);
    const counts = system.classes.map((_, c) => inside.reduce((sum, label) => sum + (label === c ? 1 : 0), 0));
    const best = counts.indexOf(Math.max(...counts));
    truths.push(counts[best]! > frames / 2 ? best : null);
  }
  return { subject: String(stream.subject), features, truths };
}

/** Stretches of one class, for fitting. */
export function featureRuns({ features, truths }: StreamFeatures): FeatureRun[] {
  const runs: { label: number; features: Int8Array[] }[] = [];
  for (const [i, label] of truths.entries()) {
    if (label === null) continue;
    if (i === 0 || truths[i - 1] !== label) runs.push({ label, features: [] });
    runs.at(-1)!.features.push(features[i]!);
  }
  return runs;
}

/** Class of every window. @param switching of the sticky filter */
export function decide(
  system: DecisionSystem,
  filter: LatentFilter,
  { features }: StreamFeatures,
  rule: Rule,
  switching: number,
): number[] {
  const { head } = system;
  if (head.kind !== 'cosine') throw new Error('internal: a cosine head is expected');
  const classes = system.classes.length;
  const sticky = stickyParams(classes, switching);
  const state = kalmanStart(filter.params);
  let belief = uniformBelief(classes);
  return features.map((phi) => {
    const { scores, squaredNorm } = cosineScores(head.head, phi);
    if (rule === 'frame-wise') return indexOfLargest(scores);
    const isKalman = rule.startsWith('Kalman');
    const filtered = isKalman ? kalmanStep(filter.params, state, phi)! : scores;
    if (rule === 'Kalman') return indexOfLargest(filtered);
    const { powers } = isKalman
      ? relativePowers(filter.scale, filtered)
      : cosinePowers(head.sharpness, squaredNorm, scores);
    belief = stickyFilter(sticky, belief, powers);
    return indexOfLargest(belief);
  });
}

export interface StreamFigures {
  readonly subject: string;
  readonly windows: number;
  readonly right: number;
  /** By change of activity: windows until the decision follows, 0: at once; as many as the activity lasts when it never does. */
  readonly delays: readonly number[];
  readonly missed: number;
}

export function streamFigures(
  { subject, truths }: Omit<StreamFeatures, 'features'>,
  decisions: readonly number[],
): StreamFigures {
  let [windows, right, missed, last] = [0, 0, 0, null as number | null];
  const delays: number[] = [];
  for (const [i, truth] of truths.entries()) {
    if (truth === null) continue;
    windows += 1;
    if (decisions[i] === truth) right += 1;
    if (last !== null && truth !== last) {
      let end = i;
      while (end < truths.length && truths[end] === truth) end += 1;
      const follows = decisions.slice(i, end).indexOf(truth);
      delays.push(follows < 0 ? end - i : follows);
      if (follows < 0) missed += 1;
    }
    last = truth;
  }
  return { subject, windows, right, delays, missed };
}
