/** Training on sound: reading clips, disturbing them, cepstra by the device's front end, and a toy problem that is learned. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clipCepstra } from '../../firmware-gen/reference/signal/cepstra.ts';
import { loadClips, loadNoise } from '../../learn/data/clips.ts';
import { audioSource } from '../../learn/deep/audio-source.ts';
import { isAudio, parseTrainConfig } from '../../learn/deep/config.ts';
import { backgroundOf, disturb } from '../../learn/deep/sound-augment.ts';
import { train } from '../../learn/deep/trainer.ts';
import { createRandom } from '../../learn/random.ts';
import { startTfjs } from '../../learn/tfjs/start.ts';
import { SAMPLES, toneConfig, writeToneClips } from './support/tone-clips.ts';

const folder = mkdtempSync(join(tmpdir(), 'thumbelina-audio-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeAll(startTfjs);

const { content, clips, values } = writeToneClips(folder, ['low', 'high']);
const config = parseTrainConfig(toneConfig(folder), 'tones');
if (!isAudio(config)) throw new Error('no audio configuration');

describe('sound for training', () => {
  it('should learn tones of speakers that it did not hear', () => {
    const source = audioSource(loadClips(folder), config, null);
    // 14 frames of 6 coefficients; 9 training speakers, of which every third validates.
    expect(source.input).toEqual([14, 1, 6]);
    expect(new Set(source.validation.subjects)).toEqual(new Set(['s2', 's5', 's8']));
    const trained = train(config, source, { checkpoint: null, key: '', report: () => undefined });
    const test = source.test(null);
    expect(new Set(test.subjects)).toEqual(new Set(['s9', 's10', 's11']));
    const right = trained.network
      .outputs(test.windows)
      .filter(({ logits }, i) => (logits[0]![0]! > logits[0]![1]! ? 0 : 1) === test.labels[i]);
    expect(right.length).toBe(6);
    trained.network.dispose();
  });

  it('should give equal cepstra for equal frames, and add a constant to the first for a gain', () => {
    const transform = clipCepstra({ ...config.frontEnd, sampleRateHz: 8000 });
    const quiet = values.subarray(0, SAMPLES);
    const [soft, loud] = [transform(quiet), transform(quiet.map((value) => 4 * value))];
    // Four times the amplitude: 4 bits of energy in each of 16 bands, sqrt(16) times that in the first coefficient.
    expect(Math.abs(loud[0]! - soft[0]! - 16 * 32)).toBeLessThan(16);
    expect(Math.abs(loud[1]! - soft[1]!)).toBeLessThan(16);
  });

  it('should shift, amplify and mix as asked', () => {
    const drawn = createRandom(3);
    const flat = new Int16Array(1000).fill(100);
    const plain = disturb(flat, { shift: 0, gainDb: [6, 6], noise: null }, drawn);
    expect(plain[0]).toBe(200);
    const recording = Int16Array.from({ length: 5000 }, (_, i) => (i % 2 === 0 ? 30 : -30));
    const noisy = disturb(
      flat,
      { shift: 0, gainDb: [0, 0], noise: { recordings: [recording], ratioDb: [20, 20] } },
      drawn,
    );
    // 20 dB below 100.
    for (const value of noisy) expect(Math.abs(value - 100)).toBe(10);
    const late = disturb(values.subarray(0, 100), { shift: 20, gainDb: [0, 0], noise: null }, createRandom(5));
    const source = [...values.subarray(0, 100)];
    // Not digital silence.
    const background = backgroundOf(values.subarray(0, 100));
    const shifts = Array.from({ length: 41 }, (_, i) => i - 20).filter((by) =>
      late.every((value, i) => value === (source[i - by] ?? background(i - by))),
    );
    expect(shifts).toHaveLength(1);
    expect(shifts[0]).not.toBe(0);
  });

  it('should name what is missing', () => {
    expect(() => loadClips('/nonexistent')).toThrow('/nonexistent/manifest.json: no such file');
    expect(() => loadNoise(folder, 'test')).toThrow(/files/);
    const other = mkdtempSync(join(folder, 'short-'));
    writeFileSync(join(other, 'manifest.json'), JSON.stringify({ ...content, clips: [{ ...clips[0], index: 1 }] }));
    writeFileSync(join(other, 'all.i16'), new Uint8Array(2 * SAMPLES));
    expect(() => loadClips(other)).toThrow(/clip 1 reaches outside all\.i16/);
    const wrong = { ...config, data: { ...config.data, classes: ['low', 'middle'] } };
    expect(() => audioSource(loadClips(folder), wrong, null)).toThrow(/no clips of middle/);
  });
});
