/** The trainer on a toy problem that takes seconds: it learns, resumes exactly, freezes what it should, and its heads compute their formulas. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readCheckpoint } from '../../learn/deep/checkpoint.ts';
import { parseTrainConfig, type TrainConfig, type TrainConfigInput } from '../../learn/deep/config.ts';
import { withNoise, type DataSource } from '../../learn/deep/data-source.ts';
import { applyHead, addHeadParameters } from '../../learn/deep/heads.ts';
import { columnAndRow } from '../../learn/deep/motion-source.ts';
import { Parameters } from '../../learn/deep/parameters.ts';
import { train, type Trained } from '../../learn/deep/trainer.ts';
import { createRandom, type Random } from '../../learn/random.ts';
import { startTfjs } from '../../learn/tfjs/start.ts';

const FRAMES = 16;
const folder = mkdtempSync(join(tmpdir(), 'thumbelina-deep-'));

beforeAll(startTfjs);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Two tones on two channels: slow or fast. */
function toyWindow(label: number, random: Random): Float32Array {
  const [turns, start] = [label === 0 ? 1 : 4, random.uniform()];
  return Float32Array.from({ length: 2 * FRAMES }, (_, i) => {
    const angle = 2 * Math.PI * (start + (turns * Math.floor(i / 2)) / FRAMES);
    return (i % 2 === 0 ? Math.sin(angle) : Math.cos(angle)) + 0.1 * random.normal();
  });
}

function toySource(noiseDb: readonly [number, number] = [10, 10]): DataSource {
  const random = createRandom(5);
  const labels = Array.from({ length: 40 }, (_, i) => i % 2);
  return {
    classes: ['slow', 'fast'],
    input: [FRAMES, 1, 2],
    frames: FRAMES,
    channels: 2,
    validation: {
      windows: labels.map((label) => toyWindow(label, random)),
      labels,
      subjects: labels.map(String),
    },
    toInput: (windows) =>
      tf.tensor4d(
        windows.flatMap((window) => [...window]),
        [windows.length, FRAMES, 1, 2],
      ),
    draw: (count, drawn, noisy) => {
      const drawnLabels = Array.from({ length: count }, (_, i) => i % 2);
      const clean = drawnLabels.map((label) => toyWindow(label, drawn));
      return {
        clean,
        labels: drawnLabels,
        windows: noisy ? clean.map((one) => withNoise(one, noiseDb, drawn)) : clean,
      };
    },
  };
}

const base: TrainConfigInput = {
  schemaVersion: 1,
  name: 'toy',
  data: { kind: 'motion', folder: 'none', classes: ['slow', 'fast'] },
  frontEnd: { kind: 'raw' },
  encoder: {
    kernel: [3, 1],
    stem: { filters: 4, stride: [2, 1] },
    blocks: [
      { filters: 6, stride: [2, 1] },
      { filters: 6, stride: [1, 1], shortcut: true },
    ],
    latent: 4,
  },
  head: { kind: 'deconf-c' },
  schedule: { steps: 30, batch: 16, validateSteps: 10 },
};
const configOf = (change: Partial<TrainConfigInput>): TrainConfig => parseTrainConfig({ ...base, ...change }, 'test');
const run = (config: TrainConfig, checkpoint: string | null = null): Trained =>
  train(config, toySource(), { checkpoint, key: config.name, report: () => undefined });

