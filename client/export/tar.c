/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/export/export.h"
#include "protocol/base/fd.h"
#include "protocol/base/strings.h"

#define PIECE (1U << 20)

DEFINE_CLEANUP(struct archive *, archive_free);
DEFINE_CLEANUP(struct archive_entry *, archive_entry_free);

/* What libarchive says about its last failure; -EIO when it has no errno of it. */
static int error_of(struct archive *archive)
{
	int error = archive_errno(archive);

	return error > 0 ? -error : -EIO;
}

/* ---- Writing ---- */

static int write_header(struct archive *archive, const struct export_source *source,
			const char *name, mode_t type, uint64_t size)
{
	_cleanup_(archive_entry_freep) struct archive_entry *entry = archive_entry_new();
	_cleanup_free_ char *path = str_format("%s/%s", source->backup.id, name);

	if (!entry || !path)
		return -ENOMEM;
	/* Of nobody in particular, so that the same backup makes the same archive. */
	archive_entry_set_pathname(entry, path);
	archive_entry_set_filetype(entry, type);
	archive_entry_set_perm(entry, type == AE_IFDIR ? EXPORT_FOLDER_MODE : EXPORT_FILE_MODE);
	archive_entry_set_size(entry, (la_int64_t)size);
	archive_entry_set_mtime(entry, (time_t)(source->backup.created / 1000000), 0);
	return archive_write_header(archive, entry) == ARCHIVE_OK ? 0 : error_of(archive);
}

/* -EBADMSG when the backup's file is not what its list says. */
static int write_content(struct archive *archive, int fd, uint64_t size, const char *expected)
{
	_cleanup_(digest_freep) struct digest *digest = NULL;
	_cleanup_free_ uint8_t *piece = malloc(PIECE);
	char sha256[DIGEST_HEX_SIZE];
	int r = piece ? digest_new(&digest) : -ENOMEM;

	for (uint64_t at = 0; at < size && r >= 0; at += PIECE) {
		size_t n = (size_t)MIN_OF(PIECE, size - at);

		r = fd_pread_all(fd, piece, n, at);
		if (r < 0)
			return r == -ENODATA ? -EBADMSG : r;
		r = digest_add(digest, piece, n);
		if (r >= 0 && archive_write_data(archive, piece, n) != (la_ssize_t)n)
			r = error_of(archive);
	}
	if (r >= 0)
		r = digest_end(digest, sha256);
	return r < 0 || streq(sha256, expected) ? r : -EBADMSG;
}

static int write_file(struct archive *archive, const struct export_source *source,
		      const struct sum *sum, const char *path, struct complaint *complaint)
{
	uint64_t size = 0;
	_cleanup_close_ int fd = -1;
	int r = export_go_on(complaint);

	if (r < 0)
		return r;
	fd = export_open_file(source, sum->name, &size, complaint);
	if (fd < 0)
		return fd;
	r = write_header(archive, source, sum->name, AE_IFREG, size);
	if (r >= 0)
		r = write_content(archive, fd, size, sum->sha256);
	if (r == -EBADMSG)
		return export_damaged(source, sum->name, complaint);
	return r < 0 ? export_failed(r, path, complaint) : 0;
}

/* The folders of a name that its predecessor in order was not in. */
static int write_folders(struct archive *archive, const struct export_source *source,
			 const char *before, const char *name)
{
	int r = 0;

	for (const char *slash = strchr(name, '/'); slash && r >= 0;
	     slash = strchr(slash + 1, '/')) {
		size_t n = (size_t)(slash - name) + 1;
		_cleanup_free_ char *folder = strndup(name, n);

		if (!folder)
			return -ENOMEM;
		if (strncmp(before, name, n) != 0)
			r = write_header(archive, source, folder, AE_IFDIR, 0);
	}
	return r;
}

static int write_source(struct archive *archive, const struct export_source *source,
			const char *path, struct complaint *complaint)
{
	const char *before = "";
	int r = write_header(archive, source, "", AE_IFDIR, 0);

	for (size_t i = 0; i < source->sums.n && r >= 0; i++) {
		const struct sum *sum = &source->sums.items[i];

		r = write_folders(archive, source, before, sum->name);
		if (r >= 0) {
			r = write_file(archive, source, sum, path, complaint);
			if (r < 0)
				return r;
		}
		before = sum->name;
	}
	return r < 0 ? export_failed(r, path, complaint) : 0;
}

/* Where the archive goes. */
struct sink {
	int fd;
	bool abandoned; /* what is still to come is thrown away: no end of archive behind half of one */
};

static la_ssize_t write_to_sink(_unused_ struct archive *archive, void *userdata, const void *data,
				size_t size)
{
	struct sink *sink = userdata;
	int r = sink->abandoned ? 0 : fd_write_all(sink->fd, data, size);

	if (r >= 0)
		return (la_ssize_t)size;
	archive_set_error(archive, -r, "%s", strerror(-r));
	return -1;
}

