/* SPDX-License-Identifier: MIT
 * Refer to tl_decision.h. */
#include "tl_decision.h"

int32_t tl_exp2_q15(int32_t t)
{
    /* 2^(-1/2), 2^(-1/4), .. 2^(-1/1024) in Q30 */
    static const int32_t roots[10] = {759250125,
                                      902905651,
                                      984625594,
                                      1028218693,
                                      1050733751,
                                      1062175491,
                                      1067942999,
                                      1070838486,
                                      1072289173,
                                      1073015252};
    if (t <= -16 * 1024) {
        return 0;
    }
    const int32_t whole = -t >> 10;
    const int32_t fraction = -t & 1023;
    int32_t power = 1 << 30;
    for (int32_t bit = 0; bit < 10; ++bit) {
        if ((fraction & (512 >> bit)) != 0) {
            power = (int32_t)(((int64_t)power * roots[bit]) >> 30);
        }
    }
    return ((power >> (14 + whole)) + 1) >> 1;
}
