/** Figures against values worked out by hand; shifts; intervals that follow the subjects. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bootstrapMean } from '../../learn/evaluate/bootstrap.ts';
import {
  classifierFigures,
  compare,
  predict,
  reconstructionFigures,
  type TestSet,
} from '../../learn/evaluate/evaluate.ts';
import { layerErrors, matchLayers } from '../../learn/evaluate/layers.ts';
import {
  areaUnderCurve,
  calibrationError,
  classAuc,
  confusionMatrix,
  meanAbsoluteError,
  normalisedLogits,
  softmaxOf,
} from '../../learn/evaluate/metrics.ts';
import { parseShifts } from '../../learn/evaluate/shifts.ts';
import { foldBatchNorm } from '../../learn/quantize/fold-batch-norm.ts';
import { quantizeStatic, STATIC_DEFAULTS } from '../../learn/quantize/static.ts';
import { floatNetwork, floatSamples } from './support/float-network.ts';

describe('metrics', () => {
  it('should rank scores, ties counting half', () => {
    expect(areaUnderCurve([1, 2, 3, 4], [false, false, true, true])).toBe(1);
    expect(areaUnderCurve([1, 2, 3, 4], [true, false, true, false])).toBe(0.25);
    expect(areaUnderCurve([5, 5, 5], [true, false, true])).toBe(0.5);
    expect(areaUnderCurve([1, 2], [true, true])).toBeNull();
    // Pairs: 2 over 1, 2 over 2 (half), 3 over both.
    expect(areaUnderCurve([1, 2, 2, 3], [false, false, true, true])).toBe(3.5 / 4);
  });

  it('should agree with counting pairs (property)', () => {
    const pairs = fc.array(fc.tuple(fc.integer({ min: 0, max: 5 }), fc.boolean()), { minLength: 2, maxLength: 30 });
    fc.assert(
      fc.property(pairs, (list) => {
        const [ones, zeros] = [true, false].map((kind) => list.filter(([, p]) => p === kind).map(([s]) => s));
        const wins = ones!.flatMap((a) => zeros!.map((b): number => (a > b ? 1 : a === b ? 0.5 : 0)));
        const expected = wins.length === 0 ? null : wins.reduce((a, b) => a + b, 0) / wins.length;
        const actual = areaUnderCurve(list.map(([s]) => s), list.map(([, p]) => p)); // prettier-ignore
        if (expected === null) expect(actual).toBeNull();
        else expect(actual).toBeCloseTo(expected, 12);
      }),
      { seed: 2 },
    );
  });

  it('should average one class against the rest', () => {
    const rows = [[0.8, 0.1, 0.1], [0.2, 0.7, 0.1], [0.1, 0.2, 0.7]]; // prettier-ignore
    expect(classAuc(rows, [0, 1, 2], 3)).toBe(1);
    expect(classAuc([[0.9, 0.1], [0.2, 0.8]], [0, 1], 2)).toBe(1); // prettier-ignore
    expect(classAuc([[0.9, 0.1]], [0], 2)).toBeNull(); // prettier-ignore
  });

  it('should weigh the gap between confidence and accuracy by samples', () => {
    // Confidence 0.9, right half of the time; confidence 0.6, always right.
    const rows = [[0.9, 0.1], [0.9, 0.1], [0.4, 0.6], [0.4, 0.6]]; // prettier-ignore
    expect(calibrationError(rows, [0, 1, 1, 1])).toBeCloseTo((2 * 0.4 + 2 * 0.4) / 4, 12);
  });

  it('should compute softmax, normalised logits, errors and confusion', () => {
    expect([...softmaxOf([1000, 1000])]).toEqual([0.5, 0.5]);
    expect([...normalisedLogits([1, 3])]).toEqual([-1, 1]);
    expect([...normalisedLogits([2, 2])]).toEqual([0, 0]);
    expect(meanAbsoluteError([1, 2], [2, 4])).toBe(1.5);
    expect(confusionMatrix([0, 0, 1], [0, 1, 1], 2)).toEqual([[1, 1], [0, 1]]); // prettier-ignore
  });
});

describe('bootstrapMean', () => {
  it('should repeat with its seed and hold the mean', () => {
    const values = Array.from({ length: 100 }, (_, i) => (i % 4 === 0 ? 0 : 1));
    const groups = values.map(() => null);
    const interval = bootstrapMean(values, groups);
    expect(bootstrapMean(values, groups)).toEqual(interval);
    // Standard error sqrt(0.75 * 0.25 / 100) = 0.0433: the interval is about 0.75 +- 0.085.
    expect(interval.low).toBeGreaterThan(0.63);
    expect(interval.low).toBeLessThan(0.7);
    expect(interval.high).toBeGreaterThan(0.8);
    expect(interval.high).toBeLessThan(0.87);
  });

  it('should be wider when samples of a subject agree with one another', () => {
    const values = Array.from({ length: 100 }, (_, i) => (Math.floor(i / 25) === 0 ? 0 : 1));
    const own = bootstrapMean(values, values.map(() => null)); // prettier-ignore
    const subjects = bootstrapMean(values, values.map((_, i) => `s${Math.floor(i / 25)}`)); // prettier-ignore
    expect(subjects.high - subjects.low).toBeGreaterThan(2 * (own.high - own.low));
  });
});

describe('parseShifts', () => {
  const sample = Float32Array.from({ length: 2000 }, (_, i) => Math.sin(i));
  const power = (values: Float32Array): number => values.reduce((sum, v) => sum + v * v, 0) / values.length;

  it('should scale, offset, drop and add noise at the ratio asked for', () => {
    const [gain, noise, bias, drop, both] = parseShifts('gain:4,noise:10dB,bias:0.5,drop:0.25,gain:2+bias:-1');
    expect([...gain!.apply(sample, 0)]).toEqual([...sample.map((v) => 4 * v)]);
    const difference = noise!.apply(sample, 3).map((v, i) => v - sample[i]!);
    expect(10 * Math.log10(power(sample) / power(difference))).toBeCloseTo(10, 0);
    expect(noise!.apply(sample, 3)).toEqual(noise!.apply(sample, 3));
    expect(noise!.apply(sample, 4)).not.toEqual(noise!.apply(sample, 3));
    expect(bias!.apply(sample, 0)[5]! - sample[5]!).toBeCloseTo(0.5 * Math.sqrt(power(sample)), 5);
    expect(drop!.apply(sample, 0).filter((v) => v === 0).length / 2000).toBeCloseTo(0.25, 1);
    expect(both!.apply(sample, 0)[7]!).toBeCloseTo(2 * sample[7]! - 2 * Math.sqrt(power(sample)), 4);
    expect(both!.name).toBe('gain:2+bias:-1');
  });

  it.each(['volume:3', 'gain', 'gain:', 'gain:x', 'gain:2dB', 'noise:10', 'drop:1.5', 'constructor:1', 'gain:1,,', ''])(
    'should refuse %j',
    (text) => {
      expect(() => parseShifts(text)).toThrow(/^--shift .*not known; use gain:FACTOR/);
    },
  );
});

describe('evaluating', () => {
  const graph = floatNetwork();
  const inputs = floatSamples(40, 4);
  const { quantized, float: prepared } = quantizeStatic(graph, floatSamples(40, 1), STATIC_DEFAULTS);
  const float = predict(graph, inputs);
  const labels = float.outputs.map((row) => row.indexOf(Math.max(...row)));
  const set: TestSet = { inputs, labels, subjects: labels.map(() => null), classes: ['a', 'b', 'c', 'd'] };

  it('should find the float model perfect against its own answers, and the quantized one close', () => {
    const own = classifierFigures(float, set)!;
    expect(own.top1).toBe(1);
    expect(own.confusion.flat().reduce((a, b) => a + b, 0)).toBe(40);
    const predictions = predict(quantized, inputs);
    const against = compare(predictions, float, set);
    const { top1 } = classifierFigures(predictions, set)!;
    expect(against.relativeTop1).toBeCloseTo(100 * top1, 10);
    expect(against.sameTop1Share).toBeCloseTo(top1, 10);
    expect(against.top1Difference!.points).toBeCloseTo(100 * (top1 - 1), 10);
    expect(against.top1Difference!.interval.high).toBeLessThanOrEqual(0);
    expect(against.maeSoftmax).toBeLessThan(0.05);
    expect(against.maeNormalisedLogits).toBeLessThan(0.2);
    expect(compare(float, float, set)).toMatchObject({ maeSoftmax: 0, relativeTop1: 100, maeOutput: 0 });
  });

  it('should take logits from in front of the softmax', () => {
    const [row] = float.logits;
    expect(meanAbsoluteError(softmaxOf(row!), float.outputs[0]!)).toBeLessThan(1e-6);
    expect(row).not.toEqual(float.outputs[0]);
  });

  it('should compare without labels, and refuse classes that are not the outputs', () => {
    const blind = { ...set, labels: labels.map(() => null) };
    expect(classifierFigures(float, blind)).toBeNull();
    expect(compare(float, float, blind)).toMatchObject({ relativeTop1: null, top1Difference: null, sameTop1Share: 1 });
    expect(() => classifierFigures(float, { ...set, classes: ['a'] })).toThrow(
      /has 4 outputs, the pipeline names 1 classes/,
    );
  });

  it('should judge a model without classes by how it gives back its input', () => {
    const echo = {
      outputs: inputs.map((row) => row.map((v) => v + 2)),
      logits: [],
      probabilities: [],
      outputBytes: [],
    };
    const marked = { ...set, classes: [], labels: labels.map((_, i) => i % 2) };
    expect(reconstructionFigures(echo, marked)!.meanSquaredError).toBeCloseTo(4, 5);
    const worse = { ...echo, outputs: inputs.map((row, i) => row.map((v) => v + (i % 2))) };
    expect(reconstructionFigures(worse, marked)!.auc).toBe(1);
    expect(reconstructionFigures(float, marked)).toBeNull();
  });

  it('should measure layers by position and see values that do not fit', () => {
    const layers = layerErrors(prepared, quantized, inputs.slice(0, 4))!;
    expect(layers.map(({ opcode }) => opcode)).toEqual(prepared.ops.map(({ kind }) => kind));
    expect(Math.min(...layers.map(({ sqnrDb }) => sqnrDb!))).toBeGreaterThan(15);
    const loud = layerErrors(prepared, quantized, floatSamples(4, 5, 8))!;
    expect(loud[0]!.clippedShare).toBeGreaterThan(0.1);
    expect(loud[0]!.saturated).toBeGreaterThan(0);
    expect(loud[0]!.sqnrDb!).toBeLessThan(layers[0]!.sqnrDb! - 10);
  });

  it('should not match different networks', () => {
    expect(matchLayers(graph, quantized)).toBeNull();
    expect(matchLayers(foldBatchNorm(graph), quantized)).toHaveLength(7);
  });
});
