/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/manager/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Rows of one transaction: a lost catalogue is not to wait for the disk once for each backup. */
#define CHUNK 256
/* The journal drops what comes in thousands, and what comes after it: so many have a line each. */
#define NAMED_MAX 100

struct reconciliation {
	struct manager *manager;

	/* The catalogue as it was, in order of id, and what of it has a directory. */
	struct backup_key *keys;
	bool *has_directory;
	size_t n;

	/* Rows that are to be written. */
	struct {
		struct backup row;
		bool is_new;
	} chunk[CHUNK];
	size_t n_chunk;

	size_t n_adopted;
};

static int by_id(const void *id, const void *key)
{
	return strcmp(id, ((const struct backup_key *)key)->id);
}

static void tell_adopted(struct reconciliation *all, const char *id)
{
	if (++all->n_adopted <= NAMED_MAX)
		log_event(LOG_NOTICE,
			  &(struct log_context){ .id = LOG_ID_BACKUP_ADOPTED, .backup = id },
			  "backup %s added to the catalogue from its manifest", id);
}

static int write_chunk(struct reconciliation *all)
{
	struct store *store = all->manager->store;
	int r = store_begin(store);

	if (r < 0)
		return r;
	for (size_t i = 0; i < all->n_chunk && r >= 0; i++)
		r = store_add_backup(store, &all->chunk[i].row, NULL);
	r = store_end(store, r);
	if (r < 0)
		return r;
	for (size_t i = 0; i < all->n_chunk; i++) {
		if (all->chunk[i].is_new)
			tell_adopted(all, all->chunk[i].row.id);
		backup_clear(&all->chunk[i].row);
	}
	all->n_chunk = 0;
	return 0;
}

/* Takes row. */
static int add_to_chunk(struct reconciliation *all, struct backup *row, bool is_new)
{
	all->chunk[all->n_chunk].row = TAKE_STRUCT(*row);
	all->chunk[all->n_chunk++].is_new = is_new;
	return all->n_chunk == CHUNK ? write_chunk(all) : 0;
}

/* A row that an earlier version wrote: what it did not keep is in the manifest. */
static int complete_row(struct reconciliation *all, const char *id)
{
	_cleanup_(backup_clear) struct backup old = { 0 }, backup = { 0 };
	_cleanup_free_ char *why = NULL;
	int r = archive_read_backup(all->manager->archive, id, &backup, &why);

	if (r < 0) { /* bad sectors are not worth a daemon that does not start */
		log_event(LOG_WARNING, &(struct log_context){ .backup = id },
			  "backup %s cannot be read, verify it: %s", id,
			  why ?: strerrordesc_np(-r));
		return 0;
	}
	r = store_get_backup(all->manager->store, id, &old);
	if (r < 0)
		return r;
	backup.verified = old.verified;
	backup.damaged = old.damaged;
	return add_to_chunk(all, &backup, false);
}

/* A backup that was renamed into place in the moment before its row was to be committed. */
static int adopt_backup(struct reconciliation *all, const char *id)
{
	_cleanup_(backup_clear) struct backup backup = { 0 };
	struct manager *manager = all->manager;
	_cleanup_free_ char *why = NULL;
	const struct job *job;
	int r;

	r = archive_read_backup(manager->archive, id, &backup, &why);
	if (r < 0) {
		log_event(LOG_WARNING,
			  &(struct log_context){ .id = LOG_ID_BACKUP_UNREADABLE, .backup = id },
			  "backup %s is not in the catalogue and cannot be: %s", id,
			  why ?: strerrordesc_np(-r));
		return 0;
	}
	job = queue_find(manager->queue, backup.job);
	if (!job || job->state != JOB_RUNNING)
		return add_to_chunk(all, &backup, true);
	r = queue_publish(manager->queue, job->id, &backup);
	if (r >= 0)
		tell_adopted(all, id);
	return r;
}

/* Of most directories the name is all that is looked at. */
static int on_directory(const char *id, void *userdata)
{
	struct reconciliation *all = userdata;
	/* Without keys there is no array to look in. */
	const struct backup_key *key =
		all->n > 0 ? bsearch(id, all->keys, all->n, sizeof(*key), by_id) : NULL;

	if (!key)
		return adopt_backup(all, id);
	all->has_directory[key - all->keys] = true;
	return key->complete ? 0 : complete_row(all, id);
}

static int tell_missing(struct manager *manager, const char *id)
{
	_cleanup_(backup_clear) struct backup backup = { 0 };
	int r = store_get_backup(manager->store, id, &backup);

	if (r >= 0)
		log_event(LOG_WARNING,
			  &(struct log_context){ .id = LOG_ID_BACKUP_MISSING, .backup = id },
			  "backup %s is in the catalogue but not at %s", id, backup.path);
	return r;
}

static int tell_all_missing(const struct reconciliation *all)
{
	size_t n = 0;
	int r = 0;

	for (size_t i = 0; i < all->n && r >= 0; i++)
		if (!all->has_directory[i] && ++n <= NAMED_MAX)
			r = tell_missing(all->manager, all->keys[i].id);
	if (n > NAMED_MAX)
		log_warning("%zu more backups are in the catalogue but not where it has them",
			    n - NAMED_MAX);
	return r;
}

static int walk(struct reconciliation *all)
{
	int r = store_list_backup_keys(all->manager->store, &all->keys, &all->n);

	if (r < 0)
		return r;
	all->has_directory = calloc(all->n + 1, sizeof(*all->has_directory));
	if (!all->has_directory)
		return -ENOMEM;
	r = archive_walk_backups(all->manager->archive, on_directory, all);
	if (r >= 0 && all->n_chunk > 0)
		r = write_chunk(all);
	return r;
}

static void reconciliation_free(struct reconciliation *all)
{
	if (!all)
		return;
	while (all->n_chunk > 0)
		backup_clear(&all->chunk[--all->n_chunk].row);
	free(all->has_directory);
	backup_keys_free(all->keys, all->n);
	free(all);
}
DEFINE_CLEANUP(struct reconciliation *, reconciliation_free);

int reconcile(struct manager *manager)
{
	_cleanup_(reconciliation_freep) struct reconciliation *all = calloc(1, sizeof(*all));
	int r;

	if (!all)
		return -ENOMEM;
	all->manager = manager;
	r = walk(all);
	if (r < 0)
		return r;
	if (all->n_adopted > NAMED_MAX)
		log_notice("%zu more backups added to the catalogue from their manifests",
			   all->n_adopted - NAMED_MAX);
	return tell_all_missing(all);
}
