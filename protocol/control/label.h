/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What a user writes on a job, and with it on its backup: customer=…, ticket=…. A key is a plain
 * name of at most LIMIT_NAME_BYTES, a value is text without control characters of at most
 * LIMIT_LABEL_BYTES; at most LIMIT_LABELS of them, no key twice.
 */

#include <stddef.h>

#include "protocol/base/cleanup.h"

struct json_object;
struct problem;

struct label {
	char *key;
	char *value;
};

void labels_free(struct label *labels, size_t n);

/* Appends a copy; -EINVAL for a key or value that is not allowed, -EEXIST, -E2BIG, -ENOMEM. */
_must_check_ int labels_add(struct label **labels, size_t *n, const char *key, const char *value);
/* The value of key, borrowed; NULL where there is none. */
const char *labels_get(const struct label *labels, size_t n, const char *key);
/* Replaces the value of key, or appends it; an empty value takes it away. The same errors. */
_must_check_ int labels_set(struct label **labels, size_t *n, const char *key, const char *value);
_must_check_ int labels_copy(const struct label *from, size_t n, struct label **ret, size_t *ret_n);

/* {"key": "value"}. */
_must_check_ int labels_to_json(const struct label *labels, size_t n, struct json_object **ret);
/* -EBADMSG with *problem, -ENOMEM. */
_must_check_ int labels_from_json(struct json_object *object, struct label **ret, size_t *ret_n,
				  struct problem *problem);

/* The same as text, for the store. */
_must_check_ int labels_to_text(const struct label *labels, size_t n, char **ret);
_must_check_ int labels_from_text(const char *text, struct label **ret, size_t *ret_n);
