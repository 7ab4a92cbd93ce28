/** `thumbelina inspect --compare FLOAT QUANT --data DIR`: layer by layer against the float model, and the first layer that goes wrong. */
import { UserError } from '../common/errors.ts';
import type { Graph } from '../firmware-gen/ir/graph.ts';
import { tensorOf } from '../firmware-gen/ir/graph.ts';
import { loadModel } from '../harness/model.ts';
import { inputTensor } from '../learn/data/model-input.ts';
import { SQNR_MIN_DB, diagnose, type Diagnosis } from '../learn/evaluate/diagnose.ts';
import { layerErrorsOfForms, type LayerError } from '../learn/evaluate/layers.ts';
import { isWeighted } from '../learn/quantize/weights.ts';
import { chooseData, findPipeline } from './data.ts';
import { layerCells, layerHeader } from './layer-text.ts';
import { table } from './output.ts';

export interface CompareOptions {
  readonly compare: string;
  readonly data?: string;
  readonly pipeline?: string;
  readonly split?: string;
  readonly samples: number;
  readonly seed: number;
}

export interface ComparisonReport extends Diagnosis {
  readonly schemaVersion: 1;
  readonly float: string;
  readonly quantized: string;
  readonly samples: number;
  readonly layers: readonly LayerError[];
}

/** @throws UserError for models that are no two forms of one network, and for everything that is wrong with the data */
export function compareModels(path: string, options: CompareOptions): ComparisonReport {
  if (options.data === undefined) throw new UserError('--compare needs --data DIR: samples to run both models on');
  if (options.samples === 0) throw new UserError('--samples 0: there is nothing to compare on; give more');
  const [float, quantized] = [loadModel(options.compare), loadModel(path)];
  if (inputTensor(float.graph).dtype !== 'float32')
    throw new UserError(`${options.compare}: is no float32 model; give the float one first: --compare FLOAT QUANT`);
  const pipeline = findPipeline(options.compare, options.pipeline) ?? findPipeline(path, undefined);
  const { inputs } = chooseData(float.graph, pipeline, {
    path: options.data,
    split: options.split ?? null,
    training: false,
    count: options.samples,
    seed: options.seed,
  });
  const layers = layerErrorsOfForms(float.graph, quantized.graph, inputs);
  if (layers === null)
    throw new UserError(`${path}: its layers are not those of ${options.compare}; compare two forms of one network`);
  const { dynamics } = quantized.graph;
  return {
    schemaVersion: 1,
    float: float.name,
    quantized: quantized.name,
    samples: inputs.length,
    layers,
    ...diagnose(layers, { isDynamic: dynamics !== undefined, isPerChannel: hasChannelScales(quantized.graph) }),
  };
}

function hasChannelScales(graph: Graph): boolean {
  return graph.ops.some((op) => {
    const filter = isWeighted(op) ? op.inputs[1] : null;
    return filter != null && (tensorOf(graph, filter).quantization?.scale.length ?? 1) > 1;
  });
}

export function formatComparison(report: ComparisonReport): string {
  const rows = report.layers.map((layer) => [...layerCells(layer), layer.saturated]);
  const { first, cause, fix } = report;
  return [
    `${report.quantized} against ${report.float} on ${report.samples} samples`,
    '',
    table([...layerHeader, 'at limits'], rows),
    '',
    first === null
      ? `no layer is below ${SQNR_MIN_DB} dB`
      : `first wrong: op ${first.index} ${first.opcode}, ${first.sqnrDb?.toFixed(1) ?? '-'} dB (${cause ?? ''}); try: ${fix}`,
  ].join('\n');
}