describe('training', () => {
  it('should learn, and give the same parameters for the same seed', () => {
    const [first, second] = [run(configOf({})), run(configOf({}))];
    expect(first.best.accuracy).toBeGreaterThan(0.9);
    expect(first.curve.at(-1)!.loss).toBeLessThan(first.curve[0]!.loss);
    expect([...first.network.parameters.values()]).toEqual([...second.network.parameters.values()]);
  });

  it('should continue from a checkpoint as if never interrupted', () => {
    const path = join(folder, 'resume.json');
    const whole = run(configOf({}));
    let validations = 0;
    expect(() =>
      train(configOf({}), toySource(), {
        checkpoint: path,
        key: 'toy',
        report: () => {
          validations += 1;
          if (validations === 2) throw new Error('killed');
        },
      }),
    ).toThrow('killed');
    expect(readCheckpoint(path, 'toy')?.step).toBe(20);
    expect(readCheckpoint(path, 'another configuration')).toBeNull();
    const resumed = run(configOf({}), path);
    expect([...resumed.network.parameters.values()]).toEqual([...whole.network.parameters.values()]);
    expect(resumed.curve).toEqual(whole.curve);
    expect(existsSync(`${path}.new`)).toBe(false);
  });

  it('should stop early when validation no longer gains', () => {
    const { curve } = run(configOf({ schedule: { steps: 200, batch: 16, validateSteps: 5, patience: 3 } }));
    expect(curve.length).toBeLessThan(40);
  });

  const objectives = ['denoising', 'variational', 'variational-discriminative'] as const;
  it.each(objectives)('should rebuild windows better with training: %s', (kind) => {
    const config = configOf({ objective: { kind, pretrainSteps: 30 }, head: { kind: 'linear' } });
    const { network, curve } = run(config);
    expect(curve[0]!.accuracy).toBeNull();
    expect(curve[2]!.loss).toBeLessThan(curve[0]!.loss);
    const [first] = network.outputs(toySource().validation.windows);
    expect(first?.reconstructionError).toBeGreaterThan(0);
  });

  it('should leave a frozen encoder and its statistics alone', () => {
    const objective = { kind: 'variational', pretrainSteps: 10 } as const;
    const frozen = run(configOf({ objective, fineTune: false })).network.parameters.values();
    const longer = configOf({ objective, fineTune: false, schedule: { steps: 40, batch: 16, validateSteps: 10 } });
    const other = run(longer).network.parameters.values();
    for (const name of ['stem_kernel', 'block0_pointwise_mean', 'latent_kernel'])
      expect(frozen.get(name)).toEqual(other.get(name));
    const tuned = run(configOf({ objective })).network.parameters.values();
    expect(tuned.get('stem_kernel')).not.toEqual(frozen.get('stem_kernel'));
  });

  it('should take the last blocks away before the head is trained', () => {
    const { network } = run(configOf({ objective: { kind: 'denoising', pretrainSteps: 10 }, removeBlocks: 1 }));
    expect(network.parameters.has('block1_pointwise_kernel')).toBe(false);
    expect(network.parameters.has('block0_pointwise_kernel')).toBe(true);
  });

  it('should start from another encoder, less its last blocks, and leave the head to chance', () => {
    const initial = run(configOf({})).network.parameters.values();
    const schedule = { steps: 10, batch: 16, validateSteps: 10 };
    const config = configOf({ fineTune: false, removeBlocks: 1, schedule });
    const { network } = train(config, toySource(), { checkpoint: null, key: '', initial, report: () => undefined });
    const values = network.parameters.values();
    expect(values.has('block1_pointwise_kernel')).toBe(false);
    for (const name of ['stem_kernel', 'block0_pointwise_kernel', 'block0_pointwise_variance'])
      expect(values.get(name)).toEqual(initial.get(name));
    for (const name of ['latent_kernel', 'head0_kernel']) expect(values.get(name)).not.toEqual(initial.get(name));
    // With all blocks and no training of the encoder, its features are those it came with.
    const whole = configOf({ fineTune: false, schedule });
    const kept = train(whole, toySource(), { checkpoint: null, key: '', initial, report: () => undefined });
    expect(kept.network.parameters.values().get('latent_kernel')).toEqual(initial.get('latent_kernel'));
  });

  it('should refuse a configuration by its field', () => {
    expect(() => parseTrainConfig({ ...base, head: { kind: 'softmax' } }, 'x.json')).toThrow(/x\.json: head\.kind/);
  });
});

describe('heads of generalised ODIN', () => {
  const phi = [0.5, -1, 2];
  const scores = (kind: 'deconf-i' | 'deconf-e' | 'deconf-c') => {
    const parameters = new Parameters(3);
    addHeadParameters(parameters, kind, { latent: 3, classes: 2, member: 0 });
    const { h, gate, logits } = applyHead(tf.tensor2d([phi]), parameters, kind, 0, false);
    const weights = parameters.values().get('head0_kernel')!;
    const column = (c: number): number[] => [0, 1, 2].map((d) => weights[2 * d + c]!);
    return { h: h.dataSync(), gate: gate!.dataSync()[0]!, logits: logits.dataSync(), columns: [column(0), column(1)] };
  };
  const dot = (a: number[], b: number[]): number => a.reduce((sum, value, i) => sum + value * b[i]!, 0);

  it.each([
    ['deconf-i', (w: number[]) => dot(phi, w)],
    ['deconf-c', (w: number[]) => dot(phi, w) / (Math.hypot(...phi) * Math.hypot(...w))],
    ['deconf-e', (w: number[]) => -phi.reduce((sum, value, i) => sum + (value - w[i]!) ** 2, 0) / 3],
  ] as const)('should compute h of %s and divide it by the gate', (kind, formula) => {
    const { h, gate, logits, columns } = scores(kind);
    for (const [c, column] of columns.entries()) {
      expect(h[c]).toBeCloseTo(formula(column), 5);
      expect(logits[c]).toBeCloseTo(h[c]! * (1 + Math.exp(-gate)), 4);
    }
  });
});

describe('the 2D transformation', () => {
  it('should take unit vectors times the other sensor', () => {
    const window = Float32Array.from([3, 0, 4, 1, 2, 3, 0, 0, 0, -1, 0, 1]);
    const { column, row } = columnAndRow(window, { kind: 'image', omega: 'gyroscope', omegaScale: 3 });
    expect([...column]).toEqual([0.6, 0, 0.8, 0, 0, 0].map(Math.fround));
    // A window's unit is 6 rad/s.
    expect([...row]).toEqual([2, 4, 6, -2, 0, 2]);
    expect(columnAndRow(window, { kind: 'image', omega: 'self', omegaScale: 1 }).row).toEqual(column);
  });
});
