/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stddef.h>

#include "daemon/store/internal.h"
#include "protocol/base/strings.h"

static const struct {
	const char *name;
	size_t offset;
} counted[] = {
	{ "backups", offsetof(struct store_totals, backups) },
	{ "backup-bytes", offsetof(struct store_totals, backup_bytes) },
	{ "damaged", offsetof(struct store_totals, damaged) },
	{ "done", offsetof(struct store_totals, ended[JOB_DONE]) },
	{ "failed", offsetof(struct store_totals, ended[JOB_FAILED]) },
	{ "cancelled", offsetof(struct store_totals, ended[JOB_CANCELLED]) },
	{ "read-bytes", offsetof(struct store_totals, read_bytes) },
	{ "done-usec", offsetof(struct store_totals, done_usec) },
};

static int read_counted(struct store *store, struct store_totals *totals)
{
	_cleanup_reset_ sqlite3_stmt *statement = store->statements[LIST_TOTALS];
	int r;

	while ((r = store_step(store, statement)) > 0)
		for (size_t i = 0; i < ARRAY_SIZE(counted); i++) {
			uint64_t *target = (uint64_t *)((char *)totals + counted[i].offset);

			if (streq(store_text(statement, 0), counted[i].name) &&
			    store_column_unsigned(statement, 1, target) < 0)
				return store_damaged(store, "the total of %s cannot be read",
						     counted[i].name);
		}
	return r;
}

/* One number of a statement without parameters; 0 where it has no row. */
static int read_time(struct store *store, enum store_statement id, uint64_t *ret)
{
	_cleanup_reset_ sqlite3_stmt *statement = store->statements[id];
	int r = store_step(store, statement);

	*ret = 0;
	if (r > 0 && store_column_unsigned(statement, 0, ret) < 0)
		return store_damaged(store, "the time of a backup cannot be read");
	return r < 0 ? r : 0;
}

int store_get_totals(struct store *store, struct store_totals *ret)
{
	struct store_totals totals = { 0 };
	int r = read_counted(store, &totals);

	if (r >= 0)
		r = read_time(store, LAST_BACKUP, &totals.last_backup);
	if (r >= 0)
		r = read_time(store, LONGEST_UNVERIFIED, &totals.longest_unverified);
	if (r < 0)
		return r;
	*ret = totals;
	return 0;
}
