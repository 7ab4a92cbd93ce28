/**
 * How raw sensor values become a model's input tensor: MODEL.pipeline.json beside the model, read by everything that feeds it.
 * A window of frames (channels interleaved) is scaled to physical units, standardised per channel, and quantized as the input tensor says.
 * A picture is a window too: its pixels are the frames, its colours the channels.
 */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { UserError } from '../common/errors.ts';
import { roundHalfAwayFromZero } from '../firmware-gen/ir/quantized-math.ts';

const pipelineSchema = z
  .strictObject({
    schemaVersion: z.literal(1),
    /** Frames of one window, and how far windows are apart when a stream is cut. */
    windowFrames: z.number().int().min(1).max(65536),
    hopFrames: z.number().int().min(1),
    /** Absent where frames are not samples in time (pixels). */
    sampleRateHz: z.number().positive().optional(),
    channels: z.array(z.string()).min(1),
    units: z.array(z.string()),
    /** Physical unit per raw count, by channel. */
    rawScale: z.array(z.number().positive()),
    /** Input = (raw * rawScale - mean) / scale, by channel; mean and scale in physical units. */
    mean: z.array(z.number()),
    scale: z.array(z.number().positive()),
    /** Shape of the input tensor, NHWC; its elements are frames in time order, channels innermost. */
    layout: z.strictObject({ order: z.literal('NHWC'), shape: z.array(z.number().int().positive()) }),
    /** Quantization of the input tensor: q = round(input / scale) + zeroPoint, clamped to its type. Absent: as the model file says. */
    quantization: z
      .strictObject({
        scale: z.number().positive(),
        zeroPoint: z.number().int().min(-128).max(127),
      })
      .optional(),
    /** Names of the outputs, by index; none for a model that classifies nothing (an autoencoder). */
    classes: z.array(z.string()),
  })
  .superRefine((pipeline, context) => {
    const channels = pipeline.channels.length;
    for (const field of ['units', 'rawScale', 'mean', 'scale'] as const) {
      if (pipeline[field].length === channels) continue;
      context.addIssue({
        code: 'custom',
        path: [field],
        message: `has ${pipeline[field].length} values for ${channels} channels`,
      });
    }
    const elements = pipeline.layout.shape.reduce((product, extent) => product * extent, 1);
    const expected = pipeline.windowFrames * channels;
    if (elements !== expected) {
      const message = `has ${elements} elements, ${pipeline.windowFrames} frames of ${channels} channels are ${expected}`;
      context.addIssue({ code: 'custom', path: ['layout', 'shape'], message });
    }
  });

export type Pipeline = z.infer<typeof pipelineSchema>;

/** Throws UserError naming the file and the offending field. */
export function loadPipeline(path: string): Pipeline {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new UserError(`${path}: ${error instanceof Error ? error.message : String(error)}; expected a pipeline.json`);
  }
  return parsePipeline(json, path);
}

/** `where` names the source in errors. */
export function parsePipeline(json: unknown, where: string): Pipeline {
  const parsed = pipelineSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new UserError(`${where}: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}; correct the pipeline`);
}

/** [frames, channels] of raw counts to standardised floats, the model's input before quantization. */
export function standardise(window: ArrayLike<number>, pipeline: Pick<Pipeline, StandardiseFields>): Float32Array {
  const channels = pipeline.mean.length;
  const expected = pipeline.windowFrames * channels;
  if (window.length !== expected) {
    throw new UserError(
      `window has ${window.length} values, the pipeline takes ${pipeline.windowFrames} frames of ${channels} channels (${expected})`,
    );
  }
  const values = new Float32Array(expected);
  for (let i = 0; i < expected; i += 1) {
    const c = i % channels;
    values[i] = (window[i]! * pipeline.rawScale[c]! - pipeline.mean[c]!) / pipeline.scale[c]!;
  }
  return values;
}

type StandardiseFields = 'windowFrames' | 'rawScale' | 'mean' | 'scale';

/** The int8 input tensor for a window of raw counts, [frames, channels]. Throws UserError for a window of another length. */
export function applyPipeline(window: ArrayLike<number>, pipeline: Pipeline): Int8Array {
  if (pipeline.quantization === undefined)
    throw new UserError('pipeline: "quantization" is missing; add the scale and zero point of the input tensor');
  const { scale, zeroPoint } = pipeline.quantization;
  const values = standardise(window, pipeline);
  return Int8Array.from(values, (value) =>
    Math.min(127, Math.max(-128, roundHalfAwayFromZero(value / scale) + zeroPoint)),
  );
}
