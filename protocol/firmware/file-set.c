/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/firmware/file-set.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "protocol/base/bytes.h"
#include "protocol/base/fd.h"
#include "protocol/base/strings.h"

#define COMPARE_BYTES (64U * 1024U)

DEFINE_CLEANUP(DIR *, closedir);

/* Says why in *ret_why; -EBADMSG. */
_printf_(2, 3) static int differs(char **ret_why, const char *format, ...)
{
	va_list ap;
	char *why;

	va_start(ap, format);
	if (vasprintf(&why, format, ap) < 0)
		why = NULL;
	va_end(ap);
	free(*ret_why);
	*ret_why = why;
	return -EBADMSG;
}

static int open_directory(int parent, const char *name)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static const char *leftover_name(const char *file)
{
	return strafter(file, FILE_SET_LEFTOVER "/");
}

/* A name that leads out of the directory would be a mistake of ours or somebody's trap. */
static bool is_inside(const char *file)
{
	const char *below = leftover_name(file);

	return is_plain_name(below ? below : file, NAME_MAX);
}

/* ---- Comparing ---- */

static int open_piece(int dir, const char *file)
{
	const char *below = leftover_name(file);
	_cleanup_close_ int folder = -1;
	int fd;

	if (!is_inside(file))
		return -EINVAL;
	if (below) {
		folder = open_directory(dir, FILE_SET_LEFTOVER);
		if (folder < 0)
			return folder;
	}
	fd = openat(below ? folder : dir, below ? below : file,
		    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int compare_file(int dir, const char *file, const uint8_t *data, uint64_t length,
			char **ret_why)
{
	_cleanup_free_ uint8_t *buffer = malloc(COMPARE_BYTES);
	_cleanup_close_ int fd = open_piece(dir, file);
	struct stat st;

	if (!buffer)
		return -ENOMEM;
	if (fd < 0)
		return differs(ret_why, "%s: %s", file, strerror(-fd));
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return differs(ret_why, "%s: not a regular file", file);
	if ((uint64_t)st.st_size != length)
		return differs(ret_why, "%s: %" PRIu64 " bytes instead of %" PRIu64, file,
			       (uint64_t)st.st_size, length);
	for (uint64_t at = 0; at < length; at += COMPARE_BYTES) {
		size_t n = (size_t)MIN_OF(COMPARE_BYTES, length - at);
		int r = fd_pread_all(fd, buffer, n, at);

		if (r < 0)
			return r;
		if (memcmp(buffer, data + at, n) != 0)
			return differs(ret_why, "%s: differs between 0x%" PRIx64 " and 0x%" PRIx64,
				       file, at, at + n);
	}
	return 0;
}

static int compare_piece(int dir, const struct image_piece *piece, const uint8_t *image,
			 char **ret_why)
{
	const uint8_t *data = image + piece->offset;
	char sha256[DIGEST_HEX_SIZE];
	int r = digest_memory(data, piece->length, sha256);

	if (r < 0)
		return r;
	if (!streq(sha256, piece->sha256))
		return differs(ret_why, "the image has other bytes at 0x%" PRIx64 " (%s)",
			       piece->offset, piece->name);
	switch (piece->content) {
	case IMAGE_PIECE_ERASED:
		return data[0] == 0xff && bytes_are_uniform(data, piece->length)
			       ? 0
			       : differs(ret_why, "the image is not erased at 0x%" PRIx64,
					 piece->offset);
	case IMAGE_PIECE_REPEATED:
		return piece->repeats < piece->offset &&
				       memcmp(data, image + piece->repeats, piece->length) == 0
			       ? 0
			       : differs(ret_why, "the image does not repeat at 0x%" PRIx64,
					 piece->offset);
	default:
		return compare_file(dir, piece->file, data, piece->length, ret_why);
	}
}

static int compare_offsets(const void *a, const void *b)
{
	const struct image_piece *const *x = a, *const *y = b;

	return ((*x)->offset > (*y)->offset) - ((*x)->offset < (*y)->offset);
}

/* Every byte of the image belongs to a piece, and no piece reaches behind it. */
static int check_cover(const struct image_piece *pieces, size_t n, uint64_t size, char **ret_why)
{
	_cleanup_free_ const struct image_piece **sorted = calloc(n + 1, sizeof(*sorted));
	uint64_t end = 0;

	if (!sorted)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		sorted[i] = &pieces[i];
	qsort(sorted, n, sizeof(*sorted), compare_offsets);
	for (size_t i = 0; i < n; i++) {
		const struct image_piece *piece = sorted[i];

		if (piece->length == 0 || !bytes_inside(size, piece->offset, piece->length))
			return differs(ret_why, "a piece lies outside of the image: %s",
				       piece->name);
		if (piece->offset > end)
			break;
		end = MAX_OF(end, piece->offset + piece->length);
	}
	return end == size ? 0 : differs(ret_why, "no piece has the byte at 0x%" PRIx64, end);
}

int file_set_compare(int dir, const struct image_piece *pieces, size_t n, const uint8_t *image,
		     uint64_t size, char **ret_why)
{
	int r = check_cover(pieces, n, size, ret_why);

	for (size_t i = 0; i < n && r >= 0; i++)
		r = compare_piece(dir, &pieces[i], image, ret_why);
	return r;
}

/* ---- Removing ---- */

/*
 * Calls each for the entries of a directory; a result other than 0 ends it and is returned. An
 * entry may be removed meanwhile.
 */
static int each_entry(int dir, int (*each)(int dir, const char *name, void *userdata),
		      void *userdata)
{
	int fd = open_directory(dir, ".");
	_cleanup_(closedirp) DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	int r = 0;

	if (fd < 0)
		return fd;
	if (!stream) {
		r = -errno;
		fd_close(fd);
		return r;
	}
	while (r == 0 && (errno = 0, entry = readdir(stream)))
		if (!streq(entry->d_name, ".") && !streq(entry->d_name, ".."))
			r = each(dir, entry->d_name, userdata);
	return r != 0 ? r : -errno;
}

static int remove_file(int dir, const char *name, void *userdata _unused_)
{
	return unlinkat(dir, name, 0) < 0 ? -errno : 0;
}

static int remove_folder(int parent, const char *name)
{
	_cleanup_close_ int dir = open_directory(parent, name);
	int r = dir < 0 ? dir : each_entry(dir, remove_file, NULL);

	if (r >= 0 && unlinkat(parent, name, AT_REMOVEDIR) < 0)
		r = -errno;
	return r;
}

static int remove_entry(int dir, const char *name, void *userdata)
{
	return streq(name, FILE_SET_LEFTOVER) ? remove_folder(dir, name)
					      : remove_file(dir, name, userdata);
}

static int remove_set(int parent, const char *name)
{
	_cleanup_close_ int dir = open_directory(parent, name);
	int r;

	if (dir == -ENOENT)
		return 0;
	r = dir < 0 ? dir : each_entry(dir, remove_entry, NULL);
	if (r >= 0 && unlinkat(parent, name, AT_REMOVEDIR) < 0)
		r = -errno;
	return r;
}

/* What a set is called before it is complete. */
static char *temporary_name(const char *name)
{
	return str_format(".%s.new", name);
}

int file_set_remove(int parent, const char *name)
{
	_cleanup_free_ char *temporary = temporary_name(name);
	int r = temporary ? remove_set(parent, temporary) : -ENOMEM;

	return r < 0 ? r : remove_set(parent, name);
}

/* ---- Is it a set of ours? ---- */

struct inventory {
	const struct file_set *set;
	const char *folder; /* "", or "leftover/" */
	char **other;
};

static bool has_file(const struct file_set *set, const char *file)
{
	for (size_t i = 0; i < set->n_pieces; i++)
		if (set->pieces[i].content == IMAGE_PIECE_FILE && streq(set->pieces[i].file, file))
			return true;
	for (size_t i = 0; i < set->n_texts; i++)
		if (streq(set->texts[i].name, file))
			return true;
	return false;
}

/* 1 for a thing that is not of the set. */
static int look_at(int dir, const char *name, void *userdata)
{
	struct inventory *inventory = userdata;
	_cleanup_free_ char *file = str_format("%s%s", inventory->folder, name);
	struct stat st;

	if (!file)
		return -ENOMEM;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode) && streq(file, FILE_SET_LEFTOVER)) {
		struct inventory below = { inventory->set, FILE_SET_LEFTOVER "/",
					   inventory->other };
		_cleanup_close_ int fd = open_directory(dir, name);

		return fd < 0 ? fd : each_entry(fd, look_at, &below);
	}
	if (S_ISREG(st.st_mode) && has_file(inventory->set, file))
		return 0;
	*inventory->other = TAKE_PTR(file);
	return 1;
}

