/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "daemon/policy/slot-settings.h"
#include "daemon/store/internal.h"
#include "protocol/base/strings.h"

enum slot_column {
	COLUMN_PLACE,
	COLUMN_NAME,
	COLUMN_EXCLUDED,
	COLUMN_RULE,
	COLUMN_LABELS,
};

static int read_labels(sqlite3_stmt *statement, struct slot_setting *setting)
{
	const char *text = store_text(statement, COLUMN_LABELS);

	return text ? labels_from_text(text, &setting->labels, &setting->n_labels) : 0;
}

static int read_setting(struct store *store, sqlite3_stmt *statement,
			struct slot_settings *settings)
{
	const char *place = store_text(statement, COLUMN_PLACE);
	struct slot_setting *setting;
	int r;

	if (!place)
		return -ENOMEM;
	r = slot_settings_add(settings, place, NULL, &setting);
	if (r >= 0)
		r = store_copy_text(statement, COLUMN_NAME, &setting->name);
	if (r >= 0)
		r = store_copy_text(statement, COLUMN_RULE, &setting->rule);
	if (r >= 0)
		r = read_labels(statement, setting);
	if (r == -EBADMSG)
		return store_damaged(store, "slot %s: its labels cannot be read", place);
	if (r >= 0 && sqlite3_column_int64(statement, COLUMN_EXCLUDED))
		setting->exclusion = SLOT_EXCLUDED;
	return r;
}

int store_load_slots(struct store *store, struct slot_settings *ret)
{
	_cleanup_(slot_settings_clear) struct slot_settings settings = { 0 };
	_cleanup_reset_ sqlite3_stmt *statement = store->statements[LIST_SLOTS];
	int r;

	while ((r = store_step(store, statement)) > 0) {
		r = read_setting(store, statement, &settings);
		if (r < 0)
			return r;
	}
	if (r < 0)
		return r;
	*ret = TAKE_STRUCT(settings);
	return 0;
}

static int insert_setting(struct store *store, const struct slot_setting *setting)
{
	_cleanup_free_ char *labels = NULL; /* the statement borrows them until its reset */
	_cleanup_reset_ sqlite3_stmt *statement = store->statements[INSERT_SLOT];
	int r, codes[5];

	if (setting->n_labels > 0) {
		r = labels_to_text(setting->labels, setting->n_labels, &labels);
		if (r < 0)
			return r;
	}
	codes[0] = store_bind_text(statement, COLUMN_PLACE + 1, setting->place);
	codes[1] = store_bind_text(statement, COLUMN_NAME + 1, setting->name);
	codes[2] = sqlite3_bind_int(statement, COLUMN_EXCLUDED + 1,
				    setting->exclusion == SLOT_EXCLUDED);
	codes[3] = store_bind_text(statement, COLUMN_RULE + 1, setting->rule);
	codes[4] = store_bind_text(statement, COLUMN_LABELS + 1, labels);
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
		if (codes[i] != SQLITE_OK)
			return store_error(store, codes[i]);
	return store_step(store, statement);
}

int store_save_slots(struct store *store, const struct slot_settings *settings, uid_t uid,
		     const char *slot, const char *detail)
{
	int r = store_begin(store);

	if (r < 0)
		return r;
	r = store_run(store, DELETE_SLOTS);
	for (size_t i = 0; i < settings->n && r >= 0; i++)
		r = insert_setting(store, &settings->list[i]);
	if (r >= 0)
		r = store_add_audit(store, uid, AUDIT_SLOT, slot, detail);
	return store_end(store, r);
}
