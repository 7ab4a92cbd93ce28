/**
 * `npm run paper:ood [-- --quick] [--json]`: detectors of unknown activities on har-wisdm-watch, raw windows against the 2D transformation. All cells
 * have the same steps, batches and augmentation, and encoders of about the same number of parameters. Cells are cached; a run resumes.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { note, print, reportError, table } from '../../cli/output.ts';
import { packageRoot } from '../../common/package-root.ts';
import { HEADS, parseTrainConfig, type EncoderSpec, type FrontEnd, type HeadKind } from '../../learn/deep/config.ts';
import { isMotion, type MotionConfig } from '../../learn/deep/train-motion.ts';
import { motionSource } from '../../learn/deep/motion-source.ts';
import { train } from '../../learn/deep/trainer.ts';
import { loadDataset } from '../../learn/har/dataset.ts';
import { chooseDetector, evaluateDetectors, type DetectorResult } from '../../learn/ood/evaluate.ts';
import { motionOodData } from '../../learn/ood/motion-data.ts';
import { startTfjs } from '../../learn/tfjs/start.ts';
import { cell } from './cache.ts';

const FOLDER = './build/paper/ood';
const KNOWN = ['walking', 'jogging', 'stairs', 'standing'];

/** The talk's figures (A. Pandey, tinyML Talk 2022-01-18), on data of its own: baseline and with 2D transformation and generalised ODIN. */
const TALK = { baseline: { auroc: 0.87, tnr: 0.88 }, best: { auroc: 0.96, tnr: 0.99 } };

const ENCODERS: Readonly<Record<'raw' | 'image', EncoderSpec>> = {
  raw: {
    kernel: [5, 1],
    stem: { filters: 24, stride: [2, 1] },
    blocks: [32, 48, 64].map((filters, i) => ({ filters, stride: [i === 1 ? 1 : 2, 1], shortcut: false })),
    latent: 32,
  },
  image: {
    kernel: [3, 3],
    stem: { filters: 12, stride: [2, 2] },
    blocks: [32, 52, 72].map((filters) => ({ filters, stride: [2, 2], shortcut: false })),
    latent: 32,
  },
};

interface Setting {
  readonly frontEnd: FrontEnd;
  readonly head: HeadKind;
  readonly seed: number;
}

interface Cell {
  readonly label: string;
  readonly head: HeadKind;
  readonly parameters: number;
  readonly validationAccuracy: number;
  readonly detectors: readonly DetectorResult[];
}

interface Options {
  readonly quick?: boolean;
  readonly data: string;
  readonly json?: boolean;
}

/** What --quick saves on is in the configuration, so quick cells have keys of their own. */
function configOf({ frontEnd, head, seed }: Setting, { quick, data }: Options): MotionConfig {
  const encoder = frontEnd.kind === 'image' ? ENCODERS.image : ENCODERS.raw;
  const schedule = quick
    ? { seed, steps: 150, batch: 48, validateSteps: 50 }
    : { seed, steps: 1000, batch: 96, validateSteps: 100 };
  const name = `ood_${frontEnd.kind}_${head.replace('-', '_')}_${seed}`;
  const input = { kind: 'motion', folder: data, classes: KNOWN };
  const config = parseTrainConfig(
    { schemaVersion: 1, name, data: input, frontEnd, encoder, head: { kind: head }, schedule },
    name,
  );
  if (!isMotion(config)) throw new Error('internal: no motion');
  return config;
}

function settings({ quick }: Options): Setting[] {
  const image: FrontEnd = { kind: 'image', omega: 'gyroscope', omegaScale: 6 };
  const fronts: FrontEnd[] = quick ? [{ kind: 'raw' }, image] : [{ kind: 'raw' }, image, { ...image, omega: 'self' }];
  const heads: readonly HeadKind[] = quick ? ['linear', 'deconf-c'] : HEADS;
  const seeds = quick ? [1] : [1, 2, 3, 4, 5];
  return seeds.flatMap((seed) => fronts.flatMap((frontEnd) => heads.map((head) => ({ frontEnd, head, seed }))));
}

