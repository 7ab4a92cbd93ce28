/** What a system of spoken words makes of a running stream: words one after another in noise, events, and which of them are right. */
import { defined } from '../../common/errors.ts';
import type { Clip } from '../../learn/data/clips.ts';
import { int16, power } from '../../learn/deep/sound-augment.ts';
import type { Random } from '../../learn/random.ts';

export interface SpokenWord {
  /** In samples of the stream: from its beginning to that of the next word. */
  readonly start: number;
  readonly end: number;
  readonly label: string;
}

export interface WordStream {
  readonly samples: Int16Array;
  readonly words: readonly SpokenWord[];
}

export interface StreamOptions {
  readonly sampleRateHz: number;
  /** Pause before a word, seconds, drawn between. */
  readonly pauseS: readonly [number, number];
  readonly noise: Int16Array;
  /** Mean power of the clips over that of the noise, which never stops, dB. */
  readonly ratioDb: number;
}

/** The clips in their order, in noise that goes on; a word lasts until the next clip begins. */
export function streamOf(
  clips: readonly Clip[],
  { sampleRateHz, pauseS, noise, ratioDb }: StreamOptions,
  random: Random,
): WordStream {
  const starts: number[] = [];
  let length = 0;
  for (const { samples } of clips) {
    length += Math.round(random.between(...pauseS) * sampleRateHz);
    starts.push(length);
    length += samples.length;
  }
  length += Math.round(pauseS[1] * sampleRateHz);
  const meanPower = clips.reduce((sum, { samples }) => sum + power(samples), 0) / clips.length;
  const gain = Math.sqrt(meanPower / power(noise) / 10 ** (ratioDb / 10));
  const mixed = Float64Array.from({ length }, (_, i) => gain * noise[i % noise.length]!);
  for (const [i, { samples }] of clips.entries())
    for (let at = 0; at < samples.length; at += 1) mixed[starts[i]! + at]! += samples[at]!;
  return {
    samples: Int16Array.from(mixed, int16),
    words: clips.map(({ label }, i) => ({ start: starts[i]!, end: starts[i + 1] ?? length, label })),
  };
}

export interface HeardEvent {
  /** Samples pushed when it was decided. */
  readonly at: number;
  readonly label: string;
}

/** Those accepted decisions that end `count` of one label in a row, one every `hop` samples. */
export function agreeing(accepted: readonly HeardEvent[], count: number, hop: number): HeardEvent[] {
  let run = 0;
  return accepted.filter(({ at, label }, i) => {
    const before = accepted[i - 1];
    run = before !== undefined && before.label === label && at - before.at === hop ? run + 1 : 1;
    return run >= count;
  });
}

/** The accepted decisions, of which each silences those of `quiet` samples after it. */
export function eventsOf(accepted: readonly HeardEvent[], quiet: number): HeardEvent[] {
  const events: HeardEvent[] = [];
  for (const one of accepted) {
    const last = events.at(-1);
    if (last === undefined || one.at - last.at >= quiet) events.push(one);
  }
  return events;
}

export interface Heard {
  /** 1 when the word was heard as what it is. */
  readonly right: number;
  /** Events of another word than was said, or of the same once more. */
  readonly wrong: number;
}

/** What was heard of each word. Events before the first word count to it. */
export function heardOf(words: readonly SpokenWord[], events: readonly HeardEvent[]): Heard[] {
  const labels = words.map((): string[] => []);
  for (const { at, label } of events) {
    const index = words.findLastIndex(({ start }) => start < at);
    defined(labels[Math.max(0, index)], 'a word').push(label);
  }
  return labels.map((heard, i) => {
    const right = Math.min(1, heard.filter((label) => label === words[i]!.label).length);
    return { right, wrong: heard.length - right };
  });
}
