/**
 * Mixed precision under a budget: from int16 everywhere, runs of ops become int8, each time the run that adds least error for what it saves of
 * what is over the budget; then runs become int16 again where there is room. The mix is built and executed, and must be within. Errors are the measured sensitivities of tensors, added up; costs in
 * between come from the op costs of three measured builds (8 bits, 16 bits, alternating). [choice]
 */
import { UserError } from '../../common/errors.ts';
import { tensorOf, type Graph, type Op, type TensorId } from '../../firmware-gen/ir/graph.ts';
import {
  choosableOps,
  convertedElements,
  fullPrecision,
  mixForms,
  writers,
  type Bits,
  type Forms,
  type Precision,
} from './mixed-precision.ts';
import { tensorSensitivities } from './sensitivity.ts';

export const RESOURCES = ['ram', 'flash', 'cycles'] as const;
export type Resource = (typeof RESOURCES)[number];
/** Largest values; what is not named is not limited. Bytes and cycles of one inference. */
export type Budget = Readonly<Partial<Record<Resource, number>>>;
export type Cost = Readonly<Record<Resource, number>>;

export interface MeasuredCost extends Cost {
  /** By position in the measured graph's ops. */
  readonly opCycles: readonly number[];
}

export interface CostModel {
  /** Builds and executes a graph. */
  readonly measure: (graph: Graph) => Promise<MeasuredCost>;
  /** Bytes of its arena, planned without building. */
  readonly arenaBytes: (graph: Graph) => number;
}

export interface BudgetResult {
  readonly precision: Precision;
  readonly quantized: Graph;
  readonly cost: MeasuredCost;
}

/** Samples on which sensitivities are measured. */
const SAMPLES_MAX = 16;
/** Builds of mixes that turned out too dear by less than the estimate could tell. */
const ATTEMPTS_MAX = 12;

/**
 * @param fixed bits that are not to be chosen, by position in float.ops
 * @throws UserError when int8 throughout is over the budget
 */
export async function fitBudget(
  float: Graph,
  forms: Forms,
  samples: readonly Float32Array[],
  { budget, fixed, costs }: { budget: Budget; fixed: ReadonlyMap<number, Bits>; costs: CostModel },
): Promise<BudgetResult> {
  const build = async (precision: Precision): Promise<BudgetResult> => {
    const quantized = mixForms(forms, precision);
    return { precision, quantized, cost: await costs.measure(quantized) };
  };
  const all = async (bits: Bits): Promise<BudgetResult> => build(fullPrecision(float, fixed, bits));
  const fine = await all(16);
  if (isWithin(fine.cost, budget)) return fine;
  const coarse = await all(8);
  if (!isWithin(coarse.cost, budget))
    throw new UserError(`--budget: ${shortfall(coarse.cost, budget)} in 8 bits already`);
  const units = choosableOps(float).filter((i) => !fixed.has(i));
  const alternating = await build(
    fullPrecision(float, new Map([...fixed, ...units.map((i, n) => [i, n % 2 ? 16 : 8] as const)]), 8),
  );
  const arenas = new Map<string, number>();
  /** Only where RAM is limited: planning takes its time. */
  const arenaOf = (precision: Precision): number => {
    if (budget.ram === undefined) return 0;
    const key = precision.join();
    const bytes = arenas.get(key) ?? costs.arenaBytes(mixForms(forms, precision));
    arenas.set(key, bytes);
    return bytes;
  };
  const estimate = estimator(float, { coarse, fine, alternating }, arenaOf);
  const errors = tensorSensitivities(float, forms, samples.slice(0, SAMPLES_MAX));
  const errorOf = (precision: Precision): number => coarseError(float, precision, errors);
  // What builds were over their estimate: the next mixes make up for it.
  let correction: Cost = { ram: 0, flash: 0, cycles: 0 };
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
    const wanted = choose(units, fixed, {
      error: (bits) => errorOf(fullPrecision(float, bits, 8)),
      excess: (bits) => excess(plus(estimate(fullPrecision(float, bits, 8)), correction), budget),
    });
    if (wanted === null) break;
    const result = await build(fullPrecision(float, wanted, 8));
    if (isWithin(result.cost, budget)) return result;
    const estimated = estimate(result.precision);
    correction = {
      ram: Math.max(correction.ram, result.cost.ram - estimated.ram),
      flash: Math.max(correction.flash, result.cost.flash - estimated.flash),
      cycles: Math.max(correction.cycles, result.cost.cycles - estimated.cycles),
    };
  }
  return coarse;
}

/** Of a mix: error that its 8-bit tensors add, and how far it is over the budget. */
type Judge = Record<'error' | 'excess', (bits: ReadonlyMap<number, Bits>) => number>;

