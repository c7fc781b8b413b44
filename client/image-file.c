/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/image-file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "client/client.h"
#include "client/output/print.h"
#include "protocol/base/fd.h"

static int fail(const struct client *client, const char *path, int error)
{
	print_failure(client, "%s: %s", path, strerror(error));
	if (error == ENOENT || error == ENOTDIR)
		return STATUS_NOT_FOUND;
	return error == EACCES || error == EPERM ? STATUS_NOT_PERMITTED : STATUS_FAILED;
}

/* STATUS_DONE when a file of that kind and size can be an image. */
static int check_stat(const struct client *client, const char *path, const struct stat *st)
{
	if (S_ISREG(st->st_mode) && st->st_size > 0 &&
	    (uint64_t)st->st_size <= IMAGE_FILE_BYTES_MAX)
		return STATUS_DONE;
	if (!S_ISREG(st->st_mode))
		print_failure(client, "%s: is no regular file", path);
	else if (st->st_size == 0)
		print_failure(client, "%s: is empty", path);
	else
		print_failure(client, "%s: is larger than 256 MiB, as no watch's flash is", path);
	print_hint(client, "name a file that a watch's flash was read into");
	return STATUS_FAILED;
}

int image_file_read(const struct client *client, const char *path, struct image_file *ret)
{
	/* Without O_NONBLOCK, opening a pipe would wait for its other end. */
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;
	void *data;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return fail(client, path, errno);
	r = check_stat(client, path, &st);
	if (r != STATUS_DONE)
		return r;
	data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (data == MAP_FAILED)
		return fail(client, path, errno);
	*ret = (struct image_file){ .data = data, .size = (uint64_t)st.st_size };
	return STATUS_DONE;
}

void image_file_clear(struct image_file *file)
{
	if (file->data)
		munmap((void *)file->data, file->size);
	*file = (struct image_file){ 0 };
}
