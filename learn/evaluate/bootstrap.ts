/**
 * Bootstrap intervals over groups of samples (Efron and Tibshirani 1993, percentile method): whole subjects are drawn, since windows of one
 * subject are not independent. For figures that are a sum over samples divided by their number.
 */
import { assert } from '../../common/errors.ts';
import { createRandom } from '../random.ts';

export interface Interval {
  readonly low: number;
  readonly high: number;
}

const ROUNDS = 2000;
/** 95 % */
const TAIL = 0.025;

/**
 * 95 % interval of the mean of `values` when their groups are drawn anew. @param groups of each value; null: a group of its own. The same
 * seed gives the same interval.
 */
export function bootstrapMean(values: ArrayLike<number>, groups: readonly (string | null)[], seed = 1): Interval {
  assert(values.length === groups.length && values.length > 0, 'a group for every value');
  const sums = groupSums(values, groups);
  const random = createRandom(seed);
  const means = Float64Array.from({ length: ROUNDS }, () => {
    let [sum, count] = [0, 0];
    for (let i = 0; i < sums.length; i += 1) {
      const drawn = sums[random.integer(sums.length)]!;
      sum += drawn.sum;
      count += drawn.count;
    }
    return sum / count;
  }).sort();
  return { low: means[Math.floor(TAIL * ROUNDS)]!, high: means[Math.ceil((1 - TAIL) * ROUNDS) - 1]! };
}

function groupSums(values: ArrayLike<number>, groups: readonly (string | null)[]): { sum: number; count: number }[] {
  const byGroup = new Map<string | number, { sum: number; count: number }>();
  for (const [i, group] of groups.entries()) {
    // A number cannot collide with a subject's name.
    const entry = byGroup.get(group ?? i) ?? { sum: 0, count: 0 };
    byGroup.set(group ?? i, entry);
    entry.sum += values[i]!;
    entry.count += 1;
  }
  return [...byGroup.values()];
}
