/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A file with download agents. Input that begins with "da1=" is a layout up to its newline, with
 * the bare parts behind it.
 */

#include <sys/mman.h>

#include "protocol/base/bytes.h"
#include "protocol/base/fd.h"
#include "protocol/device/da-file.h"
#include "protocol/device/da-select.h"
#include "tests/fuzz/fuzz.h"

#define LAYOUT_BEGIN "da1="

static void read_regions(const struct da_file *file, const struct da_entry *entry, size_t size)
{
	fuzz_require(entry->n_regions <= DA_ENTRY_REGIONS);
	for (size_t i = 0; i < entry->n_regions; i++) {
		const struct da_region *region = &entry->regions[i];
		_cleanup_free_ uint8_t *bytes = NULL;

		fuzz_require(bytes_inside(size, region->offset, region->length));
		fuzz_require(region->signature_length <= region->length);
		fuzz_require(da_region_kind_to_string(region->kind));
		if (region->length > 0)
			fuzz_require(da_file_load(file, region, size, &bytes) == 0);
	}
}

static void use(const struct da_file *file, size_t size)
{
	static const struct da_target targets[] = { { 0x6261, 0xCB01, 1 }, { 0x2523, 0xFFFF, 0 } };
	char why[DA_WHY_SIZE] = "";
	size_t n;
	const struct da_entry *entries = da_file_entries(file, &n);

	fuzz_require(n <= DA_FILE_MAX_ENTRIES);
	for (size_t i = 0; i < n; i++)
		read_regions(file, &entries[i], size);
	for (size_t i = 0; i < ARRAY_SIZE(targets); i++) {
		const struct da_entry *entry = NULL;
		int r = da_select(file, &targets[i], &entry, why);

		fuzz_require(r == 0 ? entry >= entries && entry < entries + n : why[0] != '\0');
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = memchr(data ?: (const uint8_t *)"", '\n', size);
	_cleanup_(da_file_freep) struct da_file *file = NULL;
	_cleanup_close_ int fd = memfd_create("agents", MFD_CLOEXEC);
	_cleanup_free_ char *layout = NULL;
	char why[DA_WHY_SIZE] = "";
	size_t skip = 0;

	fuzz_require(fd >= 0);
	if (end && size > strlen(LAYOUT_BEGIN) &&
	    memcmp(data, LAYOUT_BEGIN, strlen(LAYOUT_BEGIN)) == 0) {
		skip = (size_t)(end - data) + 1;
		layout = fuzz_text(data, skip - 1);
		(void)!da_layout_check(layout, why);
	}
	fuzz_require(fd_write_all(fd, data + skip, size - skip) == 0);
	if (da_file_open(fd, layout, &file, why) == 0)
		use(file, size - skip);
	else
		fuzz_require(why[0] != '\0');
	return 0;
}
