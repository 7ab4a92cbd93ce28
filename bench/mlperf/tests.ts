/** What the official MLPerf Tiny runner is pointed at: the four tests, their models, and inputs in the form that it reads. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { UserError } from '../../common/errors.ts';
import { packageRoot } from '../../common/package-root.ts';
import type { HarnessInput } from '../../firmware-gen/emit/harness-source.ts';

export const TEST_IDS = ['kws01', 'ic01', 'vww01', 'ad01'] as const;
export type TestId = (typeof TEST_IDS)[number];

export interface MlperfTest {
  /** In ../shared/models. */
  readonly model: string;
  /** What the host sends for it. */
  readonly input: HarnessInput;
  /** The runner's list of devices, in its folder. */
  readonly devices: string;
  readonly samples: () => Sample[];
}

export interface Sample {
  readonly name: string;
  readonly label: number;
  readonly bytes: Uint8Array;
}

export const MLPERF_TESTS: Readonly<Record<TestId, MlperfTest>> = {
  kws01: { model: 'kws_ref_model', input: 'raw', devices: 'devices_kws_ic_vww.yaml', samples: keywords },
  ic01: {
    model: 'pretrainedResnet_quant',
    input: 'uint8',
    devices: 'devices_kws_ic_vww.yaml',
    samples: () => images('img-cifar10', 'test-lossless.u8', 3072),
  },
  vww01: {
    model: 'vww_96_int8',
    input: 'uint8',
    devices: 'devices_kws_ic_vww.yaml',
    samples: () => images('img-vww', 'images.u8', 27648),
  },
  ad01: { model: 'ad01_int8', input: 'float32', devices: 'devices_ad.yaml', samples: spectrograms },
};

const KEYWORD_BYTES = 490;
/** Windows of five frames of 128 bins; the runner slides them by one frame. */
const WINDOW_BYTES = 2560;
const STRIDE_BYTES = 512;
/** Files that a performance run takes, one for every loop. */
const PERFORMANCE_FILES = 5;

const labels = z.array(z.int().min(0));
const keywordManifest = z.looseObject({ labelIndex: labels, original: z.array(z.string()) });
const imageManifest = z.looseObject({ files: z.array(z.looseObject({ file: z.string(), labelIndex: labels })) });

/** A file of ../shared. @throws UserError (exit 3) without it */
export function sharedPath(...parts: string[]): string {
  const path = join(packageRoot(), '..', 'shared', ...parts);
  if (!existsSync(path))
    throw new UserError(`${path} is absent; third-party models and recordings are not part of this repository`, 3);
  return path;
}

function sharedData(...parts: string[]): Buffer {
  return readFileSync(sharedPath('data', ...parts));
}

function keywords(): Sample[] {
  const manifest: unknown = JSON.parse(sharedData('mlperf-tiny-kws01', 'manifest.json').toString());
  const { labelIndex, original } = keywordManifest.parse(manifest);
  const bytes = sharedData('mlperf-tiny-kws01', 'features.i8');
  return labelIndex.map((label, i) => ({
    name: original[i]!,
    label,
    bytes: bytes.subarray(i * KEYWORD_BYTES, (i + 1) * KEYWORD_BYTES),
  }));
}

function images(folder: string, file: string, size: number): Sample[] {
  const { files } = imageManifest.parse(JSON.parse(sharedData(folder, 'manifest.json').toString()));
  const bytes = sharedData(folder, file);
  return files
    .find((entry) => entry.file === file)!
    .labelIndex.map((label, i) => ({
      name: `${String(i).padStart(6, '0')}.bin`,
      label,
      bytes: bytes.subarray(i * size, (i + 1) * size),
    }));
}

/** Five windows, far apart, of the one recording there is. */
function spectrograms(): Sample[] {
  const bytes = sharedData('mlperf-tiny-ad01-sample', 'normal_id_01_00000000_hist_librosa.f32');
  const step = Math.floor((bytes.length - WINDOW_BYTES) / PERFORMANCE_FILES / STRIDE_BYTES) * STRIDE_BYTES;
  return Array.from({ length: PERFORMANCE_FILES }, (_, i) => ({
    name: `window_${i}.bin`,
    label: 0,
    bytes: bytes.subarray(i * step, i * step + WINDOW_BYTES),
  }));
}

/** The folder that the runner takes with -s: ID/y_labels.csv and the inputs beside it. */
export function writeDataSet(folder: string, id: TestId, samples: readonly Sample[]): void {
  const own = join(folder, id);
  mkdirSync(own, { recursive: true });
  const classes = { kws01: 12, ic01: 10, vww01: 2, ad01: 2 }[id];
  const extra = id === 'ad01' ? `,${WINDOW_BYTES},${STRIDE_BYTES}` : '';
  writeFileSync(
    join(own, 'y_labels.csv'),
    samples.map(({ name, label }) => `${name},${classes},${label}${extra}\n`).join(''),
  );
  for (const { name, bytes } of samples) writeFileSync(join(own, name), bytes);
}
