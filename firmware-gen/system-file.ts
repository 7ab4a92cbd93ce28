/** A decision system on disk: NAME.system.json with every integer in it, beside the encoder's .tflite. */
import { z } from 'zod';
import { UserError } from '../common/errors.ts';
import { elementCount, tensorOf, type Graph, type TensorId } from './ir/graph.ts';
import { CEPSTRA_FRACTION_BITS } from './ir/sound-tables.ts';
import type {
  DecisionSystem,
  LinearHead,
  StatisticsHead,
  StreamParams,
  SystemHead,
  SystemFrontEnd,
} from './ir/system.ts';
import { STATISTICS_FRAMES_MAX, WINDOW_STATISTICS } from './reference/signal/window-statistics.ts';

const int = z.number().int();
const positive = int.positive();
const int16 = z.array(int.min(-32768).max(32767)).transform((values) => Int16Array.from(values));
const int32 = z.array(int.min(-2147483648).max(2147483647)).transform((values) => Int32Array.from(values));
const uint16 = (least: number, most = 65535) =>
  z.array(int.min(least).max(most)).transform((values) => Uint16Array.from(values));
const channel = z.strictObject({ offset: int, multiplier: int.nonnegative(), shift: int.min(-31).max(0) });
const size = { size: positive.max(1024), classes: positive, offset: int.min(-127).max(128) };
const multiplier = { multiplier: int.nonnegative().max(2147483647), shift: int.min(-31).max(0) };
const standardised = {
  channels: z.array(channel).min(1),
  zeroPoint: int,
  unit: z.strictObject({ multiplier: int.min(2 ** 30).max(2147483647), shift: int.min(-60).max(60) }).optional(),
};

const schema = z.strictObject({
  schemaVersion: z.literal(1),
  name: z.string().regex(/^\w+$/),
  /** File of the encoder, in the same folder. */
  encoder: z.string().regex(/^[\w.-]+\.tflite$/),
  /** Hash of what it was made from; absent where nobody has to know. */
  configuration: z.string().optional(),
  classes: z.array(z.string()).min(2),
  taught: z.array(z.string()).optional(),
  stream: z.strictObject({ channels: positive, frames: positive, hop: positive }),
  frontEnd: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('raw'), ...standardised }),
    z.strictObject({
      kind: z.literal('mfcc'),
      cepstra: z
        .strictObject({
          sampleRateHz: z.number().positive(),
          frameSamples: int.min(8).max(2048),
          hopSamples: positive,
          mels: positive.max(128),
          coefficients: positive,
          /** What the channels' offsets and multipliers count on: a file of other counts would be heard wrongly. */
          fractionBits: z.literal(CEPSTRA_FRACTION_BITS),
        })
        .refine(({ frameSamples, hopSamples }) => hopSamples <= frameSamples, 'hopSamples is above frameSamples')
        .refine(({ mels, coefficients }) => coefficients <= mels, 'coefficients is above mels')
        .transform(({ sampleRateHz, frameSamples, hopSamples, mels, coefficients }) => ({
          ...{ sampleRateHz, frameSamples, hopSamples, mels, coefficients },
        })),
      ...standardised,
    }),
    z.strictObject({
      kind: z.literal('image'),
      column: channel,
      columnZeroPoint: int,
      row: z.array(channel).length(3),
      rowZeroPoint: int,
      rowSource: z.enum(['gyroscope', 'self']),
    }),
  ]),
  head: z.discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('cosine'),
      head: z.strictObject({ ...size, thresholdSquared: int.nonnegative(), weights: int16 }),
      sharpness: positive.max(2 ** 20),
    }),
    z.strictObject({
      kind: z.literal('linear'),
      head: z.strictObject({ ...size, weights: int16, bias: int32 }),
      scale: z.strictObject(multiplier),
      phiShift: int.min(-60).max(60).optional(),
    }),
  ]),
  gate: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('cosine') }),
    z.strictObject({ kind: z.literal('max-softmax'), sumMax: int }),
    z.strictObject({
      kind: z.literal('mahalanobis'),
      head: z.strictObject({ ...size, shift: int.min(0).max(16), whitening: int16, centres: int32 }),
      distanceMax: int.nonnegative(),
    }),
    z.strictObject({
      kind: z.literal('unknown-class'),
      head: z.strictObject({ ...size, classes: z.literal(1), weights: int16, bias: int32 }),
      marginMin: int.min(-2147483648).max(2147483647),
    }),
    z.strictObject({
      kind: z.literal('statistics'),
      head: z.strictObject({
        size: positive.max(256),
        count: positive.max(4096),
        shift: int.min(0).max(31),
        floors: uint16(1, 1024),
        whitening: int16,
        centres: z.array(int.min(-16383).max(16383)).transform((values) => Int16Array.from(values)),
        labels: z.array(int.min(0).max(255)).transform((values) => Uint8Array.from(values)),
      }),
      distanceMax: int.nonnegative().max(2147483646),
    }),
  ]),
  latentFilter: z
    .strictObject({
      params: z.strictObject({
        ...size,
        shift: int.min(0).max(16),
        whitening: int16,
        centres: int32,
        drift: uint16(0),
        noise: uint16(1),
      }),
      scale: z.strictObject(multiplier),
    })
    .optional(),
  filter: z.strictObject({ classes: positive, stay: int, change: positive }),
});

