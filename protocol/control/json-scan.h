/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "protocol/base/cleanup.h"

/*
 * Walks a text once and says whether it is exactly one JSON object (RFC 8259) in UTF-8, at most
 * LIMIT_JSON_DEPTH deep, without NUL or lone surrogates in its strings and with whole numbers that
 * fit int64_t. json-c 0.16 alone takes 'single quotes', NaN and, saturated, integers of any length.
 *
 * *ret_members counts the members of all objects: a parsed tree with fewer has lost one to a
 * duplicate key. -EBADMSG.
 */
_must_check_ int json_scan(const char *text, size_t size, uint64_t *ret_members);
