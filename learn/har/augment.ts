/**
 * Training windows vary as wrists do: the watch sits turned on the arm (a rotation of both sensors' axes) and movements differ in vigour
 * (a common gain on the dynamic part, so that gravity keeps its length). Raw units in and out; only training uses this.
 */
import type { Random } from '../random.ts';

export interface Augmentation {
  /** Standard deviation of the rotation angle about a random axis, radians. */
  readonly rotation: number;
  /** The dynamic part is multiplied by exp(normal * gain). */
  readonly gain: number;
  /** Probability of a half turn about z: the watch on the other wrist, or its crown towards the elbow. */
  readonly flip: number;
}

/** Row-major 3x3 rotation by `angle` radians about a uniformly random axis (Rodrigues). */
function randomRotation(angle: number, random: Random): readonly number[] {
  const direction = [random.normal(), random.normal(), random.normal()] as const;
  const length = Math.hypot(...direction) || 1;
  const [x, y, z] = direction.map((value) => value / length) as [number, number, number];
  const [c, s] = [Math.cos(angle), Math.sin(angle)];
  const t = 1 - c;
  return [
    ...[t * x * x + c, t * x * y - s * z, t * x * z + s * y],
    ...[t * x * y + s * z, t * y * y + c, t * y * z - s * x],
    ...[t * x * z - s * y, t * y * z + s * x, t * z * z + c],
  ];
}

/** A new window: [frames, 6] with accelerometer and gyroscope triplets, as `window` is. */
export function augment(
  window: ArrayLike<number>,
  { rotation, gain, flip }: Augmentation,
  random: Random,
): Float32Array {
  const channels = 6;
  const frames = window.length / channels;
  const turned = random.uniform() < flip ? -1 : 1;
  const matrix = randomRotation(rotation * random.normal(), random).map((value, i) => (i % 3 < 2 ? turned : 1) * value);
  const factor = Math.exp(gain * random.normal());
  const mean = [0, 0, 0];
  for (let i = 0; i < window.length; i += 1) if (i % channels < 3) mean[i % channels]! += window[i]! / frames;
  const result = new Float32Array(window.length);
  for (let start = 0; start < window.length; start += 3) {
    const isAccelerometer = start % channels === 0;
    for (let row = 0; row < 3; row += 1) {
      let sum = 0;
      for (let k = 0; k < 3; k += 1) {
        const rest = isAccelerometer ? mean[k]! : 0;
        sum += matrix[3 * row + k]! * (rest + factor * (window[start + k]! - rest));
      }
      result[start + row] = sum;
    }
  }
  return result;
}
