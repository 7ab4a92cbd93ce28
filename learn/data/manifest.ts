/**
 * Data sets described by a manifest.json, in the four forms of ../shared/data: `recordings` (streams by subject, windows are cut from them,
 * or from their `segments`), `clips` (equally long pieces with labels), `files` (items back to back, a label each) and one single file
 * with `labelIndex` at the top.
 */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { UserError } from '../../common/errors.ts';
import { manifestType, readRaw } from './raw-values.ts';
import { readManifest } from './read-manifest.ts';
import { cutRecording, type Sample, type SampleForm, type SampleSet, type TypedValues } from './sample-set.ts';

const fileName = z.string().regex(/^[\w.-]+$/);
const index = z.array(z.number().int().nonnegative());

const schema = z.object({
  dtype: z.string(),
  shape: z.array(z.number().int().positive()).optional(),
  channels: z.array(z.string()).optional(),
  labels: z.array(z.string()).optional(),
  labelIndex: index.optional(),
  clipSamples: z.number().int().positive().optional(),
  files: z
    .array(
      z.object({
        file: fileName,
        count: z.number().int().positive().optional(),
        split: z.string().optional(),
        label: z.string().optional(),
        labelIndex: index.optional(),
      }),
    )
    .optional(),
  clips: z
    .array(
      z.object({
        label: z.string(),
        speaker: z.union([z.string(), z.number()]).optional(),
        split: z.string().optional(),
        file: fileName,
        index: z.number().int().nonnegative(),
      }),
    )
    .optional(),
  recordings: z
    .array(
      z.object({
        subject: z.union([z.string(), z.number()]).optional(),
        label: z.string().optional(),
        split: z.string().optional(),
        file: fileName,
        offsetFrames: z.number().int().nonnegative(),
        frames: z.number().int().positive(),
        segments: z
          .array(z.object({ label: z.string(), start: z.number().int().nonnegative(), end: z.number().int() }))
          .optional(),
      }),
    )
    .optional(),
});

type Manifest = z.infer<typeof schema>;

/** What the four readers share. */
interface Folder {
  readonly path: string;
  readonly manifest: Manifest;
  /** Values of one of its files, read once. */
  readonly values: (file: string) => TypedValues;
  readonly form: SampleForm;
  /** Only this file of it, when the user named one. */
  readonly only: string | null;
}

/** @param only name of one data file of the folder, or null for all. @throws UserError naming the manifest and what is wrong */
export function loadManifestSet(path: string, form: SampleForm, only: string | null): SampleSet {
  const where = join(path, 'manifest.json');
  const manifest = readManifest(where, schema);
  const type = manifestType(manifest.dtype, where);
  const cache = new Map<string, TypedValues>();
  const values = (file: string): TypedValues => {
    const known = cache.get(file) ?? readRaw(join(path, file), type);
    cache.set(file, known);
    return known;
  };
  const samples = samplesOf({ path, manifest, values, form, only });
  return { source: only === null ? path : join(path, only), isReal: type === 'f32' || type === 'f64', samples };
}

function samplesOf(folder: Folder): readonly Sample[] {
  const { manifest, path } = folder;
  if (manifest.recordings) return recordings(folder, manifest.recordings);
  if (manifest.clips) return clips(folder, manifest.clips);
  if (manifest.files) return files(folder, manifest.files);
  if (manifest.labelIndex) return singleFile(folder, manifest.labelIndex);
  throw new UserError(`${join(path, 'manifest.json')}: has none of recordings, clips, files, labelIndex; complete it`);
}

function recordings(
  { manifest, values, form, path, only }: Folder,
  list: NonNullable<Manifest['recordings']>,
): Sample[] {
  const channels = manifest.channels?.length ?? 1;
  return list.flatMap(({ file, offsetFrames, frames, segments, label, subject, split }) => {
    if (only !== null && file !== only) return [];
    const all = values(file);
    if ((offsetFrames + frames) * channels > all.length)
      throw new UserError(`${join(path, file)}: a recording ends behind the file's end; repair the manifest`);
    const parts = segments ?? [{ label: label ?? null, start: 0, end: frames }];
    return parts.flatMap((part) => {
      const [from, to] = [offsetFrames + part.start, offsetFrames + part.end];
      const windows = cutRecording(all.subarray(from * channels, to * channels), form);
      const described = { label: part.label, subject: text(subject), split: split ?? null };
      return windows.map((window) => ({ values: window, ...described }));
    });
  });
}

function clips({ manifest, values, form, path, only }: Folder, list: NonNullable<Manifest['clips']>): Sample[] {
  const length = manifest.clipSamples ?? form.elements;
  checkElements(length, form, path);
  return list
    .filter(({ file }) => only === null || file === only)
    .map(({ file, index: at, label, speaker, split }) => ({
      values: item(values(file), at, length, join(path, file)),
      label,
      subject: text(speaker),
      split: split ?? null,
    }));
}

function files({ manifest, values, form, path, only }: Folder, list: NonNullable<Manifest['files']>): Sample[] {
  const length = (manifest.shape ?? [form.elements]).reduce((product, extent) => product * extent, 1);
  checkElements(length, form, path);
  return list.flatMap(({ file, label, labelIndex, split, count }) => {
    if (only !== null && file !== only) return [];
    const all = values(file);
    const items = count ?? Math.floor(all.length / length);
    return Array.from({ length: items }, (_, i) => ({
      values: item(all, i, length, join(path, file)),
      label: label ?? nameOf(manifest, labelIndex?.[i]),
      subject: null,
      split: split ?? null,
    }));
  });
}

/** The file itself is not named: it is the only one of the right size. */
function singleFile({ manifest, values, form, path }: Folder, labelIndex: readonly number[]): Sample[] {
  const length = (manifest.shape ?? [form.elements]).reduce((product, extent) => product * extent, 1);
  checkElements(length, form, path);
  const candidates = readdirSync(path).filter((name) => !/\.(json|md|txt)$/.test(name));
  const [file] = candidates.filter((name) => statSync(join(path, name)).size % (length * labelIndex.length) === 0);
  if (file === undefined)
    throw new UserError(`${path}: no file holds the ${labelIndex.length} items of the manifest; restore the data file`);
  const all = values(file);
  return labelIndex.map((label, i) => ({
    values: item(all, i, length, join(path, file)),
    label: nameOf(manifest, label),
    subject: null,
    split: null,
  }));
}

function item(all: TypedValues, at: number, length: number, where: string): TypedValues {
  if ((at + 1) * length <= all.length) return all.subarray(at * length, (at + 1) * length);
  throw new UserError(`${where}: item ${at} of ${length} values lies behind the file's end; repair the manifest`);
}

function checkElements(length: number, { elements }: SampleForm, path: string): void {
  if (length === elements) return;
  throw new UserError(
    `${path}: samples have ${length} values, the model takes ${elements}; give data of the model's shape or another pipeline`,
  );
}

function nameOf({ labels }: Manifest, label: number | undefined): string | number | null {
  return label === undefined ? null : (labels?.[label] ?? label);
}

function text(value: string | number | undefined): string | null {
  return value === undefined ? null : `${value}`;
}
