/**
 * From a trained network to a decision system: the encoder quantized with ranges of training windows, the front end's and the head's integers, the
 * threshold from what the integer system itself makes of in-distribution validation windows.
 */
import { assert, defined, UserError } from '../../common/errors.ts';
import { tensorOf, type Graph } from '../../firmware-gen/ir/graph.ts';
import { quantizeMultiplier } from '../../firmware-gen/ir/quantized-math.ts';
import type { DecisionSystem, SystemGate, SystemHead } from '../../firmware-gen/ir/system.ts';
import { cosineScores, linearScores, relativePowers } from '../../firmware-gen/reference/decision/heads.ts';
import { stickyParams } from '../../firmware-gen/reference/decision/sticky-filter.ts';
import { SystemReference } from '../../firmware-gen/reference/system.ts';
import { fitTemperature } from '../ood/detectors.ts';
import { thresholdAt } from '../ood/metrics.ts';
import { calibrate } from '../quantize/calibrate.ts';
import { quantizeGraph } from '../quantize/quantize-graph.ts';
import { encoderGraph } from './export.ts';
import { headName } from './heads.ts';
import type { Network } from './network.ts';
import type { Sensor } from './sensors.ts';

export interface DeployOptions {
  readonly sensor: Sensor;
  /** Windows of the stream, int16 [frames, channels]: training ones set ranges, validation ones threshold and temperature. */
  readonly calibration: readonly Int16Array[];
  readonly validation: { readonly windows: readonly Int16Array[]; readonly labels: readonly number[] };
  readonly hopFrames: number;
  /** Share of known windows that is to be accepted, 0..1. */
  readonly truePositiveRate: number;
  /** Probability that the activity changes from one window to the next. */
  readonly switching: number;
}

/** @param network with a linear or a cosine head */
export function deploy(network: Network, options: DeployOptions): DecisionSystem {
  const { config, source } = network;
  const graph = encoderGraph({
    name: `${config.name}_encoder`,
    spec: config.encoder,
    input: source.input,
    isImage: config.frontEnd.kind === 'image',
    parameters: network.parameters.values(),
  });
  const floats = options.calibration.map((window) => options.sensor.floats(window));
  const encoder = quantizeGraph(graph, calibrate(graph, floats));
  const frontEnd = options.sensor.frontEnd(encoder);
  const base = {
    name: config.name,
    classes: source.classes,
    stream: { channels: source.channels, frames: source.frames, hop: options.hopFrames },
    frontEnd,
    encoder,
    filter: stickyParams(source.classes.length, options.switching),
  };
  return { ...base, ...headAndGate(network, base, options) };
}

type Base = Omit<DecisionSystem, 'head' | 'gate'>;

function headAndGate(network: Network, base: Base, options: DeployOptions): { head: SystemHead; gate: SystemGate } {
  const { kind } = network.config.head;
  if (kind === 'deconf-c') return cosineHead(network, base, options);
  if (kind === 'linear') return linearHead(network, base, options);
  throw new UserError(`head "${kind}" cannot be deployed; use deconf-c or linear`);
}

interface HeadWeights {
  readonly size: number;
  readonly classes: number;
  readonly offset: number;
  /** Of one step of phi. */
  readonly scale: number;
  /** By class. */
  readonly rows: readonly (readonly number[])[];
  readonly bias: Float32Array | null;
}

function headWeights(network: Network, encoder: Graph): HeadWeights {
  const values = network.parameters.values();
  const kernel = defined(values.get(`${headName(0)}_kernel`), 'weights of the head');
  const size = network.config.encoder.latent;
  const classes = kernel.length / size;
  const { scale, zeroPoint } = defined(tensorOf(encoder, encoder.outputs[0]!).quantization, 'quantization of features');
  return {
    size,
    classes,
    offset: -zeroPoint[0]! || 0,
    scale: scale[0]!,
    rows: Array.from({ length: classes }, (_, c) => Array.from({ length: size }, (_, d) => kernel[d * classes + c]!)),
    bias: values.get(`${headName(0)}_bias`) ?? null,
  };
}