static int open_sink(struct archive *archive, struct sink *sink, bool zstd)
{
	if (archive_write_set_format_pax_restricted(archive) != ARCHIVE_OK ||
	    (zstd && archive_write_add_filter_zstd(archive) != ARCHIVE_OK) ||
	    archive_write_set_bytes_in_last_block(archive, 1) != ARCHIVE_OK ||
	    archive_write_open(archive, sink, NULL, write_to_sink, NULL) != ARCHIVE_OK)
		return error_of(archive);
	return 0;
}

/* Plain tar, which everything reads; its own extension only for a name that is too long for it. */
static int write_archive(const struct export_source *sources, size_t n, int fd, bool zstd,
			 const char *path, struct complaint *complaint)
{
	/* Written to until the archive is freed. */
	struct sink sink = { .fd = fd };
	_cleanup_(archive_freep) struct archive *archive = archive_write_new();
	int r;

	if (!archive)
		return -ENOMEM;
	r = open_sink(archive, &sink, zstd);
	if (r < 0)
		return export_failed(r, path, complaint);
	for (size_t i = 0; i < n; i++) {
		r = write_source(archive, &sources[i], path, complaint);
		if (r < 0) {
			sink.abandoned = true;
			return r;
		}
	}
	return archive_write_close(archive) == ARCHIVE_OK
		       ? 0
		       : export_failed(error_of(archive), path, complaint);
}

int export_to_stream(const struct export_source *sources, size_t n, int fd,
		     struct complaint *complaint)
{
	return write_archive(sources, n, fd, false, "standard output", complaint);
}

/* ---- Reading back ---- */

static int read_entry(struct archive *archive, char sha256[DIGEST_HEX_SIZE])
{
	_cleanup_(digest_freep) struct digest *digest = NULL;
	_cleanup_free_ uint8_t *piece = malloc(PIECE);
	int r = piece ? digest_new(&digest) : -ENOMEM;
	la_ssize_t n = 0;

	while (r >= 0 && (n = archive_read_data(archive, piece, PIECE)) > 0)
		r = digest_add(digest, piece, (size_t)n);
	if (n < 0)
		return error_of(archive);
	return r < 0 ? r : digest_end(digest, sha256);
}

/* The next file of the archive is this one: -EILSEQ when it is another or not the same. */
static int check_file(struct archive *archive, const struct export_source *source,
		      const struct sum *sum)
{
	_cleanup_free_ char *path = str_format("%s/%s", source->backup.id, sum->name);
	char sha256[DIGEST_HEX_SIZE];
	struct archive_entry *entry;
	int r;

	do {
		r = archive_read_next_header(archive, &entry);
		if (r != ARCHIVE_OK)
			return r == ARCHIVE_EOF ? -EILSEQ : error_of(archive);
	} while (archive_entry_filetype(entry) == AE_IFDIR);
	if (!path || !streq_ptr(archive_entry_pathname(entry), path))
		return path ? -EILSEQ : -ENOMEM;
	r = read_entry(archive, sha256);
	return r < 0 || streq(sha256, sum->sha256) ? r : -EILSEQ;
}

static int check_archive(const struct export_source *sources, size_t n, int fd)
{
	_cleanup_(archive_freep) struct archive *archive = archive_read_new();
	int r = 0;

	if (!archive)
		return -ENOMEM;
	if (lseek(fd, 0, SEEK_SET) < 0)
		return -errno;
	if (archive_read_support_format_tar(archive) != ARCHIVE_OK ||
	    archive_read_support_filter_zstd(archive) != ARCHIVE_OK ||
	    archive_read_open_fd(archive, fd, PIECE) != ARCHIVE_OK)
		return error_of(archive);
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < sources[i].sums.n && r >= 0; j++)
			r = check_file(archive, &sources[i], &sources[i].sums.items[j]);
	return r;
}

/* ---- Unpacking ---- */

/* Where an archive comes from: a pipe on which nothing may come for long. */
struct spring {
	int fd;
	int signals; /* readable when one that is held waits */
	uint8_t *piece;
	struct complaint *complaint;
	int error; /* why reading ended, when that was not the archive's fault */
};

/* The length of the next piece, 0 at the end. */
static int read_piece(struct spring *spring)
{
	struct pollfd fds[] = { { .fd = spring->fd, .events = POLLIN },
				{ .fd = spring->signals, .events = POLLIN } };
	ssize_t n;
	int r;

	do {
		if (poll(fds, ARRAY_SIZE(fds), -1) < 0 && errno != EINTR)
			return -errno;
		r = export_go_on(spring->complaint);
		if (r < 0)
			return r;
		n = read(spring->fd, spring->piece, PIECE);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : (int)n;
}

static la_ssize_t read_from_spring(struct archive *archive, void *userdata, const void **ret)
{
	struct spring *spring = userdata;
	int n = read_piece(spring);

	*ret = spring->piece;
	if (n >= 0)
		return n;
	spring->error = n;
	archive_set_error(archive, -n, "%s", strerror(-n));
	return -1;
}

/* The folders that a file is in, which only the owner of the place may look into. */
static int make_folders(int place, const char *path)
{
	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		_cleanup_free_ char *folder = strndup(path, (size_t)(slash - path));

		if (!folder)
			return -ENOMEM;
		if (mkdirat(place, folder, 0700) < 0 && errno != EEXIST)
			return -errno;
	}
	return 0;
}

