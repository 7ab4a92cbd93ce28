/** Errors per core and overall, and the record that reports quote. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { packageRoot } from '../../common/package-root.ts';
import type { Prediction } from './validate.ts';

export interface ErrorSummary {
  /** Measurements predicted. */
  readonly count: number;
  readonly medianPct: number;
  /** Of the largest magnitude. */
  readonly worstPct: number;
}

export interface ValidationRecord {
  readonly schemaVersion: 1;
  readonly cores: Readonly<Record<string, ErrorSummary>>;
  /** The same of compiled code that another compiler has made than the measured one: not the model's error alone. */
  readonly confounded: Readonly<Record<string, ErrorSummary>>;
}

/** Of magnitudes, confounded measurements apart. Null: nothing was predicted. */
export function summarize(predictions: readonly Prediction[], ofConfounded = false): ErrorSummary | null {
  const errors = predictions
    .filter(({ confounded }) => confounded === ofConfounded)
    .flatMap(({ errorPct }) => errorPct ?? []);
  if (errors.length === 0) return null;
  const sizes = errors.map(Math.abs).sort((a, b) => a - b);
  const middle = sizes.length / 2;
  const medianPct = (sizes[Math.ceil(middle) - 1]! + sizes[Math.floor(middle)]!) / 2;
  const worstPct = errors.reduce((worst, error) => (Math.abs(error) > Math.abs(worst) ? error : worst), 0);
  return { count: errors.length, medianPct, worstPct };
}

export function recordOf(predictions: readonly Prediction[]): ValidationRecord {
  return { schemaVersion: 1, cores: byCore(predictions, false), confounded: byCore(predictions, true) };
}

function byCore(predictions: readonly Prediction[], ofConfounded: boolean): Record<string, ErrorSummary> {
  const cores: Record<string, ErrorSummary> = {};
  for (const core of new Set(predictions.map((prediction) => prediction.core))) {
    const ofCore = predictions.filter((prediction) => prediction.core === core);
    const summary = summarize(ofCore, ofConfounded);
    if (summary !== null) cores[core] = summary;
  }
  return cores;
}

export const recordPath = (): string => join(packageRoot(), 'validation', 'results.json');

const recordSchema = z.object({ cores: z.record(z.string(), z.object({ worstPct: z.number() })) });

/** Largest error of the core's recorded validation, in percent, as a magnitude; null: none is recorded. */
export function validatedErrorPct(core: string): number | null {
  const path = recordPath();
  if (!existsSync(path)) return null;
  const { cores } = recordSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  const worst = cores[core]?.worstPct;
  return worst === undefined ? null : Math.round(Math.abs(worst) * 100) / 100;
}
