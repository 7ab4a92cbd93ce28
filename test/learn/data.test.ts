/** Every form of data set that quantize and evaluate read, and one failing case for every rule. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parseCsv } from '../../learn/data/csv.ts';
import { loadSamples } from '../../learn/data/load.ts';
import { parseNpy } from '../../learn/data/npy.ts';
import { classOf, drawSamples, selectSplit, type SampleForm } from '../../learn/data/sample-set.ts';
import { npyBytes } from './support/npy-file.ts';

const root = mkdtempSync(join(tmpdir(), 'thumbelina-data-'));
afterAll(() => rmSync(root, { recursive: true }));

let folders = 0;
/** A folder with these files. */
function folder(files: Readonly<Record<string, string | Uint8Array>>): string {
  const path = join(root, `${(folders += 1)}`);
  mkdirSync(path);
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), content);
  }
  return path;
}

const int16 = (...values: number[]): Uint8Array => new Uint8Array(Int16Array.from(values).buffer);
const whole = (elements: number): SampleForm => ({ elements, hop: elements, frame: null });
const plain = (samples: readonly { values: ArrayLike<number> }[]): number[][] =>
  samples.map(({ values }) => Array.from(values));

describe('manifests', () => {
  it('should cut windows from recordings and their segments', () => {
    const manifest = {
      dtype: 'int16le',
      channels: ['x', 'y'],
      recordings: [
        { subject: 7, label: 'walk', split: 'train', file: 'a.i16', offsetFrames: 1, frames: 4 },
        {
          subject: 8,
          split: 'val',
          file: 'a.i16',
          offsetFrames: 0,
          frames: 5,
          segments: [{ label: 'sit', start: 2, end: 5 }],
        },
      ],
    };
    const path = folder({ 'manifest.json': JSON.stringify(manifest), 'a.i16': int16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9) });
    const { samples, isReal } = loadSamples(path, { elements: 4, hop: 2, frame: 2 });
    expect(isReal).toBe(false);
    expect(plain(samples)).toEqual([
      [2, 3, 4, 5],
      [4, 5, 6, 7],
      [6, 7, 8, 9],
      [4, 5, 6, 7],
      [6, 7, 8, 9],
    ]);
    expect(samples.map(({ label, subject, split }) => [label, subject, split]).slice(2, 4)).toEqual([
      ['walk', '7', 'train'],
      ['sit', '8', 'val'],
    ]);
  });

  it('should read items with labels, one file of several, and a file that is not named', () => {
    const files = [
      { file: 'a.u8', count: 2, split: 'train', labelIndex: [1, 0] },
      { file: 'b.u8', count: 1, split: 'test', label: 'dog' },
    ];
    const manifest = { dtype: 'uint8', shape: [1, 2], labels: ['cat', 'dog'], files };
    const path = folder({
      'manifest.json': JSON.stringify(manifest),
      'a.u8': Uint8Array.of(1, 2, 3, 4),
      'b.u8': Uint8Array.of(5, 255),
    });
    const { samples } = loadSamples(path, whole(2));
    expect(plain(samples)).toEqual([[1, 2], [3, 4], [5, 255]]); // prettier-ignore
    expect(samples.map(({ label }) => label)).toEqual(['dog', 'cat', 'dog']);
    expect(plain(loadSamples(join(path, 'b.u8'), whole(2)).samples)).toEqual([[5, 255]]);
    const single = { dtype: 'int8', shape: [2], labels: ['a', 'b'], labelIndex: [1, 0] };
    const other = folder({ 'manifest.json': JSON.stringify(single), 'features.i8': Uint8Array.of(255, 2, 3, 4) });
    expect(plain(loadSamples(other, whole(2)).samples)).toEqual([[-1, 2], [3, 4]]); // prettier-ignore
  });

  it('should read clips with their speakers', () => {
    const clips = [{ label: 'yes', speaker: 's1', split: 'val', file: 'yes.i16', index: 1 }];
    const path = folder({
      'manifest.json': JSON.stringify({ dtype: 'int16le', clipSamples: 2, clips }),
      'yes.i16': int16(1, 2, 3, 4),
    });
    expect(loadSamples(path, whole(2)).samples).toEqual([
      { values: Int16Array.of(3, 4), label: 'yes', subject: 's1', split: 'val' },
    ]);
  });

  it.each<[string, object, RegExp]>([
    [
      'another sample size',
      { dtype: 'uint8', shape: [3], labelIndex: [0] },
      /samples have 3 values, the model takes 2/,
    ],
    ['an unknown type', { dtype: 'complex', labelIndex: [0] }, /dtype "complex" is not known/],
    ['no content', { dtype: 'uint8' }, /has none of recordings, clips, files, labelIndex/],
    ['a field of another type', { dtype: 'uint8', labels: 3 }, /manifest\.json: labels .*; repair the manifest/],
    ['a path that leaves the folder', { dtype: 'uint8', files: [{ file: '../x' }] }, /files\.0\.file .*repair/],
    [
      'items behind the end',
      { dtype: 'uint8', shape: [2], files: [{ file: 'a.u8', count: 3 }] },
      /item 2 of 2 values lies behind/,
    ],
    [
      'a missing file',
      { dtype: 'uint8', shape: [2], files: [{ file: 'b.u8', count: 3 }] },
      /b\.u8: no such file; check the path/,
    ],
    ['labels for another file', { dtype: 'uint8', shape: [2], labelIndex: [0, 1, 2] }, /no file holds the 3 items/],
    [
      'a recording behind the end',
      { dtype: 'uint8', recordings: [{ file: 'a.u8', offsetFrames: 0, frames: 5 }] },
      /a recording ends behind the file's end/,
    ],
  ])('should refuse %s', (_, manifest, message) => {
    const path = folder({ 'manifest.json': JSON.stringify(manifest), 'a.u8': Uint8Array.of(1, 2, 3, 4) });
    expect(() => loadSamples(path, whole(2))).toThrow(message);
  });

  it('should refuse a manifest that is no JSON', () => {
    expect(() => loadSamples(folder({ 'manifest.json': '{' }), whole(2))).toThrow(/repair the manifest/);
  });
});

