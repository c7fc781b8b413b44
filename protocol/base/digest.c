/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/base/digest.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "protocol/base/fd.h"
#include "protocol/base/strings.h"

#define PIECE_BYTES (64U * 1024U)

/*
 * A digest needs nothing of openssl.cnf, and reading it costs every worker half a mebibyte. Only the
 * first call does anything.
 */
static bool prepare(void)
{
	return OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) == 1;
}

struct digest {
	EVP_MD_CTX *context;
};

int digest_new(struct digest **ret)
{
	_cleanup_(digest_freep) struct digest *digest = calloc(1, sizeof(*digest));

	if (!digest)
		return -ENOMEM;
	digest->context = prepare() ? EVP_MD_CTX_new() : NULL;
	if (!digest->context || EVP_DigestInit_ex(digest->context, EVP_sha256(), NULL) != 1)
		return -ENOMEM;
	*ret = TAKE_PTR(digest);
	return 0;
}

void digest_free(struct digest *digest)
{
	if (!digest)
		return;
	EVP_MD_CTX_free(digest->context);
	free(digest);
}

int digest_add(struct digest *digest, const void *data, size_t size)
{
	return EVP_DigestUpdate(digest->context, data, size) == 1 ? 0 : -EIO;
}

int digest_end(struct digest *digest, char ret_hex[DIGEST_HEX_SIZE])
{
	uint8_t bytes[32];

	if (EVP_DigestFinal_ex(digest->context, bytes, NULL) != 1)
		return -EIO;
	hex_encode(bytes, sizeof(bytes), ret_hex);
	return 0;
}

int digest_file(int fd, uint64_t offset, uint64_t length, char ret_hex[DIGEST_HEX_SIZE])
{
	_cleanup_(digest_freep) struct digest *digest = NULL;
	_cleanup_free_ uint8_t *piece = malloc(PIECE_BYTES);
	int r = piece ? digest_new(&digest) : -ENOMEM;

	while (r >= 0 && length > 0) {
		size_t n = (size_t)MIN_OF(length, PIECE_BYTES);

		r = fd_pread_all(fd, piece, n, offset);
		if (r >= 0)
			r = digest_add(digest, piece, n);
		offset += n;
		length -= n;
	}
	return r < 0 ? r : digest_end(digest, ret_hex);
}

int digest_memory(const void *data, size_t size, char ret_hex[DIGEST_HEX_SIZE])
{
	uint8_t digest[32];

	if (!prepare() || EVP_Digest(data, size, digest, NULL, EVP_sha256(), NULL) != 1)
		return -EIO;
	hex_encode(digest, sizeof(digest), ret_hex);
	return 0;
}

int digest_sha1(const void *data, size_t size, uint8_t ret[DIGEST_SHA1_SIZE])
{
	return prepare() && EVP_Digest(data, size, ret, NULL, EVP_sha1(), NULL) == 1 ? 0 : -EIO;
}