int file_set_is_all(int dir, const struct file_set *set, char **ret_other)
{
	struct inventory inventory = { set, "", ret_other };
	int r = each_entry(dir, look_at, &inventory);

	return r < 0 ? r : r == 0;
}

/* ---- Writing ---- */

static int write_file(int dir, const char *name, const void *data, size_t size)
{
	_cleanup_close_ int fd =
		openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
	int r;

	if (fd < 0)
		return -errno;
	r = fd_write_all(fd, data, size);
	return r < 0 ? r : fd_sync(fd);
}

/* Makes a directory and opens it; umask decides who may read it. */
static int make_directory(int parent, const char *name)
{
	return mkdirat(parent, name, 0777) < 0 ? -errno : open_directory(parent, name);
}

static int write_pieces(int dir, const struct file_set *set, const uint8_t *image, char **ret_why)
{
	_cleanup_close_ int folder = -1;
	int r = 0;

	for (size_t i = 0; i < set->n_pieces && r >= 0; i++) {
		const struct image_piece *piece = &set->pieces[i];
		const char *below = leftover_name(piece->file);

		if (piece->content != IMAGE_PIECE_FILE)
			continue;
		if (!is_inside(piece->file))
			return -EINVAL;
		if (below && folder < 0)
			r = folder = make_directory(dir, FILE_SET_LEFTOVER);
		if (r >= 0)
			r = write_file(below ? folder : dir, below ? below : piece->file,
				       image + piece->offset, piece->length);
		if (r < 0)
			(void)differs(ret_why, "%s: %s", piece->file, strerror(-r));
	}
	return r < 0 || folder < 0 ? r : fd_sync(folder);
}

