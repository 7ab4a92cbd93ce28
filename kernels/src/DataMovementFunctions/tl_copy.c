/* SPDX-License-Identifier: MIT
 * A RESHAPE whose input and output cannot share a buffer. */
#include "tl_data_movement.h"

#include <string.h>

/* Refer header file for details. */
tl_status tl_copy(const void *input, int32_t bytes, void *output)
{
    if (bytes < 0) {
        return TL_ARGUMENT_ERROR;
    }
    if (input != output) {
        memcpy(output, input, (size_t)bytes);
    }
    return TL_OK;
}
