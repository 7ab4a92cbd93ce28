/** Gives a decision system the gate by statistics of the window: prototypes from training windows, the threshold from validation windows. */
import type { DecisionSystem } from '../../firmware-gen/ir/system.ts';
import { fitPrototypes } from './prototypes.ts';
import { fitThreshold, withThreshold, type SystemWindows } from './system-scores.ts';

export interface StatisticsGateOptions {
  /** Physical unit per count of each channel: three of an accelerometer (m/s^2), three of a gyroscope (rad/s). */
  readonly rawScale: readonly number[];
  /** Whether the sensor may be worn turned by half a turn about its z axis: every window then counts turned, too. */
  readonly halfTurn: boolean;
  /** Share of known validation windows that is to be accepted, 0..1. */
  readonly accept: number;
  readonly seed: number;
}

/** Noise of such sensors, m/s^2 and rad/s: spread below it says nothing. */
const NOISE = [0.03, 0.03, 0.03, 0.02, 0.02, 0.02] as const;

/** In counts. @param rawScale physical unit per count of each channel */
export function sensorNoise(rawScale: readonly number[]): number[] {
  return rawScale.map((unit, c) => NOISE[c]! / unit);
}

/** Chosen on folds of training subjects, where 4 to 64 are alike: docs/learning.md. */
const PROTOTYPES_PER_CLASS = 16;

/** @param training windows of known classes @param validation windows of known classes, of other subjects */
export function withStatisticsGate(
  system: DecisionSystem,
  training: SystemWindows,
  validation: SystemWindows,
  { rawScale, halfTurn, accept, seed }: StatisticsGateOptions,
): DecisionSystem {
  const { samples, labels, subjects } = halfTurn ? withHalfTurns(training) : training;
  const head = fitPrototypes(
    { windows: samples, labels, subjects, classes: system.classes.length },
    { floors: sensorNoise(rawScale), perClass: PROTOTYPES_PER_CLASS, seed },
  );
  const open: DecisionSystem = { ...system, gate: { kind: 'statistics', head, distanceMax: 0 } };
  return withThreshold(open, fitThreshold(open, validation, accept));
}

/** The windows and their half turns: x and y of both sensors change their signs. */
export function withHalfTurns({ samples, labels, subjects }: SystemWindows): SystemWindows {
  const turned = samples.map((window) =>
    window.map((value, i) => (i % 3 < 2 ? Math.min(32767, Math.max(-32768, -value)) : value)),
  );
  return {
    samples: [...samples, ...turned],
    labels: [...labels, ...labels],
    // What varies within a subject is not how the sensor is worn.
    subjects: [...subjects, ...subjects.map((subject) => `${subject} turned`)],
  };
}
