/** The inspect report: one row per op, totals, and a table a reader can follow. */
import { describe, expect, it } from 'vitest';
import { formatInspect, formatUnsupported, inspectGraph } from '../firmware-gen/inspect.ts';
import { importGraph, listUnsupported } from '../firmware-gen/passes/import.ts';
import { ModelBuilder, classifierModel } from './tflite/model-builder.ts';

const report = inspectGraph(importGraph(classifierModel(), 'classifier'));

describe('inspectGraph', () => {
  it('should give every op its tensors, attributes, MACs and bytes', () => {
    expect(report.ops[0]).toMatchObject({
      index: 0,
      opcode: 'CONV_2D',
      attributes: { padding: 'SAME', strideH: 1, activation: 'RELU' },
      macs: 1152,
      weightBytes: 72 + 16,
      outputs: [{ shape: [1, 4, 4, 4], dtype: 'int8', bytes: 64, constant: false }],
    });
    expect(report.ops[0]?.inputs[1]?.quantization?.scale).toEqual([0.1, 0.2, 0.3, 0.4]);
    expect(report.ops[3]?.inputs[2]).toBeNull();
  });

  it('should add up', () => {
    // The convolution reads 32 bytes and writes 64, the pool reads those 64 and writes 16.
    expect(report.totals).toEqual({ ops: 5, macs: 1200, weightBytes: 72 + 16 + 48, peakOpActivationBytes: 96 });
  });

  it('should survive JSON unchanged', () => {
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
  });
});

describe('formatInspect', () => {
  it('should print aligned rows', () => {
    const lines = formatInspect(report).split('\n');
    expect(lines[0]).toBe('classifier: 5 ops');
    expect(lines[1]).toBe('input   t0 int8[1,4,4,2] scale, zero point 0.50000, 3');
    const rows = lines.slice(5, 10);
    expect(rows.map((row) => row.trim().split(/\s+/).slice(0, 2).join(' '))).toEqual([
      '0 CONV_2D',
      '1 MAX_POOL_2D',
      '2 RESHAPE',
      '3 FULLY_CONNECTED',
      '4 SOFTMAX',
    ]);
    const column = lines[4]!.indexOf('output scale');
    expect(new Set(rows.map((row) => row.slice(column - 2, column)))).toEqual(new Set(['  ']));
    expect(lines[10]).toMatch(/total +1,200 +136$/);
  });

  it('should print notes', () => {
    expect(formatInspect({ ...report, notes: ['weights changed'] })).toMatch(/\nnote: weights changed$/);
  });
});

describe('formatUnsupported', () => {
  it('should give one line per operator', () => {
    const b = new ModelBuilder();
    const t = [0, 1, 2].map(() => b.tensor({ shape: [1] }));
    b.op('SIN', [t[0]!], [t[1]!]).op('COS', [t[1]!], [t[2]!]);
    const lines = formatUnsupported(listUnsupported(b.model([t[0]!], [t[2]!]))).split('\n');
    expect(lines).toEqual([expect.stringMatching(/^operator 0 SIN: /), expect.stringMatching(/^operator 1 COS: /)]);
  });
});
