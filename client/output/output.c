/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/output/output.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/client.h"
#include "client/output/print.h"
#include "protocol/base/fd.h"
#include "protocol/base/strings.h"

static bool is_stdout(const char *path)
{
	return !path || streq(path, "-");
}

/* Replacing /dev/stdout would take it away from everybody. */
static bool stays(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && !S_ISREG(st.st_mode);
}

static int fail(const struct client *client, const char *path, int error)
{
	print_failure(client, "%s: cannot be written: %s", path, strerror(error));
	print_hint(client, "name a file in a folder that you may write to");
	return error == EACCES || error == EPERM ? STATUS_NOT_PERMITTED : STATUS_FAILED;
}

int output_check(const struct client *client, const char *path)
{
	_cleanup_free_ char *copy = is_stdout(path) ? NULL : strdup(path);
	const char *place;

	if (is_stdout(path))
		return STATUS_DONE;
	if (!copy)
		return client_status(client, -ENOMEM);
	place = stays(path) ? path : dirname(copy);
	return access(place, W_OK) < 0 ? fail(client, path, errno) : STATUS_DONE;
}

static int write_through(const char *path, const char *text)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOCTTY);

	return fd < 0 ? -errno : fd_write_all(fd, text, strlen(text));
}

int output_write(const struct client *client, const char *path, const char *text)
{
	int r;

	if (is_stdout(path)) {
		fputs(text, stdout);
		return STATUS_DONE;
	}
	r = stays(path) ? write_through(path, text)
			: fd_replace_file(AT_FDCWD, path, text, strlen(text), 0644);
	return r < 0 ? fail(client, path, -r) : STATUS_DONE;
}
