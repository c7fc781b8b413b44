/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/view/backup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "client/output/facts.h"
#include "client/output/table.h"
#include "client/output/when.h"
#include "protocol/base/fd.h"
#include "protocol/base/strings.h"
#include "protocol/base/time.h"
#include "protocol/control/message.h"

/* Below this a flash image is worth a second look: the colour says so. */
#define HEALTH_GOOD 90

/* Folders in folders of a backup. */
#define BACKUP_DEPTH 2U

/* "ticket=4711 shop=north"; NULL: no memory. */
static char *labels_line(const struct label *labels, size_t n)
{
	char *line = strdup("");

	for (size_t i = 0; line && i < n; i++) {
		char *longer =
			str_format("%s%s%s=%s", line, i ? " " : "", labels[i].key, labels[i].value);

		free(line);
		line = longer;
	}
	return line;
}

static void backup_add_health(struct table *table, int64_t health)
{
	if (health < 0)
		table_add(table, TINT_NONE, NULL);
	else
		table_addf(table, health < HEALTH_GOOD ? TINT_WARN : TINT_GOOD, "%" PRId64 " %%",
			   health);
}

/* What one has to know before relying on it. */
static void backup_add_note(struct table *table, const struct backup *backup)
{
	if (backup->damaged)
		table_add(table, TINT_BAD, "DAMAGED");
	else
		table_add(table, TINT_FAINT, backup->identical_to ? "identical" : NULL);
}

static int backup_add_row(struct table *table, const struct backup *backup, uint64_t now)
{
	_cleanup_free_ char *labels = labels_line(backup->labels, backup->n_labels);
	char size[16], ago[WHEN_TEXT_SIZE];

	if (!labels)
		return -ENOMEM;
	table_add(table, TINT_NONE, backup->id);
	table_add(table, TINT_NONE, backup->chip);
	table_add(table, TINT_NONE, format_bytes(backup->size, size));
	table_add(table, TINT_NONE, when_ago(now, backup->created, ago));
	table_add(table, TINT_NONE, labels);
	backup_add_health(table, backup->health);
	backup_add_note(table, backup);
	return 0;
}

int backup_view_table(const struct term *term, struct json_object *backups, struct problem *problem)
{
	/* The id is what one copies, so it is never cut; it holds chip and time anyway. */
	static const struct column columns[] = {
		{ .title = "ID" },
		{ "CHIP", .drop = 4 },
		{ "SIZE", .right = true, .drop = 1 },
		{ "CREATED", .drop = 3 },
		{ "LABELS", .cut = CUT_END },
		{ "HEALTH", .right = true, .drop = 2 },
		{ .title = "NOTE" },
	};
	_cleanup_(table_freep) struct table *table = NULL;
	uint64_t now = time_real();
	int r = table_new(columns, ARRAY_SIZE(columns), &table);

	for (size_t i = 0; r >= 0 && i < message_length(backups); i++) {
		_cleanup_(backup_clear) struct backup backup = { 0 };

		r = backup_from_json(message_at(backups, i), &backup, problem);
		if (r >= 0)
			r = backup_add_row(table, &backup, now);
	}
	return r < 0 ? r : table_print(table, term, stdout);
}

static void backup_add_file(struct table *table, const char *folder, const char *name,
			    const struct stat *st)
{
	char size[16];

	facts_add(table, "file", TINT_NONE, "%s%s  %s", folder, name,
		  format_bytes((uint64_t)st->st_size, size));
}

static int visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/*
 * The regular files of a directory and of those below it: a backup has firmware/leftover/ and is no
 * deeper. One that we may not read is passed over.
 */
static void backup_add_files(struct table *table, int dirfd, const char *path, const char *folder,
			     unsigned int deeper)
{
	_cleanup_close_ int fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent **entries;
	int n = fd < 0 ? -1 : scandirat(fd, ".", &entries, visible, alphasort);

	if (n < 0)
		return;
	for (int i = 0; i < n; i++) {
		const char *name = entries[i]->d_name;
		struct stat st;

		if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
			_cleanup_free_ char *below = str_format("%s%s/", folder, name);

			if (S_ISREG(st.st_mode))
				backup_add_file(table, folder, name, &st);
			else if (S_ISDIR(st.st_mode) && deeper > 0 && below)
				backup_add_files(table, fd, name, below, deeper - 1);
		}
		free(entries[i]);
	}
	free(entries);
}

int backup_view_print(const struct term *term, const struct backup *backup)
{
	_cleanup_(table_freep) struct table *table = NULL;
	char size[16];
	int r = facts_new(&table);

	if (r < 0)
		return r;
	facts_add(table, "backup", TINT_HEADER, "%s", backup->id);
	facts_add(table, "path", TINT_NONE, "%s", backup->path);
	facts_add_time(table, "created", backup->created);
	facts_add_known(table, "chip", backup->chip);
	facts_add_known(table, "ME ID", backup->meid);
	facts_add_known(table, "firmware", backup->firmware);
	facts_add(table, "size", TINT_NONE, "%s (%" PRIu64 " bytes)",
		  format_bytes(backup->size, size), backup->size);
	facts_add(table, "sha256", TINT_NONE, "%s", backup->sha256);
	if (backup->health >= 0)
		facts_add(table, "health", backup->health < HEALTH_GOOD ? TINT_WARN : TINT_GOOD,
			  "%" PRId64 " %%", backup->health);
	facts_add_known(table, "identical to", backup->identical_to);
	facts_add_time(table, "verified", backup->verified);
	if (backup->damaged)
		facts_add(table, "state", TINT_BAD, "DAMAGED: 'mtkrbctl verify %s' says where",
			  backup->id);
	if (backup->job)
		facts_add(table, "job", TINT_NONE, "%" PRId64, backup->job);
	for (size_t i = 0; i < backup->n_labels; i++)
		facts_add(table, "label", TINT_NONE, "%s=%s", backup->labels[i].key,
			  backup->labels[i].value);
	backup_add_files(table, AT_FDCWD, backup->path, "", BACKUP_DEPTH);
	return table_print(table, term, stdout);
}
