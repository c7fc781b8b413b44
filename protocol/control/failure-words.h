/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What each of our own failure codes means and what to do about it, for people. */

#include "protocol/control/failure.h"

struct failure_words {
	const char *meaning; /* one plain sentence */
	const char *hint;    /* another one; never NULL: there is always something to do */
};

/* NULL for FAILURE_NONE. */
const struct failure_words *failure_words(enum failure_code code);
