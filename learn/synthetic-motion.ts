/**
 * Synthetic wrist motion, for demonstrations where no recording is at hand: gravity, a few tones per channel at multiples of the stride or
 * clap rate, noise. The figures are harmonic fits to one window each of training subjects (WISDM, see models/README.md), rounded; what moves at
 * rest has no rate, so the noise of sitting and standing has the medians of all their windows: deviation, correlation from frame to frame. It is
 * not data: a classifier's answer to it says nothing about its accuracy; always label it synthetic. The same seed gives the same window.
 */
import { UserError } from '../common/errors.ts';
import type { Pipeline } from './pipeline.ts';
import { createRandom } from './random.ts';

const CHANNELS = ['ax', 'ay', 'az', 'gx', 'gy', 'gz'] as const;
type Channel = (typeof CHANNELS)[number];

/** Mean, then amplitude and phase (in turns) of the base rate and its multiples; m/s^2 or rad/s. */
type Tones = readonly [mean: number, ...amplitudesAndPhases: number[]];

/** Standard deviation, and correlation of a value with that of the frame before (at 20 Hz); white without. */
type Noise = readonly [deviation: number, correlation?: number];

interface Motion extends Readonly<Record<Channel, Tones>> {
  /** Base rate: stride, clap or sway. */
  readonly hz: number;
  readonly noise: { readonly accelerometer: Noise; readonly gyroscope: Noise };
}

// prettier-ignore
const MOTIONS = {
  walking: {
    hz: 0.93,
    noise: { accelerometer: [0.66], gyroscope: [0.3] },
    ax: [10.5, 1.1, 0.34, 3.7, 0.28, 0.8, 0.69],
    ay: [-2.3, 2.1, 0.94, 0.8, 0.96, 0.3, 0.24],
    az: [1.4, 0.8, 0.58, 0.7, 0.07, 0.2, 0.69],
    gx: [0.1, 1.7, 0.14, 0.6, 0.24, 0.3, 0.73],
    gy: [-0.1, 0.6, 0.15, 0.7, 0.83, 0.2, 0.29],
    gz: [0, 3.2, 0.17, 1.1, 0.95, 0.7, 0.32],
  },
  jogging: {
    hz: 1.28,
    noise: { accelerometer: [1.2], gyroscope: [0.35] },
    ax: [2.4, 8, 0.1, 3.5, 0.53, 1, 0.49],
    ay: [-8.8, 4.2, 0.12, 11.2, 0.97, 0.7, 0.45],
    az: [0.5, 0.6, 0.81, 0.8, 0.38, 0.5, 0.45],
    gx: [0, 1.4, 0.38, 0.5, 0.68, 0.5, 0.78],
    gy: [0, 2.4, 0.84, 0.2, 0.52, 0.5, 0.39],
    gz: [0, 2.4, 0.38, 0.3, 0.35, 0.2, 0.53],
  },
  stairs: {
    hz: 0.8,
    noise: { accelerometer: [1.22], gyroscope: [0.59] },
    ax: [9.8, 0.4, 0.91, 6.7, 0.19, 0.5, 0.45],
    ay: [-2.6, 1, 0.52, 0.9, 0.56, 0.4, 0.78],
    az: [0.9, 1.2, 0.14, 1.1, 0.77, 0.6, 0.05],
    gx: [0.1, 0.8, 0.84, 0.6, 0.72, 1, 0.09],
    gy: [0.1, 0.3, 0.63, 0.4, 0.36, 0.3, 0.61],
    gz: [0, 2.4, 0.73, 1.2, 0.83, 0.3, 0.68],
  },
  sitting: {
    hz: 0.47,
    noise: { accelerometer: [0.08, 0.47], gyroscope: [0.023, 0.63] },
    ax: [1.2, 0.01, 0.78],
    ay: [-3.1, 0.02, 0],
    az: [9.2, 0.01, 0],
    gx: [0],
    gy: [0],
    gz: [0],
  },
  standing: {
    hz: 0.3,
    noise: { accelerometer: [0.12, 0.65], gyroscope: [0.05, 0.81] },
    ax: [9.6],
    ay: [-0.8, 0.04, 0.55],
    az: [0.5, 0.07, 0.5],
    gx: [0, 0.02, 0.8],
    gy: [0],
    gz: [0, 0.01, 0.28],
  },
  clapping: {
    hz: 3.18,
    noise: { accelerometer: [2.95], gyroscope: [0.4] },
    ax: [-7, 2.9, 0, 1.6, 0.84],
    ay: [-1.8, 2.8, 0.96, 0.9, 0.7],
    az: [4.2, 7.7, 0.88, 3.7, 0.82],
    gx: [0, 0.2, 0.26, 0.3, 0.97],
    gy: [0, 2, 0.63, 0.7, 0.57],
    gz: [0, 0.6, 0.18, 0.1, 0.11],
  },
} as const satisfies Readonly<Record<string, Motion>>;

