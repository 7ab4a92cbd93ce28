/**
 * Fits the detector on statistics of the window: prototypes of every class by k-means, in features whitened by what varies within one subject's
 * activity. It needs no gradient and no network, only windows of the known classes.
 */
import { UserError } from '../../common/errors.ts';
import type { StatisticsHead } from '../../firmware-gen/ir/system.ts';
import { WINDOW_STATISTICS, windowStatistics } from '../../firmware-gen/reference/signal/window-statistics.ts';
import { whitenedFeatures } from '../../firmware-gen/reference/decision/prototypes.ts';
import { createRandom, type Random } from '../random.ts';
import { choleskyFactor } from './linear-algebra.ts';

export interface PrototypeData {
  /** Raw counts, [frames, channels]. */
  readonly windows: readonly Int16Array[];
  /** 0 to classes - 1. */
  readonly labels: readonly number[];
  readonly subjects: readonly string[];
  readonly classes: number;
}

export interface PrototypeOptions {
  /** Counts by channel, see tl_window_statistics_s16. */
  readonly floors: readonly number[];
  /** Prototypes of each class. */
  readonly perClass: number;
  readonly seed: number;
}

/** Share of each variance that counts as independent of the other features. */
const SHRINKAGE = 0.01;
const ROUNDS = 20;
/** Steps of a whitened standard deviation: 64 of them fit the kernel's +-16383. */
const STEPS = 256;

/** @throws UserError without windows of a class */
export function fitPrototypes(data: PrototypeData, { floors, perClass, seed }: PrototypeOptions): StatisticsHead {
  const limits = Uint16Array.from(floors, (floor) => Math.min(1024, Math.max(1, Math.round(floor))));
  const vectors = data.windows.map((window) => windowStatistics(window, limits));
  const size = limits.length * WINDOW_STATISTICS;
  const whitening = quantizedWhitening(withinCovariance(vectors, data, size), size);
  const unfitted = { size, count: 0, ...whitening, centres: new Int16Array(0), labels: new Uint8Array(0) };
  const whitened = vectors.map((vector) => whitenedFeatures(unfitted, vector));
  const random = createRandom(seed);
  const centres = Array.from({ length: data.classes }, (_, c) => {
    const members = whitened.filter((_, i) => data.labels[i] === c);
    if (members.length === 0) throw new UserError(`no training windows of class ${c}; use another data set`);
    return kMeans(members, Math.min(perClass, members.length), random);
  });
  return {
    ...unfitted,
    floors: limits,
    count: centres.flat().length,
    centres: Int16Array.from(centres.flat().flatMap((centre) => Array.from(centre, Math.round))),
    labels: Uint8Array.from(centres.flatMap((group, c) => group.map(() => c))),
  };
}

/** Covariance about the mean of each subject's windows of a class. */
function withinCovariance(
  vectors: readonly Int16Array[],
  { labels, subjects }: PrototypeData,
  size: number,
): Float64Array {
  const groups = new Map<string, Int16Array[]>();
  for (const [i, vector] of vectors.entries()) {
    const key = `${labels[i]} ${subjects[i]}`;
    groups.set(key, [...(groups.get(key) ?? []), vector]);
  }
  const covariance = new Float64Array(size * size);
  for (const members of groups.values()) {
    const mean = meanOf(members);
    for (const vector of members)
      for (let a = 0; a < size; a += 1)
        for (let b = 0; b <= a; b += 1)
          covariance[a * size + b]! += ((vector[a]! - mean[a]!) * (vector[b]! - mean[b]!)) / vectors.length;
  }
  return covariance;
}

function meanOf(members: readonly ArrayLike<number>[]): Float64Array<ArrayBuffer> {
  const mean = new Float64Array(members[0]!.length);
  for (const member of members) for (let d = 0; d < mean.length; d += 1) mean[d]! += member[d]! / members.length;
  return mean;
}

/** The inverse Cholesky factor in steps of the largest shift that int16 holds. */
function quantizedWhitening(covariance: Float64Array, size: number): { whitening: Int16Array; shift: number } {
  const shrunk = covariance.map((value, i) => value * (i % (size + 1) === 0 ? 1 : 1 - SHRINKAGE));
  // A feature that never varies has no spread to be measured by; one step is the least that can be told.
  for (let a = 0; a < size; a += 1) shrunk[a * (size + 1)]! += 1;
  const inverse = choleskyFactor(shrunk, size);
  const largest = Math.max(...inverse.map(Math.abs)) * STEPS;
  const shift = Math.max(0, Math.min(31, Math.floor(Math.log2(32767 / largest))));
  const whitening: number[] = [];
  for (let a = 0; a < size; a += 1)
    for (let b = 0; b <= a; b += 1)
      whitening.push(Math.max(-32767, Math.min(32767, Math.round(inverse[a * size + b]! * STEPS * 2 ** shift))));
  return { whitening: Int16Array.from(whitening), shift };
}

/** Lloyd's algorithm from `count` members drawn without repetition; a centre that loses all members stays. */
function kMeans(members: readonly Int16Array[], count: number, random: Random): Float64Array[] {
  const order = [...members.keys()];
  for (let i = 0; i < count; i += 1) {
    const j = i + random.integer(order.length - i);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  let centres = order.slice(0, count).map((i) => Float64Array.from(members[i]!));
  for (let round = 0; round < ROUNDS; round += 1) {
    const groups = centres.map(() => [] as Int16Array[]);
    for (const member of members) groups[nearest(centres, member)]!.push(member);
    centres = groups.map((group, i) => (group.length > 0 ? meanOf(group) : centres[i]!));
  }
  return centres;
}

function nearest(centres: readonly Float64Array[], member: Int16Array): number {
  let [best, least] = [0, Infinity];
  for (const [i, centre] of centres.entries()) {
    let distance = 0;
    for (let d = 0; d < member.length && distance < least; d += 1) distance += (member[d]! - centre[d]!) ** 2;
    if (distance < least) [best, least] = [i, distance];
  }
  return best;
}