/** int8 features of the validation windows, by the integer system's own front end and encoder. */
function validationFeatures(
  base: Base,
  head: SystemHead,
  gate: SystemGate,
  windows: readonly Int16Array[],
): Int8Array[] {
  const reference = new SystemReference({ ...base, head, gate });
  return windows.map((window) => reference.features(window));
}

function cosineHead(network: Network, base: Base, options: DeployOptions): { head: SystemHead; gate: SystemGate } {
  const { size, classes, offset, rows } = headWeights(network, base.encoder);
  const weights = Int16Array.from(
    rows.flatMap((row) => row.map((value) => Math.min(32767, Math.round((32768 * value) / Math.hypot(...row))))),
  );
  const open = { size, classes, offset, thresholdSquared: 0, weights };
  const gate: SystemGate = { kind: 'cosine' };
  const { windows, labels } = options.validation;
  const scored = validationFeatures(base, { kind: 'cosine', head: open, sharpness: 1 }, gate, windows).map((phi) => {
    const { scores, squaredNorm } = cosineScores(open, phi);
    return Float32Array.from(scores, (score) => score / 32768 / Math.sqrt(Math.max(1, squaredNorm)));
  });
  const tau = thresholdAt(
    scored.map((cosines) => Math.max(...cosines)),
    options.truePositiveRate,
  );
  if (!(tau > 0))
    throw new UserError(`the cosine that accepts ${100 * options.truePositiveRate} % is ${tau}; train longer`);
  const temperature = fitTemperature(scored.map(asOutputs), labels);
  // 2^8 * 1024 * log2(e) / 2^15 per unit of inverse temperature.
  const sharpness = Math.max(1, Math.min(2 ** 20 - 1, Math.round((8 * Math.LOG2E) / temperature)));
  const head = { ...open, thresholdSquared: Math.floor(tau * tau * 2 ** 30) };
  return { head: { kind: 'cosine', head, sharpness }, gate };
}

const asOutputs = (logits: Float32Array) => ({
  phi: new Float32Array(0),
  h: [logits],
  logits: [logits],
  gate: null,
  statistics: null,
  reconstructionError: null,
});

function linearHead(network: Network, base: Base, options: DeployOptions): { head: SystemHead; gate: SystemGate } {
  const { size, classes, offset, scale, rows, bias } = headWeights(network, base.encoder);
  const largest = Math.max(...rows.flat().map(Math.abs));
  const step = largest / 32767;
  const linear = {
    size,
    classes,
    offset,
    weights: Int16Array.from(rows.flatMap((row) => row.map((value) => Math.round(value / step)))),
    bias: Int32Array.from(rows, (_, c) => Math.round((bias?.[c] ?? 0) / (step * scale))),
  };
  const toReal = (scores: Int32Array): Float32Array => Float32Array.from(scores, (score) => score * step * scale);
  const any: SystemHead = { kind: 'linear', head: linear, scale: { multiplier: 0, shift: 0 } };
  const features = validationFeatures(base, any, { kind: 'max-softmax', sumMax: 0 }, options.validation.windows);
  const scores = features.map((phi) => linearScores(linear, phi));
  const temperature = fitTemperature(
    scores.map((row) => asOutputs(toReal(row))),
    options.validation.labels,
  );
  const exponents = quantizeMultiplier((step * scale * Math.LOG2E * 1024) / temperature);
  assert(exponents.shift <= 0, 'logits of more than a bit per step');
  const sums = scores.map((row) => -relativePowers(exponents, row).sum);
  const sumMax = -thresholdAt(sums, options.truePositiveRate);
  return { head: { kind: 'linear', head: linear, scale: exponents }, gate: { kind: 'max-softmax', sumMax } };
}

/** How often the system's own class is right and how often it accepts, on raw windows. */
export function judge(
  system: DecisionSystem,
  windows: readonly Int16Array[],
): { labels: number[]; accepted: boolean[] } {
  const reference = new SystemReference(system);
  const decisions = windows.map((window) => reference.decide(window));
  return { labels: decisions.map(({ label }) => label), accepted: decisions.map(({ accepted }) => accepted) };
}