static int unpack_content(struct archive *archive, int fd, time_t mtime)
{
	const struct timespec time = { .tv_sec = mtime };
	_cleanup_free_ uint8_t *piece = malloc(PIECE);
	la_ssize_t n = 0;
	int r = piece ? 0 : -ENOMEM;

	while (r >= 0 && (n = archive_read_data(archive, piece, PIECE)) > 0)
		r = fd_write_all(fd, piece, (size_t)n);
	if (r < 0)
		return r;
	if (n < 0)
		return -EBADMSG;
	return futimens(fd, (const struct timespec[]){ time, time }) < 0 ? -errno : 0;
}

static int unpack_entry(struct archive *archive, struct archive_entry *entry, int place)
{
	const char *path = archive_entry_pathname(entry);
	_cleanup_close_ int fd = -1;
	int r;

	if (archive_entry_filetype(entry) == AE_IFDIR)
		return 0;
	/* Files alone are made: so none of these names leads out of the place. */
	if (archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry) || !path ||
	    !is_plain_path(path))
		return -EBADMSG;
	r = make_folders(place, path);
	if (r < 0)
		return r;
	fd = openat(place, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return errno == EEXIST ? -EBADMSG : -errno;
	return unpack_content(archive, fd, archive_entry_mtime(entry));
}

static int unpack(struct spring *spring, int place)
{
	_cleanup_(archive_freep) struct archive *archive = archive_read_new();
	struct archive_entry *entry;
	int r, n;

	if (!archive)
		return -ENOMEM;
	if (archive_read_support_format_tar(archive) != ARCHIVE_OK)
		return error_of(archive);
	r = archive_read_open(archive, spring, NULL, read_from_spring, NULL) == ARCHIVE_OK
		    ? 0
		    : -EBADMSG;
	while (r >= 0) {
		n = archive_read_next_header(archive, &entry);
		if (n == ARCHIVE_EOF)
			return 0;
		r = n == ARCHIVE_OK ? unpack_entry(archive, entry, place) : -EBADMSG;
	}
	return r;
}

int export_unpack(int fd, int place, struct complaint *complaint)
{
	_cleanup_free_ uint8_t *piece = malloc(PIECE);
	_cleanup_close_ int signals = -1;
	struct spring spring = { .fd = fd, .piece = piece, .complaint = complaint };
	sigset_t held;
	int r, n;

	if (!piece)
		return -ENOMEM;
	(void)sigprocmask(SIG_BLOCK, NULL, &held);
	spring.signals = signals = signalfd(-1, &held, SFD_CLOEXEC);
	if (signals < 0)
		return -errno;
	r = unpack(&spring, place);
	if (spring.error < 0)
		return spring.error;
	if (r < 0 && r != -EBADMSG)
		return r;
	/* To the end: who sends it ends well. */
	while ((n = read_piece(&spring)) > 0)
		;
	return n < 0 ? n : r;
}

/* ---- A file of its own ---- */

static int fill(const struct export_source *sources, size_t n, int fd, const char *path, bool zstd,
		struct complaint *complaint)
{
	int r = write_archive(sources, n, fd, zstd, path, complaint);

	if (r < 0)
		return r;
	r = fd_sync(fd);
	if (r >= 0) {
		/* From the disk, not from memory. */
		(void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
		r = check_archive(sources, n, fd);
	}
	if (r == -EILSEQ)
		return complaint_set(complaint, STATUS_FAILED, "another disk may be what it needs",
				     "%s: what was written is not what is read back", path);
	return r < 0 ? export_failed(r, path, complaint) : 0;
}

int export_to_tar(const struct export_source *sources, size_t n, const char *path, bool zstd,
		  struct complaint *complaint)
{
	_cleanup_free_ char *copy = strdup(path), *other = strdup(path), *spare = NULL;
	_cleanup_close_ int folder = -1, fd = -1;
	const char *name;
	int r;

	if (!copy || !other)
		return -ENOMEM;
	name = basename(copy);
	folder = open(dirname(other), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0)
		return export_failed(-errno, path, complaint);
	if (faccessat(folder, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return export_failed(-EEXIST, path, complaint);
	spare = str_format(".%s.%d", name, (int)getpid());
	if (!spare)
		return -ENOMEM;
	fd = openat(folder, spare, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, EXPORT_FILE_MODE);
	if (fd < 0)
		return export_failed(-errno, path, complaint);
	r = fill(sources, n, fd, path, zstd, complaint);
	if (r >= 0) {
		r = fd_rename_new(folder, spare, name);
		if (r < 0)
			r = export_failed(r, path, complaint);
	}
	if (r < 0)
		(void)unlinkat(folder, spare, 0);
	return r;
}
