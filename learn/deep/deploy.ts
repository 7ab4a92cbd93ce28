/**
 * From a trained network to a decision system: the encoder quantized with ranges of training windows, the front end's and the head's integers, the
 * threshold from what the integer system itself makes of in-distribution validation windows.
 */
import { assert, defined, UserError } from '../../common/errors.ts';
import { tensorOf, type Graph } from '../../firmware-gen/ir/graph.ts';
import { quantizeMultiplier, type QuantizedMultiplier } from '../../firmware-gen/ir/quantized-math.ts';
import { realScale } from '../../firmware-gen/ir/dynamic.ts';
import type { DecisionSystem, SystemGate, SystemHead } from '../../firmware-gen/ir/system.ts';
import {
  cosineScores,
  linearScores,
  relativePowers,
  unknownMargin,
} from '../../firmware-gen/reference/decision/heads.ts';
import { stickyParams } from '../../firmware-gen/reference/decision/sticky-filter.ts';
import { headAtScale } from '../../firmware-gen/reference/decision/head-at-scale.ts';
import { SystemReference, type Features } from '../../firmware-gen/reference/system.ts';
import { fitTemperature } from '../ood/detectors.ts';
import { thresholdAt } from '../ood/metrics.ts';
import { calibrate, type ActivationRange } from '../quantize/calibrate.ts';
import { quantizeDynamic } from '../quantize/dynamic.ts';
import { int8Format } from '../quantize/number-format.ts';
import { quantizeGraph } from '../quantize/quantize-graph.ts';
import { learnedRanges } from './aware.ts';
import {
  quantizationOf,
  imagesAreStatic,
  learnsUnknown,
  type Granularity,
  type QuantizationScheme,
  type TrainConfig,
} from './config.ts';
import { knownClasses } from './data-source.ts';
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
  /** Of the encoder; default: the network's own configuration. */
  readonly quantization?: TrainConfig['quantization'];
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
  const encoder = quantizedEncoder(graph, floats, {
    ...quantizationOf({ quantization: options.quantization ?? config.quantization }),
    learned: learnedRanges(network.parameters.values(), config.encoder, source.input[2]),
  });
  const frontEnd = options.sensor.frontEnd(encoder);
  const classes = knownClasses(source.classes);
  const taught = learnsUnknown(config) ? { taught: config.data.unknown ?? [] } : {};
  const base = {
    name: config.name,
    classes,
    ...taught,
    stream: { channels: source.channels, frames: source.frames, hop: options.hopFrames },
    frontEnd,
    encoder,
    filter: stickyParams(classes.length, options.switching),
  };
  return { ...base, ...headAndGate(network, base, options) };
}

export interface EncoderQuantization {
  readonly scheme: QuantizationScheme;
  readonly granularity: Granularity;
  /** Ranges of a quantization-aware training, by activation; static scales take them instead of those of the samples. */
  readonly learned: ReadonlyMap<string, ActivationRange>;
}

/** @param samples by sample the encoder's inputs. @throws UserError for an image in dynamic fixed point */
export function quantizedEncoder(
  graph: Graph,
  samples: readonly (readonly Float32Array[])[],
  { scheme, granularity, learned }: EncoderQuantization,
): Graph {
  if (scheme === 'static') {
    const ranges = new Map(calibrate(graph, samples));
    for (const id of ranges.keys()) {
      const { name } = tensorOf(graph, id);
      // The product of an image's two inputs is what the training saw of them.
      const range = learned.get(name === 'image' ? 'input' : name);
      if (range) ranges.set(id, range);
    }
    return quantizeGraph(graph, ranges, { format: int8Format, granularity });
  }
  const inputs = samples.map((sample) => {
    if (sample.length > 1) throw imagesAreStatic(graph.name);
    return sample[0]!;
  });
  const how = {
    scheme: scheme === 'dynamic-q' ? 'q' : 'asym',
    form: 'full',
    granularity,
    equalization: false,
  } as const;
  return quantizeDynamic(graph, inputs, how).quantized;
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
  /** Of one step of phi; null: found at run time. */
  readonly scale: number | null;
  /** By class. */
  readonly rows: readonly (readonly number[])[];
  readonly bias: readonly number[];
  /** Of the class 'unknown', if the network has it. */
  readonly unknown: { readonly row: readonly number[]; readonly bias: number } | null;
}

function headWeights(network: Network, encoder: Graph): HeadWeights {
  const values = network.parameters.values();
  const kernel = defined(values.get(`${headName(0)}_kernel`), 'weights of the head');
  const size = network.config.encoder.latent;
  const all = network.source.classes.length;
  const classes = knownClasses(network.source.classes).length;
  const rowOf = (c: number): number[] => Array.from({ length: size }, (_, d) => kernel[d * all + c]!);
  const biasOf = (c: number): number => values.get(`${headName(0)}_bias`)?.[c] ?? 0;
  const output = defined(tensorOf(encoder, encoder.outputs[0]!).quantization, 'quantization of features');
  return {
    size,
    classes,
    offset: encoder.dynamics ? 0 : -output.zeroPoint[0]! || 0,
    scale: encoder.dynamics ? null : output.scale[0]!,
    rows: Array.from({ length: classes }, (_, c) => rowOf(c)),
    bias: Array.from({ length: classes }, (_, c) => biasOf(c)),
    unknown: all === classes ? null : { row: rowOf(classes), bias: biasOf(classes) },
  };
}

