/* SPDX-License-Identifier: MIT
 * Erasing and programming the part's own flash, in the form that tl_store.h takes. */
#ifndef TL_FLASH_H
#define TL_FLASH_H

#include "tl_runtime.h"

/** @param part where offset 0 is, a const uint8_t pointer. Both return 0, or -1 when the controller reports an error.
 */
int32_t tl_flash_erase(void *part, uint32_t offset, uint32_t bytes);
int32_t tl_flash_program(void *part, uint32_t offset, const uint8_t *unit);

#endif
