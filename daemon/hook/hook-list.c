/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/hook/hook-list.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "protocol/base/strings.h"
#include "protocol/control/limits.h"

static int may_be_hook(const struct dirent *entry)
{
	size_t n = strlen(entry->d_name);

	return entry->d_name[0] != '.' && entry->d_name[n - 1] != '~' && is_utf8(entry->d_name, n);
}

/* By bytes, whatever the locale says. */
static int compare_names(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static const char *refusal_of(const struct stat *st)
{
	if (st->st_uid != 0 && st->st_uid != geteuid())
		return "it belongs neither to root nor to the user that runs it";
	if (st->st_mode & (S_IWGRP | S_IWOTH))
		return "others than its owner may write it";
	return NULL;
}

void hook_list_free(struct hook *hooks, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(hooks[i].name);
		free(hooks[i].path);
	}
	free(hooks);
}

static int add_hook(const char *directory, const char *name, const char *refusal,
		    struct hook *hooks, size_t *n)
{
	_cleanup_free_ char *path = str_format("%s/%s", directory, name);
	struct stat st;

	if (!path)
		return -ENOMEM;
	/* One that has gone since, and a link to nowhere, are none. */
	if (stat(path, &st) < 0 || !S_ISREG(st.st_mode) || !(st.st_mode & 0111))
		return 0;
	hooks[*n] = (struct hook){ .name = strdup(name),
				   .path = TAKE_PTR(path),
				   .refusal = refusal ?: refusal_of(&st) };
	if (!hooks[(*n)++].name)
		return -ENOMEM;
	return 0;
}

int hook_list(const char *directory, struct hook **ret, size_t *ret_n)
{
	struct dirent **entries = NULL;
	struct hook *hooks = NULL;
	const char *refusal = NULL;
	struct stat st;
	size_t count = 0;
	int n, r = 0;

	n = stat(directory, &st) < 0 ? -1
				     : scandir(directory, &entries, may_be_hook, compare_names);
	if (n < 0 && errno != ENOENT)
		return -errno;
	if (n > 0) {
		refusal = refusal_of(&st) ? "others may write the directory it is in" : NULL;
		hooks = calloc(LIMIT_HOOKS, sizeof(*hooks));
		r = hooks ? 0 : -ENOMEM;
	}
	for (int i = 0; i < n; i++) {
		if (r >= 0 && count < LIMIT_HOOKS)
			r = add_hook(directory, entries[i]->d_name, refusal, hooks, &count);
		free(entries[i]);
	}
	free(entries);
	if (r < 0) {
		hook_list_free(hooks, count);
		return r;
	}
	*ret = hooks;
	*ret_n = count;
	return 0;
}
