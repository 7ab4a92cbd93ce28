/** Quantization-aware training: its rounding and gradients, its phase of the training, and that the deployed int8 encoder is what it trained. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { realScale } from '../../firmware-gen/ir/dynamic.ts';
import { tensorOf } from '../../firmware-gen/ir/graph.ts';
import { SystemReference } from '../../firmware-gen/reference/system.ts';
import { withSpreadChannels } from '../../bench/paper/spread-channels.ts';
import { learnedRanges } from '../../learn/deep/aware.ts';
import { readCheckpoint } from '../../learn/deep/checkpoint.ts';
import { trainingInputs, type Granularity, type TrainConfig, type TrainConfigInput } from '../../learn/deep/config.ts';
import { deploy } from '../../learn/deep/deploy.ts';
import type { Arithmetic } from '../../learn/deep/network.ts';
import type { ParameterValues } from '../../learn/deep/parameters.ts';
import { accuracyOf, train, type Trained } from '../../learn/deep/trainer.ts';
import { int8Format } from '../../learn/quantize/number-format.ts';
import { fakeQuantize } from '../../learn/tfjs/fake-quantization.ts';
import { startTfjs } from '../../learn/tfjs/start.ts';
import { toyConfig, toyDeployment, toyFloats, toySource, toyWindows } from './support/toy-motion.ts';

const folder = mkdtempSync(join(tmpdir(), 'thumbelina-aware-'));
beforeAll(startTfjs);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const schedule = { steps: 90, batch: 24, validateSteps: 15, quantizationAwareSteps: 45 };
const configOf = (change: Partial<TrainConfigInput> = {}): TrainConfig => toyConfig({ schedule, ...change });

function run(config: TrainConfig, checkpoint: string | null = null, dieAt = Infinity): Trained {
  const report = ({ step }: { step: number }): void => {
    if (step >= dieAt) throw new Error('killed');
  };
  return train(config, toySource(config), { checkpoint, key: 'toy', report });
}

describe('fake quantization', () => {
  const grid = { scale: [0.5], zeroPoint: [-3], min: -8, max: 7 };

  it('should give the nearest value that is there, halves away from zero', () => {
    // Representable are -2.5 to 5 in halves.
    const x = tf.tensor1d([0, 0.2, 0.25, -0.25, 1.3, 4.9, 9, -2.6, -7]);
    expect([...fakeQuantize(x, grid).dataSync()]).toEqual([0, 0, 0.5, -0.5, 1.5, 5, 5, -2.5, -2.5]);
  });

  it('should pass gradients where nothing is clipped', () => {
    const x = tf.tensor1d([0, 0.2, 5.2, 5.3, -2.7, -2.8]);
    const weights = tf.tensor1d([1, 2, 3, 4, 5, 6]);
    const gradient = tf.grad((value: tf.Tensor) => tf.sum(tf.mul(fakeQuantize(value, grid), weights)))(x);
    expect([...gradient.dataSync()]).toEqual([1, 2, 3, 0, 5, 0]);
  });

  it('should round twice where kernels do', () => {
    // To quarters, halves up, then to ones, halves away from zero; with a zero point counted in, that is another way from -2.5 + 3.
    const x = tf.tensor1d([1.37, 1.38, -2.5, -2.38]);
    const ones = { scale: [1], zeroPoint: [3], min: -128, max: 127, firstBits: 2 };
    expect([...fakeQuantize(x, ones).dataSync()]).toEqual([1, 2, -3, -3]);
    expect([...fakeQuantize(x, { ...ones, fromZero: true }).dataSync()]).toEqual([1, 2, -2, -2]);
  });

  it('should take a scale for each channel, innermost, or for each window', () => {
    const x = tf.tensor2d([1.2, 1.2, -0.7, -0.7], [2, 2]);
    const twice = { scale: [1, 0.5], zeroPoint: [0], min: -127, max: 127 };
    expect([...fakeQuantize(x, twice).dataSync()]).toEqual([1, 1, -1, -0.5]);
    const rows = { ...twice, zeroPoint: [0, 127], outermost: true };
    expect([...fakeQuantize(x, rows).dataSync()]).toEqual([1, 1, -0.5, -0.5]);
    const gradient = tf.grad((value: tf.Tensor) => fakeQuantize(tf.neg(value), rows))(x);
    expect([...gradient.dataSync()].map(Math.abs)).toEqual([1, 1, 0, 0]);
  });
});

describe('a quantization-aware training', () => {
  it('should keep the best parameters of its last phase, judged in int8', () => {
    const { network, best, curve } = run(configOf());
    expect(best.accuracy).toBeGreaterThan(0.9);
    expect(best.step).toBeGreaterThan(45);
    expect(best.accuracy).toBe(accuracyOf(network, 'int8'));
    expect(curve.length).toBe(6);
    const plain = configOf({ schedule: { ...schedule, quantizationAwareSteps: 0 } });
    expect([...run(plain).network.parameters.values().keys()].filter((name) => name.endsWith('_range'))).toEqual([]);
  });

  it('should not end early before the phase', () => {
    const patient = configOf({ schedule: { ...schedule, validateSteps: 3, patience: 1 } });
    expect(run(patient).best.step).toBeGreaterThan(45);
  });

  it('should continue from a checkpoint as if never interrupted, ranges included', () => {
    const path = join(folder, 'resume.json');
    const whole = run(configOf());
    expect(() => run(configOf(), path, 75)).toThrow('killed');
    const { parameters } = readCheckpoint(path, 'toy')!;
    expect(parameters.get('block1_pointwise_sum_range')![1]).toBeGreaterThan(0);
    const resumed = run(configOf(), path);
    expect([...resumed.network.parameters.values()]).toEqual([...whole.network.parameters.values()]);
    expect(resumed.curve).toEqual(whole.curve);
  });

  it('should move weights and ranges, but no statistics of the normalisation', () => {
    const at = (step: number): ParameterValues => {
      const path = join(folder, `at-${step}.json`);
      expect(() => run(configOf(), path, step)).toThrow('killed');
      return readCheckpoint(path, 'toy')!.parameters;
    };
    const [first, before, after] = [at(30), at(60), at(75)];
    for (const name of ['stem_mean', 'block0_pointwise_variance']) {
      expect(after.get(name)).toEqual(before.get(name));
      expect(first.get(name)).not.toEqual(before.get(name));
    }
    for (const name of ['stem_kernel', 'stem_gamma', 'stem_range'])
      expect(after.get(name)).not.toEqual(before.get(name));
  });
});

const test = toyWindows(60, 88);

describe('a network with its channels spread by powers of two', () => {
  it('should give the same features to the bit, and others in int8', () => {
    const blocks = [
      { filters: 12, stride: [2, 1] as [number, number] },
      { filters: 10, stride: [1, 1] as [number, number] },
    ];
    const { encoder } = configOf();
    const { network } = run(configOf({ encoder: { ...encoder, blocks } }));
    const features = (arithmetic: Arithmetic): Float32Array[] =>
      network.outputs(test.windows.map(toyFloats), arithmetic).map(({ phi }) => phi);
    const [float, int8] = [features('float'), features('int8')];
    const values = network.parameters.values();
    const spread = { channels: 6, exponents: 4, seed: 3 };
    network.parameters.load(withSpreadChannels(values, network.config.encoder, spread));
    expect(network.parameters.values().get('stem_gamma')).not.toEqual(values.get('stem_gamma'));
    expect(features('float')).toEqual(float);
    expect(features('int8')).not.toEqual(int8);
  });
});

describe.each<[string, Partial<TrainConfigInput>, Granularity]>([
  ['a scale for each output channel', {}, 'channel'],
  ['one scale for each layer', {}, 'tensor'],
  [
    'images',
    {
      frontEnd: { kind: 'image' },
      encoder: {
        kernel: [3, 3],
        stem: { filters: 6, stride: [2, 2] },
        blocks: [{ filters: 8, stride: [2, 2] }],
        latent: 8,
      },
    },
    'channel',
  ],
])('the deployed encoder, %s', (_title, change, granularity) => {
  it('should give what the training saw, in the ranges it learned', () => {
    const config = configOf({ quantization: { granularity }, ...change });
    const { network } = run(config);
    const system = deploy(network, toyDeployment(config));
    const learned = learnedRanges(network.parameters.values(), config.encoder, network.source.input[2]);
    for (const { name, quantization, data } of system.encoder.tensors) {
      if (data !== null || name === 'column' || name === 'row') continue;
      expect(quantization, name).toEqual(int8Format.quantizationFor(learned.get(name === 'image' ? 'input' : name)!));
    }
    for (const { data, quantization, shape, dtype } of system.encoder.tensors)
      if (data !== null && dtype === 'int8' && shape.length === 4)
        expect(quantization!.scale.length > 1).toBe(granularity === 'channel');
    const { scale, zeroPoint } = tensorOf(system.encoder, system.encoder.outputs[0]!).quantization!;
    const reference = new SystemReference(system);
    const phis = test.windows.map((window) => reference.features(window).phi);
    /** In steps. */
    const differences = (arithmetic: Arithmetic): number[] =>
      network
        .outputs(test.windows.map(toyFloats), arithmetic)
        .flatMap(({ phi }, i) =>
          [...phi].map((value, d) => Math.abs(phis[i]![d]! - zeroPoint[0]! - value / scale[0]!)),
        );
    const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b) / values.length;
    const seen = differences('int8');
    // The image's two inputs are rounded as well, which the training does not see.
    expect(mean(seen)).toBeLessThan(config.frontEnd.kind === 'image' ? 0.35 : 0.2);
    expect(Math.max(...seen)).toBeLessThan(2.01);
    expect(mean(seen)).toBeLessThan(0.5 * mean(differences('float')));
  });
});

