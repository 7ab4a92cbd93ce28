/**
 * The HAR classifier as data, so that training (tfjs) and export (Graph) build the same thing: a convolution over time, depthwise-separable
 * blocks (Howard et al., arXiv 1704.04861) some with a shortcut (He et al., arXiv 1512.03385), global mean, dense, softmax. Batch
 * normalisation follows every convolution and is folded at export. Input [1, frames, 1, channels]: time is the height.
 */
export interface SeparableBlock {
  readonly filters: number;
  readonly stride: number;
  /** Adds the block's input to its output; needs stride 1 and as many filters as the input has channels. */
  readonly shortcut: boolean;
}

export interface NetworkSpec {
  readonly frames: number;
  readonly channels: number;
  readonly classes: number;
  /** Taps of every convolution along time. */
  readonly kernel: number;
  readonly stem: { readonly filters: number; readonly stride: number };
  readonly blocks: readonly SeparableBlock[];
}

/** Names of layers and of their batch normalisations; one convention for both sides. */
export const layerNames = {
  stem: 'stem',
  depthwise: (block: number) => `block${block}_depthwise`,
  pointwise: (block: number) => `block${block}_pointwise`,
  normalisation: (layer: string) => `${layer}_normalisation`,
  logits: 'logits',
} as const;

/** Added to the variance before its root is taken, in training and when folding. */
export const NORMALISATION_EPSILON = 1e-3;

/** Float32 values of one trained layer, in tfjs's order and layout. */
export type TrainedWeights = ReadonlyMap<string, readonly Float32Array[]>;
