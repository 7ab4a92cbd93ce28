/**
 * What decides a training, as a JSON document: data, front end, encoder, head, objective, schedule. `thumbelina train CONFIG.json` reads it, the
 * grids of bench/ make many of it, and its hash names cached results.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { UserError } from '../../common/errors.ts';
import { ADAPT_ARITHMETICS, ADAPT_LAYERS } from '../../firmware-gen/ir/adaptation.ts';
import { dataSchema } from './data-schema.ts';

const positive = z.number().int().positive();
const stride = z.tuple([positive, positive]);
const subjectsSchema = z.array(z.union([z.number().int(), z.string()]));

export const encoderSchema = z.strictObject({
  /** Taps of every convolution, [height, width]; a window of samples has its time along the height and width 1. */
  kernel: z.tuple([positive, positive]),
  stem: z.strictObject({ filters: positive, stride }),
  /** Depthwise-separable blocks; a shortcut needs stride 1 and as many filters as come in. */
  blocks: z.array(z.strictObject({ filters: positive, stride, shortcut: z.boolean().default(false) })),
  /** Values of the feature vector. */
  latent: positive,
});

export const frontEndSchema = z.discriminatedUnion('kind', [
  /** The window itself, standardised: [frames, 1, channels]. */
  z.strictObject({ kind: z.literal('raw') }),
  /**
   * The 2D transformation: column of unit vectors of the accelerometer times row of `omega`: the gyroscope over omegaScale (rad/s per unit), or
   * (a variant for sensors without one) the unit vectors themselves.
   */
  z.strictObject({
    kind: z.literal('image'),
    omega: z.enum(['gyroscope', 'self']).default('gyroscope'),
    omegaScale: z.number().positive().default(6),
  }),
  /** Cepstral coefficients of audio: [frames, 1, coefficients]. */
  z.strictObject({
    kind: z.literal('mfcc'),
    frameSamples: positive.default(480),
    hopSamples: positive.default(320),
    mels: positive.default(40),
    coefficients: positive.default(10),
  }),
]);

export const HEADS = ['linear', 'deconf-i', 'deconf-e', 'deconf-c'] as const;
export const OBJECTIVES = ['classify', 'denoising', 'variational', 'variational-discriminative'] as const;

export const QUANTIZATION_SCHEMES = ['static', 'dynamic-q', 'dynamic-asym'] as const;

export type QuantizationScheme = (typeof QUANTIZATION_SCHEMES)[number];

/** Scales of a convolution's weights: one for each output channel, or one. */
export const GRANULARITIES = ['channel', 'tensor'] as const;
export type Granularity = (typeof GRANULARITIES)[number];

export const DEPLOYED_DETECTORS = ['head', 'statistics'] as const;

const quantizationSchema = z.strictObject({
  scheme: z.enum(QUANTIZATION_SCHEMES).default('static'),
  /** Scales of weights: one for each output channel of a convolution, or one for the layer. */
  granularity: z.enum(GRANULARITIES).default('channel'),
});

const adaptationSchema = z.strictObject({
  layers: z.enum(ADAPT_LAYERS).default('head'),
  arithmetic: z.enum(ADAPT_ARITHMETICS).default('dynamic-16'),
  rate: z.number().positive().default(0.01),
  /** Labelled windows of each class to learn from. */
  perClass: positive.default(10),
  passes: positive.default(3),
});

