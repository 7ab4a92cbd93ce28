/** A decision system's firmware fed with recorded streams, beside its TypeScript twin where that is asked for: decisions, cycles by stage. */
import type { Board } from '../boards/schema.ts';
import type { TimingMode } from '../emulator/board-timing.ts';
import type { EngineName } from '../emulator/create-machine.ts';
import { systemStages, type SystemStage } from '../firmware-gen/emit/system-source.ts';
import { pushedValues, type DecisionSystem } from '../firmware-gen/ir/system.ts';
import { SystemReference, type Decision } from '../firmware-gen/reference/system.ts';
import { EmulatedSystem, type FedDecision } from './decision-system.ts';

export interface FedSystem {
  /** By stream, in the order they were due. */
  readonly decisions: readonly (readonly FedDecision[])[];
  /** Deepest stack. */
  readonly stackBytes: number;
}

export interface FeedOptions {
  readonly board: Board;
  readonly engine: EngineName;
  readonly timing: TimingMode;
  /** Called after every stream. */
  readonly onProgress?: (streams: number) => void;
}

/**
 * @param streams each begins anew: int16 values as they are pushed; what is no whole push at an end is left out
 * @throws UserError when the firmware faults
 */
export function feedSystem(
  elf: Uint8Array,
  system: DecisionSystem,
  streams: readonly Int16Array[],
  { board, engine, timing, onProgress }: FeedOptions,
): FedSystem {
  const target = new EmulatedSystem(elf, board, system, engine, timing);
  const push = pushedValues(system);
  const decisions = streams.map((samples, index) => {
    target.restart();
    const fed: FedDecision[] = [];
    const end = samples.length - (samples.length % push);
    for (let at = 0; at < end; at += system.stream.hop * push) {
      const decision = target.feed(samples.subarray(at, Math.min(end, at + system.stream.hop * push)));
      if (decision) fed.push(decision);
    }
    onProgress?.(index + 1);
    return fed;
  });
  const stackBytes = target.stackBytes();
  target.close();
  return { decisions, stackBytes };
}

/** What the twin decides on one stream. @param twin at the beginning of a stream */
export function twinDecisions(
  system: DecisionSystem,
  samples: Int16Array,
  twin: SystemReference = new SystemReference(system),
): Decision[] {
  const push = pushedValues(system);
  const decisions: Decision[] = [];
  for (let at = 0; at + push <= samples.length; at += push) {
    const decision = twin.push(samples.subarray(at, at + push));
    if (decision) decisions.push(decision);
  }
  return decisions;
}

const DECIDED = ['accepted', 'label', 'smoothed', 'belief'] as const satisfies readonly (keyof Decision)[];

/** Field by field. */
export function isEqualDecision(one: Decision, other: Decision): boolean {
  return DECIDED.every((field) => one[field] === other[field]);
}

/** How many decisions of the firmware are the twin's; one that only one of them made is none. */
export function equalDecisions(fed: readonly Decision[], twin: readonly Decision[]): number {
  return fed.filter((one, i) => twin[i] !== undefined && isEqualDecision(one, twin[i])).length;
}

export interface Spread {
  readonly mean: number;
  readonly max: number;
}

export interface CycleSummary {
  /** Of whole decisions, rejected ones too; null on a core without a timing model or without decisions. */
  readonly cycles: Spread | null;
  /** Of the decisions in which the stage ran. */
  readonly stages: readonly ({ readonly stage: SystemStage; readonly windows: number } & Spread)[];
  /** Of analysing one push of sound, mean; null for other sensors. */
  readonly analyse: number | null;
}

export function summariseCycles(system: DecisionSystem, decisions: readonly FedDecision[]): CycleSummary {
  const known = (values: readonly (number | null | undefined)[]): number[] => values.flatMap((value) => value ?? []);
  return {
    cycles: spread(known(decisions.map(({ cycles }) => cycles))),
    stages: systemStages(system).flatMap((stage) => {
      const cycles = known(decisions.map(({ stageCycles }) => stageCycles[stage]));
      const figures = spread(cycles);
      return figures === null ? [] : [{ stage, windows: cycles.length, ...figures }];
    }),
    analyse: spread(known(decisions.map(({ analyseCycles }) => analyseCycles)))?.mean ?? null,
  };
}

function spread(values: readonly number[]): Spread | null {
  if (values.length === 0) return null;
  const sum = values.reduce((a, b) => a + b, 0);
  return { mean: Math.round(sum / values.length), max: values.reduce((a, b) => Math.max(a, b)) };
}
