/** Decision systems with random weights, for tests of everything but accuracy, and streams of synthetic motion to feed them. */
import {
  pushedValues,
  type DecisionSystem,
  type SystemGate,
  type SystemHead,
} from '../../../firmware-gen/ir/system.ts';
import {
  cosineScores,
  linearScores,
  mahalanobisDistance,
  relativePowers,
  unknownMargin,
} from '../../../firmware-gen/reference/decision/heads.ts';
import { nearestPrototype } from '../../../firmware-gen/reference/decision/prototypes.ts';
import { stickyParams } from '../../../firmware-gen/reference/decision/sticky-filter.ts';
import { cepstralFrames } from '../../../firmware-gen/reference/signal/cepstra.ts';
import { windowStatistics } from '../../../firmware-gen/reference/signal/window-statistics.ts';
import { headAtScale } from '../../../firmware-gen/reference/decision/head-at-scale.ts';
import { SystemReference, type Features } from '../../../firmware-gen/reference/system.ts';
import type { EncoderSpec, FrontEnd, QuantizationScheme } from '../../../learn/deep/config.ts';
import { quantizedEncoder } from '../../../learn/deep/deploy.ts';
import { convLayers, type InputShape } from '../../../learn/deep/encoder.ts';
import { encoderGraph } from '../../../learn/deep/export.ts';
import { motionSensor, soundSensor, type Sensor } from '../../../learn/deep/sensors.ts';
import { fitPrototypes } from '../../../learn/ood/prototypes.ts';
import { createRandom, type Random } from '../../../learn/random.ts';
import { MOTION_KINDS, syntheticWindow } from '../../../learn/synthetic-motion.ts';

export const RAW_SCALE = [0.001, 0.001, 0.001, 0.001, 0.001, 0.001] as const;
const FRAMES = 32;
const CLASSES = ['a', 'b', 'c'] as const;
const LATENT = 12;

/** Windows of every kind of motion, one after the other. */
export function syntheticStream(seconds: number, seed: number): Int16Array {
  const pipeline = {
    schemaVersion: 1 as const,
    windowFrames: 20 * seconds,
    hopFrames: 20,
    sampleRateHz: 20,
    channels: ['ax', 'ay', 'az', 'gx', 'gy', 'gz'],
    units: [],
    rawScale: [...RAW_SCALE],
    mean: [],
    scale: [],
    layout: { order: 'NHWC' as const, shape: [] },
    classes: [],
  };
  return Int16Array.from(MOTION_KINDS.flatMap((kind, i) => [...syntheticWindow(kind, pipeline, seed + i)]));
}

function randomParameters(spec: EncoderSpec, channels: number, random: Random): Map<string, Float32Array> {
  const values = new Map<string, Float32Array>();
  const normal = (count: number, deviation: number, mean = 0): Float32Array =>
    Float32Array.from({ length: count }, () => mean + deviation * random.normal());
  const layers = convLayers(spec, channels);
  for (const { name, kind, kernel, inputs, outputs } of layers) {
    const fan = kernel[0] * kernel[1] * (kind === 'conv' ? inputs : 1);
    values.set(`${name}_kernel`, normal(fan * outputs, Math.sqrt(2 / fan)));
    values.set(`${name}_gamma`, normal(outputs, 0.1, 1));
    values.set(`${name}_beta`, normal(outputs, 0.1));
    values.set(`${name}_mean`, normal(outputs, 0.1));
    values.set(`${name}_variance`, normal(outputs, 0.05, 1));
  }
  const features = layers.at(-1)!.outputs;
  values.set('latent_kernel', normal(features * spec.latent, Math.sqrt(2 / features)));
  values.set('latent_bias', normal(spec.latent, 0.1));
  return values;
}

const PLAIN: EncoderSpec = {
  kernel: [5, 1],
  stem: { filters: 8, stride: [2, 1] },
  blocks: [
    { filters: 12, stride: [2, 1], shortcut: false },
    { filters: 12, stride: [1, 1], shortcut: true },
  ],
  latent: LATENT,
};
const ENCODERS: Readonly<Record<FrontEnd['kind'], EncoderSpec>> = {
  raw: PLAIN,
  mfcc: PLAIN,
  image: {
    kernel: [3, 3],
    stem: { filters: 6, stride: [2, 2] },
    blocks: [{ filters: 12, stride: [2, 2], shortcut: false }],
    latent: LATENT,
  },
};

