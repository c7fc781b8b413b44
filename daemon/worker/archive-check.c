/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/worker/archive-check.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "daemon/worker/report.h"
#include "daemon/worker/twin.h"
#include "protocol/base/digest.h"
#include "protocol/base/fd.h"
#include "protocol/base/strings.h"
#include "protocol/control/limits.h"
#include "protocol/control/manifest.h"
#include "protocol/control/message.h"
#include "protocol/control/sums.h"

DEFINE_CLEANUP(struct manifest *, manifest_clear);

_printf_(2, 3) static int refuse(struct failure *failure, const char *format, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list arguments;

	va_start(arguments, format);
	if (vasprintf(&text, format, arguments) < 0)
		text = NULL;
	va_end(arguments);
	failure_set(failure, FAILURE_ARCHIVE_ERROR,
		    "the copy is damaged: restore it from another one, or read the watch again",
		    "%s", text ? text : "the backup differs from its manifest");
	return -EBADMSG;
}

/* What cannot be read: for what this process lacks, the backup is not to blame. */
static int cannot_read(struct failure *failure, const char *name, int error)
{
	switch (error) {
	case -ENOMEM:
	case -EMFILE:
	case -ENFILE:
	case -EACCES:
	case -EPERM:
		failure_set(failure, FAILURE_WORKER_CRASHED,
			    "try again when the machine is at rest", "%s cannot be checked: %s",
			    name, strerror(-error));
		return error;
	case -EPROTONOSUPPORT:
		failure_set(failure, FAILURE_WORKER_CRASHED, "a newer mtkrbd made it: use that one",
			    "%s has a format that this version does not know", name);
		return error;
	default:
		return refuse(failure, "%s: %s", name, strerror(-error));
	}
}

/* What is checked, and with what in mind. */
struct check {
	int dir;
	bool again;
	struct twin *twin;
	struct failure *failure;
};

static int open_regular(const struct check *check, const char *name, uint64_t *ret_size)
{
	_cleanup_close_ int fd =
		openat(check->dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);
	struct failure *failure = check->failure;
	struct stat status;

	if (fd < 0 || fstat(fd, &status) < 0)
		return cannot_read(failure, name, -errno);
	if (!S_ISREG(status.st_mode))
		return refuse(failure, "%s: not a regular file", name);
	if (check->again)
		twin_forget_cached(fd);
	*ret_size = (uint64_t)status.st_size;
	return TAKE_FD(fd);
}

static int check_content(const struct check *check, int fd, const char *name, uint64_t size,
			 const char *expected, const char *who)
{
	char hex[DIGEST_HEX_SIZE];
	int r = digest_file(fd, 0, size, hex);

	if (r < 0)
		return cannot_read(check->failure, name, r);
	if (!streq(hex, expected))
		return refuse(check->failure, "%s: SHA-256 is %s, %s says %s", name, hex, who,
			      expected);
	twin_compare(check->twin, name, fd, size);
	return 0;
}

static int check_range(const struct check *check, const struct manifest_range *range)
{
	uint64_t size = 0;
	_cleanup_close_ int fd = open_regular(check, range->file, &size);

	if (fd < 0)
		return fd;
	if (size != range->length)
		return refuse(check->failure,
			      "%s: %" PRIu64 " bytes, " MANIFEST_FILE " says %" PRIu64, range->file,
			      size, range->length);
	return check_content(check, fd, range->file, size, range->sha256, MANIFEST_FILE);
}

static struct manifest_range *find_range(const struct manifest *manifest, const char *file)
{
	for (size_t i = 0; i < manifest->read.n_ranges; i++)
		if (streq(manifest->read.ranges[i].file, file))
			return &manifest->read.ranges[i];
	return NULL;
}

/* Images were digested already, so the manifest's word is enough for them. */
static int check_sum(const struct check *check, const struct manifest *manifest,
		     const struct sum *sum, size_t *listed)
{
	const struct manifest_range *range = find_range(manifest, sum->name);
	_cleanup_close_ int fd = -1;
	uint64_t size = 0;

	if (range) {
		++*listed;
		return streq(range->sha256, sum->sha256)
			       ? 0
			       : refuse(check->failure,
					"%s: " SUMS_FILE " says %s, " MANIFEST_FILE " says %s",
					sum->name, sum->sha256, range->sha256);
	}
	fd = open_regular(check, sum->name, &size);
	return fd < 0 ? fd : check_content(check, fd, sum->name, size, sum->sha256, SUMS_FILE);
}

static int check_sums(const struct check *check, const struct manifest *manifest)
{
	_cleanup_(sums_clear) struct sums sums = { 0 };
	const char *why = NULL;
	size_t listed = 0;
	int r = sums_read(check->dir, &sums, &why);

	if (r < 0)
		return why ? refuse(check->failure, SUMS_FILE ": %s", why)
			   : cannot_read(check->failure, SUMS_FILE, r);
	for (size_t i = 0; i < sums.n; i++) {
		r = check_sum(check, manifest, &sums.items[i], &listed);
		if (r < 0)
			return r;
	}
	if (listed != manifest->read.n_ranges)
		return refuse(check->failure, SUMS_FILE ": lists %zu of %zu images", listed,
			      manifest->read.n_ranges);
	return 0;
}

static int load_manifest(int dir, struct manifest *ret, struct failure *failure)
{
	_cleanup_free_ char *text = NULL;
	struct problem problem = { 0 };
	size_t size;
	int r = fd_read_file(dir, MANIFEST_FILE, LIMIT_MANIFEST_BYTES, &text, &size);

	if (r < 0)
		return cannot_read(failure, MANIFEST_FILE, r);
	if (strlen(text) != size)
		return refuse(failure, MANIFEST_FILE ": not a text");
	r = manifest_from_text(text, ret, &problem);
	if (r == -EBADMSG)
		return refuse(failure, MANIFEST_FILE ": %s%s%s", problem.field,
			      problem.field[0] ? ": " : "", problem.reason);
	return r < 0 ? cannot_read(failure, MANIFEST_FILE, r) : 0;
}

int archive_check(int dir, bool again, struct twin *twin, struct failure *failure)
{
	const struct check check = { dir, again, twin, failure };
	struct manifest manifest = { 0 };
	_cleanup_(manifest_clearp) struct manifest *cleared = &manifest;
	int r = load_manifest(dir, cleared, failure);

	for (size_t i = 0; r >= 0 && i < manifest.read.n_ranges; i++)
		r = check_range(&check, &manifest.read.ranges[i]);
	return r < 0 ? r : check_sums(&check, &manifest);
}
