/** Published measurements as facts: what was measured, where it is published, and how the same is run here. The files themselves are never part of it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { UserError } from '../../common/errors.ts';
import { packageRoot } from '../../common/package-root.ts';

/** A prebuilt image, recognised by its contents whatever its name, or an ELF that someone has built of a published source, by its name. */
const file = z.union([
  z.strictObject({ sha256: z.string().regex(/^[0-9a-f]{64}$/), path: z.string().min(1) }),
  z.strictObject({ name: z.string().min(1), blob: z.string().regex(/^[0-9a-f]{40}$/) }),
]);

const run = z.discriminatedUnion('kind', [
  /** Boots the image and talks to it as the benchmark's host does; the firmware's own microseconds per inference. */
  z.strictObject({ kind: z.literal('mlperf-tiny') }),
  /** One function; `divisor`: passes of what was measured in one call. */
  z.strictObject({
    kind: z.literal('call'),
    symbol: z.string().min(1),
    args: z.array(z.string()),
    divisor: z.int().positive().default(1),
    /** Measured with the cycle counter by the caller: the call and the reads of the counter are in the published figure. */
    between: z.literal('cyccnt-reads').optional(),
    /**
     * How many bytes further the linker may have placed the measured code as well, which nothing published says: the mean of all is predicted. The code must be
     * position-independent.
     */
    placements: z.array(z.int().min(0).multipleOf(4)).min(1).default([0]),
  }),
]);

const measurement = z.strictObject({
  id: z.string().regex(/^[a-z0-9]+(-[a-z0-9]+)*$/),
  board: z.string().min(1),
  file,
  run,
  published: z.number().positive(),
  unit: z.enum(['cycles', 'us']),
  /** Repository, commit and file, or paper. */
  source: z.string().min(1),
  /** Compiled code, built with another compiler than the measured one: the error is not the model's alone. */
  confounded: z.boolean().default(false),
  note: z.string().optional(),
});

const manifest = z.strictObject({ schemaVersion: z.literal(1), measurements: z.array(measurement).min(1) });

export type Measurement = z.infer<typeof measurement>;

/** @param path default: the manifest of this repository. @throws UserError for a file that is not a manifest */
export function loadManifest(path = join(packageRoot(), 'validation', 'manifest.json')): readonly Measurement[] {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new UserError(`cannot read manifest ${path}: ${(error as Error).message}`);
  }
  const parsed = manifest.safeParse(json);
  if (parsed.success) {
    const { measurements } = parsed.data;
    const twice = measurements.find(({ id }, index) => measurements.findIndex((other) => other.id === id) !== index);
    if (twice !== undefined) throw new UserError(`${path}: two measurements are named ${twice.id}; rename one`);
    return measurements;
  }
  const issue = parsed.error.issues[0];
  throw new UserError(
    `${path}: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'invalid'}; see harness/validate/manifest.ts for the fields`,
  );
}
