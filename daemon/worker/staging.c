/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/worker/staging.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "protocol/base/fd.h"
#include "protocol/base/strings.h"
#include "protocol/control/limits.h"
#include "protocol/control/message.h"

#define MAP_BYTES_MAX (4U << 20) /* text of a map with READ_MAP_EXTENTS_MAX pieces */
#define FREE_RESERVE  (1U << 20) /* for maps, manifest and the file system's own needs */

/* The disk is asked to begin with each piece of this size as soon as it is whole. */
#define WRITEBACK_BYTES (4ULL << 20)

DEFINE_CLEANUP(DIR *, closedir);

static const char *const papers[] = { "manifest.json", "SHA256SUMS", "report.txt",
				      "report.html" };

/* Names that the backup or the staging itself uses. */
static bool name_is_reserved(const char *name)
{
	static const char *const endings[] = { ".map", ".tmp" };
	size_t length = strlen(name);

	if (word_find(papers, ARRAY_SIZE(papers), name) >= 0 || streq(name, "firmware") ||
	    streq(name, STAGING_STATE_FILE))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(endings); i++)
		if (length > strlen(endings[i]) &&
		    streq(name + length - strlen(endings[i]), endings[i]))
			return true;
	return !is_plain_name(name, LIMIT_NAME_BYTES);
}

bool staging_name_is_reserved(const char *name)
{
	return name_is_reserved(name);
}

int staging_explain(int error, const char *name, struct failure *failure)
{
	if (error == -ENOSPC || error == -EDQUOT)
		failure_set(failure, FAILURE_NO_SPACE,
			    "free some space below the state directory, then retry the job",
			    "no space left for %s", name);
	else
		failure_set(failure, FAILURE_ARCHIVE_ERROR, NULL, "%s: %s", name, strerror(-error));
	return error;
}

static bool state_fits(const struct staging_state *state, const struct job_request *request)
{
	if (state->scattered)
		return request->scatter;
	if (state->n_ranges != request->n_ranges)
		return false;
	for (size_t i = 0; i < state->n_ranges; i++)
		if (!streq(state->ranges[i].name, request->ranges[i].name) ||
		    state->ranges[i].start != request->ranges[i].start ||
		    state->ranges[i].asked != request->ranges[i].length)
			return false;
	return true;
}

/* Removes every file but those whose names keep says yes to. */
static int remove_files(int dir, bool (*keep)(const struct staging_state *state, const char *name),
			const struct staging_state *state)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_(closedirp) DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!stream) {
		fd_close(fd);
		return -errno;
	}
	while ((errno = 0, entry = readdir(stream))) {
		if (streq(entry->d_name, ".") || streq(entry->d_name, "..") ||
		    keep(state, entry->d_name))
			continue;
		if (unlinkat(dir, entry->d_name, 0) < 0 && errno != EISDIR)
			return -errno;
	}
	return -errno;
}

static bool keep_nothing(const struct staging_state *state, const char *name)
{
	(void)state;
	(void)name;
	return false;
}

static bool keep_backup(const struct staging_state *state, const char *name)
{
	for (size_t i = 0; i < state->n_ranges; i++)
		if (streq(name, state->ranges[i].name))
			return true;
	return word_find(papers, ARRAY_SIZE(papers), name) >= 0;
}

static int state_copy_ranges(struct staging_state *state, const struct range *ranges, size_t n)
{
	state->ranges = calloc(n, sizeof(*state->ranges));
	if (!state->ranges)
		return -ENOMEM;
	state->n_ranges = n;
	for (size_t i = 0; i < n; i++) {
		state->ranges[i].name = strdup(ranges[i].name);
		state->ranges[i].start = ranges[i].start;
		state->ranges[i].asked = ranges[i].length;
		if (!state->ranges[i].name)
			return -ENOMEM;
	}
	return 0;
}

int staging_replace_ranges(struct staging *staging, const struct range *ranges, size_t n)
{
	struct staging_state *state = &staging->state;

	for (size_t i = 0; i < state->n_ranges; i++)
		free(state->ranges[i].name);
	free(state->ranges);
	state->ranges = NULL;
	state->n_ranges = 0;
	state->scattered = true;
	return state_copy_ranges(state, ranges, n);
}

