/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * SHA-256 and SHA-1 by libcrypto; the only file that knows it. SHA-256 for all that is ours, as
 * lower-case hexadecimal; SHA-1 where the boot loaders of watches carry one.
 */

#include <stddef.h>
#include <stdint.h>

#include "protocol/base/cleanup.h"

#define DIGEST_HEX_SIZE 65 /* 64 digits and a NUL */

/* One that grows with what comes, once. -ENOMEM. */
struct digest;
_must_check_ int digest_new(struct digest **ret);
void digest_free(struct digest *digest);
DEFINE_CLEANUP(struct digest *, digest_free);
_must_check_ int digest_add(struct digest *digest, const void *data, size_t size);
_must_check_ int digest_end(struct digest *digest, char ret_hex[DIGEST_HEX_SIZE]);

/*
 * Digests length bytes of the file fd from offset, read in bounded pieces.
 * -ENODATA when the file is shorter, -ENOMEM, or the error of the read.
 */
_must_check_ int digest_file(int fd, uint64_t offset, uint64_t length,
			     char ret_hex[DIGEST_HEX_SIZE]);

/* Digests size bytes in memory; -EIO when libcrypto cannot. */
_must_check_ int digest_memory(const void *data, size_t size, char ret_hex[DIGEST_HEX_SIZE]);

#define DIGEST_SHA1_SIZE 20

/* SHA-1 of size bytes. -EIO when libcrypto has none. */
_must_check_ int digest_sha1(const void *data, size_t size, uint8_t ret[DIGEST_SHA1_SIZE]);
