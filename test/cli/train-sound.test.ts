/** `thumbelina train` on sound, from clips to firmware that hears: a toy data set of tones, trained in seconds. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { pushedValues } from '../../firmware-gen/ir/system.ts';
import { SystemReference, type Decision } from '../../firmware-gen/reference/system.ts';
import { loadSystem } from '../../harness/decision-system.ts';
import { createRandom } from '../../learn/random.ts';
import { thumbelina } from './support/cli.ts';

const folder = mkdtempSync(join(tmpdir(), 'thumbelina-train-sound-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const SAMPLE_RATE_HZ = 8000;
const SAMPLES = 2000;
const SPEAKERS = 12;
const LABELS = ['low', 'high', 'hiss'];
const random = createRandom(2);

/** A tone of 300 or 1500 Hz, or noise, in a little noise. */
function sound(label: string): number[] {
  const [start, hz, loud] = [random.uniform(), label === 'low' ? 300 : 1500, label === 'hiss' ? 0 : 3000];
  return Array.from({ length: SAMPLES }, (_, i) =>
    Math.round(
      loud * Math.sin(2 * Math.PI * (start + (hz * i) / SAMPLE_RATE_HZ)) + (loud > 0 ? 200 : 2000) * random.normal(),
    ),
  );
}

const clips = Array.from({ length: LABELS.length * SPEAKERS }, (_, index) => {
  const speaker = Math.floor(index / LABELS.length);
  const split = speaker < SPEAKERS - 3 ? 'train' : 'val';
  return { label: LABELS[index % LABELS.length]!, speaker: `s${speaker}`, split, file: 'all.i16', index };
});
const values = Int16Array.from(clips.flatMap(({ label }) => sound(label)));
writeFileSync(
  join(folder, 'manifest.json'),
  JSON.stringify({ sampleRateHz: SAMPLE_RATE_HZ, clipSamples: SAMPLES, clips }),
);
writeFileSync(join(folder, 'all.i16'), new Uint8Array(values.buffer));

const config = {
  schemaVersion: 1,
  name: 'tones',
  data: { kind: 'audio', folder, classes: ['low', 'high'], variants: 2, validateEvery: 3 },
  frontEnd: { kind: 'mfcc', frameSamples: 256, hopSamples: 128, mels: 16, coefficients: 6 },
  encoder: { kernel: [3, 1], stem: { filters: 6, stride: [2, 1] }, blocks: [], latent: 6 },
  head: { kind: 'linear' },
  schedule: { steps: 30, batch: 16, validateSteps: 10 },
};
const path = join(folder, 'tones.json');
writeFileSync(path, JSON.stringify(config));

interface Trained {
  readonly test: Record<'windows' | 'accuracy' | 'unknownWindows' | 'unknownAccepted', number>;
}

describe('thumbelina train with a configuration for sound', () => {
  it('should write a system that decides on the emulated board as its twin', async () => {
    const trained = await thumbelina(['train', path, '-o', folder, '--json']);
    expect(trained.stderr).not.toMatch(/internal/);
    expect(trained.code).toBe(0);
    const { test } = JSON.parse(trained.stdout) as Trained;
    // Three unseen speakers, one clip a label each; hiss was never heard.
    expect(test).toMatchObject({ windows: 6, accuracy: 1, unknownWindows: 3 });

    const file = join(folder, 'tones.system.json');
    const { system } = loadSystem(file);
    const push = pushedValues(system);
    expect(push).toBe(128);
    const unseen = values.subarray((SPEAKERS - 3) * LABELS.length * SAMPLES);
    const heard = unseen.subarray(0, unseen.length - (unseen.length % push));
    const input = join(folder, 'heard.i16');
    writeFileSync(input, new Uint8Array(heard.slice().buffer));
    const ran = await thumbelina(['system', file, '--board', 'mps2-an386', '-o', folder, '--input', input, '--json']);
    expect(ran.code).toBe(0);
    const { decisions } = JSON.parse(ran.stdout) as {
      decisions: (Omit<Decision, 'label' | 'smoothed'> & {
        label: string;
        smoothed: string;
        cycles: number;
        analyseCycles: number;
      })[];
    };

    const twin = new SystemReference(system);
    const expected: Decision[] = [];
    for (let at = 0; at < heard.length; at += push) {
      const decision = twin.push(heard.subarray(at, at + push));
      if (decision) expected.push(decision);
    }
    expect(expected.length).toBeGreaterThan(15);
    expect(new Set(expected.map(({ label }) => label)).size).toBe(2);
    expect(decisions.map(({ accepted, label, smoothed, belief }) => ({ accepted, label, smoothed, belief }))).toEqual(
      expected.map((one) => ({ ...one, label: system.classes[one.label], smoothed: system.classes[one.smoothed] })),
    );
    for (const { cycles, analyseCycles } of decisions) expect(Math.min(cycles, analyseCycles)).toBeGreaterThan(10_000);
  });

  it('should have its threshold set and judged on clips', async () => {
    const file = join(folder, 'tones.system.json');
    const fitted = await thumbelina(['ood', 'fit', file, '--data', folder, '--accept', '100', '--json']);
    expect(fitted).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(fitted.stdout)).toMatchObject({ windows: 6 });
    const judged = await thumbelina(['ood', 'evaluate', file, '--data', folder, '--json']);
    expect(judged.code).toBe(0);
    expect(JSON.parse(judged.stdout)).toMatchObject({
      ...{ accuracy: 1, known: 6, unknown: 3, all: { knownAccepted: 1 } },
      byClass: [{ unknown: 'hiss', windows: 3 }],
    });
    const refused = await thumbelina(['ood', 'fit', file, '--data', folder, '--detector', 'statistics']);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toMatch(/is for motion/);
  });

  it('should refuse a front end for other data, and input that is not whole pushes', async () => {
    const mixed = join(folder, 'mixed.json');
    writeFileSync(mixed, JSON.stringify({ ...config, frontEnd: { kind: 'raw' } }));
    const { code, stderr } = await thumbelina(['train', mixed, '-o', folder]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/front end "raw" does not take data of kind "audio"/);
    const short = join(folder, 'short.i16');
    writeFileSync(short, new Uint8Array(100));
    const refused = await thumbelina(['system', join(folder, 'tones.system.json'), '--input', short]);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toMatch(/takes 128 int16 values at a time/);
    expect(readFileSync(join(folder, 'tones.system.json'), 'utf8')).not.toContain(folder);
  });
});