const median = (values: number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;

function featuresOf(system: DecisionSystem, windows: readonly Int16Array[]): Features[] {
  const reference = new SystemReference(system);
  return windows.map((window) => reference.features(window));
}

const SAMPLE_RATE_HZ = 8000;

/** Six cepstra, or six channels of motion. */
function sensorOf(frontEnd: FrontEnd): Sensor {
  if (frontEnd.kind !== 'mfcc') return motionSensor(frontEnd, RAW_SCALE);
  const scaling = { mean: [40, 2, 1, 0, 0, -1], deviation: [10, 5, 3, 2, 2, 2] };
  return soundSensor({ ...frontEnd, sampleRateHz: SAMPLE_RATE_HZ }, scaling);
}

/** The stream's values, whatever they are, taken for sound. */
function analysed(frontEnd: FrontEnd & { readonly kind: 'mfcc' }, stream: Int16Array): Int16Array {
  const { hopSamples } = frontEnd;
  const transform = cepstralFrames({ ...frontEnd, sampleRateHz: SAMPLE_RATE_HZ });
  const count = Math.floor(stream.length / hopSamples);
  const frames = Array.from({ length: count }, (_, i) =>
    transform(stream.subarray(i * hopSamples, (i + 1) * hopSamples)),
  );
  return Int16Array.from(frames.flatMap((frame) => [...frame]));
}

/** For features, which ask no head. */
const ANY_HEAD = {
  head: {
    kind: 'cosine',
    head: { size: LATENT, classes: 1, offset: 0, thresholdSquared: 0, weights: new Int16Array(LATENT) },
    sharpness: 1,
  },
  gate: { kind: 'cosine' },
} as const;

/** A cosine system (its gate by cosine or by statistics), or one with a linear head and a gate by softmax, distance or a class 'unknown'; about half of the stream's windows are accepted. */
export function randomSystem(
  frontEnd: FrontEnd,
  gateKind: SystemGate['kind'],
  stream: Int16Array,
  scheme: QuantizationScheme = 'static',
): DecisionSystem {
  const random = createRandom(21);
  const input: InputShape = frontEnd.kind === 'image' ? [FRAMES, FRAMES, 3] : [FRAMES, 1, 6];
  const spec = ENCODERS[frontEnd.kind];
  const parameters = randomParameters(spec, input[2], random);
  const graph = encoderGraph({ name: 'sys_encoder', spec, input, isImage: frontEnd.kind === 'image', parameters });
  const sensor = sensorOf(frontEnd);
  const frames = frontEnd.kind === 'mfcc' ? analysed(frontEnd, stream) : stream;
  const windows = Array.from({ length: 20 }, (_, i) => frames.subarray(i * 6 * FRAMES, (i + 1) * 6 * FRAMES));
  const samples = windows.map((window) => sensor.floats(window));
  const encoder = quantizedEncoder(graph, samples, { scheme, granularity: 'channel', learned: new Map() });
  const offset = -encoder.tensors[encoder.outputs[0]!]!.quantization!.zeroPoint[0]! || 0;
  const sizes = { size: LATENT, classes: CLASSES.length, offset };
  const base = {
    name: 'sys',
    classes: CLASSES,
    stream: { channels: 6, frames: FRAMES, hop: 10 },
    frontEnd: sensor.frontEnd(encoder),
    encoder,
    filter: stickyParams(CLASSES.length, 0.1),
  };
  const int16 = (count: number): Int16Array => Int16Array.from({ length: count }, () => 4000 * random.normal());
  if (gateKind !== 'cosine' && gateKind !== 'statistics') {
    const weights = int16(LATENT * CLASSES.length);
    const scales = featuresOf({ ...base, ...ANY_HEAD }, windows).flatMap(({ scale }) => (scale ? [scale.shift] : []));
    const head: Extract<SystemHead, { kind: 'linear' }> = {
      kind: 'linear',
      head: { ...sizes, weights, bias: Int32Array.from([1000, -2000, 0]) },
      scale: { multiplier: 1 << 30, shift: -8 },
      // The finest, as deployed systems have it.
      ...(encoder.dynamics && { phiShift: Math.min(...scales) }),
    };
    const whitening = int16((LATENT * (LATENT + 1)) / 2);
    const mahalanobis = { ...sizes, shift: 6, whitening, centres: new Int32Array(LATENT * CLASSES.length) };
    const open: SystemGate = { kind: 'max-softmax', sumMax: 0 };
    const features = featuresOf({ ...base, head, gate: open }, windows);
    const sums = features.map(({ phi, scale }) => {
      const now = headAtScale(head, scale);
      return relativePowers(now.scale, linearScores(now.head, phi)).sum;
    });
    const distances = features.map(({ phi }) => Number(mahalanobisDistance(mahalanobis, phi).distance));
    const unknown = { ...sizes, classes: 1, weights: int16(LATENT), bias: Int32Array.of(-500) };
    const margins = features.map(({ phi }) => unknownMargin(unknown, Math.max(...linearScores(head.head, phi)), phi));
    const gates: Record<typeof gateKind, SystemGate> = {
      'max-softmax': { kind: 'max-softmax', sumMax: median(sums) },
      mahalanobis: { kind: 'mahalanobis', head: mahalanobis, distanceMax: median(distances) },
      'unknown-class': { kind: 'unknown-class', head: unknown, marginMin: median(margins) },
    };
    return { ...base, head, gate: gates[gateKind] };
  }
  const rows = CLASSES.map(() => Array.from({ length: LATENT }, () => random.normal()));
  const weights = Int16Array.from(rows.flatMap((row) => row.map((value) => (32767 * value) / Math.hypot(...row))));
  const open = { ...sizes, thresholdSquared: 0, weights };
  const untested = { ...base, head: { kind: 'cosine', head: open, sharpness: 1 }, gate: { kind: 'cosine' } } as const;
  const cosines = featuresOf(untested, windows).map(({ phi, scale }) => {
    const { scores, squaredNorm } = cosineScores(headAtScale(untested.head, scale).head, phi);
    return Math.max(0, ...scores) / 32768 / Math.sqrt(squaredNorm);
  });
  const head = { ...open, thresholdSquared: Math.round(median(cosines) ** 2 * 2 ** 30) };
  const cosine = { ...base, head: { kind: 'cosine', head, sharpness: 100 }, gate: { kind: 'cosine' } } as const;
  return gateKind === 'cosine' ? cosine : { ...cosine, gate: statisticsGate(windows) };
}

/** Prototypes of some of the windows. */
function statisticsGate(windows: readonly Int16Array[]): SystemGate {
  const some = windows.slice(0, 12);
  const labels = some.map((_, i) => i % CLASSES.length);
  const data = { windows: some, labels, subjects: some.map((_, i) => `${i % 2}`), classes: CLASSES.length };
  const head = fitPrototypes(data, { floors: RAW_SCALE.map(() => 30), perClass: 2, seed: 1 });
  const distances = windows.map((window) => nearestPrototype(head, windowStatistics(window, head.floors)).distance);
  return { kind: 'statistics', head, distanceMax: median(distances) };
}

export function withLatentFilter(system: DecisionSystem): DecisionSystem {
  const random = createRandom(8);
  const uint16 = (): Uint16Array => Uint16Array.from({ length: LATENT }, () => 1 + random.integer(3000));
  const params = {
    ...{ size: LATENT, classes: CLASSES.length, offset: system.head.head.offset, shift: 12 },
    whitening: Int16Array.from({ length: (LATENT * (LATENT + 1)) / 2 }, () => 4000 * random.normal()),
    centres: Int32Array.from({ length: LATENT * CLASSES.length }, () => 40 * random.normal()),
    drift: uint16(),
    noise: uint16(),
  };
  return { ...system, latentFilter: { params, scale: { multiplier: 1 << 30, shift: -3 } } };
}

/** Hop by hop. */
export function* chunks(stream: Int16Array, system: DecisionSystem): Generator<Int16Array> {
  const values = system.stream.hop * pushedValues(system);
  for (let at = 0; at + values <= stream.length; at += values) yield stream.subarray(at, at + values);
}