export type SystemDocument = z.infer<typeof schema>;

/** Text of NAME.system.json. @param encoder file name of the encoder @param configuration hash of what it was made from */
export function systemJson(system: DecisionSystem, encoder: string, configuration?: string | null): string {
  const { name, classes, taught, stream, frontEnd, head, gate, latentFilter, filter } = system;
  const about = { schemaVersion: 1, name, encoder, configuration: configuration ?? undefined };
  const front =
    frontEnd.kind === 'mfcc'
      ? { ...frontEnd, cepstra: { ...frontEnd.cepstra, fractionBits: CEPSTRA_FRACTION_BITS } }
      : frontEnd;
  const document = { ...about, classes, taught, stream, frontEnd: front, head, gate, latentFilter, filter };
  const plain = (_key: string, value: unknown): unknown =>
    ArrayBuffer.isView(value) ? Array.from(value as Int32Array) : value;
  return `${JSON.stringify(document, plain, 2).replace(/\[[\s\d,-]+\]/g, (list) => list.replace(/\s+/g, ' '))}\n`;
}

/** @param where names the source in errors. @throws UserError naming what is wrong */
export function parseSystem(json: unknown, where: string): SystemDocument {
  const parsed = schema.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new UserError(`${where}: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}; train or deploy it anew`);
  }
  const { head, classes, stream, frontEnd, gate, latentFilter, filter } = parsed.data;
  const fail = (what: string): never => {
    throw new UserError(`${where}: ${what}; train or deploy it anew`);
  };
  const outputs = [head.head.classes, filter.classes];
  if (outputs.some((count) => count !== classes.length))
    fail(`head and filter have not the ${classes.length} classes named`);
  if (head.head.weights.length !== head.head.size * head.head.classes)
    fail('head.head.weights has another length than size * classes');
  if (head.kind === 'linear' && head.head.bias.length !== classes.length)
    fail('head.head.bias has not one value per class');
  if (gate.kind === 'cosine' && head.kind !== 'cosine') fail('a cosine gate needs a cosine head');
  if (gate.kind === 'unknown-class') checkUnknownClass(gate.head, head, fail);
  if (frontEnd.kind === 'mfcc' && frontEnd.cepstra.coefficients !== stream.channels)
    fail('frontEnd.cepstra.coefficients is not the number of channels');
  if (frontEnd.kind !== 'image' && frontEnd.channels.length !== stream.channels)
    fail('frontEnd.channels has not one entry per channel');
  if (frontEnd.kind === 'image' && stream.channels !== 6) fail('an image needs streams of 6 channels');
  if (frontEnd.kind !== 'image' && frontEnd.unit) checkRunTimeScales(parsed.data, fail);
  else if (head.kind === 'linear' && head.phiShift !== undefined) fail('head.phiShift needs frontEnd.unit');
  if (gate.kind === 'mahalanobis') checkGaussians(gate.head, head.head.size, fail, 'gate.head');
  if (gate.kind === 'statistics') checkPrototypes(gate.head, stream, classes.length, fail);
  if (latentFilter) {
    const { params } = latentFilter;
    checkGaussians(params, head.head.size, fail, 'latentFilter.params');
    if (params.drift.length !== params.size || params.noise.length !== params.size)
      fail('latentFilter.params has not one drift and one noise per feature');
    if (params.classes !== classes.length) fail('latentFilter.params has another number of classes');
  }
  return parsed.data;
}

/** Largest sum of a linear head's products: as much as that again is left for the bias. */
const PRODUCTS_MAX = 2 ** 30;

