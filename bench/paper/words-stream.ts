/**
 * `npm run paper:words-stream -- --system A.system.json [B.system.json ..] [--json]`: decision systems of spoken words on a running stream: clips of unseen
 * speakers, known words and words never learned, with pauses, in the noise of a machine that no training heard. Words heard right, and events that are
 * none, a minute.
 */
import { join } from 'node:path';
import { Command } from 'commander';
import { note, print, table } from '../../cli/output.ts';
import { UserError } from '../../common/errors.ts';
import { packageRoot } from '../../common/package-root.ts';
import { pushedValues, type DecisionSystem } from '../../firmware-gen/ir/system.ts';
import { loadSystem } from '../../harness/decision-system.ts';
import { twinDecisions } from '../../harness/system-run.ts';
import { loadClips, loadNoise, type Clip } from '../../learn/data/clips.ts';
import { bootstrapMean, type Interval } from '../../learn/evaluate/bootstrap.ts';
import { createRandom, shuffle } from '../../learn/random.ts';
import { runCommand } from './command.ts';
import {
  agreeing,
  eventsOf,
  heardOf,
  streamOf,
  type Heard,
  type HeardEvent,
  type SpokenWord,
  type WordStream,
} from './words-stream-events.ts';

const PAUSE_S = [0.5, 1] as const;
/** After an event no other for so long. */
const QUIET_S = 1;
/** Accepted decisions for one word in a row that make an event. */
const AGREEING = [1, 2, 3] as const;

interface Options {
  readonly json?: boolean;
  readonly system: readonly string[];
  readonly taught: string;
  readonly data: string;
  readonly noise: string;
  readonly ratio: number;
}

interface Share {
  readonly mean: number;
  readonly interval: Interval;
}

interface Result {
  readonly system: string;
  /** Decisions in a row that make an event. */
  readonly agree: number;
  readonly decisions: number;
  /** Decisions accepted, before events silence each other. */
  readonly accepted: number;
  readonly right: Share;
  /** Events a minute of the stream, by what was said: one of the words (and heard as another, or twice), or another word. */
  readonly wrongInKnown: Share;
  readonly wrongInOther: Share;
}

function accepted(system: DecisionSystem, { samples }: WordStream): { events: HeardEvent[]; decisions: number } {
  const decisions = twinDecisions(system, samples);
  const { frames, hop } = system.stream;
  const events = decisions.flatMap(({ accepted: isAccepted, label }, i): HeardEvent[] =>
    isAccepted ? [{ at: pushedValues(system) * (frames + i * hop), label: system.classes[label]! }] : [],
  );
  return { events, decisions: decisions.length };
}

interface Word extends SpokenWord, Heard {
  readonly speaker: string;
}

const share = (some: readonly Word[], value: (word: Word) => number): Share => {
  const values = some.map(value);
  const groups = some.map(({ speaker }) => speaker);
  return { mean: values.reduce((a, b) => a + b, 0) / values.length, interval: bootstrapMean(values, groups) };
};

/** Every word lasts about as long: events a word over its mean length. */
function wrongPerMinute(some: readonly Word[], rateHz: number): Share {
  const minutes = some.reduce((sum, { start, end }) => sum + (end - start) / rateHz / 60, 0) / some.length;
  const { mean, interval } = share(some, ({ wrong }) => wrong);
  return { mean: mean / minutes, interval: { low: interval.low / minutes, high: interval.high / minutes } };
}

