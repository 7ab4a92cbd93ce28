/**
 * `npm run paper:words [-- --quick] [--cached] [--ways A;B] [--json]`: how a decision system of spoken words comes to reject other words: ways of training and
 * detectors, on folds of training speakers and other words. Speakers of the split "val" are never read.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { note, print, table } from '../../cli/output.ts';
import { UserError } from '../../common/errors.ts';
import { packageRoot } from '../../common/package-root.ts';
import { loadClips } from '../../learn/data/clips.ts';
import { isAudio, parseTrainConfig, type AudioConfig } from '../../learn/deep/config.ts';
import { startTfjs } from '../../learn/tfjs/start.ts';
import { runCommand } from './command.ts';
import { FOLDS, UNKNOWN_SETS, WordsCells, type UnknownSet, type WordsCell } from './words-cells.ts';

interface Options {
  readonly quick?: boolean;
  readonly cached?: boolean;
  readonly json?: boolean;
  readonly data: string;
  readonly noise: string;
  readonly ways?: string;
}

const SPEED = { speed: 0.15 } as const;
const NO_WORDS = { noWords: ['part', 'splice', 'noise'] } as const;
const OFTEN = { unknownWeight: 4 } as const;
const LINEAR = { kind: 'linear' } as const;
const COSINE = { kind: 'deconf-c' } as const;

interface Way {
  /** Of the recipe's fields. */
  readonly data: object;
  readonly head: object;
  /** Whether the class 'unknown' learns the fold's other words. */
  readonly words: boolean;
  readonly frontEnd?: object;
}

const WAYS: Readonly<Record<string, Way>> = {
  'known words, cosine': { data: {}, words: false, head: COSINE },
  'known words': { data: {}, words: false, head: LINEAR },
  'other words, speed': { data: SPEED, words: true, head: LINEAR },
  'no words, speed': { data: { ...SPEED, ...NO_WORDS }, words: false, head: LINEAR },
  'other and no words, speed': { data: { ...SPEED, ...NO_WORDS }, words: true, head: LINEAR },
  'other and no words, speed, weight 4': { data: { ...SPEED, ...NO_WORDS, ...OFTEN }, words: true, head: LINEAR },
  'other and no words, speed, weight 4, cosine': {
    ...{ data: { ...SPEED, ...NO_WORDS, ...OFTEN }, words: true, head: COSINE },
  },
  'twenty coefficients, weight 4, cosine': {
    ...{ data: { ...SPEED, ...NO_WORDS, ...OFTEN }, words: true, head: COSINE },
    frontEnd: { kind: 'mfcc', frameSamples: 480, hopSamples: 320, mels: 40, coefficients: 20 },
  },
};

/** The recipe's encoder and schedule. @throws UserError for a way that is not offered */
function configOf(name: string, { quick, data }: Options): AudioConfig {
  const way = WAYS[name];
  if (!way) throw new UserError(`--ways: "${name}" is none of ${Object.keys(WAYS).join('; ')}`);
  const recipe = JSON.parse(readFileSync(join(packageRoot(), 'models', 'recipes', 'kws.json'), 'utf8')) as {
    data: { classes: string[] };
    schedule: object;
  };
  const { classes } = recipe.data;
  const config = parseTrainConfig(
    {
      ...recipe,
      name: name.replaceAll(/\W+/g, '_'),
      // The words themselves are put in by fold.
      data: {
        kind: 'audio',
        folder: data,
        classes,
        noise: '',
        variants: 8,
        ...way.data,
        ...(way.words && { unknown: [] }),
      },
      head: way.head,
      ...(way.frontEnd && { frontEnd: way.frontEnd }),
      schedule: { ...recipe.schedule, ...(quick && { steps: 100 }) },
    },
    name,
  );
  if (!isAudio(config)) throw new Error('internal: models/recipes/kws.json is not for sound');
  return config;
}

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

function rowsOf(way: string, cells: readonly WordsCell[]): string[][] {
  return cells[0]!.detectors.map(({ detector }, d) => {
    const of = (set: UnknownSet, figure: 'auroc' | 'tnr'): number[] =>
      cells.map((one) => one.detectors[d]![figure][set]);
    const folds = of('apart', 'auroc').map((value) => value.toFixed(2));
    return [
      ...[way, mean(cells.map(({ accuracy }) => accuracy)).toFixed(3), detector],
      ...[mean(of('apart', 'auroc')).toFixed(3), folds.join(' '), mean(of('apart', 'tnr')).toFixed(3)],
      ...UNKNOWN_SETS.slice(1).map((set) => mean(of(set, 'auroc')).toFixed(3)),
    ];
  });
}

async function run(options: Options): Promise<void> {
  const { quick = false, cached = false } = options;
  if (!cached) await startTfjs();
  const grid = new WordsCells({ folder: options.data, noise: options.noise, clips: loadClips(options.data) });
  const results: { way: string; cells: WordsCell[] }[] = [];
  for (const way of options.ways?.split(';') ?? Object.keys(WAYS)) {
    const config = configOf(way, options);
    const folds = Array.from({ length: quick ? 1 : FOLDS }, (_, fold) => fold);
    const cells = folds.filter((fold) => !cached || grid.isCached(config, fold)).map((fold) => grid.cell(config, fold));
    if (cells.length > 0) results.push({ way, cells });
    note(`${way}: ${cells.length} of ${folds.length} folds`);
  }
  const incomplete = results.filter(({ cells }) => cells.length < FOLDS).map(({ way }) => way);
  const header = ['training', 'right', 'detector', 'other words', 'by fold', 'TNR@TPR95', 'learned', 'parts', 'joined'];
  const document = { schemaVersion: 1, quick, complete: incomplete.length === 0, published: null, results };
  print(options, document, () =>
    [
      ...(quick ? ['QUICK RUN (one fold, 100 steps): not the figures of the full run.'] : []),
      ...(incomplete.length > 0 ? [`INCOMPLETE, not all folds: ${incomplete.join('; ')}`] : []),
      'AUROC of known words against other words that were never learned, words learned as unknown, parts of known words, two known words joined; means over folds',
      '',
      table(
        header,
        results.flatMap(({ way, cells }) => rowsOf(way, cells)),
      ),
    ].join('\n'),
  );
}

await runCommand(
  new Command('paper:words')
    .option('--quick', 'one fold, 100 steps; labelled as such')
    .option('--cached', 'only what has been computed before; labelled where folds are missing')
    .option('--ways <names>', 'these ways of training, separated by semicolons')
    .option('--data <folder>', 'data set of words', join(packageRoot(), '..', 'shared', 'data', 'kws-arabic'))
    .option('--noise <folder>', 'noise to mix in', join(packageRoot(), '..', 'shared', 'data', 'noise'))
    .option('--json', 'print JSON')
    .action(run),
);
