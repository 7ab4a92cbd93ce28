/**
 * Distribution shifts applied to a model's real input: `gain:4` (times 4), `noise:10dB` (white noise at that signal-to-noise ratio of the
 * sample), `bias:0.5` (plus half the sample's root mean square), `drop:0.1` (that share of values set to 0). `+` joins several.
 */
import { UserError } from '../../common/errors.ts';
import { createRandom, type Random } from '../random.ts';

export interface Shift {
  /** As the user wrote it. */
  readonly name: string;
  /** A new sample; the same `index` draws the same noise for every model. */
  readonly apply: (sample: Float32Array, index: number) => Float32Array;
}

export const NO_SHIFT: Shift = { name: 'none', apply: (sample) => sample };

type Change = (sample: Float32Array, random: Random) => Float32Array;

/** Comma-separated list; each entry is a test of its own. @throws UserError naming the entry that is none */
export function parseShifts(text: string): Shift[] {
  return text.split(',').map((name) => {
    const changes = name.split('+').map((part) => parseChange(part.trim()));
    const apply = (sample: Float32Array, index: number): Float32Array => {
      const random = createRandom(index + 1);
      return changes.reduce((values, change) => change(values, random), sample);
    };
    return { name: name.trim(), apply };
  });
}

const POWER_MIN = 1e-30;

function rootMeanSquare(sample: Float32Array): number {
  return Math.sqrt(Math.max(POWER_MIN, sample.reduce((sum, value) => sum + value * value, 0) / sample.length));
}

const KINDS: Readonly<Record<string, (value: number) => Change>> = {
  gain: (factor) => (sample) => sample.map((value) => value * factor),
  noise: (decibels) => (sample, random) => {
    const deviation = rootMeanSquare(sample) * 10 ** (-decibels / 20);
    return sample.map((value) => value + deviation * random.normal());
  },
  bias: (share) => (sample) => {
    const offset = share * rootMeanSquare(sample);
    return sample.map((value) => value + offset);
  },
  drop: (share) => (sample, random) => sample.map((value) => (random.uniform() < share ? 0 : value)),
};

function parseChange(text: string): Change {
  const [, kind = '', number = ''] = /^([a-z]+):([-+.\deE]+)(?:dB)?$/.exec(text) ?? [];
  const make = Object.hasOwn(KINDS, kind) ? KINDS[kind] : undefined;
  const value = Number(number);
  const known = make && number !== '' && Number.isFinite(value) && /dB$/.test(text) === (kind === 'noise');
  if (known && !(kind === 'drop' && (value < 0 || value > 1))) return make(value);
  throw new UserError(
    `--shift ${text}: not known; use gain:FACTOR, noise:SNRdB, bias:SHARE or drop:SHARE, joined by + or commas`,
  );
}
