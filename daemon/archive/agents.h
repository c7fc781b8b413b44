/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The files with download agents that users gave the daemon to keep: <state>/da. They are stored
 * and never read here for what they say; the worker does that.
 */

#include <stdint.h>

#include "protocol/base/cleanup.h"
#include "protocol/base/digest.h"

struct agents;

struct agent {
	const char *name;
	uint64_t size; /* bytes */
	char sha256[DIGEST_HEX_SIZE];
};

/* Opens <state>/da, made where it is missing; what a crash left half-written is removed. */
_must_check_ int agents_open(const char *state_directory, struct agents **ret);
void agents_close(struct agents *agents);
DEFINE_CLEANUP(struct agents *, agents_close);

/* The directory, open for reading; borrowed. */
int agents_directory(const struct agents *agents);

/*
 * Keeps a durable copy of the regular file fd. Also 0 when the very same is there. -EEXIST when
 * another one of that name is, -EINVAL for a name that no file may have or what is no regular file,
 * -EFBIG over LIMIT_AGENT_BYTES, -ENODATA for an empty one, -EDQUOT when LIMIT_AGENTS are there.
 */
_must_check_ int agents_add(struct agents *agents, const char *name, int fd);

/* -ENOENT, also for a name that no file may have. */
_must_check_ int agents_remove(struct agents *agents, const char *name);

/* Opens one for reading; the caller closes it. -ENOENT. */
_must_check_ int agents_open_file(const struct agents *agents, const char *name);

/*
 * Calls found for each file, in the order of their names, until it returns negative, which it then
 * returns. Digests are kept in memory, so that only what is new is read.
 */
_must_check_ int agents_list(struct agents *agents,
			     int (*found)(const struct agent *agent, void *userdata),
			     void *userdata);
