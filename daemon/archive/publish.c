/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/archive/internal.h"
#include "daemon/archive/tree.h"
#include "protocol/base/fd.h"
#include "protocol/base/strings.h"
#include "protocol/control/limits.h"
#include "protocol/control/message.h"
#include "protocol/control/sums.h"

static void manifest_clearp(struct manifest *manifest)
{
	manifest_clear(manifest);
}

/* Says why in *ret_why; -EBADMSG. */
_printf_(2, 3) static int refuse(char **ret_why, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	if (vasprintf(ret_why, format, ap) < 0)
		*ret_why = NULL;
	va_end(ap);
	return -EBADMSG;
}

/* Opens a regular file and tells its length; -EBADMSG with *ret_why when it is anything else. */
static int open_file(int directory, const char *name, uint64_t *ret_length, char **ret_why)
{
	_cleanup_close_ int fd =
		openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 && errno == ENOENT)
		return refuse(ret_why, "%s is missing", name);
	if (fd < 0 && errno != ELOOP && errno != ENXIO)
		return -errno;
	if (fd >= 0 && fstat(fd, &st) < 0)
		return -errno;
	if (fd < 0 || !S_ISREG(st.st_mode))
		return refuse(ret_why, "%s is not a regular file", name);
	*ret_length = (uint64_t)st.st_size;
	return TAKE_FD(fd);
}

static int check_file(int directory, const char *name, uint64_t *ret_length, char **ret_why)
{
	int fd = open_file(directory, name, ret_length, ret_why);

	if (fd < 0)
		return fd;
	fd_close(fd);
	return 0;
}

static int read_manifest_text(int directory, char **ret, char **ret_why)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_close_ int fd = -1;
	uint64_t length = 0;
	int r;

	fd = open_file(directory, MANIFEST_FILE, &length, ret_why);
	if (fd < 0)
		return fd;
	if (length > LIMIT_MANIFEST_BYTES)
		return refuse(ret_why, "%s is larger than %u bytes", MANIFEST_FILE,
			      LIMIT_MANIFEST_BYTES);
	text = calloc(1, length + 1);
	if (!text)
		return -ENOMEM;
	r = fd_pread_all(fd, text, length, 0);
	if (r < 0)
		return r;
	if (strlen(text) != length)
		return refuse(ret_why, "%s is not text", MANIFEST_FILE);
	*ret = TAKE_PTR(text);
	return 0;
}

static int read_manifest(int directory, struct manifest *ret, char **ret_why)
{
	struct problem problem = { 0 };
	_cleanup_free_ char *text = NULL;
	int r;

	r = read_manifest_text(directory, &text, ret_why);
	if (r < 0)
		return r;
	r = manifest_from_text(text, ret, &problem);
	if (r == -EPROTONOSUPPORT)
		return refuse(ret_why, "%s has a format that this version does not know",
			      MANIFEST_FILE);
	if (r == -EBADMSG)
		return refuse(ret_why, "%s: %s%s%s", MANIFEST_FILE, problem.field,
			      *problem.field ? ": " : "", problem.reason);
	return r;
}

static int check_ranges(int directory, const struct manifest *manifest, char **ret_why)
{
	for (size_t i = 0; i < manifest->read.n_ranges; i++) {
		const struct manifest_range *range = &manifest->read.ranges[i];
		uint64_t length = 0;
		int r;

		if (!is_plain_name(range->file, NAME_MAX))
			return refuse(ret_why, "%s names a file outside", MANIFEST_FILE);
		r = check_file(directory, range->file, &length, ret_why);
		if (r < 0)
			return r;
		if (length != range->length)
			return refuse(ret_why,
				      "%s has %" PRIu64 " bytes, the manifest says %" PRIu64,
				      range->file, length, range->length);
	}
	return 0;
}

static bool is_left_from_reading(const char *name)
{
	return fnmatch("*.map", name, 0) == 0 || streq(name, "state.json");
}

