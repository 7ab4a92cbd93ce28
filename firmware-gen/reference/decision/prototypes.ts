/** Distance to the nearest prototype of whitened features: the twin of tl_nearest_prototype_s16, bit for bit. */
import type { StatisticsHead } from '../../ir/system.ts';

const WHITENED_MAX = 16383;
const DISTANCE_MAX = 2147483647;

type Prototypes = Omit<StatisticsHead, 'floors'>;

/** M x >> shift, limited. */
export function whitenedFeatures({ size, shift, whitening }: Prototypes, features: Int16Array): Int16Array {
  let at = 0;
  return Int16Array.from({ length: size }, (_, i) => {
    // Below 2^38: exact in a double, as is the floor of a division by a power of two.
    let sum = 0;
    for (let j = 0; j <= i; j += 1, at += 1) sum += whitening[at]! * features[j]!;
    return Math.min(WHITENED_MAX, Math.max(-WHITENED_MAX, Math.floor(sum / 2 ** shift)));
  });
}

export function nearestPrototype(head: Prototypes, features: Int16Array): { distance: number; label: number } {
  const { size, count, centres, labels } = head;
  const whitened = whitenedFeatures(head, features);
  let nearest = { distance: DISTANCE_MAX, label: labels[0]! };
  for (let p = 0; p < count; p += 1) {
    let distance = 0;
    for (let i = 0; i < size; i += 1) distance += (whitened[i]! - centres[p * size + i]!) ** 2;
    if (distance < nearest.distance) nearest = { distance, label: labels[p]! };
  }
  return nearest;
}
