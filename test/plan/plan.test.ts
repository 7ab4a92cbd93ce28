/**
 * The planner against an exhaustive search on small graphs and against its own independent proof on random ones. The search below shares no
 * code with firmware-gen/plan: it derives lifetimes anew and tries every order.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TensorId } from '../../firmware-gen/ir/graph.ts';
import type { MemoryPlan, Schedule } from '../../firmware-gen/ir/schedule.ts';
import { checkPlan } from '../../firmware-gen/plan/check-plan.ts';
import { planMemory } from '../../firmware-gen/plan/index.ts';
import type { Block } from '../../firmware-gen/plan/lifetimes.ts';
import { conflicts } from '../../firmware-gen/plan/lifetimes.ts';
import { lowerBoundBytes, place } from '../../firmware-gen/plan/place.ts';
import type { Step } from './random-schedule.ts';
import { scheduleOf, stepsArbitrary } from './random-schedule.ts';

const SEED = 20261122;

interface Interval {
  readonly bytes: number;
  readonly from: number;
  readonly to: number;
}

/** What must be kept when, without merging anything in place; times are calls, -1 before and calls.length after. */
function intervalsOf(schedule: Schedule): Interval[] {
  const name = (id: TensorId): TensorId => {
    const alias = schedule.aliases.find((candidate) => candidate.output === id);
    return alias ? name(alias.input) : id;
  };
  const times = new Map<TensorId, number[]>();
  const mark = (id: TensorId, time: number): void => void times.set(name(id), [...(times.get(name(id)) ?? []), time]);
  schedule.graph.inputs.forEach((id) => mark(id, -1));
  schedule.calls.forEach((call, time) => [...call.reads, ...call.writes].forEach((id) => mark(id, time)));
  schedule.graph.outputs.forEach((id) => mark(id, schedule.calls.length));
  for (const { output, opIndex } of schedule.aliases) {
    const next = schedule.calls.findIndex((call) => call.opIndex > opIndex);
    mark(output, next < 0 ? schedule.calls.length : next);
  }
  const round = (bytes: number): number => (bytes + 7) & ~7;
  const tensors = [...times].map(([id, used]) => ({
    bytes: round(schedule.graph.tensors[id]!.shape[0]!),
    from: Math.min(...used),
    to: Math.max(...used),
  }));
  const scratch = schedule.calls.flatMap((call, time) =>
    call.scratchBytes > 0 ? [{ bytes: round(call.scratchBytes), from: time, to: time }] : [],
  );
  return [...tensors, ...scratch];
}

/** The smallest arena over every order of placement, each block as low as it goes: some order reaches the optimum. */
function exhaustiveOptimum(intervals: readonly Interval[]): number {
  let best = Infinity;
  const search = (placed: readonly (Interval & { at: number })[], rest: readonly Interval[], height: number): void => {
    if (height >= best) return;
    if (rest.length === 0) {
      best = height;
      return;
    }
    for (const [index, next] of rest.entries()) {
      const inTheWay = placed.filter((other) => other.from <= next.to && next.from <= other.to);
      const candidates = [0, ...inTheWay.map((other) => other.at + other.bytes)].sort((a, b) => a - b);
      const fits = (at: number): boolean =>
        inTheWay.every((other) => at >= other.at + other.bytes || at + next.bytes <= other.at);
      const at = candidates.find(fits)!;
      const others = rest.filter((_, other) => other !== index);
      search([...placed, { ...next, at }], others, Math.max(height, at + next.bytes));
    }
  };
  search([], intervals, 0);
  return best;
}