static int state_begin(struct staging_state *state, const struct job_request *request,
		       const char *chip, const char *meid)
{
	staging_state_clear(state);
	if (request->n_ranges == 0)
		return -EINVAL;
	if (state_copy_ranges(state, request->ranges, request->n_ranges) < 0)
		return -ENOMEM;
	if (str_replace(&state->chip, chip) < 0)
		return -ENOMEM;
	return str_replace(&state->meid, meid);
}

/* "0123…" is enough to tell watches on a bench apart. */
static void refuse_watch(const struct staging_state *state, const char *chip, const char *meid,
			 struct failure *failure)
{
	failure_set(failure, FAILURE_WRONG_WATCH,
		    "plug in the watch that this job began with, or submit a new job for this one",
		    "this job began with %s %.12s…, now %s %.12s… is here", state->chip,
		    state->meid ? state->meid : "(no ME ID)", chip, meid ? meid : "(no ME ID)");
}

int staging_open(struct staging *staging, int dir, const struct job_request *request,
		 const char *chip, const char *meid, struct failure *failure)
{
	struct staging_state *state = &staging->state;
	int r;

	*staging = (struct staging){ .dir = dir };
	for (size_t i = 0; i < request->n_ranges; i++)
		if (name_is_reserved(request->ranges[i].name)) {
			failure_set(failure, FAILURE_ARCHIVE_ERROR, "give the range another name",
				    "\"%s\" cannot be the name of a range",
				    request->ranges[i].name);
			return -EINVAL;
		}
	r = staging_state_load(dir, state);
	if (r >= 0 && state_fits(state, request)) {
		if (streq(state->chip, chip) && streq_ptr(state->meid, meid))
			return 0;
		refuse_watch(state, chip, meid, failure);
		return -EPERM;
	}
	if (r >= 0 || r == -EBADMSG || r == -ENOENT) {
		r = remove_files(dir, keep_nothing, state);
		if (r >= 0)
			r = state_begin(state, request, chip, meid);
	}
	return r < 0 ? staging_explain(r, "staging directory", failure) : 0;
}

void staging_close(struct staging *staging)
{
	for (size_t i = 0; staging->images && i < staging->state.n_ranges; i++) {
		fd_close(staging->images[i].fd);
		read_map_free(staging->images[i].done);
		read_map_free(staging->images[i].verified);
	}
	free(staging->images);
	staging_state_clear(&staging->state);
	fd_close(staging->dir);
	*staging = (struct staging){ .dir = -1 };
}

int staging_save_state(struct staging *staging)
{
	return staging_state_save(staging->dir, &staging->state);
}

static int map_name(const struct state_range *range, bool verifying, char **ret)
{
	*ret = str_format("%s%s.map", range->name, verifying ? ".verify" : "");
	return *ret ? 0 : -ENOMEM;
}

/* A map that is missing or broken only means that everything is read again. */
static int load_map(struct staging *staging, const struct state_range *range, bool verifying,
		    struct read_map **ret)
{
	_cleanup_free_ char *name = NULL, *text = NULL;
	int r = map_name(range, verifying, &name);

	if (r < 0)
		return r;
	r = fd_read_file(staging->dir, name, MAP_BYTES_MAX, &text, NULL);
	if (r >= 0)
		r = read_map_from_text(text, range->length, ret);
	if (r == -ENOENT || r == -EFBIG || r == -EBADMSG || r == -E2BIG)
		r = read_map_new(range->length, ret);
	return r;
}

static int save_map(struct staging *staging, const struct state_range *range, bool verifying,
		    const struct read_map *map)
{
	_cleanup_free_ char *name = NULL, *text = NULL;
	int r = map_name(range, verifying, &name);

	if (r >= 0)
		r = read_map_to_text(map, &text);
	if (r >= 0)
		r = fd_replace_file(staging->dir, name, text, strlen(text), STAGING_FILE_MODE);
	return r;
}

