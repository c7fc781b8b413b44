/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A scatter file or a .cfg: read, held against a watch, and against what we would write. */

#include "daemon/worker/scatter-ranges.h"
#include "protocol/control/limits.h"
#include "protocol/firmware/cfg.h"
#include "protocol/firmware/scatter.h"
#include "tests/fuzz/fuzz.h"

/* A watch with the files that the seeds name. */
static const struct flash_facts facts = {
	.boot_header = true,
	.files = { { 0x001, 0x800, 0x2800 },
		   { 0x002, 0x2800, 0xA000 },
		   { 0x100, 0xA000, 0x80000 },
		   { 0x108, 0x80000, 0xC0000 } },
	.n_files = 4,
	.user_begin = 0xC0000,
	.user_end = 0x100000,
	.parts = { { 3, { 0xC2, 0x25, 0x36 }, 3, 4 << 20 } },
	.n_parts = 1,
	.n_parts_told = 1,
};

static void hold_against(const struct scatter *scatter)
{
	const struct scatter_watch watch = { "MT6261", &facts, NULL };
	struct failure failure = { 0 };
	struct range *ranges = NULL;
	size_t n = 0;

	if (scatter_ranges_make(scatter, &watch, &ranges, &n, &failure) < 0)
		fuzz_require(failure.code != FAILURE_NONE && failure.message);
	else
		fuzz_require(n > 0);
	for (size_t i = 0; i < n; i++)
		fuzz_require(ranges[i].name[0] != '\0' && ranges[i].start < LIMIT_READ_BYTES);
	scatter_ranges_free(ranges, n);
	failure_clear(&failure);
}

static void compare(const char *text, size_t size)
{
	static const char *const boot[] = { "INT_BOOTLOADER", "EXT_BOOTLOADER" };
	static const char *const rest[] = { "ROM", "VIVA" };
	const struct cfg cfg = { "MT6261", boot, 2, rest, 2, facts.parts, facts.n_parts };
	_cleanup_free_ char *why = NULL;

	if (cfg_compare(&cfg, text, size, &why) < 0)
		fuzz_require(why);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(scatter_freep) struct scatter *scatter = NULL;
	struct scatter_error error = { 0 };

	if (size == 0)
		return 0;
	compare((const char *)data, size);
	if (scatter_parse((const char *)data, size, &scatter, &error) < 0) {
		fuzz_require(error.text[0] != '\0');
		return 0;
	}
	fuzz_require(scatter->n_parts <= SCATTER_PARTS_MAX);
	fuzz_require(scatter->n_flashes <= SCATTER_FLASHES_MAX);
	hold_against(scatter);
	return 0;
}