describe('.npy files', () => {
  it('should give samples along the first axis, with labels and subjects beside them', () => {
    const path = folder({
      'x.npy': npyBytes('<f4', [2, 1, 2], new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer)),
      'y.npy': npyBytes('<i8', [2], new Uint8Array(BigInt64Array.of(1n, 0n).buffer)),
      'subjects.npy': npyBytes('<i4', [2], new Uint8Array(Int32Array.of(12, 13).buffer)),
    });
    const { samples, isReal } = loadSamples(path, whole(2));
    expect(isReal).toBe(true);
    expect(samples.map(({ values, ...rest }) => [[...Array.from(values)], rest.label, rest.subject])).toEqual([
      [[1, 2], 1, '12'],
      [[3, 4], 0, '13'],
    ]);
  });

  it('should take class names from folders and raw counts as such', () => {
    const item = npyBytes('<i2', [2], int16(5, -6));
    const { samples, isReal } = loadSamples(folder({ 'cat/1.npy': item, 'dog/1.npy': item }), whole(2));
    expect(samples.map(({ label }) => label)).toEqual(['cat', 'dog']);
    expect(isReal).toBe(false);
  });

  it('should cut a recording only when its frames are the pipeline’s', () => {
    const file = npyBytes('|i1', [3, 2], Uint8Array.of(1, 2, 3, 4, 5, 6));
    const path = join(folder({ 'a.npy': file }), 'a.npy');
    expect(plain(loadSamples(path, { elements: 4, hop: 2, frame: 2 }).samples)).toEqual([[1, 2, 3, 4], [3, 4, 5, 6]]); // prettier-ignore
    expect(() => loadSamples(path, whole(4))).toThrow(/has shape \[3, 2\], samples of 4 values expected/);
  });

  it.each<[string, Uint8Array, RegExp]>([
    ['another file', new TextEncoder().encode('hello world, this is text'), /is no \.npy file/],
    ['Fortran order', npyBytes('<f4', [2], new Uint8Array(8), true), /is in Fortran order/],
    ['complex numbers', npyBytes('<c8', [1], new Uint8Array(8)), /values of type <c8 are not supported/],
    ['a cut file', npyBytes('<f4', [2], new Uint8Array(7)), /7 bytes are not whole f32 values/],
    ['too few values', npyBytes('<f4', [3], new Uint8Array(8)), /holds 2 values, its shape \(3,?\) says 3/],
    ['a damaged header', npyBytes('<f4', [2], new Uint8Array(0)).subarray(0, 30), /has a damaged header/],
  ])('should refuse %s', (_, bytes, message) => {
    expect(() => parseNpy(bytes, 'x.npy')).toThrow(message);
  });
});