describe.each(['dynamic-q', 'dynamic-asym'] as const)('the deployed encoder, %s', (scheme) => {
  it.each(['channel', 'tensor'] as const)('should give what the training saw, weights by %s', (granularity) => {
    const config = configOf({ quantization: { scheme, granularity } });
    const { network } = run(config);
    expect(network.parameters.has('phi_range')).toBe(false);
    const reference = new SystemReference(deploy(network, toyDeployment(config)));
    const found = test.windows.map((window) => reference.features(window));
    const differences = (arithmetic: Arithmetic): number[] =>
      network.outputs(test.windows.map(toyFloats), arithmetic).flatMap(({ phi }, i) => {
        const { phi: q, scale } = found[i]!;
        return [...phi].map((value, d) => Math.abs(q[d]! - scale!.zeroPoint - value / realScale(scale!)));
      });
    const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
    const seen = differences('int8');
    // The mean keeps the coarse step of what it is the mean of: where it falls to the other side of a half, that is some steps of phi.
    expect(mean(seen)).toBeLessThan(0.5);
    expect(Math.max(...seen)).toBeLessThan(5.01);
    expect(mean(seen)).toBeLessThan(0.5 * mean(differences('float')));
  });
});

describe('a configuration', () => {
  it('should be refused where there is nothing to learn', () => {
    expect(() => configOf({ schedule: { ...schedule, steps: 20 } })).toThrow(
      'quantizationAwareSteps 45 are the last of',
    );
  });

  it('should train anew for another granularity only if the training looks at it', () => {
    const inputs = (aware: number, granularity: Granularity): string =>
      trainingInputs(
        configOf({ schedule: { ...schedule, quantizationAwareSteps: aware }, quantization: { granularity } }),
      );
    expect(inputs(10, 'tensor')).not.toBe(inputs(10, 'channel'));
    expect(inputs(0, 'tensor')).toBe(inputs(0, 'channel'));
  });
});
