/**
 * A decision system: what turns a stream of sensor frames into decisions, all of it integer. Windows, front end, encoder graph (int8 features
 * out), test for the familiar, classes, filter over time. Values are those of the C structs in kernels/include/tl_{stream,motion,decision}.h. The
 * encoder may be in dynamic fixed point: then every window and its features have scales of their own, found at run time.
 */
import type { Graph } from './graph.ts';
import type { QuantizedMultiplier } from './quantized-math.ts';

export interface StreamParams {
  readonly channels: number;
  /** Frames of one window. */
  readonly frames: number;
  /** Frames from one window to the next. */
  readonly hop: number;
}

/** One channel: q = clamp(round((value + offset) * multiplier * 2^(shift - 31) * 256) + zero point). */
export interface StandardiseChannel {
  readonly offset: number;
  readonly multiplier: number;
  readonly shift: number;
}

/** Of sound: how samples become frames of cepstral coefficients; the tables follow from it (sound-tables.ts). */
export interface CepstraParams {
  readonly sampleRateHz: number;
  /** Samples of one frame, a multiple of 2 to 2048; at least hopSamples. */
  readonly frameSamples: number;
  /** Samples from one frame to the next. */
  readonly hopSamples: number;
  readonly mels: number;
  /** As many as the stream has channels. */
  readonly coefficients: number;
}

/** A window of one tensor. */
interface StandardisedWindow {
  readonly channels: readonly StandardiseChannel[];
  readonly zeroPoint: number;
  /**
   * Of dynamic encoders: channels then give units of multiplier * 2^(shift - 31), zero point 0, fine enough that no int16 count saturates; what
   * the window really holds becomes int8 as the sums of a dynamic layer do.
   */
  readonly unit?: QuantizedMultiplier | undefined;
}

export type SystemFrontEnd =
  /** The encoder's one input is the standardised window. */
  | ({ readonly kind: 'raw' } & StandardisedWindow)
  /** The same for sound: cepstra (Q5) are the frames of the stream, made of hopSamples samples each as they come in. */
  | ({ readonly kind: 'mfcc'; readonly cepstra: CepstraParams } & StandardisedWindow)
  /**
   * The encoder has two inputs: the column of the accelerometer's unit vectors (channels 0 to 2; the first entry of `column` for all three) and the
   * row of the channels 3 to 5, or of the unit vectors again.
   */
  | {
      readonly kind: 'image';
      readonly column: StandardiseChannel;
      readonly columnZeroPoint: number;
      readonly row: readonly StandardiseChannel[];
      readonly rowZeroPoint: number;
      readonly rowSource: 'gyroscope' | 'self';
    };

export interface CosineHead {
  readonly size: number;
  readonly classes: number;
  /** -(zero point of phi); 0 where that is found at run time. */
  readonly offset: number;
  /** tau^2 in Q30. */
  readonly thresholdSquared: number;
  /** [classes, size], unit vectors in Q15. */
  readonly weights: Int16Array;
}

export interface LinearHead {
  readonly size: number;
  readonly classes: number;
  readonly offset: number;
  readonly weights: Int16Array;
  readonly bias: Int32Array;
}

export interface MahalanobisHead {
  readonly size: number;
  readonly classes: number;
  readonly offset: number;
  readonly shift: number;
  /** Lower triangle row by row. */
  readonly whitening: Int16Array;
  /** [classes, size]. */
  readonly centres: Int32Array;
}

/** Prototypes of statistics of the window: values of tl_prototypes_params and, by channel, the floors of tl_window_statistics_s16. */
export interface StatisticsHead {
  readonly size: number;
  readonly count: number;
  readonly shift: number;
  /** [channels], 1 to 1024 counts. */
  readonly floors: Uint16Array;
  /** Lower triangle row by row. */
  readonly whitening: Int16Array;
  /** [count, size], +-16383. */
  readonly centres: Int16Array;
  /** [count], classes. */
  readonly labels: Uint8Array;
}

export type SystemHead =
  /** `sharpness`: see tl_cosine_powers. */
  | { readonly kind: 'cosine'; readonly head: CosineHead; readonly sharpness: number }
  /**
   * `scale`: of logits to exponents of two in Q10. `phiShift`: of dynamic encoders; bias and `scale` are those for phi in steps of
   * 2^(phiShift - 1).
   */
  | {
      readonly kind: 'linear';
      readonly head: LinearHead;
      readonly scale: QuantizedMultiplier;
      readonly phiShift?: number | undefined;
    };

export type SystemGate =
  /** The cosine head's own threshold. */
  | { readonly kind: 'cosine' }
  /** Accepted while the sum of relative powers is at most this, that is while the largest softmax value is large. */
  | { readonly kind: 'max-softmax'; readonly sumMax: number }
  | { readonly kind: 'mahalanobis'; readonly head: MahalanobisHead; readonly distanceMax: number }
  /**
   * The class 'unknown', learned beside the others from what is none of them, as a linear head of one class in the same steps as the system's own.
   * Accepted while the best of the others is above it by at least this: with 0 just while the class of the window is not 'unknown'. It is no
   * class otherwise: labels and filters know only the others.
   */
  | { readonly kind: 'unknown-class'; readonly head: LinearHead; readonly marginMin: number }
  /** Statistics of the window itself, before the encoder, which only runs for windows that are accepted. */
  | { readonly kind: 'statistics'; readonly head: StatisticsHead; readonly distanceMax: number };

export interface StickyParams {
  readonly classes: number;
  /** Q15; stay + classes * change = 32768. */
  readonly stay: number;
  readonly change: number;
}

/** Values of tl_kalman_params. */
export interface KalmanParams {
  readonly size: number;
  readonly classes: number;
  readonly offset: number;
  readonly shift: number;
  /** Lower triangle row by row. */
  readonly whitening: Int16Array;
  /** [classes, size]. */
  readonly centres: Int32Array;
  readonly drift: Uint16Array;
  /** 1 or more each. */
  readonly noise: Uint16Array;
}

/** A filter over the features that gives the sticky filter its likelihoods; `scale`: of squared distances to exponents of two in Q10. */
export interface LatentFilter {
  readonly params: KalmanParams;
  readonly scale: QuantizedMultiplier;
}

export interface DecisionSystem {
  readonly name: string;
  readonly classes: readonly string[];
  /** Labels that were learned as unknown; reports keep them apart from what was never met. */
  readonly taught?: readonly string[];
  readonly stream: StreamParams;
  readonly frontEnd: SystemFrontEnd;
  /** int8 in, one output: features, int8 [1, size]. In dynamic fixed point also the scales of both. */
  readonly encoder: Graph;
  readonly head: SystemHead;
  readonly gate: SystemGate;
  /** Absent: the head's own likelihoods go to the filter. */
  readonly latentFilter?: LatentFilter;
  readonly filter: StickyParams;
}

/** int16 values that are pushed at a time: those of a frame of the stream, or the samples that the next one is made of. */
export function pushedValues({ stream, frontEnd }: Pick<DecisionSystem, 'stream' | 'frontEnd'>): number {
  return frontEnd.kind === 'mfcc' ? frontEnd.cepstra.hopSamples : stream.channels;
}
