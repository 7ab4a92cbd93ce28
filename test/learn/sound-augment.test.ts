/** What is made of clips for the class 'unknown': parts of words, two words run into each other, noise; and words said faster or slower. */
import { describe, expect, it } from 'vitest';
import type { Clip } from '../../learn/data/clips.ts';
import {
  atSpeed,
  backgroundOf,
  energyShareAt,
  noWord,
  noWordOf,
  partOfWord,
  splice,
} from '../../learn/deep/sound-augment.ts';
import { createRandom } from '../../learn/random.ts';

const LENGTH = 1600;
/** A word of constant loudness from sample 400 to 1200 in a background of +-1. */
const word = (loudness: number): Int16Array =>
  Int16Array.from({ length: LENGTH }, (_, i) => (i >= 400 && i < 1200 ? loudness : 1) * (i % 2 === 0 ? 1 : -1));
const energy = (samples: Int16Array): number => samples.reduce((sum, value) => sum + value ** 2, 0);

describe('sounds that are no words', () => {
  it('should find where a share of the energy lies', () => {
    expect(energyShareAt(word(1000), 0.5)).toBe(799);
    expect(energyShareAt(word(1000), 0.25)).toBe(599);
  });

  it('should keep the beginning of a word at the end, or its end at the beginning, in its own background', () => {
    const random = createRandom(1);
    const whole = word(1000);
    const parts = Array.from({ length: 40 }, () => partOfWord(whole, random));
    for (const part of parts) {
      const [first, last] = [Math.abs(part[0]!), Math.abs(part[LENGTH - 1]!)].sort((a, b) => a - b);
      expect([first, last]).toEqual([1, 1000]);
      expect(part.every((value) => value !== 0)).toBe(true);
      const kept = energy(part) / energy(whole);
      expect(kept).toBeGreaterThan(0.24);
      expect(kept).toBeLessThan(0.66);
    }
    expect(new Set(parts.map((part) => Math.abs(part[0]!)))).toEqual(new Set([1, 1000]));
  });

  it('should join the first half of one word and the second of another', () => {
    const joined = splice(word(1000), word(500));
    const loud = (value: number): number => joined.filter((one) => Math.abs(one) === value).length;
    expect([loud(1000), loud(500)].map((count) => Math.round(count / 10))).toEqual([40, 40]);
    expect(joined.findIndex((value) => Math.abs(value) === 1000)).toBe(401);
    expect(joined.every((value) => value !== 0)).toBe(true);
  });

  it('should repeat the quietest piece of a clip to and fro', () => {
    const samples = Int16Array.from({ length: 160 }, (_, i) => (i >= 30 && i < 40 ? i - 29 : 1000));
    const background = backgroundOf(samples);
    const places = Array.from({ length: 22 }, (_, i) => background(i - 1));
    expect(places).toEqual([1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 1]);
  });

  it('should change the speed about the middle', () => {
    const ramp = Int16Array.from({ length: 100 }, (_, i) => 10 * i);
    expect([...atSpeed(ramp, 1)]).toEqual([...ramp]);
    expect(atSpeed(ramp, 2).slice(48, 53)).toEqual(Int16Array.of(460, 480, 500, 520, 540));
    expect(atSpeed(ramp, 2)[0]).toBe(backgroundOf(ramp)(-50));
    expect(atSpeed(ramp, 0.5).slice(48, 53)).toEqual(Int16Array.of(490, 495, 500, 505, 510));
  });

  it('should give noise between -90 and -30 dB of full scale, white or as recorded', () => {
    const random = createRandom(2);
    const recording = Int16Array.from({ length: 5000 }, () => 20000);
    const levels = Array.from({ length: 100 }, () => noWord(LENGTH, [recording], random));
    const rms = levels.map((samples) => Math.sqrt(energy(samples) / LENGTH));
    expect(Math.max(...rms)).toBeLessThan(1.1 * 32768 * 10 ** (-30 / 20));
    expect(Math.min(...rms)).toBeLessThan(10);
    expect(levels.filter((samples) => new Set(samples).size === 1).length).toBeGreaterThan(30);
  });

  it('should join words of one speaker where there are two', () => {
    const clip = (label: string, speaker: string, loudness: number): Clip => ({
      ...{ label, word: label, speaker, split: 'train' },
      samples: word(loudness),
    });
    const clips = [clip('a', 's', 1000), clip('b', 's', 500), clip('a', 't', 300), clip('b', 't', 200)];
    for (let seed = 1; seed < 20; seed += 1) {
      const levels = new Set(noWordOf('splice', clips, null, createRandom(seed)).map(Math.abs));
      levels.delete(1);
      expect([...levels].sort((a, b) => a - b)).toEqual(levels.has(1000) ? [500, 1000] : [200, 300]);
    }
  });
});
