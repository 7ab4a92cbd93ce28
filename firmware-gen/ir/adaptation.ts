/** A classifier whose last dense layers learn on the device: the encoder before them, and everything that kernels/runtime/tl_learner.c is told. */
import type { RunScale } from './dynamic.ts';
import type { Graph } from './graph.ts';
import { quantizeMultiplier } from './quantized-math.ts';

/** Values of tl_adapt_layer. */
export interface AdaptLayer {
  /** Inputs. */
  readonly size: number;
  readonly outputs: number;
  readonly isRelu: boolean;
  /** Rate = mantissa * 2^-(15 + shift). */
  readonly rateMantissa: number;
  readonly rateShift: number;
  /** Static only. */
  readonly gradientShift: number;
  readonly deltaShift: number;
}

export interface AdaptParams {
  /** One (the head) or two. */
  readonly layers: readonly AdaptLayer[];
  readonly biasOnly: boolean;
  readonly isDynamic: boolean;
}

export interface Weights16 {
  /** weight = mantissa * 2^-exponent. */
  exponent: number;
  /** [outputs, size + 1], the last column for the bias. */
  readonly weights: Int16Array;
}

/** multiplier * 2^(shift - 31), multiplier in [2^30, 2^31). */
export interface ScaleWords {
  readonly multiplier: number;
  readonly shift: number;
}

/** Scales of one layer as calibrated before the training, by output. */
export interface AdaptCalibration {
  /** From weights to int8 steps. */
  readonly weights: readonly ScaleWords[];
  /** From sums to the int8 output. */
  readonly output: readonly ScaleWords[];
  readonly outputZeroPoint: number;
}

/** What learns: the head, its biases alone, or the head and the dense layer before it. */
export const ADAPT_LAYERS = ['head', 'bias', 'block'] as const;
export type AdaptLayers = (typeof ADAPT_LAYERS)[number];

export const ADAPT_ARITHMETICS = ['float', 'static-16', 'dynamic-16'] as const;
export type AdaptArithmetic = (typeof ADAPT_ARITHMETICS)[number];

export interface AdaptationOptions {
  readonly layers: AdaptLayers;
  readonly arithmetic: AdaptArithmetic;
  /** Of the gradient descent, in real units; above 0. */
  readonly rate: number;
  /**
   * Dynamic models: usual real step of the int8 values that go into each layer that learns (features; with "block" also what the head reads). A
   * static model knows them.
   */
  readonly steps?: readonly number[];
}

export interface Adaptation {
  readonly name: string;
  readonly options: AdaptationOptions;
  /** Everything before the layers that learn; outputs: features, int8, and for dynamic models their scale. */
  readonly encoder: Graph;
  readonly params: AdaptParams;
  /** By layer, float32. */
  readonly rates: readonly number[];
  /** By layer, as the model has them. */
  readonly initial: readonly Weights16[];
  /** By layer: int8 inference in the scales of the model; null: scales found at run time. */
  readonly calibration: readonly AdaptCalibration[] | null;
  /** Of the features of a static model. */
  readonly scale: RunScale | null;
  /** 1 / step of the int16 features. */
  readonly inverse: ScaleWords;
}

/** How a decision system's features become the int16 ones that its head learns with. */
export type HeadFeatures =
  /** As a linear head has them. `scale`: of phi; null: found at run time. */
  | { readonly kind: 'scaled'; readonly scale: RunScale | null; readonly inverse: ScaleWords }
  /** As a cosine head has them: of length 2^12, whatever phi counts in. */
  | { readonly kind: 'unit' };

/** The head of a decision system as a layer that learns (passes/system-adaptation.ts); its logits are in nats. */
export interface HeadAdaptation extends Pick<Adaptation, 'options' | 'params' | 'rates' | 'initial'> {
  readonly features: HeadFeatures;
}

/** Of such logits, in Q16, to exponents of two in Q10. */
export const LOGIT_EXPONENTS = quantizeMultiplier((1024 * Math.LOG2E) / 65536);

/** Number of weights of a layer, biases included. */
export const weightCount = ({ size, outputs }: { size: number; outputs: number }): number => outputs * (size + 1);
