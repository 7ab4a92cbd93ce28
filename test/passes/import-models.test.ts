/** The 13 reference models of ../shared/models: they import, verify, and have the MAC counts that are published for them. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../common/package-root.ts';
import { formatInspect, inspectGraph } from '../../firmware-gen/inspect.ts';
import { totalMacs } from '../../firmware-gen/ir/macs.ts';
import { verify } from '../../firmware-gen/ir/verify.ts';
import { importGraph, listUnsupported } from '../../firmware-gen/passes/import.ts';
import { parseTflite } from '../../firmware-gen/tflite/reader.ts';

const folder = join(packageRoot(), '..', 'shared', 'models');

/** MACs: PEERS.md for the four MLPerf Tiny models, which their float versions share; the rest by hand from their layers. */
const MODELS: readonly [file: string, ops: number, macs: number, notes: number][] = [
  ['ad01_fp32', 10, 264_192, 0],
  ['ad01_int8', 10, 264_192, 0],
  ['hello_world_float', 3, 288, 0],
  ['hello_world_int8', 3, 288, 0],
  ['kws_ref_model', 13, 2_656_768, 0],
  ['kws_ref_model_float32', 13, 2_656_768, 1],
  ['micro_speech_quantized', 4, 336_000, 0],
  ['person_detect', 31, 7_157_888, 0],
  ['pretrainedResnet', 16, 12_501_632, 0],
  ['pretrainedResnet_quant', 16, 12_501_632, 0],
  ['str_ww_ref_model', 11, 826_368, 0],
  ['vww_96_float', 31, 7_489_664, 0],
  ['vww_96_int8', 31, 7_489_664, 0],
];

describe.skipIf(!existsSync(folder))('reference models (need ../shared/models)', () => {
  it.each(MODELS)('%s should import', (file, ops, macs, notes) => {
    const model = parseTflite(new Uint8Array(readFileSync(join(folder, `${file}.tflite`))));
    expect(listUnsupported(model)).toEqual([]);
    const graph = importGraph(model, file);
    verify(graph);
    expect(graph.ops).toHaveLength(ops);
    expect(totalMacs(graph)).toBe(macs);
    expect(graph.notes).toHaveLength(notes);
    expect(formatInspect(inspectGraph(graph)).split('\n').length).toBeGreaterThan(ops);
  });
});
