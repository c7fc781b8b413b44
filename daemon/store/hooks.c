/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>

#include "daemon/store/internal.h"

int store_want_hooks(struct store *store, int64_t job)
{
	_cleanup_reset_ sqlite3_stmt *statement = store->statements[WANT_HOOKS];
	int r = store_error(store, sqlite3_bind_int64(statement, 1, job));

	return r < 0 ? r : store_step(store, statement);
}

int store_wanted_hooks(struct store *store, struct hooks_wanted *ret, size_t n, size_t *ret_n)
{
	_cleanup_reset_ sqlite3_stmt *statement = store->statements[WANTED_HOOKS];
	size_t found = 0;
	int r = store_error(store, sqlite3_bind_int64(statement, 1, (int64_t)n));

	while (r >= 0 && found < n && (r = store_step(store, statement)) > 0)
		ret[found++] = (struct hooks_wanted){
			.job = sqlite3_column_int64(statement, 0),
			.ends = sqlite3_column_int64(statement, 1),
		};
	if (r < 0)
		return r;
	*ret_n = found;
	return 0;
}

int store_set_hooks(struct store *store, const struct hooks_wanted *wanted,
		    const struct hook_result *results, size_t n)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_reset_ sqlite3_stmt *statement = store->statements[SET_HOOKS];
	int r = n > 0 ? hook_results_to_text(results, n, &text) : 0, code;

	if (r < 0)
		return r;
	code = sqlite3_bind_int64(statement, 1, wanted->job);
	if (code == SQLITE_OK)
		code = store_bind_text(statement, 2, text);
	if (code == SQLITE_OK)
		code = sqlite3_bind_int64(statement, 3, wanted->ends);
	return code == SQLITE_OK ? store_step(store, statement) : store_error(store, code);
}

int store_get_hooks(struct store *store, int64_t job, struct hook_result **ret, size_t *ret_n)
{
	_cleanup_reset_ sqlite3_stmt *statement = store->statements[GET_HOOKS];
	const char *text;
	int r = store_error(store, sqlite3_bind_int64(statement, 1, job));

	if (r >= 0)
		r = store_step(store, statement);
	if (r < 0)
		return r;
	text = r > 0 ? store_text(statement, 0) : NULL;
	if (!text) {
		*ret = NULL;
		*ret_n = 0;
		return 0;
	}
	r = hook_results_from_text(text, ret, ret_n);
	return r == -EBADMSG
		       ? store_damaged(store, "the hooks of job %" PRId64 " cannot be read", job)
		       : r;
}
