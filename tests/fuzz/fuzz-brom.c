/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A boot ROM that says anything at all. The input is a script of line.h. */

#include "tests/fuzz/conversation.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/line.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	conversation_with_brom(line_new(data, size));
	return 0;
}