const labelOf = ({ frontEnd }: Setting): string =>
  frontEnd.kind === 'image' ? `2D image${frontEnd.omega === 'self' ? ' (accelerometer only)' : ''}` : 'raw';

function runCell(setting: Setting, options: Options): Cell {
  const config = configOf(setting, options);
  const manifest = createHash('sha256')
    .update(readFileSync(join(options.data, 'manifest.json')))
    .digest('hex');
  return cell(FOLDER, { config, manifest, version: 2 }, (key) => {
    const data = loadDataset(options.data);
    const trained = train(config, motionSource(data, config), {
      checkpoint: join(FOLDER, `${key}.checkpoint.json`),
      key,
      report: ({ step, steps, point, samplesPerSecond }) =>
        note(
          `${config.name} ${step}/${steps}, loss ${point.loss.toFixed(3)}, ${samplesPerSecond.toFixed(0)} samples/s`,
        ),
    });
    const split = motionOodData(data, config, { trainWindowsMax: options.quick ? 1000 : 4000 });
    const parameters = [...trained.network.parameters.values().values()].reduce((sum, { length }) => sum + length, 0);
    const detectors = evaluateDetectors(trained.network, split, options.quick !== true);
    trained.network.dispose();
    return {
      label: labelOf(setting),
      head: setting.head,
      parameters,
      validationAccuracy: trained.best.accuracy,
      detectors,
    };
  });
}

async function run(options: Options): Promise<void> {
  await startTfjs();
  const all: { setting: Setting; cell: Cell }[] = [];
  for (const setting of settings(options)) all.push({ setting, cell: runCell(setting, options) });
  print(options, { schemaVersion: 1, quick: options.quick === true, published: TALK, cells: all }, () =>
    format(
      all.map((one) => one.cell),
      options,
    ),
  );
}

function format(cells: readonly Cell[], { quick }: Options): string {
  const interval = ({ low, high }: { low: number; high: number }): string => `${low.toFixed(2)}-${high.toFixed(2)}`;
  const rows = cells.flatMap(({ label, head, detectors, parameters }) =>
    detectors.map(({ detector, validationAuroc, all }) => [
      ...[label, head, detector, parameters, validationAuroc.toFixed(3)],
      ...[all.auroc.toFixed(3), interval(all.aurocInterval), all.tnrAtTpr95.toFixed(3), interval(all.tnrInterval)],
    ]),
  );
  const header = ['input', 'head', 'detector', 'parameters', 'val. AUROC', 'AUROC', '95 %', 'TNR@TPR95', '95 %'];
  const chosen = chooseDetector(cells.flatMap(({ detectors }) => detectors));
  const baseline = cells[0]?.detectors.find(({ detector }) => detector === 'msp');
  const byClass = chosen.byClass.map(({ unknown, auroc, tnrAtTpr95 }) => [
    unknown,
    auroc.toFixed(3),
    tnrAtTpr95.toFixed(3),
  ]);
  return [
    quick ? 'QUICK RUN (one seed, a seventh of the training): not the figures of the full grid.\n' : '',
    table(header, rows),
    '',
    `chosen on validation subjects: ${chosen.detector}; AUROC ${chosen.all.auroc.toFixed(3)}, TNR ${chosen.all.tnrAtTpr95.toFixed(3)}`,
    `raw + MSP: AUROC ${baseline?.all.auroc.toFixed(3) ?? '-'}, TNR ${baseline?.all.tnrAtTpr95.toFixed(3) ?? '-'}`,
    `the talk, on data of its own: ${TALK.baseline.auroc} to ${TALK.best.auroc}, ${TALK.baseline.tnr} to ${TALK.best.tnr}`,
    '',
    table(['unknown class', 'AUROC', 'TNR@TPR95'], byClass),
  ].join('\n');
}

try {
  const program = new Command('paper:ood')
    .option('--quick', 'one seed, short trainings; labelled as such')
    .option('--data <folder>', 'motion data set', join(packageRoot(), '..', 'shared', 'data', 'har-wisdm-watch'))
    .option('--json', 'print JSON')
    .action(run);
  await program.parseAsync(process.argv);
} catch (error) {
  process.exitCode = reportError(error);
}