export const trainConfigSchema = z.strictObject({
  /** For editors. */
  $schema: z.string().optional(),
  schemaVersion: z.literal(1),
  name: z.string().regex(/^\w+$/),
  data: dataSchema,
  frontEnd: frontEndSchema,
  encoder: encoderSchema,
  head: z.strictObject({
    kind: z.enum(HEADS),
    /** Heads on one encoder, differently initialised; their mean decides. */
    members: positive.default(1),
  }),
  objective: z
    .strictObject({
      kind: z.enum(OBJECTIVES),
      /** Weight of the divergence from the prior, reached after `warmUpSteps`. */
      beta: z.number().nonnegative().default(0.01),
      warmUpSteps: z.number().int().nonnegative().default(100),
      /** Weight of the cross-entropy beside reconstruction. */
      lambda: z.number().nonnegative().default(1),
      /** Signal-to-noise ratio of what the denoising encoder sees, dB, drawn between. */
      noiseDb: z.tuple([z.number(), z.number()]).default([0, 20]),
      /** Steps that train encoder and decoder before the head is trained. */
      pretrainSteps: z.number().int().nonnegative().default(0),
    })
    .prefault({ kind: 'classify' }),
  /** Of the encoder while the head is trained: frozen keeps blocks and their normalisation statistics. */
  fineTune: z.boolean().default(true),
  /** Blocks left out at the end of a pretrained encoder. */
  removeBlocks: z.number().int().nonnegative().default(0),
  schedule: z.strictObject({
    seed: z.number().int().default(1),
    steps: positive,
    batch: positive.default(96),
    learningRate: z.number().positive().default(0.05),
    momentum: z.number().min(0).max(1).default(0.9),
    weightDecay: z.number().nonnegative().default(5e-4),
    /** Longest gradient, over all parameters; longer ones are shortened. Heads with a denominator need it. */
    clipNorm: z.number().positive().default(5),
    labelSmoothing: z.number().min(0).max(1).default(0.05),
    /** Steps between validations; the best of them is kept. */
    validateSteps: positive.default(100),
    /** Validations without gain after which training ends. */
    patience: positive.default(10),
    /**
     * Last steps of the training that see weights and activations as int8 will have them; gradients pass through the rounding. The parameters
     * kept are the best of these steps, in int8.
     */
    quantizationAwareSteps: z.number().int().nonnegative().optional(),
  }),
  augmentation: z
    .strictObject({
      rotation: z.number().nonnegative().default(0.6),
      gain: z.number().nonnegative().default(0.2),
      flip: z.number().min(0).max(1).default(0.3),
    })
    .prefault({}),
  /** How the trained network becomes a decision system. */
  deploy: z
    .strictObject({
      /**
       * What tells the unknown: the head's own score (cosine or softmax; the default), or statistics of the window before the encoder.
       */
      detector: z.enum(DEPLOYED_DETECTORS).optional(),
      /** Share of known validation windows that the threshold accepts. */
      accept: z.number().positive().max(1).default(0.95),
      /** Frames from one decision to the next; default: half a window. */
      hopFrames: positive.optional(),
      /** Probability that the class changes from one decision to the next. */
      switching: z.number().positive().max(0.5).default(0.05),
      /** Windows of training subjects that set the ranges of int8. */
      calibrationWindows: positive.default(256),
    })
    .prefault({}),
  /** How the encoder is quantized; default: static int8. */
  quantization: quantizationSchema.optional(),
  /** What `adapt` lets learn on the device, from how many labelled windows. */
  adaptation: adaptationSchema.optional(),
  /** Where the system is to run, as `thumbelina boards` lists them; an option --board goes before it. */
  board: z.string().optional(),
  /** Subjects that may be used at all, by the data set's names; default: those of its split "train". */
  subjects: subjectsSchema.optional(),
});

export type TrainConfig = z.infer<typeof trainConfigSchema>;
export type MotionConfig = TrainConfig & { readonly data: { readonly kind: 'motion' } };
export type AudioConfig = TrainConfig & {
  readonly data: { readonly kind: 'audio' };
  readonly frontEnd: { readonly kind: 'mfcc' };
};
export type Quantization = z.infer<typeof quantizationSchema>;
export type TrainConfigInput = z.input<typeof trainConfigSchema>;
export type EncoderSpec = z.infer<typeof encoderSchema>;
export type FrontEnd = z.infer<typeof frontEndSchema>;
export type HeadKind = (typeof HEADS)[number];

/** @param where names the source in errors. @throws UserError naming the offending field */
export function parseTrainConfig(json: unknown, where: string): TrainConfig {
  const parsed = trainConfigSchema.safeParse(json);
  if (parsed.success) {
    requireConsistent(parsed.data, where);
    return parsed.data;
  }
  const issue = parsed.error.issues[0];
  const field = issue === undefined || issue.path.length === 0 ? '' : `${issue.path.join('.')} `;
  throw new UserError(`${where}: ${field}${issue?.message ?? ''}; correct the configuration`);
}

export function isMotion(config: TrainConfig): config is MotionConfig {
  return config.data.kind === 'motion' && config.frontEnd.kind !== 'mfcc';
}

export function isAudio(config: TrainConfig): config is AudioConfig {
  return config.data.kind === 'audio' && config.frontEnd.kind === 'mfcc';
}

