/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* layout.json of a set of firmware files that somebody may have edited. */

#include <errno.h>

#include "protocol/base/bytes.h"
#include "protocol/control/layout-json.h"
#include "protocol/control/message.h"
#include "tests/fuzz/fuzz.h"

static void check(const struct layout_json *layout)
{
	_cleanup_(layout_json_clear) struct layout_json again = { 0 };
	_cleanup_free_ char *text = NULL;
	struct problem problem = { 0 };

	fuzz_require(layout->n_pieces <= LAYOUT_JSON_PIECES_MAX);
	for (size_t i = 0; i < layout->n_pieces; i++) {
		const struct image_piece *piece = &layout->pieces[i];

		fuzz_require(bytes_inside(layout->size, piece->offset, piece->length));
		fuzz_require(piece->file[0] != '/' && !strstr(piece->file, ".."));
	}
	fuzz_require(layout_json_to_text(layout, &text) == 0);
	fuzz_require(layout_json_from_text(text, &again, &problem) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(layout_json_clear) struct layout_json layout = { 0 };
	_cleanup_free_ char *text = fuzz_text(data, size);
	struct problem problem = { 0 };
	int r = layout_json_from_text(text, &layout, &problem);

	if (r == 0)
		check(&layout);
	fuzz_require(r != -EBADMSG || problem.reason[0] != '\0');
	return 0;
}
