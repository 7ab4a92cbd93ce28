/** From raw counts to the input tensor: the arithmetic, the file, and one failing case for every rule. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { applyPipeline, loadPipeline, parsePipeline, standardise, type Pipeline } from '../../learn/pipeline.ts';

const pipeline: Pipeline = {
  schemaVersion: 1,
  windowFrames: 2,
  hopFrames: 1,
  sampleRateHz: 20,
  channels: ['ax', 'gx'],
  units: ['m/s^2', 'rad/s'],
  rawScale: [0.5, 0.25],
  mean: [1, 0],
  scale: [2, 4],
  layout: { order: 'NHWC', shape: [1, 2, 1, 2] },
  quantization: { scale: 0.25, zeroPoint: -3 },
  classes: ['still', 'moving'],
};

describe('applyPipeline', () => {
  it('should scale to units, standardise per channel and quantize', () => {
    const raw = [10, 8, -6, -4];
    // ax: (10 * 0.5 - 1) / 2 = 2 and (-3 - 1) / 2 = -2; gx: 8 * 0.25 / 4 = 0.5 and -0.25.
    expect([...standardise(raw, pipeline)]).toEqual([2, 0.5, -2, -0.25]);
    expect([...applyPipeline(raw, pipeline)]).toEqual([8 - 3, 2 - 3, -8 - 3, -1 - 3]);
  });

  it('should round half away from zero and clamp to int8', () => {
    const fine = { ...pipeline, mean: [0, 0], quantization: { scale: 0.25, zeroPoint: 0 } };
    // 0.125 and -0.125 are half a step: 0.25 * 2 / 4 / 0.25 = 0.5.
    expect([...applyPipeline([0, 2, 0, -2], fine)]).toEqual([0, 1, 0, -1]);
    expect([...applyPipeline([30000, 0, -30000, 0], fine)]).toEqual([127, 0, -128, 0]);
  });

  it('should refuse a window of another length', () => {
    expect(() => applyPipeline([1, 2, 3], pipeline)).toThrow(
      'window has 3 values, the pipeline takes 2 frames of 2 channels (4)',
    );
  });
});

describe('parsePipeline', () => {
  it('should accept what it describes', () => {
    expect(parsePipeline(JSON.parse(JSON.stringify(pipeline)), 'x')).toEqual(pipeline);
  });

  it.each([
    ['a field it does not know', { colour: 1 }, /colour/],
    ['another schema version', { schemaVersion: 2 }, /schemaVersion/],
    ['a scale that is not positive', { scale: [1, 0] }, /scale\.1/],
    ['means that do not match the channels', { mean: [0] }, /mean has 1 values for 2 channels/],
    [
      'a layout of another size',
      { layout: { order: 'NHWC', shape: [1, 3, 1, 2] } },
      /layout\.shape has 6 elements, 2 frames of 2 channels are 4/,
    ],
    ['a zero point outside int8', { quantization: { scale: 1, zeroPoint: 128 } }, /quantization\.zeroPoint/],
  ])('should refuse %s', (_what, change, message) => {
    const attempt = (): unknown => parsePipeline({ ...pipeline, ...change }, 'model.pipeline.json');
    expect(attempt).toThrow(message);
    expect(attempt).toThrow(/^model\.pipeline\.json: /);
  });
});

describe('loadPipeline', () => {
  it('should name the file that is missing or no JSON', () => {
    const folder = mkdtempSync(join(tmpdir(), 'pipeline-'));
    const path = join(folder, 'm.pipeline.json');
    expect(() => loadPipeline(path)).toThrow(`${path}: ENOENT`);
    writeFileSync(path, '{');
    expect(() => loadPipeline(path)).toThrow(/expected a pipeline\.json/);
    writeFileSync(path, JSON.stringify(pipeline));
    expect(loadPipeline(path)).toEqual(pipeline);
  });
});
