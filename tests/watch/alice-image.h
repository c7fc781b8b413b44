/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Makes the packed code ("ALICE") that ends a VIVA file: header of 0x28 bytes, stream of groups of
 * 64 halfwords, map with one entry a group and a sentinel, dictionary. Unpacked it begins "CAKE".
 * It holds no Thumb BL, so both generations of the format unpack it to the same halfwords.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/watch/noise.h"

#define ALICE_IMAGE_OVERHEAD 8192U /* more than header, dictionary, alignment and one group */

/*
 * Packs about target bytes to out, which has room for them and ALICE_IMAGE_OVERHEAD more; address
 * (a multiple of 4) is where out will be mapped. second: "ALICE_2" (MT6261), else "ALICE_1"
 * (MT2502). Returns the length, or 0 when out of memory.
 */
size_t alice_image_make(uint8_t *out, size_t target, uint32_t address, bool second,
			struct noise *noise);
