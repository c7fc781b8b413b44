/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/device/da-layout.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "protocol/base/bytes.h"
#include "protocol/base/strings.h"

#define LAYOUT_MAX 512U

int da_wrong(char why[DA_WHY_SIZE], int error, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(why, DA_WHY_SIZE, format, arguments);
	va_end(arguments);
	return error;
}

enum da_generation da_generation_of(uint32_t hw_code)
{
	static const struct {
		uint32_t hw_code;
		enum da_generation generation;
	} chips[] = {
		/* Capture, mtkclient, and the entry that an IoT container has for it. */
		{ 0x6260, DA_GENERATION_FEATURE_PHONE },
		{ 0x6261, DA_GENERATION_FEATURE_PHONE },
		/* The containers v2.7.3 and vv2.8.9. */
		{ 0x2523, DA_GENERATION_IOT },
		{ 0x2625, DA_GENERATION_IOT },
		{ 0x2801, DA_GENERATION_IOT },
		{ 0x2811, DA_GENERATION_IOT },
		{ 0x5932, DA_GENERATION_IOT },
		{ 0x7682, DA_GENERATION_IOT },
		{ 0x7686, DA_GENERATION_IOT },
		{ 0x7687, DA_GENERATION_IOT },
		/* The container v7.1504; the 65, 67 and 81 series are below. */
		{ 0x2601, DA_GENERATION_SMARTPHONE },
	};
	uint32_t series = hw_code >> 8;

	for (size_t i = 0; i < ARRAY_SIZE(chips); i++) {
		if (chips[i].hw_code == hw_code)
			return chips[i].generation;
	}
	if (series == 0x65 || series == 0x67 || series == 0x81)
		return DA_GENERATION_SMARTPHONE;
	return DA_GENERATION_UNKNOWN;
}

/* ---- One part ---- */

enum part {
	PART_EPP,
	PART_DA1,
	PART_DA2,
	PART_TABLE,
	PART_CHIP,
	_PART_MAX,
};

static const struct {
	const char *name;
	enum da_region_kind kind;
	size_t min_fields, max_fields;
} parts[_PART_MAX] = {
	[PART_EPP] = { "epp", DA_REGION_EPP, 3, 4 },
	[PART_DA1] = { "da1", DA_REGION_DA1, 3, 4 },
	[PART_DA2] = { "da2", DA_REGION_DA2, 3, 4 },
	[PART_TABLE] = { "table", DA_REGION_NOR_TABLE, 2, 2 },
	[PART_CHIP] = { "chip", DA_REGION_OTHER, 1, 1 },
};

struct layout {
	uint64_t fields[_PART_MAX][4];
	bool given[_PART_MAX];
};

/* The numbers of "A:B:C", how many there are in *ret_n. */
static int parse_fields(char *value, uint64_t fields[4], size_t *ret_n)
{
	size_t n = 0;

	for (char *next = value; next; n++) {
		char *field = strsep(&next, ":");

		if (n == 4 || parse_size(field, &fields[n]) < 0)
			return -EINVAL;
	}
	*ret_n = n;
	return 0;
}

static int parse_part(struct layout *layout, char *text, char why[DA_WHY_SIZE])
{
	char *value = text, *name = strsep(&value, "=");
	uint64_t fields[4] = { 0 };
	size_t i = 0, n = 0;

	while (i < _PART_MAX && !streq(parts[i].name, name))
		i++;
	if (i == _PART_MAX)
		return da_wrong(why, -EINVAL,
				"layout: '%.40s' is not one of epp, da1, da2, table, chip", name);
	if (layout->given[i])
		return da_wrong(why, -EINVAL, "layout: %s is there twice", name);
	if (!value || parse_fields(value, fields, &n) < 0 || n < parts[i].min_fields ||
	    n > parts[i].max_fields)
		return da_wrong(why, -EINVAL, "layout: %s needs %s", name,
				i == PART_CHIP ? "the chip's number, as in 0x6261"
				: i == PART_TABLE
					? "OFFSET:LENGTH"
					: "OFFSET:LENGTH:ADDRESS, or one more :SIGNATURE");
	memcpy(layout->fields[i], fields, sizeof(fields));
	layout->given[i] = true;
	return 0;
}

