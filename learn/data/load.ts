/**
 * Finds out what a path holds and reads it: a folder with manifest.json (or one data file of it), x.npy beside y.npy, folders named after
 * classes, .npy, .csv and raw .f32/.i16/.i8/.u8 files. docs/data-sets.md describes each.
 */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import { UserError } from '../../common/errors.ts';
import { parseCsv } from './csv.ts';
import { loadManifestSet } from './manifest.ts';
import { parseNpy } from './npy.ts';
import { readBytes, readRaw, type ElementType } from './raw-values.ts';
import { cutRecording, isReal, type Sample, type SampleForm, type SampleSet, type TypedValues } from './sample-set.ts';

const RAW_TYPES: Readonly<Record<string, ElementType>> = { '.f32': 'f32', '.i16': 'i16', '.i8': 'i8', '.u8': 'u8' };
const READABLE = new Set(['.npy', '.csv', ...Object.keys(RAW_TYPES)]);

/** @throws UserError: nothing there, nothing readable, samples of another size than `form`, no samples at all */
export function loadSamples(path: string, form: SampleForm): SampleSet {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat) throw new UserError(`${path}: no such file or folder; check the path of the data`);
  const set = stat.isDirectory() ? loadFolder(path, form) : loadFile(path, form);
  if (set.samples.length === 0) throw new UserError(`${path}: holds no samples; give a folder with data`);
  return set;
}

function loadFile(path: string, form: SampleForm): SampleSet {
  const manifest = join(dirname(path), 'manifest.json');
  if (extname(path) !== '.npy' && extname(path) !== '.csv' && existsSync(manifest))
    return loadManifestSet(dirname(path), form, basename(path));
  return set(path, readSamples(path, form));
}

function loadFolder(path: string, form: SampleForm): SampleSet {
  if (existsSync(join(path, 'manifest.json'))) return loadManifestSet(path, form, null);
  const names = readdirSync(path).sort();
  const pair = ['x', 'X'].find((stem) => names.includes(`${stem}.npy`));
  if (pair !== undefined) return set(path, readPair(path, pair, names, form));
  const folders = names.filter((name) => statSync(join(path, name)).isDirectory());
  const inFolders = folders.flatMap((label) =>
    readable(join(path, label)).flatMap((file) =>
      readSamples(file, form).map((read) => ({
        ...read,
        sample: { ...read.sample, label: read.sample.label ?? label },
      })),
    ),
  );
  const loose = readable(path).flatMap((file) => readSamples(file, form));
  if (inFolders.length + loose.length === 0) {
    throw new UserError(
      `${path}: holds no samples; give a manifest.json, .npy, .csv or raw (${Object.keys(RAW_TYPES).join(' ')}) files`,
    );
  }
  return set(path, [...inFolders, ...loose]);
}

interface Read {
  readonly sample: Sample;
  readonly isReal: boolean;
}

function set(source: string, reads: readonly Read[]): SampleSet {
  return { source, isReal: reads.every((read) => read.isReal), samples: reads.map(({ sample }) => sample) };
}

function readable(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => READABLE.has(extname(name)))
    .sort()
    .map((name) => join(folder, name));
}

const unlabelled = (values: ArrayLike<number>): Sample => ({ values, label: null, subject: null, split: null });

function readSamples(path: string, form: SampleForm): Read[] {
  const extension = extname(path);
  if (extension === '.csv') {
    const rows = parseCsv(new TextDecoder().decode(readBytes(path)), path);
    return rows.map((row) => {
      checkLength(row.values.length, form, path);
      return { sample: { ...row, split: null }, isReal: true };
    });
  }
  if (extension === '.npy') {
    const { shape, values } = parseNpy(readBytes(path), path);
    return items(values, shape, form, path).map((item) => ({ sample: unlabelled(item), isReal: isReal(values) }));
  }
  const type = RAW_TYPES[extension];
  if (!type)
    throw new UserError(`${path}: files ending in "${extension}" are not data; ${[...READABLE].join(' ')} are`);
  const values = readRaw(path, type);
  if (values.length < form.elements) checkLength(values.length, form, path);
  return cutRecording(values, form).map((item) => ({ sample: unlabelled(item), isReal: isReal(values) }));
}

/** An array of samples along the first axis, or one sample, or a recording [frames, channels] longer than a window. */
function items(values: TypedValues, shape: readonly number[], form: SampleForm, path: string): ArrayLike<number>[] {
  if (values.length === 0) return [];
  const [first = 1, ...rest] = shape;
  const each = rest.reduce((product, extent) => product * extent, 1);
  if (values.length === form.elements) return [values];
  if (each === form.elements) return Array.from({ length: first }, (_, i) => values.subarray(i * each, (i + 1) * each));
  if (values.length > form.elements && each === form.frame) return cutRecording(values, form);
  throw new UserError(
    `${path}: has shape [${shape.join(', ')}], samples of ${form.elements} values expected; save it as [samples, ...the model's shape]`,
  );
}

/** x.npy with y.npy (class indices) and subjects.npy beside it, where they exist. */
function readPair(path: string, stem: string, names: readonly string[], form: SampleForm): Read[] {
  const inputs = readSamples(join(path, `${stem}.npy`), form);
  const column = (...candidates: string[]): TypedValues | null => {
    const name = candidates.find((candidate) => names.includes(candidate));
    if (name === undefined) return null;
    const { values } = parseNpy(readBytes(join(path, name)), join(path, name));
    if (values.length === inputs.length) return values;
    throw new UserError(
      `${join(path, name)}: has ${values.length} entries for ${inputs.length} samples; save both alike`,
    );
  };
  const labels = column('y.npy', 'labels.npy');
  const subjects = column('subjects.npy');
  return inputs.map((read, i) => ({
    ...read,
    sample: { ...read.sample, label: labels?.[i] ?? null, subject: subjects === null ? null : `${subjects[i]}` },
  }));
}

function checkLength(length: number, { elements }: SampleForm, path: string): void {
  if (length === elements) return;
  throw new UserError(
    `${path}: a sample has ${length} values, the model takes ${elements}; give data of the model's shape`,
  );
}
