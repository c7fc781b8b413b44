/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* manifest.json of a backup that somebody may have edited. */

#include <errno.h>

#include "protocol/control/manifest.h"
#include "protocol/control/message.h"
#include "tests/fuzz/fuzz.h"

/* What was accepted can be written, is accepted again, and makes a row of the catalogue. */
static void check(const struct manifest *manifest)
{
	_cleanup_free_ char *text = NULL;
	struct problem problem = { 0 };
	struct manifest again = { 0 };
	struct backup backup = { 0 };

	fuzz_require(backup_id_is_valid(manifest->id));
	fuzz_require(manifest_to_text(manifest, &text) == 0);
	fuzz_require(manifest_from_text(text, &again, &problem) == 0);
	fuzz_require(manifest_to_backup(&again, "/somewhere", &backup) == 0);
	backup_clear(&backup);
	manifest_clear(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text = fuzz_text(data, size);
	struct problem problem = { 0 };
	struct manifest manifest = { 0 };
	int r = manifest_from_text(text, &manifest, &problem);

	if (r == 0) {
		check(&manifest);
		manifest_clear(&manifest);
	}
	fuzz_require(r != -EBADMSG || problem.reason[0] != '\0');
	return 0;
}
