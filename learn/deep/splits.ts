/** Who trains, who validates and who takes no part, as a configuration says: by subject, so that nobody is judged on what was learned of him. */
import { UserError } from '../../common/errors.ts';
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

/** Class of a clip, the last for words learned as unknown; -1: it takes no part. */
export function classOfClip({ label, word }: Pick<Clip, 'label' | 'word'>, { data }: AudioConfig): number {
  const known = data.classes.indexOf(label);
  return known < 0 && data.unknown?.includes(word) ? data.classes.length : known;
}

/**
 * The same for clips, of which only those of the classes, 'unknown' among them, train and validate. Which speakers validate goes by the order of
 * config.subjects.
 */
export function splitClips({ clips }: Pick<ClipSet, 'clips'>, config: AudioConfig): Roles<Clip> {
  const named = config.subjects?.map(String);
  const wanted = clips.filter(
    (clip) => classOfClip(clip, config) >= 0 && (named ? named.includes(clip.speaker) : clip.split === 'train'),
  );
  const speakers = named ?? [...new Set(wanted.map(({ speaker }) => speaker))].sort();
  const { validateEvery } = config.data;
  const validates = new Set(speakers.filter((_, i) => i % validateEvery === validateEvery - 1));
  return {
    train: wanted.filter(({ speaker }) => !validates.has(speaker)),
    validation: wanted.filter(({ speaker }) => validates.has(speaker)),
    unseen: clips.filter(({ split, speaker }) => split !== 'train' && !speakers.includes(speaker)),
  };
}

/** @throws UserError when nobody validates, which takes at least validateEvery subjects */
export function validating<T>(some: readonly T[], { data, name }: TrainConfig): readonly T[] {
  if (some.length > 0) return some;
  throw new UserError(
    `${name}: fewer subjects train than data.validateEvery, ${data.validateEvery}, so that nobody validates; make it smaller or add subjects`,
  );
}