describe('planMemory', () => {
  it(`should give plans that pass the independent proof on random schedules (seed ${SEED})`, () => {
    fc.assert(
      fc.property(stepsArbitrary(25), (steps) => {
        const schedule = scheduleOf(steps);
        const plan = planMemory(schedule);
        expect(() => checkPlan(schedule, plan)).not.toThrow();
        expect(plan.arenaBytes % 8).toBe(0);
      }),
      { seed: SEED, numRuns: 300 },
    );
  });

  it(`should reach the exhaustive optimum on small schedules without in-place offers (seed ${SEED})`, () => {
    let gapBytes = 0;
    let plans = 0;
    fc.assert(
      fc.property(stepsArbitrary(4), (steps) => {
        const schedule = scheduleOf(steps.map((step) => ({ ...step, inPlace: false })));
        const optimum = exhaustiveOptimum(intervalsOf(schedule));
        gapBytes += planMemory(schedule).arenaBytes - optimum;
        plans += 1;
      }),
      { seed: SEED, numRuns: 150 },
    );
    expect({ plans, gapBytes }).toEqual({ plans: 150, gapBytes: 0 });
  });

  it(`should never need more with in-place offers than without (seed ${SEED})`, () => {
    fc.assert(
      fc.property(stepsArbitrary(8), (steps) => {
        const without = planMemory(scheduleOf(steps.map((step) => ({ ...step, inPlace: false }))));
        expect(planMemory(scheduleOf(steps)).arenaBytes).toBeLessThanOrEqual(without.arenaBytes);
      }),
      { seed: SEED, numRuns: 100 },
    );
  });

  it('should write over an input in place when the kernel allows it and the input is read for the last time', () => {
    const step: Step = { bytes: 64, reads: [0], scratchBytes: 0, inPlace: true, alias: false };
    const plan = planMemory(scheduleOf([step, step]));
    expect(plan).toMatchObject({ arenaBytes: 64, tensorOffset: [0, 0, 0] });
  });

  it('should not write over an input that the kernel also reads under the name of an alias', () => {
    const step: Step = { bytes: 64, reads: [0], scratchBytes: 0, inPlace: true, alias: false };
    const schedule = scheduleOf([step, { ...step, alias: true }, { ...step, reads: [0, 1] }]);
    const offeredTwice = planMemory(schedule).tensorOffset;
    expect(offeredTwice[3]).toBe(offeredTwice[1]);
    const calls = schedule.calls.map((call) => ({ ...call, inPlace: call.inPlace.slice(0, 1) }));
    const offeredOnce = planMemory({ ...schedule, calls }).tensorOffset;
    expect(offeredOnce[3]).not.toBe(offeredOnce[1]);
  });

  it('should keep the input of a RESHAPE that nothing reads until its turn: --per-op looks at it then', () => {
    const step: Step = { bytes: 64, reads: [0], scratchBytes: 0, inPlace: true, alias: false };
    const other = { ...step, reads: [1] };
    const reshape = { ...step, reads: [1], alias: true };
    const { tensorOffset } = planMemory(scheduleOf([step, other, reshape, other]));
    expect(tensorOffset[3]).toBe(tensorOffset[1]);
    expect(tensorOffset[2]).not.toBe(tensorOffset[1]);
  });

  it('should refuse an arena that no microcontroller has', () => {
    const step: Step = { bytes: 2 ** 40, reads: [0], scratchBytes: 0, inPlace: false, alias: false };
    expect(() => planMemory(scheduleOf([step]))).toThrow(/random: activations need an arena of 1099511627840 bytes/);
  });

  it('should plan a thousand calls within seconds', () => {
    const step: Step = { bytes: 96, reads: [0, 3], scratchBytes: 24, inPlace: true, alias: false };
    const steps = Array.from({ length: 1000 }, (_, index) => ({ ...step, bytes: 1 + ((index * 7919) % 500) }));
    const start = performance.now();
    planMemory(scheduleOf(steps));
    expect(performance.now() - start).toBeLessThan(20_000);
  });

  it('should be deterministic', () => {
    const steps = fc.sample(stepsArbitrary(20), { seed: SEED, numRuns: 1 })[0]!;
    expect(planMemory(scheduleOf(steps))).toEqual(planMemory(scheduleOf(steps)));
  });
});

