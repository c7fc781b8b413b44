/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/manager/quiet.h"

#include "protocol/base/strings.h"
#include "protocol/base/time.h"

void quiet_clear(struct quiet *quiet)
{
	for (size_t i = 0; i < quiet->n; i++)
		free(quiet->entries[i].key);
	free(quiet->entries);
	*quiet = (struct quiet){ 0 };
}

/* The key's own entry, else one whose time is over, else a new one; NULL when out of memory. */
static struct quiet_entry *find_place(struct quiet *quiet, const char *key, uint64_t now)
{
	struct quiet_entry *over = NULL, *grown;

	for (size_t i = 0; i < quiet->n; i++) {
		if (streq_ptr(quiet->entries[i].key, key))
			return &quiet->entries[i];
		if (quiet->entries[i].until <= now)
			over = &quiet->entries[i];
	}
	if (over)
		return over;
	grown = reallocarray(quiet->entries, quiet->n + 1, sizeof(*grown));
	if (!grown)
		return NULL;
	quiet->entries = grown;
	grown[quiet->n] = (struct quiet_entry){ 0 };
	return &grown[quiet->n++];
}

void quiet_keep(struct quiet *quiet, const char *key, uint64_t usec)
{
	uint64_t now = time_now();
	struct quiet_entry *entry = key ? find_place(quiet, key, now) : NULL;

	if (entry && str_replace(&entry->key, key) >= 0)
		entry->until = now + usec;
}

bool quiet_has(const struct quiet *quiet, const char *key)
{
	for (size_t i = 0; i < quiet->n; i++)
		if (streq_ptr(quiet->entries[i].key, key))
			return quiet->entries[i].until > time_now();
	return false;
}

uint64_t quiet_next(const struct quiet *quiet, uint64_t time)
{
	uint64_t next = USEC_NEVER;

	for (size_t i = 0; i < quiet->n; i++)
		if (quiet->entries[i].until > time)
			next = MIN_OF(next, quiet->entries[i].until);
	return next;
}
