/** What clips of words may undergo for training, and what a stream holds between words: parts of words, words run into each other, noise, silence. */
import { assert, defined } from '../../common/errors.ts';
import type { Clip } from '../data/clips.ts';
import type { Random } from '../random.ts';
import type { NO_WORDS } from './data-schema.ts';

/** What a clip may undergo. */
export interface Disturbance {
  /** Largest shift either way, samples. */
  readonly shift: number;
  /** Range of the gain, dB. */
  readonly gainDb: readonly [number, number];
  /** Noise to mix in, and the range of the signal-to-noise ratio, dB; null: none. */
  readonly noise: { readonly recordings: readonly Int16Array[]; readonly ratioDb: readonly [number, number] } | null;
  /** Largest change of speed (and pitch with it) either way, as a share; default 0. */
  readonly speed?: number;
}

/** Mean square. */
export const power = (values: Int16Array): number =>
  values.reduce((sum, value) => sum + value * value, 0) / values.length;
/** Rounded, within int16. */
export const int16 = (value: number): number => Math.max(-32768, Math.min(32767, Math.round(value)));

/** A clip that is shifted leaves its own background behind. */
export function disturb(
  clip: Int16Array,
  { shift, gainDb, noise, speed = 0 }: Disturbance,
  random: Random,
): Int16Array {
  const background = backgroundOf(clip);
  const samples = speed === 0 ? clip : atSpeed(clip, 1 + random.between(-speed, speed), background);
  const by = Math.round(random.between(-shift, shift));
  const gain = 10 ** (random.between(...gainDb) / 20);
  const recording = noise && defined(noise.recordings[random.integer(noise.recordings.length)], 'noise');
  const from = recording ? random.integer(Math.max(1, recording.length - samples.length)) : 0;
  const factor =
    noise && recording
      ? Math.sqrt(
          power(samples) /
            Math.max(1, power(recording.subarray(from, from + samples.length))) /
            10 ** (random.between(...noise.ratioDb) / 10),
        )
      : 0;
  return Int16Array.from(samples, (_, i) => {
    const mixed = (samples[i - by] ?? background(i - by)) + factor * (recording?.[from + i] ?? 0);
    return int16(gain * mixed);
  });
}

/** As long as before, its middle in place, its own background where a faster clip ends. Linear between samples. */
export function atSpeed(samples: Int16Array, speed: number, background = backgroundOf(samples)): Int16Array {
  const middle = samples.length / 2;
  return Int16Array.from(samples, (_, i) => {
    const at = middle + (i - middle) * speed;
    const before = Math.floor(at);
    const [a, b] = [samples[before] ?? background(before), samples[before + 1] ?? background(before + 1)];
    return int16(a + (at - before) * (b - a));
  });
}

/** Sample before which the share of a clip's energy lies. */
export function energyShareAt(samples: Int16Array, share: number): number {
  const wanted = share * power(samples) * samples.length;
  let sum = 0;
  return Math.max(
    0,
    samples.findIndex((value) => (sum += value * value) >= wanted),
  );
}

/** Of a clip, as pieces of equal length: the background of a recording is its quietest piece. */
const PIECES = 16;

/**
 * A clip's own background at any place, even outside it: digital silence would tell what was put together from what was recorded. Every second
 * repetition runs backwards, which leaves no step.
 */
export function backgroundOf(samples: Int16Array): (at: number) => number {
  const length = Math.floor(samples.length / PIECES);
  const pieces = Array.from({ length: PIECES }, (_, i) => samples.subarray(i * length, (i + 1) * length));
  const powers = pieces.map(power);
  const quietest = pieces[powers.indexOf(Math.min(...powers))]!;
  return (at) => {
    const place = ((at % (2 * length)) + 2 * length) % (2 * length);
    return quietest[place < length ? place : 2 * length - 1 - place]!;
  };
}

/** Of the energy of a word that is cut off in a part of it. */
const CUT = [0.35, 0.75] as const;

/** The beginning of a word at the end of the clip, or its end at the beginning: what a window of a stream sees before or after the word. */
export function partOfWord(samples: Int16Array, random: Random): Int16Array {
  const isBeginning = random.uniform() < 0.5;
  const kept = 1 - random.between(...CUT);
  const by = isBeginning ? energyShareAt(samples, kept) - samples.length : energyShareAt(samples, 1 - kept);
  const background = backgroundOf(samples);
  return Int16Array.from(samples, (_, i) => samples[i + by] ?? background(i));
}

/** The first half (of its energy) of one word and the second of another, joined in the middle of the clip. */
export function splice(first: Int16Array, second: Int16Array): Int16Array {
  const [end, start] = [energyShareAt(first, 0.5), energyShareAt(second, 0.5)];
  const middle = first.length >> 1;
  const [before, after] = [backgroundOf(first), backgroundOf(second)];
  return Int16Array.from(first, (_, i) =>
    i < middle ? (first[i - middle + end] ?? before(i)) : (second[i - middle + start] ?? after(i)),
  );
}

/** Loudness of silence and noise, dB of full scale. */
const QUIET_DB = [-90, -30] as const;

/** Silence with a sensor's noise, or a piece of recorded noise, at any loudness. @param recordings null: none */
export function noWord(length: number, recordings: readonly Int16Array[] | null, random: Random): Int16Array {
  const level = 32768 * 10 ** (random.between(...QUIET_DB) / 20);
  if (recordings === null || random.uniform() < 0.5)
    return Int16Array.from({ length }, () => int16(level * random.normal()));
  const recording = defined(recordings[random.integer(recordings.length)], 'noise');
  const from = random.integer(Math.max(1, recording.length - length));
  const piece = recording.subarray(from, from + length);
  const factor = level / Math.sqrt(Math.max(1, power(piece)));
  return Int16Array.from({ length }, (_, i) => int16(factor * (piece[i] ?? 0)));
}

export type NoWord = (typeof NO_WORDS)[number];

/** One sound that is none of the words, made of their clips. @param clips of at least two labels */
export function noWordOf(
  kind: NoWord,
  clips: readonly Clip[],
  recordings: readonly Int16Array[] | null,
  random: Random,
): Int16Array {
  const draw = (from: readonly Clip[]): Clip => defined(from[random.integer(from.length)], 'a clip');
  const clip = draw(clips);
  if (kind === 'noise') return noWord(clip.samples.length, recordings, random);
  if (kind === 'part') return partOfWord(clip.samples, random);
  const others = clips.filter(({ label, speaker }) => label !== clip.label && speaker === clip.speaker);
  const other = others.length > 0 ? others : clips.filter(({ label }) => label !== clip.label);
  assert(other.length > 0, 'clips of another word');
  return splice(clip.samples, draw(other).samples);
}
