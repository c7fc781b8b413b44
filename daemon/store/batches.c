/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>

#include "daemon/store/internal.h"
#include "protocol/base/strings.h"
#include "protocol/control/batch.h"

/* As LIST_BATCHES has them; a count for each state follows, in the order of enum job_state. */
enum batch_column {
	COLUMN_NAME,
	COLUMN_CREATED,
	COLUMN_FINISHED,
	COLUMN_JOBS,
};

static int read_columns(sqlite3_stmt *statement, struct batch *batch)
{
	int r = store_copy_text(statement, COLUMN_NAME, &batch->name);

	if (r >= 0)
		r = store_column_unsigned(statement, COLUMN_CREATED, &batch->created);
	if (r >= 0)
		r = store_column_unsigned(statement, COLUMN_FINISHED, &batch->finished);
	for (int s = 0; s < _JOB_STATE_MAX && r >= 0; s++)
		r = store_column_unsigned(statement, COLUMN_JOBS + s, &batch->jobs[s]);
	return r;
}

static int read_batch(struct store *store, sqlite3_stmt *statement, struct batch *ret)
{
	_cleanup_(batch_clear) struct batch batch = { 0 };
	int r = read_columns(statement, &batch);

	if (r == -EUCLEAN)
		return store_damaged(store, "batch %s cannot be read", batch.name);
	if (r < 0)
		return r;
	*ret = TAKE_STRUCT(batch);
	return 0;
}

static void batches_free(struct batch *batches, size_t n)
{
	for (size_t i = 0; i < n; i++)
		batch_clear(&batches[i]);
	free(batches);
}

static int read_batches(struct store *store, sqlite3_stmt *statement, struct batch **ret,
			size_t *ret_n)
{
	struct batch *batches = NULL;
	size_t n = 0, room = 0;
	int r;

	while ((r = store_step(store, statement)) > 0) {
		r = store_reserve((void **)&batches, n, &room, sizeof(*batches));
		if (r >= 0)
			r = read_batch(store, statement, &batches[n]);
		if (r < 0)
			break;
		n++;
	}
	if (r < 0) {
		batches_free(batches, n);
		return r;
	}
	*ret = batches;
	*ret_n = n;
	return 0;
}

int store_list_batches(struct store *store, size_t limit, struct batch **ret, size_t *ret_n)
{
	_cleanup_reset_ sqlite3_stmt *statement = store->statements[LIST_BATCHES];
	int code = sqlite3_bind_int64(statement, 1, limit ? (int64_t)limit : -1);

	if (code != SQLITE_OK)
		return store_error(store, code);
	return read_batches(store, statement, ret, ret_n);
}
