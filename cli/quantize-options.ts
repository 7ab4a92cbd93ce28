/** Values of quantize's options, and what --budget measures. */
import { join } from 'node:path';
import { InvalidArgumentError } from 'commander';
import type { Board } from '../boards/schema.ts';
import { UserError } from '../common/errors.ts';
import { planModel } from '../harness/compile.ts';
import { runModel } from '../harness/run-model.ts';
import { modelInputs } from '../learn/data/model-input.ts';
import { RESOURCES, type Budget, type CostModel, type Resource } from '../learn/quantize/budget.ts';
import type { RangeMethod } from '../learn/quantize/range-methods.ts';
import type { LayerOverride } from '../learn/quantize/static.ts';
import { DEFAULT_DIR, timingMode } from './options.ts';

export const METHODS = ['min-max', 'moving-average', 'percentile', 'mse', 'entropy'] as const;

/** Of `3:16` or `3:mse`; collects. */
export function layerOverride(
  text: string,
  previous: readonly (readonly [number, LayerOverride])[],
): (readonly [number, LayerOverride])[] {
  const [, index, how = ''] = /^(\d+):(.+)$/.exec(text) ?? [];
  const kind = METHODS.find((method) => method === how);
  if (index === undefined || !(how === '8' || how === '16' || kind))
    throw new InvalidArgumentError(`OP:8, OP:16 or OP:METHOD is expected, METHOD one of ${METHODS.join(', ')}.`);
  const known = previous.find(([i]) => i === Number(index))?.[1] ?? {};
  const own: LayerOverride = kind ? { method: defaultMethod(kind) } : { bits: how === '16' ? 16 : 8 };
  return [...previous.filter(([i]) => i !== Number(index)), [Number(index), { ...known, ...own }]];
}

/** Defaults of --percentile and --momentum. */
export const [PERCENTILE, MOMENTUM] = [99.99, 0.9];

function defaultMethod(kind: RangeMethod['kind']): RangeMethod {
  if (kind === 'percentile') return { kind, share: PERCENTILE / 100 };
  return kind === 'moving-average' ? { kind, momentum: MOMENTUM } : { kind };
}

export function budgetLimits(text: string): Budget {
  const entries = text.split(',').map((part): [Resource, number] => {
    const [name, limit = ''] = part.split(':');
    const resource = RESOURCES.find((known) => known === name);
    if (resource === undefined || !/^\d+$/.test(limit))
      throw new InvalidArgumentError(`${RESOURCES.map((known) => `${known}:N`).join(',')} is expected, any of them.`);
    return [resource, Number(limit)];
  });
  return Object.fromEntries(entries);
}

export function percent(text: string): number {
  const value = Number(text);
  if (!(value > 50 && value <= 100)) throw new InvalidArgumentError('a number over 50 and up to 100 is expected.');
  return value;
}

export function share(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value < 1))
    throw new InvalidArgumentError('a number from 0 to below 1 is expected.');
  return value;
}

/** What a graph costs as --bare firmware on the board: second inference on one sample, emulated. */
export function costsOn(board: Board, sample: Float32Array): CostModel {
  const dir = join(DEFAULT_DIR, 'budget');
  const timing = timingMode(undefined, board);
  const measure: CostModel['measure'] = async (graph) => {
    const name = 'candidate';
    const model = { name, path: name, sha256: '0'.repeat(64), graph: { ...graph, name } };
    const options = { board, engine: 'wasm', timingMode: timing, bare: true, perOp: false, prune: true, dir } as const;
    const report = await runModel(model, modelInputs(graph, sample), options);
    const { flashBytes: flash, ramBytes: ram } = report.memory;
    if (report.cycles === null)
      throw new UserError(`--budget: cycles of ${board.core} are not modelled; choose another --board`);
    return { flash, ram, cycles: report.cycles, opCycles: report.ops.map(({ cycles }) => cycles ?? 0) };
  };
  return { measure, arenaBytes: (graph) => planModel(graph, { board, hooks: false, prune: true }).plan.arenaBytes };
}
