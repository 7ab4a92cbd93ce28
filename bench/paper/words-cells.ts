/**
 * Cells of the comparison of detectors of unknown words: a way of training and a fold. A fold keeps a third of the training speakers and a third of the
 * other words apart; what is judged was said by these speakers. Speakers of the split "val" are never read here.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { note } from '../../cli/output.ts';
import { clipCepstra } from '../../firmware-gen/reference/signal/cepstra.ts';
import { nearestPrototype } from '../../firmware-gen/reference/decision/prototypes.ts';
import { windowStatistics } from '../../firmware-gen/reference/signal/window-statistics.ts';
import { loadNoise, type Clip, type ClipSet } from '../../learn/data/clips.ts';
import { audioSource } from '../../learn/deep/audio-source.ts';
import type { AudioConfig } from '../../learn/deep/config.ts';
import type { Network, Outputs } from '../../learn/deep/network.ts';
import { soundSensor } from '../../learn/deep/sensors.ts';
import { noWordOf } from '../../learn/deep/sound-augment.ts';
import { classOfClip, splitClips } from '../../learn/deep/splits.ts';
import { train } from '../../learn/deep/trainer.ts';
import { argmax, softmaxOf } from '../../learn/evaluate/metrics.ts';
import { fitMahalanobis, logRank, logSumExp, type Score } from '../../learn/ood/detectors.ts';
import { auroc, tnrAtTpr95 } from '../../learn/ood/metrics.ts';
import { fitPrototypes } from '../../learn/ood/prototypes.ts';
import { createRandom } from '../../learn/random.ts';
import { cell, cellKey, isCached } from './cache.ts';

export const FOLDS = 3;
const FOLDER = './build/paper/words';

/** Sounds that are to be rejected. */
export const UNKNOWN_SETS = ['apart', 'learned', 'parts', 'joined'] as const;
export type UnknownSet = (typeof UNKNOWN_SETS)[number];

export interface DetectorFigures {
  readonly detector: string;
  /** By set of unknown sounds: AUROC and TNR at a TPR of 95 % against the known words. */
  readonly auroc: Readonly<Record<UnknownSet, number>>;
  readonly tnr: Readonly<Record<UnknownSet, number>>;
}

export interface WordsCell {
  /** Share of known words that are right among the known classes. */
  readonly accuracy: number;
  readonly detectors: readonly DetectorFigures[];
}

interface GridOptions {
  readonly folder: string;
  readonly noise: string;
  readonly clips: ClipSet;
}

interface FoldConfig {
  readonly config: AudioConfig;
  /** Words that were not learned. */
  readonly apart: readonly string[];
}

export class WordsCells {
  readonly #options: GridOptions;
  readonly #manifest: string;

  constructor(options: GridOptions) {
    this.#options = options;
    const manifest = readFileSync(join(options.folder, 'manifest.json'));
    this.#manifest = createHash('sha256').update(manifest).digest('hex');
  }