function judge(path: string, streams: readonly { speaker: string; stream: WordStream }[], rateHz: number): Result[] {
  const { system } = loadSystem(path);
  if (system.frontEnd.kind !== 'mfcc') throw new UserError(`${path}: takes no sound; give a system of words`);
  const heard = streams.map(({ speaker, stream }) => {
    note(`${system.name}: speaker ${speaker}`);
    return { speaker, words: stream.words, ...accepted(system, stream) };
  });
  const sum = (value: (one: (typeof heard)[number]) => number): number =>
    heard.reduce((all, one) => all + value(one), 0);
  const isKnown = ({ label }: SpokenWord): boolean => system.classes.includes(label);
  const hop = system.stream.hop * pushedValues(system);
  return AGREEING.map((agree) => {
    const words = heard.flatMap(({ speaker, words: said, events }) => {
      const some = heardOf(said, eventsOf(agreeing(events, agree, hop), QUIET_S * rateHz));
      return some.map((one, i): Word => ({ ...one, ...said[i]!, speaker }));
    });
    const [known, other] = [words.filter(isKnown), words.filter((word) => !isKnown(word))];
    return {
      ...{
        system: system.name,
        agree,
        decisions: sum(({ decisions }) => decisions),
        accepted: sum(({ events }) => events.length),
      },
      right: share(known, ({ right }) => right),
      wrongInKnown: wrongPerMinute(known, rateHz),
      wrongInOther: wrongPerMinute(other, rateHz),
    };
  });
}

function run(options: Options): void {
  const set = loadClips(options.data);
  const { classes, taught = [] } = loadSystem(options.taught === '' ? options.system[0]! : options.taught).system;
  const noise = loadNoise(options.noise, 'test')[0]!;
  const unseen = set.clips.filter(
    ({ split, label, word }) => split === 'val' && (classes.includes(label) || !taught.includes(word)),
  );
  const random = createRandom(1);
  const how = { sampleRateHz: set.sampleRateHz, pauseS: PAUSE_S, noise, ratioDb: options.ratio };
  const streams = [...new Set(unseen.map(({ speaker }) => speaker))].map((speaker) => {
    // Other words count by themselves.
    const clips = unseen
      .filter((clip) => clip.speaker === speaker)
      .map((clip): Clip => ({ ...clip, label: classes.includes(clip.label) ? clip.label : clip.word }));
    shuffle(clips, random);
    return { speaker, stream: streamOf(clips, how, random) };
  });
  const seconds = streams.reduce((sum, { stream }) => sum + stream.samples.length / set.sampleRateHz, 0);
  const results = options.system.flatMap((path) => judge(path, streams, set.sampleRateHz));
  const percent = ({ mean, interval: { low, high } }: Share): string =>
    `${(100 * mean).toFixed(1)} % (${(100 * low).toFixed(1)} to ${(100 * high).toFixed(1)})`;
  const rate = ({ mean, interval: { low, high } }: Share): string =>
    `${mean.toFixed(1)} (${low.toFixed(1)} to ${high.toFixed(1)})`;
  const counts = { speakers: streams.length, words: unseen.length, seconds, ratioDb: options.ratio };
  print(options, { schemaVersion: 1, ...counts, published: null, results }, () =>
    [
      `${streams.length} unseen speakers, ${unseen.length} words in ${(seconds / 60).toFixed(1)} minutes, noise ${options.ratio} dB below; intervals over speakers`,
      '',
      table(
        [
          'system',
          'in a row',
          'decisions',
          'accepted',
          'words heard right',
          'wrong a minute of known words',
          '.. of other words',
        ],
        results.map((one) => [
          ...[one.system, one.agree, one.decisions, one.accepted, percent(one.right)],
          ...[rate(one.wrongInKnown), rate(one.wrongInOther)],
        ]),
      ),
    ].join('\n'),
  );
}

const shared = join(packageRoot(), '..', 'shared', 'data');
await runCommand(
  new Command('paper:words-stream')
    .requiredOption('--system <files...>', 'decision systems')
    .option('--taught <file>', 'the system whose learned words are left out of the stream (default: the first)', '')
    .option('--ratio <dB>', 'mean power of words over that of the noise', Number, 20)
    .option('--data <folder>', 'data set of words', join(shared, 'kws-arabic'))
    .option('--noise <folder>', 'noise', join(shared, 'noise'))
    .option('--json', 'print JSON')
    .action(run),
);
