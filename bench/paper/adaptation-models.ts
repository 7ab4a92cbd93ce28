/** The classifiers that `paper:adaptation` adapts: the same encoder trained with cross-entropy alone and as a variational discriminative autoencoder. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { note } from '../../cli/output.ts';
import { graphToTflite } from '../../firmware-gen/passes/export.ts';
import { writeTflite } from '../../firmware-gen/tflite/writer.ts';
import { loadModel, type SourceModel } from '../../harness/model.ts';
import { isMotion, parseTrainConfig } from '../../learn/deep/config.ts';
import { classifierGraph } from '../../learn/deep/export.ts';
import { motionSource } from '../../learn/deep/motion-source.ts';
import { train } from '../../learn/deep/trainer.ts';
import { loadDataset } from '../../learn/har/dataset.ts';
import { startTfjs } from '../../learn/tfjs/start.ts';
import { cellKey } from './cache.ts';
import { ENCODERS } from './ood-grid.ts';

export const FOLDER = './build/paper/adaptation';
export const CLASSES = ['walking', 'jogging', 'stairs', 'sitting', 'standing', 'clapping'] as const;
export const TRAINED_ON = 'har-wisdm-watch';

export const FEATURES = ['baseline', 'deep'] as const;
export type Features = (typeof FEATURES)[number];

export interface ModelOptions {
  readonly quick?: boolean;
  /** Folder of the data sets. */
  readonly data: string;
  /** Of the training. */
  readonly seed: number;
}

/** Float classifier, output: logits. Trained once; the file is named after the hash of configuration and data. */
export async function floatClassifier(features: Features, { quick, data, seed }: ModelOptions): Promise<SourceModel> {
  const [pretrainSteps, headSteps] = quick ? [25, 50] : [150, 300];
  const isBaseline = features === 'baseline';
  const folder = join(data, TRAINED_ON);
  const name = `adapt_${features}`;
  const json = {
    ...{ schemaVersion: 1, name, data: { kind: 'motion', folder, classes: [...CLASSES] }, frontEnd: { kind: 'raw' } },
    ...{ encoder: ENCODERS.raw, head: { kind: 'linear' } },
    objective: isBaseline ? { kind: 'classify' } : { kind: 'variational-discriminative', pretrainSteps },
    // The baseline has as many steps in all.
    schedule: {
      seed,
      steps: headSteps + (isBaseline ? pretrainSteps : 0),
      batch: 64,
      validateSteps: quick ? 25 : 50,
    },
  };
  const config = parseTrainConfig(json, name);
  if (!isMotion(config)) throw new Error('internal: no motion');
  const manifest = createHash('sha256')
    .update(readFileSync(join(folder, 'manifest.json')))
    .digest('hex');
  const key = cellKey({ config: { ...config, data: { ...config.data, folder: TRAINED_ON } }, manifest, version: 1 });
  const path = join(FOLDER, key, `${name}.tflite`);
  if (!existsSync(path)) {
    await startTfjs();
    const source = motionSource(loadDataset(folder), config);
    mkdirSync(join(FOLDER, key), { recursive: true });
    const trained = train(config, source, {
      ...{ checkpoint: join(FOLDER, key, 'checkpoint.json'), key },
      report: ({ step, steps, point }) =>
        note(`${name} ${step}/${steps}, loss ${point.loss.toFixed(3)}, validation accuracy ${point.accuracy ?? '-'}`),
    });
    const graph = classifierGraph({
      ...{ name, spec: config.encoder, input: source.input, isImage: false },
      parameters: trained.network.parameters.values(),
    });
    trained.network.dispose();
    writeFileSync(`${path}.new`, writeTflite(graphToTflite(graph)));
    renameSync(`${path}.new`, path);
  }
  return loadModel(path);
}