  /** With the fold's speakers for validation and, if it learns other words at all, without the fold's words. */
  #fold(config: AudioConfig, fold: number): FoldConfig {
    const { clips } = this.#options.clips;
    const { classes } = config.data;
    const training = clips.filter(({ split }) => split === 'train');
    const speakers = [...new Set(training.map(({ speaker }) => speaker))].sort();
    // The last of every FOLDS validates.
    const subjects = [...speakers.slice(fold), ...speakers.slice(0, fold)];
    const words = [...new Set(clips.filter(({ label }) => !classes.includes(label)).map(({ word }) => word))].sort();
    const apart = words.filter((_, i) => i % FOLDS === fold);
    const unknown = words.filter((word) => !apart.includes(word));
    const data = { ...config.data, validateEvery: FOLDS, ...(config.data.unknown && { unknown }) };
    return { config: { ...config, subjects, data }, apart };
  }

  #inputs({ config }: FoldConfig): object {
    return {
      config: { ...config, data: { ...config.data, folder: '', noise: '' } },
      manifest: this.#manifest,
      version: 2,
    };
  }

  isCached(config: AudioConfig, fold: number): boolean {
    return isCached(FOLDER, this.#inputs(this.#fold(config, fold)));
  }

  /** tfjs must be started (startTfjs) unless the cell is there. */
  cell(base: AudioConfig, fold: number): WordsCell {
    const known = this.#fold(base, fold);
    const inputs = this.#inputs(known);
    return cell(FOLDER, inputs, (key) => {
      const { config, apart } = known;
      const { clips } = this.#options;
      const noise = loadNoise(this.#options.noise, 'train');
      const source = audioSource(clips, config, noise);
      const { network, best } = train(config, source, {
        checkpoint: join(FOLDER, `${cellKey(inputs)}.checkpoint.json`),
        key,
        report: ({ step, steps, point }) =>
          note(`${config.name}, fold ${fold}: ${step}/${steps}, loss ${point.loss.toFixed(3)}`),
      });
      note(`${config.name}, fold ${fold}: kept step ${best.step}`);
      const result = judged(network, source.standardisation, { config, apart, noise, clips });
      network.dispose();
      return result;
    });
  }
}

interface Fold {
  readonly config: AudioConfig;
  readonly apart: readonly string[];
  readonly noise: readonly Int16Array[];
  readonly clips: ClipSet;
}

interface Judged {
  readonly windows: readonly Int16Array[];
  readonly outputs: readonly Outputs[];
}

function judged(network: Network, scaling: Parameters<typeof soundSensor>[1], fold: Fold): WordsCell {
  const { config, clips, apart } = fold;
  const params = { ...config.frontEnd, sampleRateHz: clips.sampleRateHz };
  const [transform, sensor] = [clipCepstra(params), soundSensor(params, scaling)];
  const of = (samples: readonly Int16Array[]): Judged => {
    const windows = samples.map(transform);
    return { windows, outputs: network.outputs(windows.map((window) => sensor.floats(window)[0]!)) };
  };
  const isKnown = (clip: Clip): boolean => config.data.classes.includes(clip.label);
  const parts = splitClips(clips, config);
  const speakers = new Set(parts.validation.map(({ speaker }) => speaker));
  const [training, known] = [parts.train.filter(isKnown), parts.validation.filter(isKnown)];
  const others = clips.clips.filter((clip) => speakers.has(clip.speaker) && !isKnown(clip));
  const random = createRandom(7);
  const samplesOf = (some: readonly Clip[]): Int16Array[] => some.map(({ samples }) => samples);
  const sets: Record<UnknownSet, Judged> = {
    apart: of(samplesOf(others.filter(({ word }) => apart.includes(word)))),
    learned: of(samplesOf(others.filter(({ word }) => !apart.includes(word)))),
    parts: of(known.map(() => noWordOf('part', known, fold.noise, random))),
    joined: of(known.map(() => noWordOf('splice', known, fold.noise, random))),
  };
  const [fit, familiar] = [of(samplesOf(training)), of(samplesOf(known))];
  const classes = config.data.classes.length;
  const labels = known.map((clip) => classOfClip(clip, config));
  const right = familiar.outputs.filter(({ logits }, i) => argmax(logits[0]!.subarray(0, classes)) === labels[i]);
  const scores = detectors(fit, training, familiar, { config, classes });
  return {
    accuracy: right.length / known.length,
    detectors: scores.map(([detector, score]) => {
      const ofKnown = score(familiar);
      const bySet = (figure: (a: number[], b: number[]) => number): Record<UnknownSet, number> =>
        Object.fromEntries(UNKNOWN_SETS.map((set) => [set, figure(ofKnown, score(sets[set]))])) as Record<
          UnknownSet,
          number
        >;
      return { detector, auroc: bySet(auroc), tnr: bySet(tnrAtTpr95) };
    }),
  };
}

type SetScore = (set: Judged) => number[];

/** Floors of spread of cepstra, counts. */
const FLOOR = 16;
const PROTOTYPES = 16;

function detectors(
  fit: Judged,
  training: readonly Clip[],
  familiar: Judged,
  { config, classes }: { config: AudioConfig; classes: number },
): (readonly [string, SetScore])[] {
  const byOutputs =
    (score: Score): SetScore =>
    ({ outputs }) =>
      outputs.map(score);
  const trainLabels = training.map((clip) => classOfClip(clip, config));
  const head = fitPrototypes(
    { windows: fit.windows, labels: trainLabels, subjects: training.map(({ speaker }) => speaker), classes },
    { floors: Array.from({ length: config.frontEnd.coefficients }, () => FLOOR), perClass: PROTOTYPES, seed: 1 },
  );
  const statistics: SetScore = ({ windows }) =>
    windows.map((window) => -nearestPrototype(head, windowStatistics(window, head.floors)).distance);
  const isCosine = config.head.kind === 'deconf-c';
  const values = ({ h, logits }: Outputs): Float32Array => (isCosine ? h[0]! : logits[0]!);
  const largest = (some: ArrayLike<number>): number => Math.max(...Array.from(some).slice(0, classes));
  const network: [string, SetScore][] = [
    ['softmax', byOutputs(({ logits }) => largest(softmaxOf(logits[0]!)))],
    ['energy', byOutputs(({ logits }) => logSumExp(logits[0]!.subarray(0, classes)))],
    ['Mahalanobis', byOutputs(fitMahalanobis({ train: fit.outputs, trainLabels, classes }).score)],
  ];
  if (isCosine) network.push(['cosine', byOutputs(({ h }) => largest(h[0]!))]);
  if (config.data.unknown ?? config.data.noWords)
    network.push(['unknown class', byOutputs((one) => largest(values(one)) - values(one)[classes]!)]);
  const ranks = (score: SetScore) => logRank(score(familiar));
  const both = (a: SetScore, b: SetScore): SetScore => {
    const [first, second] = [ranks(a), ranks(b)];
    return (set) => {
      const [left, right] = [a(set), b(set)];
      return left.map((score, i) => first(score) + second(right[i]!));
    };
  };
  const [last, distance] = [network.at(-1)!, network[2]!];
  return [
    ['statistics of cepstra', statistics],
    ...network,
    ...(last === distance ? [] : [[`${last[0]} and ${distance[0]}`, both(last[1], distance[1])] as const]),
    [`${last[0]} and statistics`, both(last[1], statistics)],
  ];
}