export type MotionKind = keyof typeof MOTIONS;
export const MOTION_KINDS = Object.keys(MOTIONS) as readonly MotionKind[];

type Sensor = Pick<Pipeline, 'channels' | 'sampleRateHz' | 'windowFrames' | 'rawScale'>;

/** The sensor's full scale: 2 g. */
const ACCELEROMETER_MAX = 19.6;

/**
 * One window of raw counts, [windowFrames, channels] as `pipeline` describes them; pass it to applyPipeline. Rate, vigour and phase vary
 * with the seed. Throws UserError for a pipeline with other channels than a wrist accelerometer and gyroscope.
 */
export function syntheticWindow(kind: MotionKind, pipeline: Sensor, seed: number): Int16Array {
  if (pipeline.channels.join() !== CHANNELS.join()) {
    throw new UserError(
      `synthetic motion has the channels ${CHANNELS.join(' ')}, the pipeline takes ${pipeline.channels.join(' ')}; use recorded input`,
    );
  }
  const { sampleRateHz } = pipeline;
  if (sampleRateHz === undefined)
    throw new UserError('synthetic motion: the pipeline states no sampleRateHz; add it or use recorded input');
  const random = createRandom(seed);
  const motion: Motion = MOTIONS[kind];
  const vigour = random.between(0.85, 1.15);
  const hz = motion.hz * random.between(0.95, 1.05);
  const start = random.uniform();
  const noise = new Float64Array(CHANNELS.length);
  const window = new Int16Array(pipeline.windowFrames * CHANNELS.length);
  for (let frame = 0; frame < pipeline.windowFrames; frame += 1) {
    const base = start + (frame / sampleRateHz) * hz;
    for (const [c, channel] of CHANNELS.entries()) {
      const [deviation, correlation = 0] = c < 3 ? motion.noise.accelerometer : motion.noise.gyroscope;
      const fresh = frame === 0 ? 1 : Math.sqrt(1 - correlation * correlation);
      noise[c] = correlation * noise[c]! + fresh * deviation * random.normal();
      const value = valueAt(motion[channel], base, vigour) + noise[c];
      const clipped = c < 3 ? Math.min(ACCELEROMETER_MAX, Math.max(-ACCELEROMETER_MAX, value)) : value;
      const counts = Math.round(clipped / pipeline.rawScale[c]!);
      window[frame * CHANNELS.length + c] = Math.min(32767, Math.max(-32768, counts));
    }
  }
  return window;
}

/** `base` in turns of the base rate. */
function valueAt([mean, ...tones]: Tones, base: number, vigour: number): number {
  let value = mean;
  for (let i = 0; i < tones.length; i += 2) {
    const turns = base * (i / 2 + 1) + tones[i + 1]!;
    value += vigour * tones[i]! * Math.sin(2 * Math.PI * turns);
  }
  return value;
}
