/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Containers of download agents for tests, built as real ones are. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "protocol/base/bytes.h"
#include "protocol/base/fd.h"
#include "protocol/base/strings.h"
#include "protocol/device/da-file.h"
#include "protocol/device/da-select.h"

#define HEAD       0x6CU
#define NEW_ENTRY  0xDCU
#define OLD_ENTRY  0xD8U
#define NOR_TABLE  0xF0000000U
#define NAND_TABLE 0xF1000000U

struct region {
	uint32_t offset, length, address, signature;
};

struct entry {
	uint16_t hw_code, hw_sub, hw_version, sw_version, variant, first, n_regions;
	struct region regions[10];
};

/* ---- Building containers ---- */

/* The head, as the containers v2.7.3 and vv2.8.9 have it. */
static _unused_ void put_head(int fd, const char *version, uint32_t n)
{
	uint8_t head[HEAD] = "MTK_DOWNLOAD_AGENT";

	memcpy(head + 0x20, version, strlen(version));
	put_le32(head + 0x60, 4);
	put_le32(head + 0x64, 0x22668899);
	put_le32(head + 0x68, n);
	assert_int_equal(fd_pwrite_all(fd, head, sizeof(head), 0), 0);
}

static _unused_ void put_entry(int fd, size_t index, const struct entry *entry, bool old)
{
	uint8_t bytes[NEW_ENTRY] = { 0 };
	uint8_t *rest = bytes + (old ? 8 : 12);
	size_t size = old ? OLD_ENTRY : NEW_ENTRY;

	put_le16(bytes, 0xDADA);
	put_le16(bytes + 2, entry->hw_code);
	put_le16(bytes + 4, entry->hw_sub);
	put_le16(bytes + 6, entry->hw_version);
	if (!old)
		put_le16(bytes + 8, entry->sw_version);
	put_le16(rest, entry->variant);
	put_le16(rest + 4, entry->first);
	put_le16(rest + 6, entry->n_regions);
	for (size_t i = 0; i < 10; i++) {
		uint8_t *p = rest + 8 + i * 20;
		const struct region *region = &entry->regions[i];

		put_le32(p, region->offset);
		put_le32(p + 4, region->length);
		put_le32(p + 8, region->address);
		put_le32(p + 12, region->length - region->signature);
		put_le32(p + 16, region->signature);
	}
	assert_int_equal(fd_pwrite_all(fd, bytes, size, HEAD + index * size), 0);
}

static _unused_ int new_container(const char *version, const struct entry *entries, size_t n,
				  bool old, off_t size)
{
	int fd = memfd_create("container", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, size), 0);
	put_head(fd, version, (uint32_t)n);
	for (size_t i = 0; i < n; i++)
		put_entry(fd, i, &entries[i], old);
	return fd;
}

/* The entry that an IoT container was described to have for the MT6261, at the same offsets. */
static const _unused_ struct entry mt6261 = {
	.hw_code = 0x6261, .hw_sub = 0x8000, .hw_version = 0xCA00, .first = 2, .n_regions = 6,
	.regions = {
		[2] = { 0x5A0FE4, 0x718, 0x70007000, 0x100 },
		[3] = { 0x5A16FC, 0x1E5E0, 0x10020000, 0x100 },
		[4] = { 0x5BFCDC, 0x2520, NOR_TABLE, 0 },
		[5] = { 0x5C21FC, 0x17F8, NAND_TABLE, 0 },
	},
};
#define MT6261_SIZE 0x5C39F4

/* An entry of the containers for MT2523 and its relatives. */
static _unused_ struct entry iot_entry(uint16_t hw_code, uint16_t hw_sub, uint16_t variant,
				       uint32_t rows)
{
	struct entry entry = {
		.hw_code = hw_code, .hw_sub = hw_sub, .variant = variant, .first = 2,
		.n_regions = 6,
		.regions = {
			[0] = { 0x2000, 0x400, 0x04015000, 0x100 },
			[2] = { 0x2400, 0x1000, 0x04008000, 0x100 },
			[4] = { 0x4000, rows * 36, NOR_TABLE, 0 },
			[5] = { 0x5000, 24, NAND_TABLE, 0 },
		},
	};

	if (variant)
		entry.regions[3] = (struct region){ 0x3400, 0x800, 0x00020000, 0 };
	return entry;
}

static _unused_ struct da_file *open_file(int fd)
{
	char why[DA_WHY_SIZE] = "";
	struct da_file *file = NULL;

	if (da_file_open(fd, NULL, &file, why) < 0)
		fail_msg("refused: %s", why);
	return file;
}

/* Refuses fd with error and says text. */
static _unused_ void refuses(int fd, const char *layout, int error, const char *text)
{
	struct da_file *file = NULL;
	char why[DA_WHY_SIZE] = "";

	assert_int_equal(da_file_open(fd, layout, &file, why), error);
	assert_null(file);
	if (!strstr(why, text))
		fail_msg("'%s' does not say '%s'", why, text);
}
