/** A toy data set of motion in the format of har-wisdm-watch, made by formula, and a project that learns it in seconds. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { syntheticWindow, type MotionKind } from '../../../learn/synthetic-motion.ts';

const CHANNELS = ['ax', 'ay', 'az', 'gx', 'gy', 'gz'];
const SCALE = [0.002, 0.002, 0.002, 0.001, 0.001, 0.001];
/** Of a recording. */
export const FRAMES = 160;
/** Subjects 0 to 5 train and validate, 6 and 7 are of the split "val". */
export const SUBJECTS = 8;
export const UNSEEN = 2;

/** A recording of every label by every subject. @param folder is made */
export function writeMotionRecordings(folder: string, labels: readonly MotionKind[]): void {
  const about = { channels: CHANNELS, units: ['m/s^2', 'm/s^2', 'm/s^2', 'rad/s', 'rad/s', 'rad/s'], sampleRateHz: 20 };
  const sensor = { ...about, windowFrames: FRAMES, rawScale: SCALE };
  mkdirSync(folder, { recursive: true });
  const recordings = Array.from({ length: SUBJECTS }, (_, subject) => {
    const file = `s${subject}.i16`;
    const own = labels.map((label, i) => syntheticWindow(label, sensor, 100 * subject + i));
    writeFileSync(join(folder, file), Buffer.concat(own.map((values) => new Uint8Array(values.buffer))));
    const split = subject < SUBJECTS - UNSEEN ? 'train' : 'val';
    return labels.map((label, i) => ({
      ...{ id: `${subject}-${label}`, subject, label, split, file, offsetFrames: i * FRAMES, frames: FRAMES },
    }));
  }).flat();
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify({ ...about, scale: SCALE, recordings }));
}

/** Fields of a project that make it small, for "walking" against "jogging". */
export const motionProject = (folder: string) => ({
  schemaVersion: 1,
  name: 'moves',
  data: { kind: 'motion', folder, classes: ['walking', 'jogging'], windowFrames: 32, validateEvery: 3 },
  frontEnd: { kind: 'raw' },
  encoder: { kernel: [5, 1], stem: { filters: 6, stride: [2, 1] }, blocks: [], latent: 6 },
  head: { kind: 'deconf-c' },
  schedule: { steps: 30, batch: 16, validateSteps: 10 },
  deploy: { detector: 'statistics', calibrationWindows: 20 },
});
