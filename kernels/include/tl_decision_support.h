/* SPDX-License-Identifier: MIT
 * What kernels on features share. */
#ifndef TL_DECISION_SUPPORT_H
#define TL_DECISION_SUPPORT_H

#include "tl_support.h"

/** floor(sqrt(squared_norm)), at least 1. */
TL_INLINE int32_t tl_feature_norm(int32_t squared_norm)
{
    int32_t root = 0;
    for (int32_t bit = 1 << 15; bit != 0; bit >>= 1) {
        const int32_t candidate = root + bit;
        if ((int64_t)candidate * candidate <= squared_norm) {
            root = candidate;
        }
    }
    return tl_max(root, 1);
}

#endif
