/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* SHA-256 by libcrypto; the only file that knows it. Digests are lower-case hexadecimal. */

#include <stddef.h>
#include <stdint.h>

#include "protocol/base/cleanup.h"

#define DIGEST_HEX_SIZE 65 /* 64 digits and a NUL */

/*
 * Digests length bytes of the file fd from offset, read in bounded pieces.
 * -ENODATA when the file is shorter, -ENOMEM, or the error of the read.
 */
_must_check_ int digest_file(int fd, uint64_t offset, uint64_t length, char ret_hex[DIGEST_HEX_SIZE]);
