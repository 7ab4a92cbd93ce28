/** The part of a training configuration that says what is learned from: one form for each kind of sensor. */
import { z } from 'zod';

const positive = z.number().int().positive();

/** Sounds that are none of the words, see sound-augment.ts. */
export const NO_WORDS = ['part', 'splice', 'noise'] as const;

export const dataSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('motion'),
    folder: z.string(),
    /** In distribution. */
    classes: z.array(z.string()).min(2),
    /** Labels of the class 'unknown', which is learned as one more class when there are any. */
    unknown: z.array(z.string()).default([]),
    windowFrames: positive.default(64),
    /** Frames of the recordings that become one of the stream, their mean. */
    average: positive.default(1),
    /** Every n-th training subject validates instead. */
    validateEvery: z.number().int().min(2).default(5),
  }),
  z.strictObject({
    kind: z.literal('audio'),
    folder: z.string(),
    classes: z.array(z.string()).min(2),
    validateEvery: z.number().int().min(2).default(5),
    /** Folder with noise to mix in when training; none: only gain and shift vary. */
    noise: z.string().nullable().default(null),
    /** Augmented variants of each clip. */
    variants: positive.default(4),
    /** Largest change of speed (and pitch) of variants either way, as a share; default 0. */
    speed: z.number().min(0).max(0.5).optional(),
    /** Words of the class 'unknown', which is learned as one more class when there are any, or any of noWords. */
    unknown: z.array(z.string()).optional(),
    /** What else the class 'unknown' is made of: parts of words as a stream's windows have them, two words run into each other, noise and silence. */
    noWords: z.array(z.enum(NO_WORDS)).optional(),
    /** Windows of 'unknown' in a batch for each window of another class; default 1. */
    unknownWeight: positive.optional(),
  }),
]);
