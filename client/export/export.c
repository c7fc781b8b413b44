/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/export/export.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "protocol/base/fd.h"
#include "protocol/base/strings.h"

void export_source_clear(struct export_source *source)
{
	backup_clear(&source->backup);
	fd_close(source->dir);
	sums_clear(&source->sums);
	source->dir = -1;
}

int export_damaged(const struct export_source *source, const char *name,
		   struct complaint *complaint)
{
	complaint_set(complaint, STATUS_FAILED, NULL,
		      "backup %s is damaged: %s is not what was read", source->backup.id, name);
	complaint_hint(complaint, "'mtkrbctl verify %s' says more", source->backup.id);
	return -ECANCELED;
}

int export_failed(int error, const char *path, struct complaint *complaint)
{
	enum exit_status status =
		error == -EACCES || error == -EPERM ? STATUS_NOT_PERMITTED : STATUS_FAILED;

	if (error == -ENOMEM)
		return error;
	return complaint_set(complaint, status,
			     error == -EEXIST ? "name another place, or move it away: nothing is "
						"overwritten"
					      : NULL,
			     "%s: %s", path, strerror(-error));
}

/* The backup cannot be read by who runs us, or is not there at all. */
static int explain(int error, const struct backup *backup, const char *name,
		   struct complaint *complaint)
{
	const char *hint = "'mtkrbctl backup' says where it should be";

	if (error == -ENOMEM)
		return error;
	if (error == -EACCES || error == -EPERM)
		return complaint_set(complaint, STATUS_NOT_PERMITTED,
				     "backups are for root and the group mtkrb: 'sudo adduser "
				     "$USER mtkrb' and log in again, or use sudo",
				     "%s/%s may not be read by you", backup->path, name);
	return complaint_set(complaint, error == -ENOENT ? STATUS_NOT_FOUND : STATUS_FAILED, hint,
			     "%s/%s: %s", backup->path, name, strerror(-error));
}

static int compare_names(const void *a, const void *b)
{
	const struct sum *x = a, *y = b;

	return strcmp(x->name, y->name);
}

/* The list is a file of the copy like any other. */
static int add_list_itself(struct export_source *source, struct complaint *complaint)
{
	struct sum *items = reallocarray(source->sums.items, source->sums.n + 1, sizeof(*items));
	_cleanup_close_ int fd = -1;
	struct sum *sum;
	uint64_t size = 0;
	int r;

	if (!items)
		return -ENOMEM;
	source->sums.items = items;
	sum = &items[source->sums.n];
	*sum = (struct sum){ .name = strdup(SUMS_FILE) };
	if (!sum->name)
		return -ENOMEM;
	source->sums.n++;
	fd = export_open_file(source, SUMS_FILE, &size, complaint);
	if (fd < 0)
		return fd;
	r = digest_file(fd, 0, size, sum->sha256);
	return r < 0 ? explain(r, &source->backup, SUMS_FILE, complaint) : 0;
}

/* No name twice, and no file that is missing. */
static int look_at_files(struct export_source *source, struct complaint *complaint)
{
	const struct sums *sums = &source->sums;

	qsort(sums->items, sums->n, sizeof(*sums->items), compare_names);
	for (size_t i = 0; i < sums->n; i++) {
		uint64_t size = 0;
		int fd;

		if (i > 0 && streq(sums->items[i].name, sums->items[i - 1].name))
			return export_damaged(source, SUMS_FILE, complaint);
		fd = export_open_file(source, sums->items[i].name, &size, complaint);
		if (fd < 0)
			return fd;
		fd_close(fd);
		source->bytes += size;
	}
	return 0;
}

int export_open(struct backup *backup, struct export_source *ret, struct complaint *complaint)
{
	_cleanup_(export_source_clear) struct export_source source = { .backup = *backup,
								       .dir = -1 };
	const char *why = NULL;
	int r;

	*backup = (struct backup){ 0 };
	source.dir = open(source.backup.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (source.dir < 0)
		return explain(-errno, &source.backup, "", complaint);
	r = sums_read(source.dir, &source.sums, &why);
	if (r == -EBADMSG)
		return export_damaged(&source, SUMS_FILE, complaint);
	if (r < 0)
		return explain(r, &source.backup, SUMS_FILE, complaint);
	r = add_list_itself(&source, complaint);
	if (r >= 0)
		r = look_at_files(&source, complaint);
	if (r < 0)
		return r;
	*ret = source;
	source = (struct export_source){ .dir = -1 };
	return 0;
}

/* Signals that wait until what is half written is away again. */
static const int interruptions[] = { SIGINT, SIGTERM, SIGHUP };

void export_hold_signals(sigset_t *ret_before)
{
	struct sigaction action;
	sigset_t held;

	sigemptyset(&held);
	for (size_t i = 0; i < ARRAY_SIZE(interruptions); i++)
		/* One that is ignored, as under nohup, would wait for ever. */
		if (sigaction(interruptions[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN)
			sigaddset(&held, interruptions[i]);
	(void)sigprocmask(SIG_BLOCK, &held, ret_before);
}

int export_go_on(struct complaint *complaint)
{
	sigset_t pending;

	if (sigpending(&pending) < 0)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(interruptions); i++)
		if (sigismember(&pending, interruptions[i]) > 0)
			return complaint_set(complaint, STATUS_INTERRUPTED, NULL,
					     "interrupted: nothing of the copy was left");
	return 0;
}

int export_open_file(const struct export_source *source, const char *name, uint64_t *ret_size,
		     struct complaint *complaint)
{
	_cleanup_close_ int fd = openat(source->dir, name,
					O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return explain(-errno, &source->backup, name, complaint);
	if (!S_ISREG(st.st_mode))
		return export_damaged(source, name, complaint);
	*ret_size = (uint64_t)st.st_size;
	return TAKE_FD(fd);
}
