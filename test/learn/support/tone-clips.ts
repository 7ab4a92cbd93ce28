/** A toy data set of sound in the format of kws-arabic: tones as words, and a configuration that learns them in seconds. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createRandom, type Random } from '../../../learn/random.ts';

export const SAMPLE_RATE_HZ = 8000;
/** Of a clip. */
export const SAMPLES = 2000;
/** The last three are of the split "val". */
export const SPEAKERS = 12;

/** A tone of 300 or 1500 Hz, or louder or softer noise, in a little noise. */
function sound(label: string, random: Random): number[] {
  const isNoise = label === 'hiss' || label === 'whisper';
  const [start, hz, loud] = [random.uniform(), label === 'low' ? 300 : 1500, isNoise ? 0 : 3000];
  const noise = { hiss: 2000, whisper: 1000 }[label] ?? 200;
  return Array.from({ length: SAMPLES }, (_, i) =>
    Math.round(loud * Math.sin(2 * Math.PI * (start + (hz * i) / SAMPLE_RATE_HZ)) + noise * random.normal()),
  );
}

/** @param labels of "low", "high", "hiss", "whisper": a clip of each by every speaker */
export function writeToneClips(folder: string, labels: readonly string[]) {
  const random = createRandom(2);
  const clips = Array.from({ length: labels.length * SPEAKERS }, (_, index) => {
    const speaker = Math.floor(index / labels.length);
    const split = speaker < SPEAKERS - 3 ? 'train' : 'val';
    return { label: labels[index % labels.length]!, speaker: `s${speaker}`, split, file: 'all.i16', index };
  });
  const values = Int16Array.from(clips.flatMap(({ label }) => sound(label, random)));
  const content = { sampleRateHz: SAMPLE_RATE_HZ, clipSamples: SAMPLES, clips };
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify(content));
  writeFileSync(join(folder, 'all.i16'), new Uint8Array(values.buffer));
  return { content, clips, values };
}

/** The JSON of a training configuration for "low" against "high". */
export const toneConfig = (folder: string) => ({
  schemaVersion: 1,
  name: 'tones',
  data: { kind: 'audio', folder, classes: ['low', 'high'], variants: 2, validateEvery: 3 },
  frontEnd: { kind: 'mfcc', frameSamples: 256, hopSamples: 128, mels: 16, coefficients: 6 },
  encoder: { kernel: [3, 1], stem: { filters: 6, stride: [2, 1] }, blocks: [], latent: 6 },
  head: { kind: 'linear' },
  schedule: { steps: 30, batch: 16, validateSteps: 10 },
});
