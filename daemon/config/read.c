/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The files of the configuration, and their lines (inih). */

#include "daemon/config/internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/base/fd.h"
#include "protocol/base/strings.h"

#define FILE_BYTES    (256U * 1024U)
#define SECTION_BYTES 49 /* inih cuts off longer names without a word */

int config_fail(struct config_parser *parser, int error, const char *section, const char *key,
		const char *reason, const char *allowed)
{
	if (parser->error)
		return error;
	parser->error = error;
	parser->problem =
		str_format("%s:%d: [%s]%s%s: %s%s%s%s", parser->path, parser->line, section,
			   key ? " " : "", key ? key : "", reason, allowed ? " (allowed: " : "",
			   allowed ? allowed : "", allowed ? ")" : "");
	if (!parser->problem)
		parser->error = -ENOMEM;
	return parser->error;
}

int config_refuse(struct config_parser *parser, int error, const char *section, const char *key,
		  const char *allowed)
{
	return config_fail(parser, error == -ENOMEM ? -ENOMEM : -EINVAL, section, key,
			   error == -ERANGE   ? "out of range"
			   : error == -ENOMEM ? "out of memory"
					      : "not understood",
			   allowed);
}

static int on_value(void *userdata, const char *section, const char *name, const char *value)
{
	return config_set_key(userdata, section, name, value ? value : "") >= 0;
}

/* A section counts also when it is empty, which inih does not tell. */
static void check_section(struct config_parser *parser, const char *line)
{
	const char *start = line + strspn(line, "\xef\xbb\xbf \t");
	size_t n = *start == '[' ? strcspn(start + 1, "]\n") : 0;
	char section[SECTION_BYTES + 1];

	if (n == 0 || start[1 + n] != ']')
		return;
	if (n > SECTION_BYTES) {
		(void)config_fail(parser, -EINVAL, "", NULL, "the section's name is too long",
				  "up to 49 bytes");
		return;
	}
	/* One that is indented may be the rest of a value. */
	if (*line != '[')
		return;
	memcpy(section, start + 1, n);
	section[n] = '\0';
	(void)config_begin_section(parser, section);
}

/* fgets for inih; the lines are counted here, since its handler is not told. */
static char *next_line(char *buffer, int size, void *userdata)
{
	struct config_parser *parser = userdata;
	size_t length = strcspn(parser->rest, "\n");

	if (parser->error || !*parser->rest)
		return NULL;
	parser->line++;
	if (length + 2 > (size_t)size) {
		(void)config_fail(parser, -EINVAL, "", NULL, "the line is too long",
				  "up to 198 bytes");
		return NULL;
	}
	length += parser->rest[length] == '\n';
	memcpy(buffer, parser->rest, length);
	buffer[length] = '\0';
	parser->rest += length;
	check_section(parser, buffer);
	return parser->error ? NULL : buffer;
}

static int parse_text(struct config_parser *parser)
{
	int r = ini_parse_stream(next_line, parser, on_value, parser);

	/* A line that inih itself does not understand; it reads on, to what we refused. */
	if (r > 0 && (!parser->error || r < parser->line)) {
		free(TAKE_PTR(parser->problem));
		parser->error = 0;
		parser->line = r;
		return config_fail(parser, -EINVAL, "", NULL, "neither [section] nor key=value",
				   NULL);
	}
	if (r < 0 && !parser->error)
		return -ENOMEM;
	return parser->error;
}

int config_read_file(struct config *config, const char *path, char **ret_error)
{
	struct config_parser parser = { .config = config, .path = path };
	_cleanup_free_ char *text = NULL;
	size_t size;
	int r;

	r = fd_read_file(AT_FDCWD, path, FILE_BYTES, &text, &size);
	if (r < 0) {
		*ret_error = str_format("%s: cannot be read: %s", path, strerror(-r));
		return r;
	}
	if (!is_utf8(text, size)) {
		*ret_error = str_format("%s: is not UTF-8 text", path);
		return -EINVAL;
	}
	parser.rest = text;
	r = parse_text(&parser);
	if (r < 0)
		*ret_error = parser.problem;
	return r;
}

static int is_drop_in(const struct dirent *entry)
{
	size_t n = strlen(entry->d_name);

	return entry->d_name[0] != '.' && n > 5 && streq(entry->d_name + n - 5, ".conf");
}

/* By bytes, whatever the locale says. */
static int compare_names(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int load_drop_in(struct config *config, const char *directory, const char *name,
			char **ret_error)
{
	_cleanup_free_ char *path = str_format("%s/%s", directory, name);

	return path ? config_read_file(config, path, ret_error) : -ENOMEM;
}

int config_read_drop_ins(struct config *config, const char *path, char **ret_error)
{
	_cleanup_free_ char *directory = str_format("%s.d", path);
	struct dirent **entries;
	int n, r = 0;

	if (!directory)
		return -ENOMEM;
	n = scandir(directory, &entries, is_drop_in, compare_names);
	if (n < 0) {
		r = -errno;
		if (r == -ENOENT)
			return 0;
		*ret_error = str_format("%s: cannot be read: %s", directory, strerror(-r));
		return r;
	}
	for (int i = 0; i < n; i++) {
		if (r >= 0)
			r = load_drop_in(config, directory, entries[i]->d_name, ret_error);
		free(entries[i]);
	}
	free(entries);
	return r;
}
