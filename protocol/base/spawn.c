/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/base/spawn.h"

#include <signal.h>
#include <spawn.h>
#include <unistd.h>

/* posix_spawn and its helpers return a positive errno. */
static int set_attributes(posix_spawnattr_t *attributes, bool leads_group)
{
	short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
	sigset_t none, all;
	int r;

	sigemptyset(&none);
	sigfillset(&all);
	r = posix_spawnattr_setsigmask(attributes, &none);
	if (!r)
		r = posix_spawnattr_setsigdefault(attributes, &all);
	if (!r && leads_group)
		r = posix_spawnattr_setpgroup(attributes, 0);
	if (leads_group)
		flags |= POSIX_SPAWN_SETPGROUP;
	return r ? r : posix_spawnattr_setflags(attributes, flags);
}

static int set_fds(posix_spawn_file_actions_t *actions, const struct spawn *spawn)
{
	int r = 0;

	for (size_t i = 0; i < spawn->n_fds && !r; i++)
		r = posix_spawn_file_actions_adddup2(actions, spawn->fds[i].from, spawn->fds[i].to);
	return r;
}

int spawn(const struct spawn *spawn, pid_t *ret)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int r = posix_spawn_file_actions_init(&actions);

	if (r)
		return -r;
	r = posix_spawnattr_init(&attributes);
	if (r) {
		posix_spawn_file_actions_destroy(&actions);
		return -r;
	}
	r = set_attributes(&attributes, spawn->leads_group);
	if (!r)
		r = set_fds(&actions, spawn);
	if (!r)
		r = posix_spawn(ret, spawn->program, &actions, &attributes, spawn->arguments,
				spawn->environment ?: environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return -r;
}
