/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/control/sums.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/base/fd.h"
#include "protocol/base/strings.h"
#include "protocol/control/limits.h"

#define HEX_DIGITS (DIGEST_HEX_SIZE - 1)

void sums_clear(struct sums *sums)
{
	for (size_t i = 0; i < sums->n; i++)
		free(sums->items[i].name);
	free(sums->items);
	*sums = (struct sums){ 0 };
}

static int refuse(const char **ret_why, const char *why)
{
	*ret_why = why;
	return -EBADMSG;
}

/* "<digest>  <name>" or, as sha256sum -b has it, "<digest> *<name>". */
static int add_line(struct sums *sums, const char *line, const char **ret_why)
{
	const char *name = line + HEX_DIGITS + 2;
	struct sum *items;

	if (strspn(line, "0123456789abcdef") != HEX_DIGITS ||
	    (!strafter(line + HEX_DIGITS, "  ") && !strafter(line + HEX_DIGITS, " *")))
		return refuse(ret_why, "a line is not of sha256sum's form");
	if (!is_plain_path(name))
		return refuse(ret_why, "names a file outside of the backup");
	items = reallocarray(sums->items, sums->n + 1, sizeof(*items));
	if (!items)
		return -ENOMEM;
	sums->items = items;
	items[sums->n] = (struct sum){ .name = strdup(name) };
	if (!items[sums->n].name)
		return -ENOMEM;
	memcpy(items[sums->n].sha256, line, HEX_DIGITS);
	sums->n++;
	return 0;
}

int sums_read(int dirfd, struct sums *ret, const char **ret_why)
{
	_cleanup_(sums_clear) struct sums sums = { 0 };
	_cleanup_free_ char *text = NULL;
	size_t size;
	char *rest, *line;
	int r = fd_read_file(dirfd, SUMS_FILE, LIMIT_MANIFEST_BYTES, &text, &size);

	if (r < 0)
		return r;
	if (strlen(text) != size)
		return refuse(ret_why, "not a text");
	rest = text;
	while ((line = strsep(&rest, "\n"))) {
		r = *line ? add_line(&sums, line, ret_why) : 0;
		if (r < 0)
			return r;
	}
	*ret = TAKE_STRUCT(sums);
	return 0;
}
