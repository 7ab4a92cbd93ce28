/** A data set in the form of a decision system's stream: windows of motion without overlap, or one window of cepstra for every clip of sound. */
import { UserError } from '../../common/errors.ts';
import type { CepstraParams, DecisionSystem } from '../../firmware-gen/ir/system.ts';
import { clipCepstra } from '../../firmware-gen/reference/signal/cepstra.ts';
import { loadClips } from '../data/clips.ts';
import { loadDataset } from '../har/dataset.ts';
import { systemWindows, type SystemWindows } from './system-scores.ts';

export interface SystemData {
  /** All of the split. */
  readonly labels: readonly string[];
  /** Windows with one of these labels. */
  windows(labels: readonly string[]): SystemWindows;
}

/** @throws UserError for a data set of another form than the system's, or without that split */
export function loadSystemData(system: DecisionSystem, folder: string, split: string): SystemData {
  if (system.frontEnd.kind === 'mfcc') return soundData(system, system.frontEnd.cepstra, folder, split);
  const data = loadDataset(folder);
  const recordings = ofSplit(data.recordings, folder, split);
  return {
    labels: [...new Set(recordings.map(({ label }) => label))],
    windows: (labels) => systemWindows(system, data, recordings, labels),
  };
}

function soundData(
  { name, stream }: DecisionSystem,
  cepstra: CepstraParams,
  folder: string,
  split: string,
): SystemData {
  const { sampleRateHz, frameSamples, hopSamples } = cepstra;
  const set = loadClips(folder);
  if (set.sampleRateHz !== sampleRateHz)
    throw new UserError(
      `${name} takes ${sampleRateHz} samples a second, the data set has ${set.sampleRateHz}; use another`,
    );
  const needed = frameSamples + (stream.frames - 1) * hopSamples;
  const clips = ofSplit(set.clips, folder, split);
  if (clips.some(({ samples }) => samples.length < needed))
    throw new UserError(`${folder}: has clips below the ${needed} samples of a window of ${name}; use another`);
  const transform = clipCepstra(cepstra);
  return {
    labels: [...new Set(clips.map(({ label }) => label))],
    windows: (labels) => {
      const chosen = clips.filter(({ label }) => labels.includes(label));
      return {
        samples: chosen.map(({ samples }) => transform(samples.subarray(0, needed))),
        labels: chosen.map(({ label }) => labels.indexOf(label)),
        subjects: chosen.map(({ speaker }) => speaker),
      };
    },
  };
}

/** @throws UserError when there are none */
export function ofSplit<T extends { readonly split: string }>(all: readonly T[], folder: string, split: string): T[] {
  const some = all.filter((one) => one.split === split);
  if (some.length > 0) return some;
  const known = [...new Set(all.map((one) => one.split))].join(', ');
  throw new UserError(`${folder}: no recordings of split "${split}"; its splits are ${known}`);
}
