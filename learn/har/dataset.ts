/**
 * Reads a motion data set in the layout of ../shared/data/har-wisdm-watch (a recording has one label) or har-hapt (a recording has segments with
 * labels): manifest.json and one int16 file per subject, frames of six interleaved channels (ax ay az gx gy gz). Windows are cut from it in raw
 * units; applyPipeline (../pipeline.ts) scales them.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { UserError } from '../../common/errors.ts';
import { readManifest } from '../data/read-manifest.ts';

const common = {
  id: z.string(),
  subject: z.number().int(),
  split: z.enum(['train', 'val']),
  file: z.string().regex(/^[\w.-]+$/),
  offsetFrames: z.number().int().nonnegative(),
  frames: z.number().int().positive(),
};
const segmentSchema = z.object({
  label: z.string(),
  start: z.number().int().nonnegative(),
  end: z.number().int().positive(),
});

const manifestSchema = z
  .object({
    /** Of the files; nothing else is read. */
    dtype: z.literal('int16le').optional(),
    channels: z.array(z.string()),
    scale: z.array(z.number().positive()),
    units: z.array(z.enum(['m/s^2', 'g', 'rad/s', 'deg/s'])),
    sampleRateHz: z.number().positive(),
    recordings: z.array(
      z.union([
        z.object({ ...common, label: z.string() }),
        // Frames in no segment have no label.
        z.object({ ...common, segments: z.array(segmentSchema).min(1) }),
      ]),
    ),
  })
  .refine(({ channels, scale, units }) => scale.length === channels.length && units.length === channels.length, {
    error: 'scale and units have not one value per channel',
  });

/** What everything here counts on, and how many of it a unit is: g by standard acceleration of free fall. */
const UNITS = {
  'm/s^2': { unit: 'm/s^2', factor: 1 },
  g: { unit: 'm/s^2', factor: 9.80665 },
  'rad/s': { unit: 'rad/s', factor: 1 },
  'deg/s': { unit: 'rad/s', factor: Math.PI / 180 },
} as const;

export interface Recording {
  readonly id: string;
  readonly subject: number;
  readonly label: string;
  readonly split: 'train' | 'val';
  /** Frames of `channels` values each, raw units. */
  readonly samples: Int16Array;
  readonly frames: number;
}

export interface MotionDataset {
  readonly channels: readonly string[];
  /** Physical unit per raw count, by channel. */
  readonly scale: readonly number[];
  readonly units: readonly string[];
  readonly sampleRateHz: number;
  readonly recordings: readonly Recording[];
}

/** A whole recording without a gap; `segments` say what happens when, frames in none are unlabelled. */
export interface Stream {
  readonly id: string;
  readonly subject: number;
  readonly split: 'train' | 'val';
  readonly samples: Int16Array;
  readonly frames: number;
  readonly segments: readonly { readonly label: string; readonly start: number; readonly end: number }[];
}

export interface MotionStreams extends Omit<MotionDataset, 'recordings'> {
  readonly streams: readonly Stream[];
}

/** One recording per labelled piece. @param average as in loadStreams. @throws UserError as loadStreams does */
export function loadDataset(folder: string, average = 1): MotionDataset {
  const { streams, ...rest } = loadStreams(folder, average);
  const channels = rest.channels.length;
  const recordings = streams.flatMap(({ id, subject, split, samples, segments }) =>
    segments.map(({ label, start, end }, i) => ({
      id: segments.length === 1 ? id : `${id}-${i}`,
      subject,
      split,
      label,
      samples: samples.subarray(start * channels, end * channels),
      frames: end - start,
    })),
  );
  return { ...rest, recordings };
}

/**
 * @param average so many frames become one, their mean: a lower sample rate. Accelerations come in m/s^2, rates in rad/s.
 * @throws UserError when `folder` holds no such data set or a recording reaches outside its file
 */