/** What features of a scale found at run time can be used for. */
function checkRunTimeScales({ head, gate, latentFilter }: SystemDocument, fail: (what: string) => never): void {
  if (gate.kind === 'mahalanobis' || gate.kind === 'unknown-class')
    fail(`gate.kind ${gate.kind} needs an encoder of static scales`);
  if (latentFilter) fail('latentFilter needs an encoder of static scales');
  if (head.head.offset !== 0) fail('head.head.offset is not 0, which the encoder gives at run time');
  if (head.kind !== 'linear') return;
  if (head.phiShift === undefined) fail('head.phiShift is missing beside frontEnd.unit');
  const { classes, size, weights } = head.head;
  for (let c = 0; c < classes; c += 1) {
    const sum = weights.subarray(c * size, (c + 1) * size).reduce((total, weight) => total + Math.abs(weight), 0);
    if (255 * sum >= PRODUCTS_MAX) fail(`head.head.weights of class ${c} leave no room for a bias`);
  }
}

function checkGaussians(
  { size, classes, whitening, centres }: { size: number; classes: number; whitening: Int16Array; centres: Int32Array },
  features: number,
  fail: (what: string) => never,
  where: string,
): void {
  if (size !== features || size > 256) fail(`${where}.size is not that of the head, or above 256`);
  if (whitening.length !== (size * (size + 1)) / 2) fail(`${where}.whitening is no lower triangle`);
  if (centres.length !== size * classes) fail(`${where}.centres has another length than size * classes`);
}

function checkUnknownClass(
  { size, offset, weights, bias }: LinearHead,
  { kind, head }: SystemHead,
  fail: (what: string) => never,
): void {
  if (kind !== 'linear') fail("a gate by a class 'unknown' needs a linear head");
  if (size !== head.size || offset !== head.offset) fail('gate.head takes other features than head.head');
  if (weights.length !== size || bias.length !== 1) fail('gate.head is not one class of gate.head.size weights');
}

function checkPrototypes(
  { size, count, floors, whitening, centres, labels }: StatisticsHead,
  { channels, frames }: StreamParams,
  classes: number,
  fail: (what: string) => never,
): void {
  if (frames < 2 || frames > STATISTICS_FRAMES_MAX)
    fail(`stream.frames is not 2 to ${STATISTICS_FRAMES_MAX}, as statistics need`);
  if (floors.length !== channels) fail('gate.head.floors has not one value per channel');
  if (size !== channels * WINDOW_STATISTICS) fail(`gate.head.size is not ${WINDOW_STATISTICS} per channel`);
  if (whitening.length !== (size * (size + 1)) / 2) fail('gate.head.whitening is no lower triangle');
  if (centres.length !== size * count) fail('gate.head.centres has another length than size * count');
  if (labels.length !== count || labels.some((label) => label >= classes))
    fail('gate.head.labels has not one class per prototype');
}

/** The system with its encoder. @throws UserError when the encoder does not fit */
export function assembleSystem(document: SystemDocument, encoder: Graph, where: string): DecisionSystem {
  const isScale = new Set<TensorId>(encoder.dynamics?.scaleOf.values());
  const ids = [...encoder.inputs, ...encoder.outputs].filter((id) => !isScale.has(id));
  const tensors = ids.map((id) => tensorOf(encoder, id));
  const { name, classes, taught, stream, frontEnd, head, gate, latentFilter, filter } = document;
  const optional = { ...(taught && { taught }), ...(latentFilter && { latentFilter }) };
  const inputs = frontEnd.kind === 'image' ? [3 * stream.frames, 3 * stream.frames] : [stream.frames * stream.channels];
  const expected = [...inputs, head.head.size];
  const actual = tensors.map(({ shape }) => elementCount(shape));
  if (actual.join() !== expected.join() || tensors.some(({ dtype }) => dtype !== 'int8'))
    throw new UserError(
      `${where}: the encoder's tensors hold ${actual.join(', ')} values, int8 tensors of ${expected.join(', ')} expected; use the encoder it was made with`,
    );
  const problem = scaleProblem(frontEnd, encoder);
  if (problem) throw new UserError(`${where}: ${problem}; use the encoder it was made with`);
  // The encoder's functions need names of their own.
  const graph = name === encoder.name ? { ...encoder, name: `${name}_encoder` } : encoder;
  return { name, classes, stream, frontEnd, encoder: graph, head, gate, ...optional, filter };
}

/** Why the front end cannot give the encoder the scale it takes, or null. */
function scaleProblem(frontEnd: SystemFrontEnd, { dynamics }: Graph): string | null {
  const unit = frontEnd.kind === 'image' ? undefined : frontEnd.unit;
  if (!dynamics) return unit ? 'the encoder has static scales, frontEnd.unit is for those of run time' : null;
  if (!unit) return 'the encoder finds its scales at run time, frontEnd.unit is missing';
  if (dynamics.form === 'predicted') return 'the encoder keeps ranges from window to window (form predicted)';
  if (dynamics.scheme === 'q' && unit.multiplier !== 2 ** 30) return 'frontEnd.unit is no power of two';
  return null;
}
