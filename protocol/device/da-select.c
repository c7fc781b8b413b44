/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/device/da-select.h"

#include <errno.h>

#include "protocol/device/da-layout.h"

static bool versions_fit(const struct da_entry *entry, const struct da_target *target)
{
	return entry->hw_version <= target->hw_version && entry->sw_version <= target->sw_version;
}

static int check_generation(const struct da_entry *entry, const struct da_target *target,
			    char why[DA_WHY_SIZE])
{
	switch (entry->generation) {
	case DA_GENERATION_FEATURE_PHONE:
	case DA_GENERATION_IOT:
		return 0;
	case DA_GENERATION_SMARTPHONE:
		return da_wrong(why, -EOPNOTSUPP,
				"the agent for MT%04X is a smartphone's, whose protocol is another",
				target->hw_code);
	default:
		return da_wrong(why, -EOPNOTSUPP,
				"which protocol the agent for MT%04X speaks is not known",
				target->hw_code);
	}
}

/* Without each of these the session would end half-way. */
static int check_complete(const struct da_entry *entry, const struct da_target *target,
			  char why[DA_WHY_SIZE])
{
	bool iot = entry->generation == DA_GENERATION_IOT;
	const enum da_region_kind needed[] = { iot ? DA_REGION_EPP : DA_REGION_DA2, DA_REGION_DA1,
					       DA_REGION_NOR_TABLE };
	const struct da_region *table = da_entry_region(entry, DA_REGION_NOR_TABLE);

	for (size_t i = 0; i < ARRAY_SIZE(needed); i++) {
		if (!da_entry_region(entry, needed[i]))
			return da_wrong(why, -EBADMSG, "the agent for MT%04X has no %s",
					target->hw_code, da_region_kind_to_string(needed[i]));
	}
	if (table->length % DA_TABLE_ROW_BYTES != 0)
		return da_wrong(why, -EBADMSG,
				"the flash table for MT%04X has %u bytes, not whole rows of %u",
				target->hw_code, table->length, DA_TABLE_ROW_BYTES);
	return 0;
}

int da_select(const struct da_file *file, const struct da_target *target,
	      const struct da_entry **ret, char why[DA_WHY_SIZE])
{
	size_t n;
	const struct da_entry *entries = da_file_entries(file, &n);
	bool chip_known = false;

	for (size_t i = 0; i < n; i++) {
		const struct da_entry *entry = &entries[i];
		int r;

		if (entry->hw_code != target->hw_code && entry->hw_code != 0)
			continue;
		chip_known = true;
		if (!versions_fit(entry, target))
			continue;
		r = check_generation(entry, target, why);
		if (r >= 0)
			r = check_complete(entry, target, why);
		if (r >= 0)
			*ret = entry;
		return r;
	}
	if (chip_known)
		return da_wrong(why, -ENOENT,
				"the file's agents for MT%04X are for newer versions of it than hw "
				"%04X sw %04X",
				target->hw_code, target->hw_version, target->sw_version);
	return da_wrong(why, -ENOENT, "the file has no agent for MT%04X", target->hw_code);
}

bool da_file_has_chip(const struct da_file *file, uint16_t hw_code)
{
	size_t n;
	const struct da_entry *entries = da_file_entries(file, &n);

	for (size_t i = 0; i < n; i++) {
		if (entries[i].hw_code == hw_code)
			return true;
	}
	return false;
}