/** Down from 16 bits until within the budget, then up again where there is room; null when nothing but 8 bits is within. */
function choose(units: readonly number[], fixed: ReadonlyMap<number, Bits>, judge: Judge): Map<number, Bits> | null {
  let wanted = new Map<number, Bits>([...fixed, ...units.map((i) => [i, 16] as const)]);
  while (judge.excess(wanted) > 0) {
    const [error, excess] = [judge.error(wanted), judge.excess(wanted)];
    const next = bestRun(wanted, units, 8, (bits) => {
      const saved = excess - judge.excess(bits);
      return saved > 0 ? (judge.error(bits) - error) / saved : null;
    });
    if (next === null) return null;
    wanted = next;
  }
  for (;;) {
    const error = judge.error(wanted);
    const next = bestRun(wanted, units, 16, (bits) => {
      const change = judge.error(bits) - error;
      return change < 0 && judge.excess(bits) === 0 ? change : null;
    });
    if (next === null) return wanted;
    wanted = next;
  }
}

function plus(a: Cost, b: Cost): Cost {
  return { ram: a.ram + b.ram, flash: a.flash + b.flash, cycles: a.cycles + b.cycles };
}

const isWithin = (cost: Cost, budget: Budget): boolean => excess(cost, budget) === 0;

/** How far over the budget, as parts of its limits, summed. */
function excess(cost: Cost, budget: Budget): number {
  return RESOURCES.reduce((sum, resource) => {
    const limit = budget[resource];
    return sum + (limit === undefined ? 0 : Math.max(0, cost[resource] - limit) / Math.max(1, limit));
  }, 0);
}

function shortfall(cost: Cost, budget: Budget): string {
  return RESOURCES.filter((resource) => cost[resource] > (budget[resource] ?? Infinity))
    .map((resource) => `${resource} is ${cost[resource]}, ${budget[resource] ?? 0} allowed,`)
    .join(' ');
}

/** The run of neighbouring units whose change to `bits` has the least price; null when none has any. */
function bestRun(
  wanted: ReadonlyMap<number, Bits>,
  units: readonly number[],
  bits: Bits,
  priceOf: (changed: ReadonlyMap<number, Bits>) => number | null,
): Map<number, Bits> | null {
  let best: { readonly changed: Map<number, Bits>; readonly price: number } | null = null;
  for (const from of units.keys()) {
    const changed = new Map(wanted);
    for (let to = from; to < units.length && wanted.get(units[to]!) !== bits; to += 1) {
      changed.set(units[to]!, bits);
      const price = priceOf(changed);
      if (price !== null && (best === null || price < best.price)) best = { changed: new Map(changed), price };
    }
  }
  return best?.changed ?? null;
}

/** Sum of the sensitivities of tensors that are made or read in 8 bits anywhere. */
function coarseError(float: Graph, precision: Precision, errors: ReadonlyMap<TensorId, number>): number {
  const coarse = new Set([...writers(float, precision)].flatMap(([id, bits]) => (bits === 8 ? [id] : [])));
  for (const [i, { inputs }] of float.ops.entries())
    if (precision[i] === 8) for (const id of inputs) if (id !== null) coarse.add(id);
  return [...coarse].reduce((sum, id) => sum + (errors.get(id) ?? 0), 0);
}

/** Costs of any mix, from those of three builds. */
function estimator(
  float: Graph,
  { coarse, fine, alternating }: Record<'coarse' | 'fine' | 'alternating', BudgetResult>,
  arenaOf: (precision: Precision) => number,
): (precision: Precision) => Cost {
  const { quantized, cost } = alternating;
  const converting = quantized.ops.reduce((sum, { kind }, i) => sum + (kind === 'QUANTIZE' ? cost.opCycles[i]! : 0), 0);
  const perElement = converting / Math.max(1, convertedElements(float, alternating.precision));
  const constants = [coarse, fine].map(({ quantized: graph }) =>
    ofFloatOps(graph, (_, op) => constantBytes(graph, op)),
  );
  const opCycles = [coarse, fine].map((result) => ofFloatOps(result.quantized, (i) => result.cost.opCycles[i]!));
  const flashOf = (precision: Precision): number =>
    precision.reduce((sum, bits, i) => sum + constants[bits === 8 ? 0 : 1]![i]!, 0);
  const code = cost.flash - flashOf(alternating.precision);
  const outside = cost.ram - arenaOf(alternating.precision);
  return (precision) => {
    const cycles = precision.reduce((sum, bits, i) => sum + opCycles[bits === 8 ? 0 : 1]![i]!, 0);
    return {
      cycles: cycles + perElement * convertedElements(float, precision),
      flash: code + flashOf(precision),
      ram: outside + arenaOf(precision),
    };
  };
}

/** Conversions left out, a mix has the float graph's ops in order. */
function ofFloatOps({ ops }: Graph, value: (i: number, op: Op) => number): number[] {
  return ops.flatMap((op, i) => (op.kind === 'QUANTIZE' ? [] : [value(i, op)]));
}

function constantBytes(graph: Graph, op: Op): number {
  return op.inputs.reduce((sum, id) => sum + (id === null ? 0 : (tensorOf(graph, id).data?.length ?? 0)), 0);
}
