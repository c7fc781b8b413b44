/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/bench/process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "protocol/base/fd.h"
#include "protocol/base/strings.h"

#define STATUS_BYTES_MAX 65536
#define MAPS_BYTES_MAX   (1U << 20)
#define PATH_SIZE        64

int process_status(pid_t pid, const char *field, uint64_t *ret)
{
	_cleanup_free_ char *text = NULL;
	char path[PATH_SIZE], *line, *rest;

	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	if (fd_read_file(AT_FDCWD, path, STATUS_BYTES_MAX, &text, NULL) < 0)
		return -ESRCH;
	rest = text;
	while ((line = strsep(&rest, "\n"))) {
		const char *value = strafter(line, field);

		if (!value || *value != ':')
			continue;
		*ret = strtoull(value + 1, NULL, 10);
		return 0;
	}
	return -ENODATA;
}

int process_resident(pid_t pid, const char *without, uint64_t *ret_kib)
{
	_cleanup_free_ char *text = NULL;
	char path[PATH_SIZE], *line, *rest;
	bool counts = true;
	uint64_t kib = 0;

	(void)snprintf(path, sizeof(path), "/proc/%d/smaps", (int)pid);
	if (fd_read_file(AT_FDCWD, path, MAPS_BYTES_MAX, &text, NULL) < 0)
		return -ESRCH;
	rest = text;
	while ((line = strsep(&rest, "\n"))) {
		const char *value = strafter(line, "Rss:");

		/* Only the line that begins a mapping has an address range, and maybe a path. */
		if (!value && strchr(line, '-') && !strstr(line, " kB"))
			counts = !strstr(line, without);
		else if (value && counts)
			kib += strtoull(value, NULL, 10);
	}
	*ret_kib = kib;
	return 0;
}

size_t process_children(pid_t pid, pid_t *ret, size_t n)
{
	_cleanup_free_ char *text = NULL;
	char path[PATH_SIZE], *end;
	size_t count = 0;

	(void)snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)pid);
	if (fd_read_file(AT_FDCWD, path, STATUS_BYTES_MAX, &text, NULL) < 0)
		return 0;
	for (const char *at = text; count < n; at = end) {
		long child = strtol(at, &end, 10);

		if (end == at)
			break;
		ret[count++] = (pid_t)child;
	}
	return count;
}

bool process_runs(pid_t pid, const char *program)
{
	_cleanup_free_ char *text = NULL;
	char path[PATH_SIZE];

	(void)snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	if (fd_read_file(AT_FDCWD, path, STATUS_BYTES_MAX, &text, NULL) < 0)
		return false;
	text[strcspn(text, "\n")] = '\0';
	return streq(text, program);
}
