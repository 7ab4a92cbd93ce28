/** A motion data set that is learned in seconds: three classes of tones on six channels, in counts, with room to be eight times louder. */
import { parseTrainConfig, type TrainConfig, type TrainConfigInput } from '../../../learn/deep/config.ts';
import type { DataSource } from '../../../learn/deep/data-source.ts';
import type { DeployOptions } from '../../../learn/deep/deploy.ts';
import { MOTION_SCALE, motionInput, standardiseMotion } from '../../../learn/deep/motion-source.ts';
import { motionSensor } from '../../../learn/deep/sensors.ts';
import { createRandom, type Random } from '../../../learn/random.ts';

const FRAMES = 32;
const CHANNELS = 6;
/** A thousand counts are one standardised unit. */
const RAW_SCALE = MOTION_SCALE.map((unit) => unit / 1000);
const TURNS = [1, 3, 7] as const;

export interface ToyWindows {
  readonly windows: readonly Int16Array[];
  readonly labels: readonly number[];
}

function toyWindow(label: number, random: Random): Int16Array {
  const amplitude = random.between(300, 1000);
  const phases = Array.from({ length: CHANNELS }, () => random.uniform());
  return Int16Array.from({ length: FRAMES * CHANNELS }, (_, i) => {
    const turns = phases[i % CHANNELS]! + (TURNS[label]! * Math.floor(i / CHANNELS)) / FRAMES;
    return amplitude * Math.sin(2 * Math.PI * turns) + 100 * random.normal();
  });
}

export function toyWindows(count: number, seed: number): ToyWindows {
  const random = createRandom(seed);
  const labels = Array.from({ length: count }, (_, i) => i % TURNS.length);
  return { labels, windows: labels.map((label) => toyWindow(label, random)) };
}

export const toyFloats = (window: Int16Array): Float32Array => standardiseMotion(window, RAW_SCALE);

export function toyConfig(change: Partial<TrainConfigInput>): TrainConfig {
  const base: TrainConfigInput = {
    schemaVersion: 1,
    name: 'toy',
    data: { kind: 'motion', folder: 'none', classes: ['slow', 'middle', 'fast'], windowFrames: FRAMES },
    frontEnd: { kind: 'raw' },
    encoder: {
      kernel: [5, 1],
      stem: { filters: 8, stride: [2, 1] },
      blocks: [
        { filters: 12, stride: [2, 1] },
        { filters: 12, stride: [1, 1], shortcut: true },
      ],
      latent: 8,
    },
    head: { kind: 'deconf-c' },
    schedule: { steps: 120, batch: 24, validateSteps: 30 },
  };
  return parseTrainConfig({ ...base, ...change }, 'test');
}

export function toySource({ data, frontEnd }: TrainConfig): DataSource {
  const { windows, labels } = toyWindows(90, 5);
  return {
    classes: data.classes,
    input: frontEnd.kind === 'image' ? [FRAMES, FRAMES, 3] : [FRAMES, 1, CHANNELS],
    frames: FRAMES,
    channels: CHANNELS,
    validation: { windows: windows.map(toyFloats), labels, subjects: labels.map(String) },
    toInput: (some) => motionInput(some, frontEnd),
    draw: (count, drawn) => {
      const drawnLabels = Array.from({ length: count }, (_, i) => i % TURNS.length);
      const clean = drawnLabels.map((label) => toyFloats(toyWindow(label, drawn)));
      return { clean, labels: drawnLabels, windows: clean };
    },
  };
}

export function toyDeployment({ frontEnd }: TrainConfig): DeployOptions {
  return {
    sensor: motionSensor(frontEnd, RAW_SCALE),
    calibration: toyWindows(48, 6).windows,
    validation: toyWindows(90, 5),
    hopFrames: 16,
    truePositiveRate: 0.9,
    switching: 0.05,
  };
}