/* What a worker keeps to resume from must be gone: it would say that the read is not finished. */
static int check_leftovers(int directory, char **ret_why)
{
	int fd = archive_open_directory(directory, ".");
	const struct dirent *entry;
	DIR *entries;
	int r = 0;

	if (fd < 0)
		return fd;
	entries = fdopendir(fd);
	if (!entries) {
		r = -errno;
		fd_close(fd);
		return r;
	}
	while (errno = 0, (entry = readdir(entries)))
		if (is_left_from_reading(entry->d_name)) {
			r = refuse(ret_why, "%s is still there", entry->d_name);
			break;
		}
	if (!entry)
		r = -errno;
	(void)closedir(entries);
	return r;
}

static int check_staging(int directory, int64_t job, const struct manifest *manifest,
			 char **ret_why)
{
	uint64_t length = 0;
	int r;

	if (manifest->job != job)
		return refuse(ret_why, "%s belongs to job %" PRId64, MANIFEST_FILE, manifest->job);
	if (!backup_id_is_valid(manifest->id))
		return refuse(ret_why, "%s has no valid id", MANIFEST_FILE);
	r = check_ranges(directory, manifest, ret_why);
	if (r >= 0)
		r = check_file(directory, SUMS_FILE, &length, ret_why);
	return r < 0 ? r : check_leftovers(directory, ret_why);
}

static int make_month(struct archive *archive, const char *id)
{
	_cleanup_close_ int fd = -1;
	char year[5], month[3];

	archive_month_of(id, year, month);
	fd = archive_make_directory(archive->backups, year);
	return fd < 0 ? fd : archive_make_directory(fd, month);
}

static int move_to_backups(struct archive *archive, const char *name, const char *id)
{
	_cleanup_close_ int month = make_month(archive, id);

	if (month < 0)
		return month;
	if (renameat2(archive->staging, name, month, id, RENAME_NOREPLACE) < 0)
		return -errno;
	if (fsync(month) < 0 || fsync(archive->staging) < 0)
		return -errno;
	return 0;
}

/* The catalogue's row of a backup that lies, or is going to lie, where its id says. */
static int make_row(const struct archive *archive, const struct manifest *manifest,
		    struct backup *ret)
{
	_cleanup_free_ char *path = NULL;
	char year[5], month[3];

	archive_month_of(manifest->id, year, month);
	path = str_format("%s/%s/%s/%s", archive->path, year, month, manifest->id);
	return path ? manifest_to_backup(manifest, path, ret) : -ENOMEM;
}

int archive_peek(const struct archive *archive, int64_t job, struct backup *ret)
{
	_cleanup_(manifest_clearp) struct manifest manifest = { 0 };
	char name[ARCHIVE_JOB_NAME_SIZE];
	_cleanup_free_ char *why = NULL;
	_cleanup_close_ int directory = -1;
	int r = archive_job_name(job, name);

	if (r < 0)
		return r;
	directory = archive_open_directory(archive->staging, name);
	if (directory < 0)
		return directory;
	r = read_manifest(directory, &manifest, &why);
	if (r >= 0)
		r = check_staging(directory, job, &manifest, &why);
	return r < 0 ? r : make_row(archive, &manifest, ret);
}

bool archive_is_read(const struct archive *archive, int64_t job)
{
	_cleanup_(backup_clear) struct backup row = { 0 };

	return archive_peek(archive, job, &row) >= 0;
}

struct archive_publish {
	struct archive *archive;
	int64_t job;
	struct manifest manifest;
	struct settling *settling;
};

/* Everything in the staging that can be looked at before it is settled. */
static int look_at_staging(struct archive_publish *publish, char **ret_why)
{
	char name[ARCHIVE_JOB_NAME_SIZE];
	_cleanup_close_ int directory = -1;
	int r = archive_job_name(publish->job, name);

	if (r < 0)
		return r;
	directory = archive_open_directory(publish->archive->staging, name);
	if (directory < 0)
		return directory;
	r = read_manifest(directory, &publish->manifest, ret_why);
	if (r >= 0)
		r = check_staging(directory, publish->job, &publish->manifest, ret_why);
	return r < 0 ? r : settling_new(directory, &publish->settling);
}