/** Of the validation windows, by the integer system's own front end and encoder. */
function validationFeatures(
  base: Base,
  head: SystemHead,
  gate: SystemGate,
  windows: readonly Int16Array[],
): Features[] {
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
  const untested = { kind: 'cosine', head: open, sharpness: 1 } as const;
  const scored = validationFeatures(base, untested, gate, windows).map(({ phi, scale }) => {
    const { scores, squaredNorm } = cosineScores(headAtScale(untested, scale).head, phi);
    // Doubles: rounded up, a cosine would not reach its own threshold.
    return Float64Array.from(scores, (score) => score / 32768 / Math.sqrt(Math.max(1, squaredNorm)));
  });
  const tau = thresholdAt(
    scored.map((cosines) => Math.max(...cosines)),
    options.truePositiveRate,
  );
  // A gate by statistics takes this threshold's place: then it is not asked for.
  if (!(tau > 0) && network.config.deploy.detector !== 'statistics')
    throw new UserError(`the cosine that accepts ${100 * options.truePositiveRate} % is ${tau}; train longer`);
  const temperature = fitTemperature(
    scored.map((cosines) => asOutputs(Float32Array.from(cosines))),
    labels,
  );
  // 2^8 * 1024 * log2(e) / 2^15 per unit of inverse temperature.
  const sharpness = Math.max(1, Math.min(2 ** 20 - 1, Math.round((8 * Math.LOG2E) / temperature)));
  const head = { ...open, thresholdSquared: tau > 0 ? Math.floor(tau * tau * 2 ** 30) : 0 };
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
  const { size, classes, offset, scale: fixed, rows, bias, unknown } = headWeights(network, base.encoder);
  const step = weightStep(unknown ? [...rows, unknown.row] : rows, fixed === null);
  const any: SystemHead = {
    kind: 'linear',
    head: { size, classes, offset, weights: new Int16Array(size * classes), bias: new Int32Array(classes) },
    scale: { multiplier: 0, shift: 0 },
  };
  const features = validationFeatures(base, any, { kind: 'max-softmax', sumMax: 0 }, options.validation.windows);
  // Finest scale of phi: what the bias loses in windows that are louder is less than a step.
  const phiShift = fixed === null ? Math.min(...features.map(({ scale }) => scale!.shift)) : null;
  const scale = fixed ?? 2 ** (phiShift! - 1);
  const linear = {
    ...any.head,
    weights: Int16Array.from(rows.flatMap((row) => row.map((value) => Math.round(value / step)))),
    bias: Int32Array.from(bias, (value) => Math.round(value / (step * scale))),
  };
  assert(
    [...bias, unknown?.bias ?? 0].every((value) => Math.abs(value / (step * scale)) < 2 ** 31),
    'bias of a head beyond int32',
  );
  const headWith = (exponents: QuantizedMultiplier): Extract<SystemHead, { kind: 'linear' }> => ({
    ...{ kind: 'linear', head: linear, scale: exponents },
    ...(phiShift !== null && { phiShift }),
  });
  const untested = headWith({ multiplier: 0, shift: 0 });
  const logits = features.map(({ phi, scale: now }) => {
    const real = step * (now ? realScale(now) : scale);
    return Float32Array.from(linearScores(headAtScale(untested, now).head, phi), (score) => score * real);
  });
  const temperature = fitTemperature(logits.map(asOutputs), options.validation.labels);
  const exponents = quantizeMultiplier((step * scale * Math.LOG2E * 1024) / temperature);
  assert(exponents.shift <= 0, 'logits of more than a bit per step');
  const head = headWith(exponents);
  if (unknown !== null && fixed !== null) {
    const ofUnknown = {
      ...{ size, classes: 1, offset },
      weights: Int16Array.from(unknown.row, (value) => Math.round(value / step)),
      bias: Int32Array.of(Math.round(unknown.bias / (step * scale))),
    };
    const margins = features.map(({ phi }) => unknownMargin(ofUnknown, Math.max(...linearScores(linear, phi)), phi));
    const marginMin = thresholdAt(margins, options.truePositiveRate);
    return { head, gate: { kind: 'unknown-class', head: ofUnknown, marginMin } };
  }
  const sums = features.map(({ phi, scale: now }) => {
    const own = headAtScale(head, now);
    return -relativePowers(own.scale, linearScores(own.head, phi)).sum;
  });
  return { head, gate: { kind: 'max-softmax', sumMax: -thresholdAt(sums, options.truePositiveRate) } };
}

/**
 * Of a linear head's int16 weights. Features of a scale found at run time may be full scale with any bias: their products then leave half of int32
 * to it (system-file.ts).
 */
function weightStep(rows: readonly (readonly number[])[], isDynamic: boolean): number {
  const largest = Math.max(...rows.flat().map(Math.abs)) / 32767;
  if (!isDynamic) return largest;
  const total = Math.max(...rows.map((row) => row.reduce((sum, value) => sum + Math.abs(value), 0)));
  // Rounding adds at most half a step to each weight.
  return Math.max(largest, total / (2 ** 30 / 255 - rows[0]!.length));
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