/* An image that is not as long as its map says was not written by us: its map means nothing. */
static int open_image(struct staging *staging, size_t index)
{
	const struct state_range *range = &staging->state.ranges[index];
	struct staged_image *image = &staging->images[index];
	struct stat status;
	int r;

	image->fd = openat(staging->dir, range->name,
			   O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, STAGING_FILE_MODE);
	if (image->fd < 0 || fstat(image->fd, &status) < 0)
		return -errno;
	if (!S_ISREG(status.st_mode))
		return -EEXIST;
	if ((uint64_t)status.st_size == range->length) {
		r = load_map(staging, range, false, &image->done);
		if (r >= 0)
			r = load_map(staging, range, true, &image->verified);
		return r;
	}
	if (ftruncate(image->fd, 0) < 0 || ftruncate(image->fd, (off_t)range->length) < 0)
		return -errno;
	r = read_map_new(range->length, &image->done);
	return r < 0 ? r : read_map_new(range->length, &image->verified);
}

static int check_space(struct staging *staging, struct failure *failure)
{
	uint64_t needed = staging_total(staging) - staging_done(staging, false) + FREE_RESERVE;
	char needed_text[16], free_text[16];
	struct statvfs status;
	uint64_t available;

	if (fstatvfs(staging->dir, &status) < 0)
		return staging_explain(-errno, "staging directory", failure);
	available = (uint64_t)status.f_bavail * status.f_frsize;
	if (available >= needed)
		return 0;
	failure_set(failure, FAILURE_NO_SPACE,
		    "free some space below the state directory, then retry the job",
		    "%s are needed, %s are free", format_bytes(needed, needed_text),
		    format_bytes(available, free_text));
	return -ENOSPC;
}

int staging_open_images(struct staging *staging, struct failure *failure)
{
	size_t n = staging->state.n_ranges;

	staging->images = calloc(n, sizeof(*staging->images));
	if (!staging->images)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		staging->images[i].fd = -1;
	for (size_t i = 0; i < n; i++) {
		int r = open_image(staging, i);

		if (r < 0)
			return staging_explain(r, staging->state.ranges[i].name, failure);
	}
	staging->resumed = staging_done(staging, false) > 0;
	return check_space(staging, failure);
}

int staging_write(struct staging *staging, size_t index, uint64_t offset, const void *data,
		  size_t size)
{
	const int fd = staging->images[index].fd;
	const uint64_t end = offset + size;
	int r = fd_pwrite_all(fd, data, size, offset);

	if (r < 0)
		return r;
	/* Only a wish; whether it reached the disk is the checkpoint's to say. */
	if (offset / WRITEBACK_BYTES != end / WRITEBACK_BYTES)
		(void)sync_file_range(fd, (off_t)((end / WRITEBACK_BYTES - 1) * WRITEBACK_BYTES),
				      WRITEBACK_BYTES, SYNC_FILE_RANGE_WRITE);
	return 0;
}

int staging_checkpoint(struct staging *staging, size_t index, bool verifying)
{
	const struct staged_image *image = &staging->images[index];

	if (fdatasync(image->fd) < 0)
		return -errno;
	return save_map(staging, &staging->state.ranges[index], verifying,
			verifying ? image->verified : image->done);
}

uint64_t staging_total(const struct staging *staging)
{
	uint64_t total = 0;

	for (size_t i = 0; i < staging->state.n_ranges; i++)
		total += staging->state.ranges[i].length;
	return total;
}

uint64_t staging_done(const struct staging *staging, bool verifying)
{
	uint64_t done = 0;

	for (size_t i = 0; i < staging->state.n_ranges; i++)
		done += read_map_done(verifying ? staging->images[i].verified
						: staging->images[i].done);
	return done;
}

int staging_seal(struct staging *staging, struct failure *failure)
{
	for (size_t i = 0; i < staging->state.n_ranges; i++) {
		const struct state_range *range = &staging->state.ranges[i];
		struct staged_image *image = &staging->images[i];
		int r = fsync(image->fd) < 0 ? -errno : 0;

		if (r >= 0)
			r = digest_file(image->fd, 0, range->length, image->sha256);
		if (r < 0)
			return staging_explain(r, range->name, failure);
	}
	return 0;
}

int staging_tidy(struct staging *staging)
{
	int r = remove_files(staging->dir, keep_backup, &staging->state);

	if (r >= 0 && fsync(staging->dir) < 0)
		r = -errno;
	return r;
}