describe('CSV', () => {
  it('should read rows with named label and subject, or numbers alone', () => {
    expect(parseCsv('a,Label,b,subject\n1,up,2.5,s1\n3,down,-4,s2\n', 'x.csv')).toEqual([
      { values: Float32Array.of(1, 2.5), label: 'up', subject: 's1' },
      { values: Float32Array.of(3, -4), label: 'down', subject: 's2' },
    ]);
    expect(parseCsv('1,2\r\n\r\n3,4', 'x.csv').map(({ values }) => [...values])).toEqual([[1, 2], [3, 4]]); // prettier-ignore
    expect(parseCsv('label,a\n2,7', 'x.csv')[0]!.label).toBe(2);
    expect(parseCsv('', 'x.csv')).toEqual([]);
  });

  it.each([
    ['1,2\n3', /x\.csv:2: has 1 cells, 2 expected/],
    ['1,2\n3,four', /x\.csv:2: "four" is no number/],
    ['a,b\n3,', /x\.csv:2: "" is no number/],
  ])('should refuse %j', (text, message) => {
    expect(() => parseCsv(text, 'x.csv')).toThrow(message);
  });

  it('should keep a NaN, which calibration then refuses', () => {
    expect(parseCsv('1,nan', 'x.csv')[0]!.values[1]).toBeNaN();
  });
});

describe('loadSamples', () => {
  it.each<[string, () => string, RegExp]>([
    ['nothing', () => join(root, 'nowhere'), /no such file or folder/],
    ['an empty folder', () => folder({}), /holds no samples; give a manifest\.json, \.npy, \.csv or raw/],
    ['an empty CSV', () => folder({ 'a.csv': '' }), /holds no samples/],
    ['another kind of file', () => join(folder({ 'a.txt': 'x' }), 'a.txt'), /files ending in "\.txt" are not data/],
    ['rows of another length', () => folder({ 'a.csv': '1,2,3' }), /a sample has 3 values, the model takes 2/],
    [
      'a raw file that is too short',
      () => folder({ 'a.u8': Uint8Array.of(1) }),
      /a sample has 1 values, the model takes 2/,
    ],
    [
      'labels for other samples',
      () =>
        folder({
          'x.npy': npyBytes('|i1', [2, 2], Uint8Array.of(1, 2, 3, 4)),
          'y.npy': npyBytes('|i1', [3], Uint8Array.of(0, 1, 2)),
        }),
      /y\.npy: has 3 entries for 2 samples/,
    ],
  ])('should refuse %s', (_, path, message) => {
    expect(() => loadSamples(path(), whole(2))).toThrow(message);
  });
});

describe('choosing samples', () => {
  const sample = (split: string | null, label: string | number | null = null) => ({
    values: [1],
    label,
    subject: null,
    split,
  });
  const set = { source: 'data', isReal: true, samples: [sample('train'), sample('val'), sample('test')] };

  it('should take training data for calibration and the rest for evaluation, or the split that is named', () => {
    expect(selectSplit(set, null, true).map(({ split }) => split)).toEqual(['train']);
    expect(selectSplit(set, null, false).map(({ split }) => split)).toEqual(['val', 'test']);
    expect(selectSplit(set, 'val', false).map(({ split }) => split)).toEqual(['val']);
    expect(selectSplit({ ...set, samples: [sample('train')] }, null, false)).toHaveLength(1);
    expect(() => selectSplit(set, 'dev', false)).toThrow(
      /no sample is of split "dev"; its splits are train, val, test/,
    );
  });

  it('should draw the same samples for the same seed, none twice', () => {
    const many = Array.from({ length: 50 }, (_, i) => sample(null, i));
    const drawn = drawSamples(many, 10, 3);
    expect(new Set(drawn).size).toBe(10);
    expect(drawSamples(many, 10, 3)).toEqual(drawn);
    expect(drawSamples(many, 10, 4)).not.toEqual(drawn);
    expect(drawSamples(many, 99, 1)).toEqual(many);
  });

  it('should know classes by name, whatever the case, and by index', () => {
    expect(classOf(sample(null, 'Up'), ['down', 'up'], 'd')).toBe(1);
    expect(classOf(sample(null, 'left'), ['down', 'up'], 'd')).toBeNull();
    expect(classOf(sample(null, 1), ['down', 'up'], 'd')).toBe(1);
    expect(() => classOf(sample(null, 2), ['down', 'up'], 'd')).toThrow(/label 2 is none of the 2 classes/);
  });
});
