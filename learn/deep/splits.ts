/** Who trains, who validates and who takes no part, as a configuration says: by subject, so that nobody is judged on what was learned of him. */
import type { Clip, ClipSet } from '../data/clips.ts';
import { splitSubjects, type MotionDataset, type Recording } from '../har/dataset.ts';
import type { AudioConfig, TrainConfig } from './config.ts';

export interface Roles<T> {
  readonly train: readonly T[];
  readonly validation: readonly T[];
  /** Of subjects outside the split "train" that took no part; with any label. */
  readonly unseen: readonly T[];
}

export type Role = keyof Roles<unknown>;

/** Subjects of the split "train", or those named, train; every n-th of them validates. Any label. */
export function splitMotion({ recordings }: Pick<MotionDataset, 'recordings'>, config: TrainConfig): Roles<Recording> {
  const named = config.subjects?.map(String);
  const usable = recordings.filter(({ split, subject }) =>
    named ? named.includes(String(subject)) : split === 'train',
  );
  const seen = new Set(usable.map(({ subject }) => subject));
  const unseen = recordings.filter(({ subject, split }) => split !== 'train' && !seen.has(subject));
  return { ...splitSubjects(usable, config.data.validateEvery), unseen };
}

/** The same for clips, of which only those of the classes train and validate. */
export function splitClips({ clips }: Pick<ClipSet, 'clips'>, { subjects: named, data }: AudioConfig): Roles<Clip> {
  const wanted = clips.filter(
    ({ label, split, speaker }) =>
      data.classes.includes(label) && (named ? named.map(String).includes(speaker) : split === 'train'),
  );
  const speakers = [...new Set(wanted.map(({ speaker }) => speaker))].sort();
  const validates = new Set(speakers.filter((_, i) => i % data.validateEvery === data.validateEvery - 1));
  return {
    train: wanted.filter(({ speaker }) => !validates.has(speaker)),
    validation: wanted.filter(({ speaker }) => validates.has(speaker)),
    unseen: clips.filter(({ split, speaker }) => split !== 'train' && !speakers.includes(speaker)),
  };
}
