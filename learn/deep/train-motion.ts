/** Motion data for a decision system: windows of recordings, raw counts. */
import type { DecisionSystem } from '../../firmware-gen/ir/system.ts';
import { cutWindows, loadDataset, type MotionDataset, type Recording } from '../har/dataset.ts';
import { createRandom, shuffle } from '../random.ts';
import { withStatisticsGate } from '../ood/statistics-gate.ts';
import { systemWindows, type SystemWindows } from '../ood/system-scores.ts';
import type { MotionConfig } from './config.ts';
import { motionSource } from './motion-source.ts';
import type { Network } from './network.ts';
import { motionSensor } from './sensors.ts';
import { splitMotion } from './splits.ts';
import { deploySystem, type RawWindows, type TrainingData } from './training-data.ts';

export function motionTrainingData(config: MotionConfig): TrainingData {
  return trainingData(loadDataset(config.data.folder, config.data.average), config);
}

function trainingData(data: MotionDataset, config: MotionConfig): TrainingData {
  const { train, validation, unseen } = splitMotion(data, config);
  const { classes, unknown, windowFrames } = config.data;
  /** Without overlap. */
  const windowsOf = (recordings: readonly Recording[], labels: readonly string[]): RawWindows => {
    const form = { classes: labels, windowFrames, hopFrames: windowFrames };
    const cut = cutWindows({ recordings, channels: data.channels }, form);
    return { windows: cut.map(({ samples }) => samples), labels: cut.map(({ label }) => label) };
  };
  return {
    source: motionSource(data, config),
    sensor: motionSensor(config.frontEnd, data.scale),
    calibration: (count) => {
      const windows = [...windowsOf(train, classes).windows];
      shuffle(windows, createRandom(config.schedule.seed));
      return windows.slice(0, count);
    },
    validation: () => windowsOf(validation, classes),
    withStatistics: (system) => {
      const known = (recordings: readonly Recording[]): SystemWindows =>
        systemWindows(system, data, recordings, classes);
      return withStatisticsGate(system, known(train), known(validation), {
        rawScale: data.scale,
        halfTurn: config.augmentation.flip > 0,
        accept: config.deploy.accept,
        seed: config.schedule.seed,
      });
    },
    test: () => {
      const others = [...new Set(data.recordings.map(({ label }) => label))].filter(
        (label) => !classes.includes(label) && !unknown.includes(label),
      );
      return {
        subjects: [...new Set(unseen.map(({ subject }) => subject))],
        known: windowsOf(unseen, classes),
        unknown: windowsOf(unseen, others).windows,
        taught: windowsOf(unseen, unknown).windows,
      };
    },
  };
}

export function deployTrained(network: Network, data: MotionDataset, config: MotionConfig): DecisionSystem {
  return deploySystem(network, trainingData(data, config), config);
}
