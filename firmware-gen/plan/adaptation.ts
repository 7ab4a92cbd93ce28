/** Arena of learning: between two inferences the encoder's arena is free, and what a step needs lies there. */
import { weightCount, type Adaptation, type HeadAdaptation } from '../ir/adaptation.ts';
import { alignUp, type Block } from './lifetimes.ts';
import { place } from './place.ts';

/** Phases of a step; classification needs `hidden` and `back` too. */
const phase = { clear: 0, forward: 1, softmax: 2, back: 3, gradient: 4, apply: 5, quantize: 6 } as const;

const BUFFERS = ['hidden', 'back', 'logits', 'delta', 'gradient0', 'gradient1', 'work'] as const;
export type AdaptBuffer = (typeof BUFFERS)[number];

export interface AdaptPlan {
  /** Bytes from the arena's start; absent: not needed. */
  readonly offsets: ReadonlyMap<AdaptBuffer, number>;
  readonly blocks: readonly (Block & { readonly name: AdaptBuffer })[];
  readonly arenaBytes: number;
}

/** A decision system's head needs no work: it decides with the weights that it learns. */
export function planAdaptation(adaptation: Adaptation | HeadAdaptation): AdaptPlan {
  const { params, options } = adaptation;
  const { layers } = params;
  const isHead = 'features' in adaptation;
  const isFloat = options.arithmetic === 'float';
  const classes = layers.at(-1)!.outputs;
  const hidden = layers.length > 1 ? layers[0]!.outputs : 0;
  const uses: readonly (readonly [AdaptBuffer, number, number, number])[] = [
    ['hidden', 2 * hidden, phase.forward, phase.gradient],
    ['back', 4 * hidden, phase.back, phase.gradient],
    ...(isFloat
      ? ([
          ['logits', 4 * (classes + 2 * hidden), phase.forward, phase.gradient],
          ['work', isHead ? 0 : 2 * Math.max(...layers.map(weightCount)), phase.quantize, phase.quantize],
        ] as const)
      : ([
          ['logits', 4 * classes, phase.forward, phase.softmax],
          ['delta', 4 * classes, phase.softmax, phase.gradient],
          ...layers.map((layer, i) => [BUFFERS[4 + i]!, 4 * weightCount(layer), phase.clear, phase.apply] as const),
        ] as const)),
  ];
  const blocks = uses
    .filter(([, bytes]) => bytes > 0)
    .map(([name, bytes, first, last]) => ({ name, bytes: alignUp(bytes), first, last, tensors: [], scratchOf: null }));
  const { offsets, arenaBytes } = place(blocks);
  return { offsets: new Map(blocks.map(({ name }, i) => [name, offsets[i]!])), blocks, arenaBytes };
}
