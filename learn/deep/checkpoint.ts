/** Where a training stands, as one JSON file: written whole beside the old one and moved into place, so that a killed run loses nothing. */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import { UserError } from '../../common/errors.ts';
import type { ParameterValues } from './parameters.ts';

export interface CurvePoint {
  readonly step: number;
  /** Of the training batches since the last point, smoothed. */
  readonly loss: number;
  /** Of the validation windows, 0..1; null while only reconstruction is trained. */
  readonly accuracy: number | null;
}

export interface Checkpoint {
  /** Hash of configuration and data: another one's checkpoint is not resumed. */
  readonly key: string;
  /** Steps done, over all phases. */
  readonly step: number;
  readonly finished: boolean;
  readonly parameters: ParameterValues;
  readonly velocities: ParameterValues;
  readonly best: { readonly accuracy: number; readonly step: number; readonly parameters: ParameterValues } | null;
  readonly curve: readonly CurvePoint[];
}

const arrays = z.record(z.string(), z.string());
const schema = z.strictObject({
  key: z.string(),
  step: z.number(),
  finished: z.boolean(),
  parameters: arrays,
  velocities: arrays,
  best: z.strictObject({ accuracy: z.number(), step: z.number(), parameters: arrays }).nullable(),
  curve: z.array(z.strictObject({ step: z.number(), loss: z.number(), accuracy: z.number().nullable() })),
});

/** Float32 little-endian as base64. */
function packValues(values: ParameterValues): Record<string, string> {
  return Object.fromEntries(
    [...values].map(([name, data]) => [
      name,
      Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64'),
    ]),
  );
}

function unpackValues(text: Record<string, string>): Map<string, Float32Array> {
  return new Map(
    Object.entries(text).map(([name, data]) => [
      name,
      new Float32Array(Uint8Array.from(Buffer.from(data, 'base64')).buffer),
    ]),
  );
}

export function writeCheckpoint(path: string, checkpoint: Checkpoint): void {
  const { parameters, velocities, best, ...rest } = checkpoint;
  const document = {
    ...rest,
    parameters: packValues(parameters),
    velocities: packValues(velocities),
    best: best && { ...best, parameters: packValues(best.parameters) },
  };
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.new`, JSON.stringify(document));
  renameSync(`${path}.new`, path);
}

/** Null when there is none, or it belongs to another configuration. @throws UserError for a damaged file */
export function readCheckpoint(path: string, key: string): Checkpoint | null {
  if (!existsSync(path)) return null;
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new UserError(`${path}: ${(error as Error).message}; remove the damaged checkpoint`);
  }
  const parsed = schema.safeParse(json);
  if (!parsed.success)
    throw new UserError(`${path}: ${parsed.error.issues[0]?.message}; remove the damaged checkpoint`);
  if (parsed.data.key !== key) return null;
  const { parameters, velocities, best, ...rest } = parsed.data;
  return {
    ...rest,
    parameters: unpackValues(parameters),
    velocities: unpackValues(velocities),
    best: best && { ...best, parameters: unpackValues(best.parameters) },
  };
}
