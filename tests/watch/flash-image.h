/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A plausible flash image of a feature-phone watch, for tests and demonstrations: boot header,
 * layout table, eFuse record, the two bootloaders with valid signatures, ROM with its flash tables,
 * VIVA with a well-formed packed part, a user area and the control block region. The structures
 * are those seen in public firmware packages; the code in them is noise. The same size and
 * platform give the same bytes, always.
 */

#include <stdbool.h>
#include <stdint.h>

#include "protocol/base/cleanup.h"

/* True for 1, 2, 4, ... 64 MiB. */
bool flash_image_size_ok(uint64_t size);

/*
 * A new image of size bytes, which the caller frees, for a platform as firmware names it
 * ("MT6261"). -EINVAL for a size that is not ok, -ENOMEM, -EIO when libcrypto has no SHA-1.
 */
_must_check_ int flash_image_new(uint64_t size, const char *platform, uint8_t **ret);
