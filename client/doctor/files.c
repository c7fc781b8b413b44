/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "client/doctor/internal.h"
#include "protocol/base/fd.h"
#include "protocol/base/strings.h"

#define SMALL_FILE (256U * 1024U)

_printf_(2, 0) static char *make_path(const char *root, const char *format, va_list ap)
{
	_cleanup_free_ char *path = NULL;

	if (vasprintf(&path, format, ap) < 0) {
		path = NULL;
		return NULL;
	}
	return str_format("%s%s", root, path);
}

/* With open and read, which umockdev can redirect; files of /proc and /sys have no size. */
static char *read_text(const char *path)
{
	_cleanup_close_ int fd = path ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
	_cleanup_free_ char *text = malloc(SMALL_FILE);
	size_t size = 0;
	ssize_t n;
	char *fitting;

	if (fd < 0 || !text)
		return NULL;
	while (size < SMALL_FILE - 1 && (n = read(fd, text + size, SMALL_FILE - 1 - size)) > 0)
		size += (size_t)n;
	text[size] = '\0';
	fitting = strdup(text);
	return fitting;
}

char *doctor_read_text(const char *root, const char *format, ...)
{
	_cleanup_free_ char *path = NULL;
	va_list ap;

	va_start(ap, format);
	path = make_path(root, format, ap);
	va_end(ap);
	return read_text(path);
}

char *doctor_read_line(const char *root, const char *format, ...)
{
	_cleanup_free_ char *path = NULL;
	char *text;
	va_list ap;

	va_start(ap, format);
	path = make_path(root, format, ap);
	va_end(ap);
	text = read_text(path);
	if (text)
		text[strcspn(text, "\n")] = '\0';
	return text;
}

char *doctor_read_link(const char *root, const char *format, ...)
{
	_cleanup_free_ char *path = NULL;
	char target[1024];
	va_list ap;
	ssize_t n;

	va_start(ap, format);
	path = make_path(root, format, ap);
	va_end(ap);
	n = path ? readlink(path, target, sizeof(target)) : -1;
	return n > 0 && (size_t)n < sizeof(target) ? strndup(target, (size_t)n) : NULL;
}

DIR *doctor_open_directory(const char *root, const char *format, ...)
{
	_cleanup_free_ char *path = NULL;
	va_list ap;

	va_start(ap, format);
	path = make_path(root, format, ap);
	va_end(ap);
	return path ? opendir(path) : NULL;
}
