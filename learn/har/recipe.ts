/**
 * Everything that decides what the built-in HAR model becomes. The numbers were chosen on folds of the training subjects
 * (`npm run train:har -- --fold K`); validation subjects took no part.
 */
import type { FitOptions } from './fit.ts';
import type { NetworkSpec } from './network.ts';

export const MODEL_NAME = 'har_wisdm_watch';

export const CLASSES = ['walking', 'jogging', 'stairs', 'sitting', 'standing', 'clapping'] as const;

/** 3.2 s at 20 Hz. */
export const WINDOW_FRAMES = 64;

/** Physical units per input unit: 1 g, and for the gyroscope what brings both sensors' extremes to about +-2. */
export const CHANNEL_SCALE = [9.80665, 9.80665, 9.80665, 6, 6, 6] as const;

export const NETWORK: NetworkSpec = {
  frames: WINDOW_FRAMES,
  channels: 6,
  classes: CLASSES.length,
  kernel: 5,
  stem: { filters: 32, stride: 2 },
  blocks: [
    { filters: 48, stride: 1, shortcut: false },
    { filters: 64, stride: 2, shortcut: false },
    { filters: 64, stride: 1, shortcut: true },
    { filters: 96, stride: 2, shortcut: false },
  ],
};

export const FIT: FitOptions = {
  seed: 1,
  steps: 1000,
  batch: 96,
  learningRate: 0.05,
  momentum: 0.9,
  weightDecay: 5e-4,
  labelSmoothing: 0.05,
  augmentation: { rotation: 0.6, gain: 0.2, flip: 0.3 },
};

/** Training windows whose activations set the int8 ranges. */
export const CALIBRATION_WINDOWS = 512;

/** Subject i (in the manifest's order) is left out of fold i mod FOLDS. */
export const FOLDS = 5;