static int check_part(const char *name, const uint64_t fields[4], uint64_t size,
		      char why[DA_WHY_SIZE])
{
	if (fields[1] == 0 || fields[1] > DA_FILE_MAX_BYTES || fields[0] > DA_FILE_MAX_BYTES)
		return da_wrong(why, -EINVAL,
				"layout: %s: offset and length must be below %u MiB, and not empty",
				name, DA_FILE_MAX_BYTES >> 20);
	if (fields[2] > UINT32_MAX || fields[2] + fields[1] > UINT64_C(1) << 32)
		return da_wrong(why, -EINVAL, "layout: %s: goes beyond the 32-bit addresses", name);
	if (fields[3] > fields[1])
		return da_wrong(why, -EINVAL, "layout: %s: the signature is longer than the part",
				name);
	if (!bytes_inside(size, fields[0], fields[1]))
		return da_wrong(why, -EINVAL,
				"layout: %s: 0x%" PRIx64 " bytes at 0x%" PRIx64
				" go beyond the file's 0x%" PRIx64,
				name, fields[1], fields[0], size);
	return 0;
}

static int check_layout(const struct layout *layout, uint64_t size, char why[DA_WHY_SIZE])
{
	if (!layout->given[PART_DA1] || !layout->given[PART_TABLE])
		return da_wrong(why, -EINVAL, "layout: %s is missing",
				layout->given[PART_DA1] ? "table" : "da1");
	if (layout->given[PART_CHIP] &&
	    (layout->fields[PART_CHIP][0] == 0 || layout->fields[PART_CHIP][0] > UINT16_MAX))
		return da_wrong(why, -EINVAL, "layout: chip must be from 1 to 0xffff");
	if (layout->fields[PART_TABLE][1] % DA_TABLE_ROW_BYTES != 0)
		return da_wrong(why, -EINVAL,
				"layout: table: %" PRIu64 " bytes are not whole rows of %u",
				layout->fields[PART_TABLE][1], DA_TABLE_ROW_BYTES);
	for (size_t i = 0; i < PART_CHIP; i++) {
		int r = layout->given[i] ? check_part(parts[i].name, layout->fields[i], size, why)
					 : 0;

		if (r < 0)
			return r;
	}
	return 0;
}

static void make_entry(const struct layout *layout, struct da_entry *ret)
{
	struct da_entry entry = { .hw_code = (uint32_t)layout->fields[PART_CHIP][0] };

	/* Who names no chip has the agent of a feature phone: no other is passed around bare. */
	entry.generation =
		entry.hw_code == 0 ? DA_GENERATION_FEATURE_PHONE : da_generation_of(entry.hw_code);
	for (size_t i = 0; i < PART_CHIP; i++) {
		const uint64_t *fields = layout->fields[i];

		if (!layout->given[i])
			continue;
		entry.regions[entry.n_regions++] = (struct da_region){
			.kind = parts[i].kind,
			.offset = fields[0],
			.length = (uint32_t)fields[1],
			.load_address = (uint32_t)fields[2],
			.signature_length = (uint32_t)fields[3],
		};
	}
	*ret = entry;
}

int da_layout_parse(const char *text, uint64_t size, struct da_entry *ret, char why[DA_WHY_SIZE])
{
	struct layout layout = { 0 };
	char copy[LAYOUT_MAX];
	char *next = copy;
	int r;

	if (strlen(text) >= sizeof(copy))
		return da_wrong(why, -EINVAL, "layout: longer than %u bytes", LAYOUT_MAX - 1);
	memcpy(copy, text, strlen(text) + 1);
	while (next) {
		r = parse_part(&layout, strsep(&next, ","), why);
		if (r < 0)
			return r;
	}
	r = check_layout(&layout, size, why);
	if (r < 0)
		return r;
	make_entry(&layout, ret);
	return 0;
}

int da_layout_check(const char *layout, char why[DA_WHY_SIZE])
{
	struct da_entry entry;

	return da_layout_parse(layout, UINT64_MAX, &entry, why);
}
