/** The gate by statistics as it is fitted: what it accepts and rejects, on synthetic motion. */
import { describe, expect, it } from 'vitest';
import { SystemReference } from '../../firmware-gen/reference/system.ts';
import { parseTrainConfig } from '../../learn/deep/config.ts';
import { fitPrototypes } from '../../learn/ood/prototypes.ts';
import { withStatisticsGate } from '../../learn/ood/statistics-gate.ts';
import { gateScore, systemFigures, type SystemWindows } from '../../learn/ood/system-scores.ts';
import { createRandom } from '../../learn/random.ts';
import { RAW_SCALE, randomSystem, syntheticStream } from './support/random-system.ts';

const FRAMES = 32;
const KINDS = 6;

/** Windows of the first three kinds of motion as known ones, of the others as unknown. */
function windows(seed: number): { known: SystemWindows; unknown: SystemWindows } {
  const stream = syntheticStream(64, seed);
  const perKind = stream.length / KINDS;
  const all = Array.from({ length: Math.floor(stream.length / (6 * FRAMES)) }, (_, i) => {
    const start = i * 6 * FRAMES;
    return { kind: Math.floor(start / perKind), window: stream.subarray(start, start + 6 * FRAMES) };
  });
  const of = (some: typeof all, first: number): SystemWindows => ({
    samples: some.map(({ window }) => window),
    labels: some.map(({ kind }) => kind - first),
    subjects: some.map((_, i) => `${i % 3}`),
  });
  return {
    known: of(
      all.filter(({ kind }) => kind < 3),
      0,
    ),
    unknown: of(
      all.filter(({ kind }) => kind >= 3),
      3,
    ),
  };
}

const system = randomSystem({ kind: 'raw' }, 'cosine', syntheticStream(12, 3));
const options = { rawScale: RAW_SCALE, halfTurn: false, accept: 0.95, seed: 1 };
const turned = (window: Int16Array): Int16Array => window.map((value, i) => (i % 3 < 2 ? -value : value));

describe('a gate by statistics', () => {
  const [training, validation] = [windows(5), windows(9)];
  const gated = withStatisticsGate(system, training.known, validation.known, options);

  it('should accept the share asked for of known windows, and tell others', () => {
    const figures = systemFigures(gated, validation.known, validation.unknown, ['d', 'e', 'f']);
    const { length } = validation.known.samples;
    expect(figures.all?.knownAccepted).toBe(Math.ceil(0.95 * length) / length);
    expect(figures.all?.auroc).toBeGreaterThan(0.9);
    expect(figures.accepted).toBe(figures.all?.knownAccepted);
    expect(figures.byClass.map(({ unknown }) => unknown)).toEqual(['d', 'e', 'f']);
  });

  it('should decide as its scores say, with the class of the nearest prototype where it rejects', () => {
    const reference = new SystemReference(gated);
    const { gate } = gated;
    if (gate.kind !== 'statistics') throw new Error('another gate');
    const labels = validation.unknown.samples.map((window) => {
      const { accepted, label } = reference.decide(window);
      expect(accepted).toBe(gateScore(gated, reference, window) >= -gate.distanceMax);
      return label;
    });
    expect(Math.max(...labels)).toBeLessThan(3);
    expect(gate.head.labels.length).toBe(gate.head.count);
  });

  it('should know windows turned by half a turn only if it was told so', () => {
    const either = withStatisticsGate(system, training.known, validation.known, { ...options, halfTurn: true });
    const accepted = (one: typeof gated): number => {
      const reference = new SystemReference(one);
      return validation.known.samples.filter((window) => reference.decide(turned(window)).accepted).length;
    };
    expect(accepted(gated)).toBeLessThan(accepted(either));
    expect(accepted(either) / validation.known.samples.length).toBeGreaterThan(0.8);
  });
});

describe('fitting prototypes', () => {
  const random = createRandom(3);
  const noise = (level: number): Int16Array => Int16Array.from({ length: 60 }, () => level + 50 * random.normal());
  const data = {
    windows: Array.from({ length: 90 }, (_, i) => noise(i % 3 === 0 ? 8000 : i % 3 === 1 ? -8000 : 0)),
    // Two kinds of windows share a class.
    labels: Array.from({ length: 90 }, (_, i) => (i % 3 === 2 ? 1 : 0)),
    subjects: Array.from({ length: 90 }, (_, i) => `${i % 6}`),
    classes: 2,
  };

  it('should give each class its own, at most as many as it has windows', () => {
    const head = fitPrototypes(data, { floors: [30], perClass: 4, seed: 1 });
    expect([...head.labels]).toEqual([0, 0, 0, 0, 1, 1, 1, 1]);
    expect(fitPrototypes(data, { floors: [30], perClass: 50, seed: 1 }).count).toBe(80);
    expect(fitPrototypes(data, { floors: [30], perClass: 4, seed: 1 })).toEqual(head);
    expect(() => fitPrototypes({ ...data, classes: 3 }, { floors: [30], perClass: 4, seed: 1 })).toThrow(
      'no training windows of class 2',
    );
  });

  it('should be asked for by the training configuration', () => {
    const config = {
      ...{ schemaVersion: 1, name: 'x', frontEnd: { kind: 'raw' }, head: { kind: 'deconf-c' }, schedule: { steps: 1 } },
      data: { kind: 'motion', folder: 'd', classes: ['a', 'b'] },
      encoder: { kernel: [3, 1], stem: { filters: 4, stride: [1, 1] }, blocks: [], latent: 4 },
    };
    expect(parseTrainConfig({ ...config, deploy: { detector: 'statistics' } }, 'x').deploy.detector).toBe('statistics');
    expect(parseTrainConfig(config, 'x').deploy.detector).toBeUndefined();
    expect(() => parseTrainConfig({ ...config, deploy: { detector: 'odin' } }, 'x')).toThrow('deploy.detector');
  });
});
