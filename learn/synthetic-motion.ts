/**
 * Synthetic wrist motion, for demonstrations where no recording is at hand: gravity, a few tones per axis at step, stride or clap rate,
 * noise. It is not data: amplitudes and rates are round figures near those of the recordings the model was trained on, and a classifier's
 * answer to it says nothing about its accuracy. Always label it synthetic. Seeded: the same seed gives the same window.
 */
import { UserError } from '../common/errors.ts';
import type { Pipeline } from './pipeline.ts';
import { createRandom, type Random } from './random.ts';

const CHANNELS = ['ax', 'ay', 'az', 'gx', 'gy', 'gz'] as const;
type Channel = (typeof CHANNELS)[number];

/** `amplitude` in m/s^2 or rad/s; `cycles` per base period; `phase` in turns, relative to the base. */
interface Tone {
  readonly channel: Channel;
  readonly cycles: number;
  readonly amplitude: number;
  readonly phase: number;
}

interface Motion {
  /** Mean of the accelerometer, m/s^2. */
  readonly gravity: readonly [number, number, number];
  /** Base rate: stride, clap or sway. */
  readonly hz: number;
  readonly tones: readonly Tone[];
  /** Standard deviations of white noise. */
  readonly noise: { readonly accelerometer: number; readonly gyroscope: number };
}

const tone = (channel: Channel, cycles: number, amplitude: number, phase = 0): Tone => ({
  channel,
  cycles,
  amplitude,
  phase,
});

const MOTIONS = {
  walking: {
    gravity: [10, -3, 1],
    hz: 0.9,
    tones: [
      ...[tone('ax', 2, 4), tone('ax', 1, 1.5, 0.3), tone('ay', 1, 3.5, 0.1), tone('ay', 2, 1.5, 0.2)],
      ...[tone('az', 1, 3, 0.6), tone('az', 3, 1), tone('gx', 1, 2.2), tone('gx', 3, 1, 0.2)],
      ...[tone('gy', 2, 1, 0.3), tone('gz', 1, 3.8, 0.05)],
    ],
    noise: { accelerometer: 1, gyroscope: 0.3 },
  },
  jogging: {
    gravity: [5, -6.5, -2],
    hz: 1.38,
    tones: [
      ...[tone('ax', 1, 7), tone('ax', 2, 9, 0.1), tone('ay', 2, 11, 0.6), tone('ay', 4, 3)],
      ...[tone('az', 1, 4, 0.3), tone('az', 2, 5, 0.5), tone('gx', 1, 2.5), tone('gy', 1, 2.5, 0.3)],
      ...[tone('gy', 2, 1.2), tone('gz', 1, 3.2, 0.1), tone('gz', 2, 1)],
    ],
    noise: { accelerometer: 2, gyroscope: 0.5 },
  },
  stairs: {
    gravity: [8, -4, 1],
    hz: 0.8,
    tones: [
      ...[tone('ax', 2, 2.5), tone('ax', 0.2, 3.5, 0.4), tone('ay', 1, 1.5, 0.2), tone('ay', 0.15, 3)],
      ...[tone('az', 0.2, 3.5, 0.7), tone('az', 1, 1.2), tone('gx', 1, 1.4), tone('gx', 0.5, 1)],
      ...[tone('gy', 1, 1), tone('gz', 1, 1.6, 0.1), tone('gz', 0.5, 0.8)],
    ],
    noise: { accelerometer: 1.6, gyroscope: 0.5 },
  },
  sitting: {
    gravity: [2.5, -2, 9],
    hz: 0.25,
    tones: [tone('ax', 1, 0.1), tone('ay', 1, 0.1, 0.3)],
    noise: { accelerometer: 0.04, gyroscope: 0.02 },
  },
  standing: {
    gravity: [9.4, -1.5, 1.3],
    hz: 0.3,
    tones: [tone('ay', 1, 0.25), tone('az', 1, 0.3, 0.4), tone('gx', 1, 0.06), tone('gz', 2, 0.05)],
    noise: { accelerometer: 0.08, gyroscope: 0.04 },
  },
  clapping: {
    gravity: [-5, -4, 4],
    hz: 2.7,
    tones: [
      ...[tone('ax', 1, 3), tone('ax', 2, 2, 0.2), tone('ay', 1, 3, 0.5), tone('ay', 2, 2.5, 0.1)],
      ...[tone('az', 1, 5.5, 0.2), tone('az', 2, 5, 0.4), tone('gx', 1, 1.2), tone('gy', 1, 2.4, 0.25)],
      ...[tone('gy', 2, 0.8), tone('gz', 1, 0.8, 0.5)],
    ],
    noise: { accelerometer: 1.5, gyroscope: 0.2 },
  },
} as const satisfies Readonly<Record<string, Motion>>;

export type MotionKind = keyof typeof MOTIONS;
export const MOTION_KINDS = Object.keys(MOTIONS) as readonly MotionKind[];

/** The sensor's full scale: 2 g. */
const ACCELEROMETER_MAX = 19.6;

/**
 * One window of raw counts, [windowFrames, channels] as `pipeline` describes them; pass it to applyPipeline. Rate, vigour and phase vary
 * with the seed. Throws UserError for a pipeline with other channels than a wrist accelerometer and gyroscope.
 */
export function syntheticWindow(kind: MotionKind, pipeline: Pipeline, seed: number): Int16Array {
  if (pipeline.channels.join() !== CHANNELS.join()) {
    throw new UserError(
      `synthetic motion has the channels ${CHANNELS.join(' ')}, the pipeline takes ${pipeline.channels.join(' ')}; use recorded input`,
    );
  }
  const random = createRandom(seed);
  const motion: Motion = MOTIONS[kind];
  const vigour = random.between(0.85, 1.15);
  const hz = motion.hz * random.between(0.95, 1.05);
  const start = random.uniform();
  const window = new Int16Array(pipeline.windowFrames * CHANNELS.length);
  for (let frame = 0; frame < pipeline.windowFrames; frame += 1) {
    const base = start + (frame / pipeline.sampleRateHz) * hz;
    for (const [c, channel] of CHANNELS.entries()) {
      const value = valueAt(motion, channel, base, vigour) + noiseOf(motion, c, random);
      const clipped = c < 3 ? Math.min(ACCELEROMETER_MAX, Math.max(-ACCELEROMETER_MAX, value)) : value;
      // Int16Array wraps; no tone comes near 32767 counts of 0.001.
      window[frame * CHANNELS.length + c] = Math.round(clipped / pipeline.rawScale[c]!);
    }
  }
  return window;
}

/** `base` in turns of the base rate. */
function valueAt({ gravity, tones }: Motion, channel: Channel, base: number, vigour: number): number {
  const rest = gravity[CHANNELS.indexOf(channel)] ?? 0;
  return tones
    .filter((one) => one.channel === channel)
    .reduce((sum, one) => sum + vigour * one.amplitude * Math.sin(2 * Math.PI * (base * one.cycles + one.phase)), rest);
}

function noiseOf({ noise }: Motion, channel: number, random: Random): number {
  return random.normal() * (channel < 3 ? noise.accelerometer : noise.gyroscope);
}
