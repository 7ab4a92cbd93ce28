/**
 * A data set in the form of a decision system's stream: windows of motion without overlap, or one window of cepstra for every clip of sound; and
 * recordings as the firmware takes them.
 */
import { UserError } from '../../common/errors.ts';
import { pushedValues, type CepstraParams, type DecisionSystem } from '../../firmware-gen/ir/system.ts';
import { clipCepstra } from '../../firmware-gen/reference/signal/cepstra.ts';
import { loadClips, type Clip } from '../data/clips.ts';
import { isAudio, isMotion, type TrainConfig } from '../deep/config.ts';
import { splitClips, splitMotion, type Role } from '../deep/splits.ts';
import { loadDataset, type MotionDataset, type Recording } from '../har/dataset.ts';
import { createRandom, shuffle } from '../random.ts';
import { systemWindows, type SystemWindows } from './system-scores.ts';

export interface SystemData {
  /** All that occur. */
  readonly labels: readonly string[];
  /** Windows with one of these labels. */
  windows(labels: readonly string[]): SystemWindows;
  /** Recordings, or clips. */
  readonly streams: readonly RecordedStream[];
}

export interface RecordedStream {
  readonly label: string;
  readonly subject: string;
  /** As they are pushed: frames of raw counts, or samples of sound. */
  readonly samples: Int16Array;
}

/** Windows without overlap, as they are pushed into a new stream each; the rest at the end is left out. */
export function pushedWindows(system: DecisionSystem, samples: Int16Array): Int16Array[] {
  const values = system.stream.frames * pushedValues(system);
  return Array.from({ length: Math.floor(samples.length / values) }, (_, i) =>
    samples.subarray(i * values, (i + 1) * values),
  );
}

/**
 * @param average frames of motion that become one
 * @throws UserError for a data set of another form than the system's, or without that split
 */
export function loadSystemData(system: DecisionSystem, folder: string, split: string, average = 1): SystemData {
  if (system.frontEnd.kind === 'mfcc') {
    const { cepstra } = system.frontEnd;
    return soundData(system, cepstra, ofSplit(soundSet(system, cepstra, folder), folder, split));
  }
  const data = loadDataset(folder, average);
  return motionData(system, data, ofSplit(data.recordings, folder, split));
}

/**
 * The same by what subjects do in a configuration. @param config with a folder that is there
 * @throws UserError when nobody has the role
 */
export function loadRoleData(system: DecisionSystem, config: TrainConfig, role: Role): SystemData {
  const { folder } = config.data;
  const some = <T>(all: readonly T[]): readonly T[] => {
    if (all.length > 0) return all;
    const how = role === 'unseen' ? 'whose split is not "train" and who train nothing' : `for "${role}"`;
    throw new UserError(`${folder}: no recordings of subjects ${how}; correct the manifest or the configuration`);
  };
  if (isAudio(config) && system.frontEnd.kind === 'mfcc') {
    const { cepstra } = system.frontEnd;
    return soundData(system, cepstra, some(splitClips({ clips: soundSet(system, cepstra, folder) }, config)[role]));
  }
  if (!isMotion(config) || system.frontEnd.kind === 'mfcc')
    throw new UserError(`${config.name}: the system takes another kind of data than the configuration has; train it`);
  const data = loadDataset(folder, config.data.average);
  return motionData(system, data, some(splitMotion(data, config)[role]));
}

function motionData(system: DecisionSystem, data: MotionDataset, recordings: readonly Recording[]): SystemData {
  return {
    labels: [...new Set(recordings.map(({ label }) => label))],
    windows: (labels) => systemWindows(system, data, recordings, labels),
    streams: recordings.map(({ label, subject, samples }) => ({ label, subject: String(subject), samples })),
  };
}

/** All clips, which fit the system. */
function soundSet(system: DecisionSystem, cepstra: CepstraParams, folder: string): readonly Clip[] {
  const { sampleRateHz, clips } = loadClips(folder);
  if (sampleRateHz !== cepstra.sampleRateHz)
    throw new UserError(
      `${system.name} takes ${cepstra.sampleRateHz} samples a second, the data set has ${sampleRateHz}; use another`,
    );
  const needed = windowSamples(system, cepstra);
  if (clips.some(({ samples }) => samples.length < needed))
    throw new UserError(`${folder}: has clips below the ${needed} samples of a window of ${system.name}; use another`);
  return clips;
}

const windowSamples = ({ stream }: DecisionSystem, { frameSamples, hopSamples }: CepstraParams): number =>
  frameSamples + (stream.frames - 1) * hopSamples;

function soundData(system: DecisionSystem, cepstra: CepstraParams, clips: readonly Clip[]): SystemData {
  const transform = clipCepstra(cepstra);
  const needed = windowSamples(system, cepstra);
  // Other words may share a label; each counts by itself.
  const named = clips.map((clip) => ({ ...clip, label: system.classes.includes(clip.label) ? clip.label : clip.word }));
  return {
    labels: [...new Set(named.map(({ label }) => label))],
    windows: (labels) => {
      const chosen = named.filter(({ label }) => labels.includes(label));
      return {
        samples: chosen.map(({ samples }) => transform(samples.subarray(0, needed))),
        labels: chosen.map(({ label }) => labels.indexOf(label)),
        subjects: chosen.map(({ speaker }) => speaker),
      };
    },
    streams: named.map(({ label, speaker, samples }) => ({ label, subject: speaker, samples })),
  };
}

/** @throws UserError when there are none */
export function ofSplit<T extends { readonly split: string }>(all: readonly T[], folder: string, split: string): T[] {
  const some = all.filter((one) => one.split === split);
  if (some.length > 0) return some;
  const known = [...new Set(all.map((one) => one.split))].join(', ');
  throw new UserError(`${folder}: no recordings of split "${split}"; its splits are ${known}`);
}

/**
 * The beginnings of recordings, drawn with a fixed seed and as many as give about `windows` decisions: all of them take part before one of them does
 * with more, so that every subject and label does. Those too short for one window are left out.
 */
export function beginnings(
  system: DecisionSystem,
  streams: readonly RecordedStream[],
  windows: number,
): RecordedStream[] {
  const { stream } = system;
  const push = pushedValues(system);
  const valuesOf = (decisions: number): number => push * (stream.frames + (decisions - 1) * stream.hop);
  const usable = streams.filter(({ samples }) => samples.length >= valuesOf(1));
  const order = [...usable.keys()];
  shuffle(order, createRandom(1));
  const each = Math.ceil(windows / Math.max(1, usable.length));
  return order
    .slice(0, windows)
    .sort((a, b) => a - b)
    .map((i) => ({ ...usable[i]!, samples: usable[i]!.samples.subarray(0, valuesOf(each)) }));
}
