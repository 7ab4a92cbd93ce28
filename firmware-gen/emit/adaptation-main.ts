/** main.c of an image that learns: behind the device protocol, or bare, for use from outside. */
import type { Board } from '../../boards/schema.ts';
import type { Adaptation } from '../ir/adaptation.ts';
import { harnessMain, type HarnessOptions } from './harness-source.ts';

export interface AdaptationMainOptions {
  readonly board: Board;
  readonly model: string;
  readonly opening: string;
  readonly modelSha256: string;
  readonly harness: HarnessOptions | null;
  /** Classes. */
  readonly scores: number;
}

export function adaptationMain({ encoder }: Adaptation, options: AdaptationMainOptions): string {
  const { model, opening, harness, scores } = options;
  if (harness !== null)
    return harnessMain(encoder, { ...options, hooks: false, arena: '', harness, learner: { scores } });
  return `${opening}
#include "${model}_adapt.h"
#include "tl_runtime.h"

TL_VISIBLE void tl_ready(void)
{
}

/* Whoever uses the model from outside writes inputs to the arena and calls these. */
TL_VISIBLE int32_t tl_infer(void)
{
    return tl_learner_infer(&${model}_learner);
}

/* Returns the probability that the label had before, Q15. */
TL_VISIBLE int32_t tl_learn(int32_t label)
{
    return tl_learner_learn(&${model}_learner, label);
}

TL_VISIBLE void tl_restart(void)
{
    tl_learner_restart(&${model}_learner);
}

TL_VISIBLE int32_t tl_commit(void)
{
    return tl_learner_commit(&${model}_learner);
}

int main(void)
{
    if (${model}_adapt_start() < 0) {
        tl_halt();
    }
    /* Named, so that the linker keeps them. */
    __asm volatile("" ::"r"(tl_infer), "r"(tl_learn), "r"(tl_restart), "r"(tl_commit));
    tl_ready();
    for (;;) {
        tl_wait_for_interrupt();
    }
}
`;
}
