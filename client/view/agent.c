/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/view/agent.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "client/output/print.h"
#include "client/output/table.h"
#include "protocol/base/strings.h"
#include "protocol/control/message.h"
#include "protocol/device/da-file.h"

#define CHIP_SIZE 16

/* "MT6261"; "any" for bare parts whose chip nobody named. */
static const char *chip_name(const struct da_entry *entry, char buf[CHIP_SIZE])
{
	if (entry->hw_code == 0)
		return memcpy(buf, "any", sizeof("any"));
	(void)snprintf(buf, CHIP_SIZE, "MT%04" PRIX32, entry->hw_code);
	return buf;
}

/* ---- Table ---- */

static void print_region(FILE *out, const struct da_region *region, const char *separator)
{
	const char *kind = da_region_kind_to_string(region->kind);

	switch (region->kind) {
	case DA_REGION_EMPTY:
		break;
	case DA_REGION_NOR_TABLE:
		fprintf(out, "%s%s %" PRIu32 " rows", separator, kind,
			region->length / DA_TABLE_ROW_BYTES);
		break;
	case DA_REGION_NAND_TABLE:
		fprintf(out, "%s%s 0x%" PRIx32, separator, kind, region->length);
		break;
	default:
		fprintf(out, "%s%s %08" PRIX32 "+0x%" PRIx32, separator, kind, region->load_address,
			region->length);
		break;
	}
}

/* "da1 70007000+0x718, da2 10020000+0x1e5e0, nor-table 264 rows"; NULL when out of memory. */
static char *regions_text(const struct da_entry *entry)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	bool first = true;

	if (!out)
		return NULL;
	for (size_t i = 0; i < entry->n_regions; i++) {
		print_region(out, &entry->regions[i], first ? "" : ", ");
		first &= entry->regions[i].kind == DA_REGION_EMPTY;
	}
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

static int add_row(struct table *table, size_t index, const struct da_entry *entry)
{
	_cleanup_free_ char *regions = regions_text(entry);
	char chip[CHIP_SIZE];

	if (!regions)
		return -ENOMEM;
	table_addf(table, TINT_NONE, "%zu", index);
	table_add(table, TINT_NONE, chip_name(entry, chip));
	table_addf(table, TINT_NONE, "%04X", entry->hw_sub);
	table_addf(table, TINT_NONE, "%04X", entry->hw_version);
	table_addf(table, TINT_NONE, "%04X", entry->sw_version);
	table_addf(table, TINT_NONE, "%u", entry->variant);
	table_add(table, TINT_NONE, da_generation_to_string(entry->generation));
	table_add(table, TINT_NONE, regions);
	return 0;
}

int agent_view_print(const struct term *term, const struct da_file *file)
{
	static const struct column columns[] = {
		{ .title = "#", .right = true },
		{ .title = "CHIP" },
		{ .title = "SUB" },
		{ .title = "HW" },
		{ .title = "SW" },
		{ .title = "VARIANT" },
		{ .title = "GENERATION" },
		{ .title = "REGIONS" },
	};
	_cleanup_(table_freep) struct table *table = NULL;
	size_t n;
	const struct da_entry *entries = da_file_entries(file, &n);
	int r = table_new(columns, ARRAY_SIZE(columns), &table);

	for (size_t i = 0; r >= 0 && i < n; i++)
		r = add_row(table, i, &entries[i]);
	if (r < 0)
		return r;
	if (da_file_version(file))
		print_line("%s", da_file_version(file));
	return table_print(table, term, stdout);
}

/* ---- JSON ---- */

static int regions_to_json(const struct da_entry *entry, struct json_object **ret)
{
	_cleanup_message_ struct json_object *array = NULL;
	int r = message_new_array(&array);

	for (size_t i = 0; r >= 0 && i < entry->n_regions; i++) {
		const struct da_region *region = &entry->regions[i];
		struct json_object *object;

		r = message_build(&object,
				  MEMBERS(M_STRING("kind", da_region_kind_to_string(region->kind)),
					  M_INT("offset", region->offset),
					  M_INT("length", region->length),
					  M_INT("load_address", region->load_address),
					  M_INT("signature_length", region->signature_length)));
		if (r >= 0)
			r = message_append(array, object);
	}
	if (r < 0)
		return r;
	*ret = TAKE_PTR(array);
	return 0;
}

static int entry_to_json(size_t index, const struct da_entry *entry, struct json_object **ret)
{
	struct json_object *regions;
	char chip[CHIP_SIZE];
	int r = regions_to_json(entry, &regions);

	if (r < 0)
		return r;
	return message_build(
		ret,
		MEMBERS(M_INT("index", index),
			entry->hw_code ? M_STRING("chip", chip_name(entry, chip)) : M_NONE,
			M_INT("hw_code", entry->hw_code), M_INT("hw_sub", entry->hw_sub),
			M_INT("hw_version", entry->hw_version),
			M_INT("sw_version", entry->sw_version), M_INT("variant", entry->variant),
			M_STRING("generation", da_generation_to_string(entry->generation)),
			M_OBJECT("regions", regions)));
}

int agent_view_to_json(const struct da_file *file, const char *path, struct json_object **ret)
{
	_cleanup_message_ struct json_object *array = NULL;
	size_t n;
	const struct da_entry *entries = da_file_entries(file, &n);
	int r = message_new_array(&array);

	for (size_t i = 0; r >= 0 && i < n; i++) {
		struct json_object *object;

		r = entry_to_json(i, &entries[i], &object);
		if (r >= 0)
			r = message_append(array, object);
	}
	if (r < 0)
		return r;
	return message_build(ret,
			     MEMBERS(is_utf8(path, strlen(path)) ? M_STRING("file", path) : M_NONE,
				     M_STRING_OPT("version", da_file_version(file)),
				     M_OBJECT("agents", TAKE_PTR(array))));
}
