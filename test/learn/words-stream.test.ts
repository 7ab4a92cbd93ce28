/** Streams of words and what counts as heard: paper:words-stream. */
import { describe, expect, it } from 'vitest';
import { agreeing, eventsOf, heardOf, streamOf } from '../../bench/paper/words-stream-events.ts';
import type { Clip } from '../../learn/data/clips.ts';
import { createRandom } from '../../learn/random.ts';

const clip = (label: string, value: number): Clip => ({
  ...{ label, word: label, speaker: 's', split: 'val' },
  samples: new Int16Array(100).fill(value),
});

describe('a stream of words', () => {
  it('should hold every clip where it says, in noise of the power asked for', () => {
    const noise = Int16Array.of(7, -7, 7);
    const how = { sampleRateHz: 100, pauseS: [0.5, 1], noise, ratioDb: 20 } as const;
    const { samples, words } = streamOf([clip('a', 1000), clip('b', 1000)], how, createRandom(1));
    expect(words.map(({ label }) => label)).toEqual(['a', 'b']);
    expect(words[0]!.end).toBe(words[1]!.start);
    expect(words[1]!.end).toBe(samples.length);
    for (const { start } of words) {
      // 20 dB below 1000.
      expect(Math.abs(samples[start - 1]!)).toBe(100);
      for (let i = 0; i < 100; i += 1) expect(Math.abs(samples[start + i]! - 1000)).toBe(100);
    }
    const pauses = [words[0]!.start, words[1]!.start - words[0]!.start - 100];
    for (const pause of pauses) expect(pause >= 50 && pause <= 100).toBe(true);
  });

  it('should silence events that follow one', () => {
    const heard = [0, 20, 90, 100, 130, 250].map((at) => ({ at, label: 'a' }));
    expect(eventsOf(heard, 100).map(({ at }) => at)).toEqual([0, 100, 250]);
  });

  it('should let decisions agree that follow each other', () => {
    const heard = ['a', 'a', 'b', 'b', 'b', 'a'].map((label, i) => ({ at: 10 * i + (i > 3 ? 10 : 0), label }));
    expect(agreeing(heard, 1, 10)).toEqual(heard);
    expect(agreeing(heard, 2, 10).map(({ at }) => at)).toEqual([10, 30]);
    expect(agreeing(heard, 3, 10)).toEqual([]);
  });

  it('should count a word once, other events as wrong', () => {
    const words = ['a', 'x', 'b', 'a'].map((label, i) => ({ label, start: 100 * i + 50, end: 100 * i + 150 }));
    const events = [
      [10, 'b'],
      [120, 'a'],
      [145, 'a'],
      [150, 'a'],
      [200, 'b'],
      [300, 'b'],
      [400, 'b'],
    ] as const;
    expect(
      heardOf(
        words,
        events.map(([at, label]) => ({ at, label })),
      ),
    ).toEqual([
      { right: 1, wrong: 3 },
      { right: 0, wrong: 1 },
      { right: 1, wrong: 0 },
      { right: 0, wrong: 1 },
    ]);
  });
});
