/** What a kind of sensor has to give so that a network is trained on it and becomes a decision system. */
import type { DecisionSystem } from '../../firmware-gen/ir/system.ts';
import type { TrainConfig } from './config.ts';
import type { DataSource } from './data-source.ts';
import { deploy } from './deploy.ts';
import type { Network } from './network.ts';
import type { Sensor } from './sensors.ts';

export interface RawWindows {
  /** Of the stream, int16 [frames, channels]. */
  readonly windows: readonly Int16Array[];
  readonly labels: readonly number[];
}

/** What a sensor's data set gives beside batches: windows as the device sees them. */
export interface TrainingData {
  readonly source: DataSource;
  readonly sensor: Sensor;
  /** Of training subjects, in no order. */
  calibration(count: number): Int16Array[];
  validation(): RawWindows;
  /** Puts a gate by statistics of the window in place of the system's. @throws UserError where the sensor has none */
  withStatistics(system: DecisionSystem): DecisionSystem;
  /** Of subjects that took no part: the classes, and labels that are neither a class nor learned as unknown. */
  test(): {
    readonly subjects: readonly (number | string)[];
    readonly known: RawWindows;
    readonly unknown: readonly Int16Array[];
    /** Labels that were learned as unknown. */
    readonly taught: readonly Int16Array[];
  };
}

/** Ranges and prototypes from training windows, threshold and temperature from validation windows, as config.deploy says. */
export function deploySystem(
  network: Network,
  data: TrainingData,
  { deploy: how, quantization }: TrainConfig,
): DecisionSystem {
  const system = deploy(network, {
    sensor: data.sensor,
    calibration: data.calibration(how.calibrationWindows),
    validation: data.validation(),
    hopFrames: how.hopFrames ?? Math.ceil(data.source.frames / 2),
    truePositiveRate: how.accept,
    switching: how.switching,
    ...(quantization && { quantization }),
  });
  return how.detector === 'statistics' ? data.withStatistics(system) : system;
}
