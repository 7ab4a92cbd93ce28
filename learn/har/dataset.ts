/**
 * Reads a wrist-motion data set in the layout of ../shared/data/har-wisdm-watch: manifest.json and one int16 file per subject, frames of
 * six interleaved channels (ax ay az gx gy gz). Windows are cut from it in raw units; applyPipeline (../pipeline.ts) scales them.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { UserError } from '../../common/errors.ts';

const manifestSchema = z.object({
  channels: z.array(z.string()),
  scale: z.array(z.number().positive()),
  units: z.array(z.string()),
  sampleRateHz: z.number().positive(),
  recordings: z.array(
    z.object({
      id: z.string(),
      subject: z.number().int(),
      label: z.string(),
      split: z.enum(['train', 'val']),
      file: z.string().regex(/^[\w.-]+$/),
      offsetFrames: z.number().int().nonnegative(),
      frames: z.number().int().positive(),
    }),
  ),
});

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

/** Throws UserError when `folder` holds no such data set or a recording reaches outside its file. */
export function loadDataset(folder: string): MotionDataset {
  const path = join(folder, 'manifest.json');
  if (!existsSync(path)) throw new UserError(`${path} not found; point to a folder with a motion data set`);
  const parsed = manifestSchema.safeParse(JSON.parse(readFileSync(path, 'utf8')));
  if (!parsed.success) throw new UserError(`${path}: ${z.prettifyError(parsed.error)}; repair the manifest`);
  const { recordings, ...manifest } = parsed.data;
  const channels = manifest.channels.length;
  const files = new Map<string, Int16Array>();
  return {
    ...manifest,
    recordings: recordings.map(({ file, offsetFrames, ...recording }) => {
      const values = files.get(file) ?? readInt16(join(folder, file));
      files.set(file, values);
      const samples = values.subarray(offsetFrames * channels, (offsetFrames + recording.frames) * channels);
      if (samples.length !== recording.frames * channels) {
        throw new UserError(`${path}: recording ${recording.id} reaches outside ${file}; repair the manifest`);
      }
      return { ...recording, samples };
    }),
  };
}

function readInt16(path: string): Int16Array {
  const bytes = readFileSync(path);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const values = new Int16Array(bytes.length >> 1);
  for (let i = 0; i < values.length; i += 1) values[i] = view.getInt16(2 * i, true);
  return values;
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
