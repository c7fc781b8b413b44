/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/base/digest.h"

#include <errno.h>
#include <stdbool.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "protocol/base/fd.h"
#include "protocol/base/strings.h"

#define PIECE_BYTES (64U * 1024U)

DEFINE_CLEANUP(EVP_MD_CTX *, EVP_MD_CTX_free);

/*
 * A digest needs nothing of openssl.cnf, and reading it costs every worker half a mebibyte. Only the
 * first call does anything.
 */
static bool prepare(void)
{
	return OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) == 1;
}

int digest_file(int fd, uint64_t offset, uint64_t length, char ret_hex[DIGEST_HEX_SIZE])
{
	_cleanup_(EVP_MD_CTX_freep) EVP_MD_CTX *context = prepare() ? EVP_MD_CTX_new() : NULL;
	_cleanup_free_ uint8_t *piece = malloc(PIECE_BYTES);
	uint8_t digest[32];

	if (!context || !piece || EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1)
		return -ENOMEM;
	while (length > 0) {
		size_t n = (size_t)MIN_OF(length, PIECE_BYTES);
		int r = fd_pread_all(fd, piece, n, offset);

		if (r < 0)
			return r;
		if (EVP_DigestUpdate(context, piece, n) != 1)
			return -EIO;
		offset += n;
		length -= n;
	}
	if (EVP_DigestFinal_ex(context, digest, NULL) != 1)
		return -EIO;
	hex_encode(digest, sizeof(digest), ret_hex);
	return 0;
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
