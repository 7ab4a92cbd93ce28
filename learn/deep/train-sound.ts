/** Spoken words for a decision system: every clip is one window of cepstra. */
import { UserError } from '../../common/errors.ts';
import { clipCepstra } from '../../firmware-gen/reference/signal/cepstra.ts';
import { loadClips, loadNoise, type Clip } from '../data/clips.ts';
import { createRandom, shuffle } from '../random.ts';
import { audioSource } from './audio-source.ts';
import type { AudioConfig } from './config.ts';
import { soundSensor } from './sensors.ts';
import { classOfClip, splitClips } from './splits.ts';
import type { RawWindows, TrainingData } from './training-data.ts';

/** Of the background noise that the configuration may name, the split "train" is mixed in. */
export function soundTrainingData(config: AudioConfig): TrainingData {
  // Before the training, not after it.
  if (config.deploy.detector === 'statistics') throw noStatistics(config.name);
  const { classes, folder, noise } = config.data;
  const set = loadClips(folder);
  const source = audioSource(set, config, noise === null ? null : loadNoise(noise, 'train'));
  const { train, validation, unseen } = splitClips(set, config);
  const params = { ...config.frontEnd, sampleRateHz: set.sampleRateHz };
  const transform = clipCepstra(params);
  const windowsOf = (clips: readonly Clip[]): RawWindows => ({
    windows: clips.map(({ samples }) => transform(samples)),
    labels: clips.map(({ label }) => classes.indexOf(label)),
  });
  const isKnown = ({ label }: Clip): boolean => classes.includes(label);
  return {
    source,
    sensor: soundSensor(params, source.standardisation),
    calibration: (count) => {
      const clips = train.filter(isKnown);
      shuffle(clips, createRandom(config.schedule.seed));
      return [...windowsOf(clips.slice(0, count)).windows];
    },
    validation: () => windowsOf(validation.filter(isKnown)),
    withStatistics: () => {
      throw noStatistics(config.name);
    },
    test: () => {
      const isTaught = (clip: Clip): boolean => classOfClip(clip, config) === classes.length;
      return {
        subjects: [...new Set(unseen.map(({ speaker }) => speaker))],
        known: windowsOf(unseen.filter(isKnown)),
        unknown: windowsOf(unseen.filter((clip) => !isKnown(clip) && !isTaught(clip))).windows,
        taught: windowsOf(unseen.filter(isTaught)).windows,
      };
    },
  };
}

const noStatistics = (name: string): UserError =>
  new UserError(`${name}: deploy.detector "statistics" is for motion; leave it out for sound`);
