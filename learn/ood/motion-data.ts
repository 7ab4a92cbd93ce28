/** Known and unknown windows of a motion data set, by the roles that judging detectors needs. */
import { motionSet } from '../deep/motion-source.ts';
import type { MotionConfig } from '../deep/config.ts';
import { UNKNOWN, type LabelledSet } from '../deep/data-source.ts';
import { splitMotion } from '../deep/splits.ts';
import type { MotionDataset, Recording } from '../har/dataset.ts';
import { createRandom, shuffle } from '../random.ts';
import type { OodData } from './evaluate.ts';

export interface OodSplit {
  /** Labels that count as unknown; default: every label that is no class. */
  readonly unknown?: readonly string[];
  /** At most so many training windows set class statistics. */
  readonly trainWindowsMax: number;
  /** At most so many unknown windows choose among detectors; default: all. */
  readonly validationUnknownMax?: number;
}

/** Test windows are those of subjects outside the split "train" (or outside the configuration's subjects). */
export function motionOodData(
  data: MotionDataset,
  config: MotionConfig,
  { unknown, trainWindowsMax, validationUnknownMax = Infinity }: OodSplit,
): OodData {
  const { classes, windowFrames } = config.data;
  const labels = [...new Set(data.recordings.map(({ label }) => label))];
  const unknownClasses = labels.filter((label) => !classes.includes(label) && (unknown?.includes(label) ?? true));
  const { train, validation, unseen: test } = splitMotion(data, config);
  const windows = (recordings: readonly Recording[], of: readonly string[]): LabelledSet =>
    motionSet(recordings, of, windowFrames, data.scale);
  return {
    train: drawn(windows(train, classes), trainWindowsMax),
    validation: windows(validation, classes),
    validationUnknown: drawn(windows(validation, unknownClasses), validationUnknownMax),
    test: windows(test, classes),
    testUnknown: windows(test, unknownClasses),
    unknownClasses,
    classes: classes.filter((label) => label !== UNKNOWN).length,
  };
}

function drawn({ windows, labels, subjects }: LabelledSet, count: number): LabelledSet {
  const order = [...windows.keys()];
  shuffle(order, createRandom(1));
  const kept = order.slice(0, count);
  return {
    windows: kept.map((i) => windows[i]!),
    labels: kept.map((i) => labels[i]!),
    subjects: kept.map((i) => subjects[i]!),
  };
}
