/** The head of a decision system that learns: the twin of what emit/system-learning.ts generates around kernels/runtime/tl_learner.c, bit for bit. */
import { defined } from '../../../common/errors.ts';
import type { HeadAdaptation } from '../../ir/adaptation.ts';
import type { RunScale } from '../../ir/dynamic.ts';
import { adaptFeatures, adaptUnitFeatures } from './layers.ts';
import { adaptForward } from './training-s16.ts';
import { LearningWeights } from './weights.ts';

export class LearningHead extends LearningWeights {
  private readonly head: HeadAdaptation;

  constructor(head: HeadAdaptation) {
    super(head);
    this.head = head;
  }

  /** int16 features of one window. @param scale of phi where it is found at run time @param offset -(zero point of phi) */
  features(phi: Int8Array, scale: RunScale | null, offset: number): Int16Array {
    const { features } = this.head;
    if (features.kind === 'unit') return adaptUnitFeatures(phi, offset);
    return adaptFeatures(phi, features.scale ?? defined(scale, 'scale of the features'), features.inverse);
  }

  /** Q16. */
  logits(features: Int16Array): Int32Array {
    return adaptForward(this.head.params, this.fixed, features).logits;
  }
}
