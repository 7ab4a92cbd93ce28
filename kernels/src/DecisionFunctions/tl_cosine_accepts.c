/* SPDX-License-Identifier: MIT
 * Refer to tl_decision.h. */
#include "tl_decision.h"

int32_t tl_cosine_accepts(const tl_cosine_params *params, int32_t score, int32_t squared_norm)
{
    /* Scores are in Q15 and the threshold in Q30, so both sides have the same step. */
    return score > 0 && (int64_t)score * score >= (int64_t)params->threshold_squared * squared_norm;
}