int archive_publish_begin(struct archive *archive, int64_t job, struct archive_publish **ret,
			  char **ret_why)
{
	_cleanup_(archive_publish_freep) struct archive_publish *publish =
		calloc(1, sizeof(*publish));
	int r;

	*ret_why = NULL;
	if (!publish)
		return -ENOMEM;
	*publish = (struct archive_publish){ .archive = archive, .job = job };
	r = look_at_staging(publish, ret_why);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(publish);
	return 0;
}

void archive_publish_free(struct archive_publish *publish)
{
	if (!publish)
		return;
	settling_free(publish->settling);
	manifest_clear(&publish->manifest);
	free(publish);
}

static int settle(struct archive_publish *publish, char **ret_why)
{
	int r = settling_step(publish->settling);

	if (r == -EBADMSG)
		return refuse(ret_why, "something is neither a file nor a directory");
	if (r == -ELOOP)
		return refuse(ret_why, "directories are nested too deep");
	return r;
}

int archive_publish_step(struct archive_publish *publish, struct backup *ret, char **ret_why)
{
	_cleanup_(backup_clear) struct backup row = { 0 };
	char name[ARCHIVE_JOB_NAME_SIZE];
	int r;

	*ret_why = NULL;
	r = settle(publish, ret_why);
	if (r != 0)
		return r;
	r = archive_job_name(publish->job, name);
	if (r >= 0)
		r = make_row(publish->archive, &publish->manifest, &row);
	if (r >= 0)
		r = move_to_backups(publish->archive, name, publish->manifest.id);
	if (r < 0)
		return r;
	*ret = TAKE_STRUCT(row);
	return 0;
}

int archive_read_backup(const struct archive *archive, const char *id, struct backup *ret,
			char **ret_why)
{
	_cleanup_(manifest_clearp) struct manifest manifest = { 0 };
	_cleanup_close_ int directory = archive_open_backup(archive, id);
	int r;

	*ret_why = NULL;
	if (directory < 0)
		return directory;
	r = read_manifest(directory, &manifest, ret_why);
	if (r < 0)
		return r;
	if (!streq(manifest.id, id))
		return refuse(ret_why, "%s belongs to %s", MANIFEST_FILE, manifest.id);
	return make_row(archive, &manifest, ret);
}

static int check_covers(const struct archive *archive, const struct manifest *manifest,
			const char *other, char **ret_why)
{
	_cleanup_(manifest_clearp) struct manifest theirs = { 0 };
	_cleanup_close_ int directory = archive_open_backup(archive, other);
	_cleanup_free_ char *why = NULL;
	int r;

	if (directory < 0)
		return directory == -ENOENT ? 0 : directory;
	r = read_manifest(directory, &theirs, &why);
	if (r == -EBADMSG)
		return refuse(ret_why, "what %s holds is not known: %s", other, why ?: "?");
	if (r < 0)
		return r;
	return manifest_covers(manifest, &theirs)
		       ? 0
		       : refuse(ret_why, "it does not hold all that %s holds", other);
}

int archive_stands_for(const struct archive *archive, const char *id, const char *other,
		       char **ret_why)
{
	_cleanup_(manifest_clearp) struct manifest manifest = { 0 };
	_cleanup_close_ int directory = archive_open_backup(archive, id);
	int r;

	*ret_why = NULL;
	if (directory < 0)
		return directory;
	r = read_manifest(directory, &manifest, ret_why);
	if (r >= 0)
		r = check_ranges(directory, &manifest, ret_why);
	return r < 0 ? r : check_covers(archive, &manifest, other, ret_why);
}

int archive_read_manifest(const struct archive *archive, const char *id, char **ret, char **ret_why)
{
	_cleanup_close_ int directory = archive_open_backup(archive, id);

	*ret_why = NULL;
	return directory < 0 ? directory : read_manifest_text(directory, ret, ret_why);
}