describe('place', () => {
  const block = (bytes: number, first: number, last: number): Block => ({
    bytes,
    first,
    last,
    tensors: [],
    scratchOf: null,
  });

  it('should keep blocks with equal lifetimes apart', () => {
    const blocks = [block(16, 1, 2), block(16, 1, 2), block(8, 1, 2)];
    const { offsets, arenaBytes } = place(blocks);
    expect(arenaBytes).toBe(40);
    expect(new Set(offsets).size).toBe(3);
  });

  it(`should never place conflicting blocks over each other, also beyond the exact search (seed ${SEED})`, () => {
    const arbitrary = fc.array(
      fc.tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 0, max: 12 }), fc.integer({ min: 0, max: 6 })),
      { minLength: 1, maxLength: 40 },
    );
    fc.assert(
      fc.property(arbitrary, (triples) => {
        const blocks = triples.map(([units, first, length]) => block(units * 8, first, first + length));
        const { offsets, arenaBytes } = place(blocks);
        expect(arenaBytes).toBeGreaterThanOrEqual(lowerBoundBytes(blocks));
        for (const [i, a] of blocks.entries()) {
          for (const [j, b] of blocks.entries()) {
            if (i >= j || !conflicts(a, b)) continue;
            expect(offsets[i]! + a.bytes <= offsets[j]! || offsets[j]! + b.bytes <= offsets[i]!).toBe(true);
          }
        }
      }),
      { seed: SEED, numRuns: 200 },
    );
  });
});

describe('checkPlan', () => {
  const step = (change: Partial<Step>): Step => ({
    bytes: 64,
    reads: [0],
    scratchBytes: 0,
    inPlace: false,
    alias: false,
    ...change,
  });
  const spoil = (steps: readonly Step[], change: (plan: MemoryPlan) => Partial<MemoryPlan>): (() => void) => {
    const schedule = scheduleOf(steps);
    const plan = planMemory(schedule);
    return () => checkPlan(schedule, { ...plan, ...change(plan) });
  };

  it('should refuse an output over an input that the kernel still reads', () => {
    expect(spoil([step({})], () => ({ tensorOffset: [0, 0] }))).toThrow(
      'tensor 0 (t0) overlaps tensor 1 (t1) in call 0',
    );
  });

  it('should refuse to lose a tensor that is read later', () => {
    const steps = [step({}), step({ reads: [0] }), step({ reads: [0, 2] })];
    const overInput = spoil(steps, () => ({ arenaBytes: 256, tensorOffset: [0, 64, 0, 128] }));
    expect(overInput).toThrow('byte 0 of tensor 0 (t0) is overwritten before call 2');
  });

  it('should refuse scratch over an operand', () => {
    expect(spoil([step({ scratchBytes: 8 })], () => ({ scratchOffset: [0] }))).toThrow('scratch of call 0 overlaps');
  });

  it('should refuse a tensor outside the arena', () => {
    expect(spoil([step({})], (plan) => ({ arenaBytes: plan.arenaBytes - 8 }))).toThrow('lies outside the arena');
  });

  it('should refuse an alias that is somewhere else', () => {
    const steps = [step({}), step({ alias: true }), step({})];
    expect(spoil(steps, () => ({ arenaBytes: 256, tensorOffset: [0, 64, 128, 192] }))).toThrow(
      'is not where its source',
    );
  });

  it('should refuse to lose the input of a RESHAPE before its turn', () => {
    const steps = [step({}), step({ reads: [1] }), step({ reads: [1], alias: true }), step({ reads: [1] })];
    const plan = spoil(steps, () => ({ arenaBytes: 256, tensorOffset: [0, 64, 64, 64, 128] }));
    expect(plan).toThrow('byte 0 of tensor 3 (t3) is overwritten before op 2');
  });

  it('should refuse a missing offset and a missing scratch buffer', () => {
    expect(spoil([step({})], () => ({ tensorOffset: [null, 0] }))).toThrow('has no place');
    expect(spoil([step({ scratchBytes: 8 })], () => ({ scratchOffset: [null] }))).toThrow('has no scratch');
  });
});