/** Whether the last class that is trained is 'unknown'. */
export function learnsUnknown({ data }: Pick<TrainConfig, 'data'>): boolean {
  const sounds = data.kind === 'audio' ? (data.noWords?.length ?? 0) : 0;
  return (data.unknown?.length ?? 0) + sounds > 0;
}

function requireConsistent({ data, frontEnd, head, quantization, schedule }: TrainConfig, where: string): void {
  const { steps, quantizationAwareSteps: aware = 0 } = schedule;
  const isStatic = (quantization?.scheme ?? 'static') === 'static';
  if (frontEnd.kind === 'image' && !isStatic) throw imagesAreStatic(where);
  if (learnsUnknown({ data }) && head.kind === 'linear' && !isStatic)
    throw new UserError(
      `${where}: a linear head with a class 'unknown' needs quantization.scheme static; use that, or head deconf-c`,
    );
  if (aware > steps)
    throw new UserError(
      `${where}: schedule.quantizationAwareSteps ${aware} are the last of schedule.steps, ${steps}; make them fewer`,
    );
}

/** An image is the product of two tensors, each of which would have a scale of its own. */
export function imagesAreStatic(where: string): UserError {
  return new UserError(
    `${where}: quantization.scheme of an image front end is static alone; use that, or front end raw`,
  );
}

/** What decides the trained network, as text to be hashed: whatever comes after training may change without another one. */
export function trainingInputs(config: TrainConfig): string {
  const { quantization, schedule } = config;
  const afterwards = {
    $schema: undefined,
    deploy: undefined,
    // A training that knows how weights will be rounded depends on it.
    quantization: schedule.quantizationAwareSteps ? quantizationOf({ quantization }) : undefined,
    adaptation: undefined,
    board: undefined,
  };
  return JSON.stringify({ ...config, ...afterwards });
}

/**
 * Names what a decision system was made from, in its system.json: a project is not run with the system of another one. Where the data lay is left
 * out, and what is chosen when the system is built or adapts.
 */
export function configurationId(config: TrainConfig): string {
  const noise = config.data.kind === 'audio' && config.data.noise !== null;
  const data = { ...config.data, folder: undefined, noise };
  const inputs = { ...config, $schema: undefined, data, adaptation: undefined, board: undefined };
  const quantization = quantizationOf(config);
  return createHash('sha256')
    .update(JSON.stringify({ ...inputs, quantization }))
    .digest('hex');
}

/** With what is left out. */
export function quantizationOf({ quantization }: Pick<TrainConfig, 'quantization'>): Quantization {
  return quantization ?? quantizationSchema.parse({});
}

/** What an editor shows of the sections. */
const ABOUT = {
  name: 'Of the system: names of files and C identifiers.',
  data: 'The sensor: kind of data, folder (relative: beside this file), classes that are known, how a window is cut.',
  frontEnd: 'What the encoder sees: raw windows, the 2D transformation (image), cepstra of sound (mfcc).',
  encoder: 'Depthwise-separable convolutions in front of the latent features.',
  head: 'Classes from features: linear and deconf-c can be deployed.',
  objective: 'What the encoder learns: to classify, or a representation first.',
  fineTune: 'Whether the encoder learns on while the head is trained.',
  removeBlocks: 'Blocks left out at the end of a pretrained encoder.',
  schedule: 'Seed, steps, batch, learning rate, validation and early stopping.',
  augmentation: 'Of motion: how windows are turned, scaled and flipped in training.',
  deploy: 'How the trained network becomes a decision system: test for the unknown, share to accept, hop, filter.',
  quantization: 'How the encoder is quantized.',
  adaptation: 'What learns on the device, from how many labelled windows.',
  board: 'Where the system runs, as thumbelina boards lists them; --board goes before it.',
  subjects: 'Who may train; default: the data set\'s split "train".',
} as const satisfies Record<Exclude<keyof TrainConfig, '$schema' | 'schemaVersion'>, string>;

/** JSON schema of a configuration as one writes it, for editors. */
export function trainConfigJsonSchema(): unknown {
  const schema = z.toJSONSchema(trainConfigSchema, { io: 'input' });
  const properties = Object.entries(schema.properties ?? {}).map(([name, property]) => {
    const description = Object.hasOwn(ABOUT, name) ? ABOUT[name as keyof typeof ABOUT] : undefined;
    return [name, typeof property === 'object' ? { ...property, description } : property];
  });
  return { ...schema, properties: Object.fromEntries(properties) as unknown };
}
