/** Spoken words and background noise in the layout of ../shared/data/kws-arabic and ../shared/data/noise: manifest.json and int16 mono files. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { UserError } from '../../common/errors.ts';
import { readManifest } from './read-manifest.ts';

const fileName = z.string().regex(/^[\w.-]+$/);
const dtype = z.literal('int16le').optional();
const clipsSchema = z.object({
  dtype,
  sampleRateHz: z.number().positive(),
  clipSamples: z.number().int().positive(),
  clips: z
    .array(
      z.object({
        label: z.string(),
        /** What is said, where the label is one for several words. */
        word: z.string().optional(),
        speaker: z.string(),
        split: z.string(),
        file: fileName,
        index: z.number().int().nonnegative(),
      }),
    )
    .min(1),
});
const noiseSchema = z.object({
  dtype,
  sampleRateHz: z.number().positive(),
  files: z.array(z.object({ file: fileName, split: z.string() })).min(1),
});

export interface Clip {
  readonly label: string;
  /** What is said: the label, unless several words share one. */
  readonly word: string;
  readonly speaker: string;
  readonly split: string;
  readonly samples: Int16Array;
}

export interface ClipSet {
  readonly sampleRateHz: number;
  readonly clips: readonly Clip[];
}

/** @throws UserError when `folder` holds no such data set or a clip reaches outside its file */
export function loadClips(folder: string): ClipSet {
  const { clips, clipSamples, sampleRateHz } = readManifest(join(folder, 'manifest.json'), clipsSchema);
  const files = new Map<string, Int16Array>();
  return {
    sampleRateHz,
    clips: clips.map(({ file, index, label, word = label, speaker, split }) => {
      const values = files.get(file) ?? int16(join(folder, file));
      files.set(file, values);
      const samples = values.subarray(index * clipSamples, (index + 1) * clipSamples);
      if (samples.length !== clipSamples)
        throw new UserError(`${folder}: clip ${index} reaches outside ${file}; repair the manifest`);
      return { label, word, speaker, split, samples };
    }),
  };
}

/** Recordings of background noise of one split. @throws UserError as loadClips does, or when the split has none */
export function loadNoise(folder: string, split: string): Int16Array[] {
  const files = readManifest(join(folder, 'manifest.json'), noiseSchema).files.filter((one) => one.split === split);
  if (files.length === 0) throw new UserError(`${folder}: no noise of split "${split}"; use another folder`);
  return files.map(({ file }) => int16(join(folder, file)));
}

function int16(path: string): Int16Array {
  const bytes = readFileSync(path);
  return new Int16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + (bytes.length & ~1)));
}
