/* SPDX-License-Identifier: MIT
 * Refer to tl_motion.h. */
#include "tl_motion.h"
#include "tl_support.h"

/* floor(sqrt(value)), bit by bit from the highest power of four. */
static uint32_t square_root(uint32_t value)
{
    uint32_t root = 0;
    for (uint32_t bit = (uint32_t)1 << 30; bit != 0; bit >>= 2) {
        if (value >= root + bit) {
            value -= root + bit;
            root = (root >> 1) + bit;
        } else {
            root >>= 1;
        }
    }
    return root;
}

void tl_unit_vectors_s16(const int16_t *input, int32_t stride, int32_t frames, int16_t *output)
{
    for (int32_t i = 0; i < frames; ++i, input += stride, output += 3) {
        uint32_t squares = 0;
        for (int32_t c = 0; c < 3; ++c) {
            squares += (uint32_t)(input[c] * input[c]);
        }
        /* Doubling the vector until the norm has 16 bits keeps the quotient's precision for short vectors. */
        uint32_t doublings = 0;
        while (squares != 0 && squares < (uint32_t)1 << 30) {
            squares <<= 2;
            ++doublings;
        }
        const uint32_t norm = square_root(squares);
        for (int32_t c = 0; c < 3; ++c) {
            const uint32_t magnitude = (uint32_t)(input[c] < 0 ? -input[c] : input[c]) << doublings;
            /* magnitude <= norm <= 65535, so the product is below 2^31 */
            const int32_t quotient = norm == 0 ? 0 : (int32_t)((magnitude * 32767U + norm / 2U) / norm);
            output[c] = (int16_t)(input[c] < 0 ? -quotient : quotient);
        }
    }
}