export function loadStreams(folder: string, average = 1): MotionStreams {
  const path = join(folder, 'manifest.json');
  const { recordings, ...manifest } = readManifest(path, manifestSchema);
  const channels = manifest.channels.length;
  const files = new Map<string, Int16Array>();
  const streams = recordings.map(({ file, offsetFrames, ...recording }) => {
    const values = files.get(file) ?? readInt16(join(folder, file));
    files.set(file, values);
    const samples = values.subarray(offsetFrames * channels, (offsetFrames + recording.frames) * channels);
    if (samples.length !== recording.frames * channels) {
      throw new UserError(`${path}: recording ${recording.id} reaches outside ${file}; repair the manifest`);
    }
    const { id, subject, split, frames } = recording;
    const segments =
      'label' in recording ? [{ label: recording.label, start: 0, end: frames }] : [...recording.segments];
    const outside = segments.find(({ start, end }) => start >= end || end > frames);
    if (outside)
      throw new UserError(
        `${path}: segment ${outside.start} to ${outside.end} is not inside ${id}; repair the manifest`,
      );
    const whole = { id, subject, split, samples, frames, segments };
    return average === 1 ? whole : averaged(whole, channels, average);
  });
  return {
    ...manifest,
    scale: manifest.scale.map((value, c) => value * UNITS[manifest.units[c]!].factor),
    units: manifest.units.map((unit) => UNITS[unit].unit),
    sampleRateHz: manifest.sampleRateHz / average,
    streams,
  };
}

function averaged(stream: Stream, channels: number, average: number): Stream {
  const frames = Math.floor(stream.frames / average);
  const samples = new Int16Array(frames * channels);
  for (let i = 0; i < samples.length; i += 1) {
    const first = Math.floor(i / channels) * average * channels + (i % channels);
    let sum = 0;
    for (let k = 0; k < average; k += 1) sum += stream.samples[first + k * channels]!;
    samples[i] = Math.round(sum / average);
  }
  const at = (frame: number): number => Math.min(frames, Math.round(frame / average));
  return {
    ...stream,
    samples,
    frames,
    segments: stream.segments.map(({ label, start, end }) => ({ label, start: at(start), end: at(end) })),
  };
}

function readInt16(path: string): Int16Array {
  const bytes = readFileSync(path);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const values = new Int16Array(bytes.length >> 1);
  for (let i = 0; i < values.length; i += 1) values[i] = view.getInt16(2 * i, true);
  return values;
}

/** Every n-th subject, in the order of the recordings, for validation. */
export function splitSubjects(
  recordings: readonly Recording[],
  validateEvery: number,
): { train: Recording[]; validation: Recording[] } {
  const subjects = [...new Set(recordings.map(({ subject }) => subject))];
  const validates = new Set(subjects.filter((_, i) => i % validateEvery === validateEvery - 1));
  return {
    train: recordings.filter(({ subject }) => !validates.has(subject)),
    validation: recordings.filter(({ subject }) => validates.has(subject)),
  };
}

export interface LabelledWindow {
  readonly subject: number;
  /** Index into the classes. */
  readonly label: number;
  /** [frames, channels] raw values; a view of the recording. */
  readonly samples: Int16Array;
}

/** Every window of `windowFrames`, `hopFrames` apart, of the recordings whose label is one of `classes`. */
export function cutWindows(
  { recordings, channels }: Pick<MotionDataset, 'recordings' | 'channels'>,
  { classes, windowFrames, hopFrames }: { classes: readonly string[]; windowFrames: number; hopFrames: number },
): LabelledWindow[] {
  return recordings.flatMap(({ subject, label, samples, frames }) => {
    const index = classes.indexOf(label);
    if (index < 0 || frames < windowFrames) return [];
    const count = Math.floor((frames - windowFrames) / hopFrames) + 1;
    return Array.from({ length: count }, (_, i) => ({
      subject,
      label: index,
      samples: samples.subarray(i * hopFrames * channels.length, (i * hopFrames + windowFrames) * channels.length),
    }));
  });
}
