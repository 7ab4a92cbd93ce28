/**
 * Labelled samples as models eat them, whatever they were stored as: raw values of one window each, with label, subject and split. What the
 * values mean (units, mean, scale) is the pipeline's business (../pipeline.ts).
 */
import { UserError } from '../../common/errors.ts';
import { createRandom, shuffle } from '../random.ts';

export interface Sample {
  /** One window of raw values; often a view of a whole file. */
  readonly values: ArrayLike<number>;
  /** Name of the class, or its index; null when unknown. */
  readonly label: string | number | null;
  /** Who or what it came from; samples of one subject are not independent. Null: every sample counts as its own. */
  readonly subject: string | null;
  /** `train`, `val`, `test`, ... as the data set says; null when it does not. */
  readonly split: string | null;
}

export interface SampleSet {
  /** Path, for messages. */
  readonly source: string;
  /** True when values are real numbers already (float files), false for raw counts that only a pipeline explains. */
  readonly isReal: boolean;
  readonly samples: readonly Sample[];
}

/** The form of one sample, from pipeline or model. */
export interface SampleForm {
  /** Values of one sample. */
  readonly elements: number;
  /** Distance of two windows cut from a longer recording, in values. */
  readonly hop: number;
  /** Values of one frame of a recording; null when only whole samples are taken. */
  readonly frame: number | null;
}

/** Names under which data sets file what models are trained on. */
const TRAINING = 'train';

/**
 * Samples of one split. Without a name: `training` true takes "train" where there is one, false everything else where there is something
 * else. @throws UserError when nothing is left
 */
export function selectSplit(set: SampleSet, name: string | null, training: boolean): readonly Sample[] {
  const splits = new Set(set.samples.map(({ split }) => split));
  const wanted = (split: string | null): boolean => {
    if (name !== null) return split === name;
    if (!splits.has(TRAINING) || splits.size === 1) return true;
    return (split === TRAINING) === training;
  };
  const samples = set.samples.filter(({ split }) => wanted(split));
  if (samples.length > 0) return samples;
  const known = [...splits].filter((split) => split !== null);
  throw new UserError(
    name === null
      ? `${set.source}: holds no samples; give a folder with data`
      : `${set.source}: no sample is of split "${name}"; ${known.length > 0 ? `its splits are ${known.join(', ')}` : 'it names no splits'}`,
  );
}

/** `count` samples drawn without replacement, or all when there are fewer; the same seed draws the same ones. */
export function drawSamples(samples: readonly Sample[], count: number, seed: number): readonly Sample[] {
  const order = [...samples.keys()];
  shuffle(order, createRandom(seed));
  // In the data set's order again: nothing depends on it, and files are read once.
  const chosen = order.slice(0, count).sort((a, b) => a - b);
  return chosen.map((i) => samples[i]!);
}

/** Class index of a sample, or null when its label is none of `classes`. @throws UserError for an index outside them */
export function classOf({ label }: Sample, classes: readonly string[], source: string): number | null {
  if (label === null) return null;
  if (typeof label === 'string') {
    const exact = classes.indexOf(label);
    if (exact >= 0) return exact;
    const folded = classes.findIndex((name) => name.toLowerCase() === label.toLowerCase());
    return folded < 0 ? null : folded;
  }
  if (Number.isInteger(label) && label >= 0 && label < classes.length) return label;
  throw new UserError(`${source}: label ${label} is none of the ${classes.length} classes; correct labels or pipeline`);
}

/** Windows of `form` cut from one recording; the rest at its end is dropped. */
export function cutRecording(values: TypedValues, { elements, hop }: SampleForm): ArrayLike<number>[] {
  const count = values.length < elements ? 0 : Math.floor((values.length - elements) / hop) + 1;
  return Array.from({ length: count }, (_, i) => values.subarray(i * hop, i * hop + elements));
}

/** Arrays that raw files become. */
export type TypedValues =
  Int8Array | Uint8Array | Int16Array | Uint16Array | Int32Array | Uint32Array | Float32Array | Float64Array;

export function isReal(values: TypedValues): boolean {
  return values instanceof Float32Array || values instanceof Float64Array;
}