static int write_texts(int dir, const struct file_set *set)
{
	int r = 0;

	for (size_t i = 0; i < set->n_texts && r >= 0; i++)
		r = write_file(dir, set->texts[i].name, set->texts[i].text,
			       strlen(set->texts[i].text));
	return r;
}

static int compare_text(int dir, const struct file_set_text *text, char **ret_why)
{
	_cleanup_free_ char *read = NULL;
	size_t size = 0;
	int r = fd_read_file(dir, text->name, strlen(text->text), &read, &size);

	if (r < 0)
		return differs(ret_why, "%s: %s", text->name, strerror(-r));
	if (size != strlen(text->text) || memcmp(read, text->text, size) != 0)
		return differs(ret_why, "%s: differs", text->name);
	return text->check ? text->check(text->userdata, read, size, ret_why) : 0;
}

static int compare_texts(int dir, const struct file_set *set, char **ret_why)
{
	int r = 0;

	for (size_t i = 0; i < set->n_texts && r >= 0; i++)
		r = compare_text(dir, &set->texts[i], ret_why);
	return r;
}

static int fill(int dir, const struct file_set *set, const uint8_t *image, uint64_t size,
		char **ret_why)
{
	int r = write_pieces(dir, set, image, ret_why);

	if (r >= 0)
		r = write_texts(dir, set);
	if (r >= 0)
		r = fd_sync(dir);
	if (r >= 0)
		r = file_set_compare(dir, set->pieces, set->n_pieces, image, size, ret_why);
	return r < 0 ? r : compare_texts(dir, set, ret_why);
}

int file_set_write(int parent, const char *name, const struct file_set *set, const uint8_t *image,
		   uint64_t size, bool replace, char **ret_why)
{
	_cleanup_free_ char *temporary = temporary_name(name);
	_cleanup_close_ int dir = -1;
	int r;

	*ret_why = NULL;
	if (!temporary)
		return -ENOMEM;
	if (check_cover(set->pieces, set->n_pieces, size, ret_why) < 0)
		return -EINVAL;
	r = remove_set(parent, temporary);
	if (r < 0)
		return r;
	dir = make_directory(parent, temporary);
	if (dir < 0)
		return dir;
	r = fill(dir, set, image, size, ret_why);
	if (r >= 0)
		r = fd_rename(parent, temporary, name, replace);
	/* After a swap this is the old set. */
	if (r < 0 || replace) {
		int removed = remove_set(parent, temporary);

		r = r < 0 ? r : removed;
	}
	return r;
}
