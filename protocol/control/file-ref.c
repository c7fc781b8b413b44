/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/control/file-ref.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "protocol/base/strings.h"
#include "protocol/control/frame.h"
#include "protocol/control/limits.h"

#define PREFIX "fd:"

_Static_assert(FILE_REF_SIZE == LIMIT_NAME_BYTES + 1, "a reference is sent as a name");
_Static_assert(FRAME_FDS_MAX <= 10, "a descriptor's place is one digit");

bool file_name_is_valid(const char *name)
{
	return is_plain_name(name, LIMIT_NAME_BYTES) && !strafter(name, PREFIX);
}

int file_ref_parse(const char *s, size_t *ret_index, const char **ret_name)
{
	const char *digit = strafter(s, PREFIX), *name;

	if (!digit) {
		if (!file_name_is_valid(s))
			return -EINVAL;
		*ret_name = s;
		return 0;
	}
	if (*digit < '0' || *digit >= '0' + (int)FRAME_FDS_MAX)
		return -EINVAL;
	name = digit[1] == ':' ? digit + 2 : NULL;
	if (name ? !file_name_is_valid(name) : digit[1] != '\0')
		return -EINVAL;
	*ret_index = (size_t)(*digit - '0');
	*ret_name = name;
	return 1;
}

void file_ref_format(size_t index, const char *path, char ret[FILE_REF_SIZE])
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	int n = snprintf(ret, FILE_REF_SIZE, PREFIX "%zu", index);

	if (file_name_is_valid(name) && (size_t)n + 1 + strlen(name) < FILE_REF_SIZE)
		(void)snprintf(ret + n, FILE_REF_SIZE - (size_t)n, ":%s", name);
}
