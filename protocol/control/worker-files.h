/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The descriptors that go with a packet between daemon and worker, and the words for them. */

#include <stdbool.h>
#include <stddef.h>

#include "protocol/base/cleanup.h"

struct json_object;
struct msghdr;
struct problem;

/* What goes with a packet beside its text, in this order. */
enum worker_file {
	WORKER_FILE_DIRECTORY, /* the staging of a job, or of all; or the backup to check */
	WORKER_FILE_DA,        /* the download agent that the job names, to read */
	WORKER_FILE_SCATTER,   /* the scatter file that the job names, to read */
	WORKER_FILE_AGENTS,    /* directory of the daemon's own download agents, to read */
	WORKER_FILE_TWIN,      /* an older backup with the same content, to compare with */
	_WORKER_FILE_MAX,
};

struct worker_files {
	int fds[_WORKER_FILE_MAX]; /* -1: not there */
};

#define WORKER_FILES_NONE ((struct worker_files){ { -1, -1, -1, -1, -1 } })

/* Closes all and leaves WORKER_FILES_NONE. */
void worker_files_close(struct worker_files *files);

/* ---- For worker-message.c ---- */

#define WORKER_FILES_BYTES (_WORKER_FILE_MAX * sizeof(int))

/* Which files a packet says it brings. */
struct worker_file_names {
	bool given[_WORKER_FILE_MAX];
	size_t n;
};

/* An array of their words, in the order of the enumeration; NULL when there are none. */
_must_check_ int worker_files_to_json(const struct worker_files *files, struct json_object **ret);

/* Reads that array; a field_reader, target is a struct worker_file_names. */
_must_check_ int worker_file_names_read(struct json_object *value, void *target,
					struct problem *problem);

/* Puts them into a message; control has CMSG_SPACE(WORKER_FILES_BYTES) bytes, all zero. */
void worker_files_attach(const struct worker_files *files, struct msghdr *header, char *control);

/* Takes all out of a message, in the order they came in; how many. */
size_t worker_files_detach(struct msghdr *header, struct worker_files *ret);

/* Gives the n that came their places by the names; -EBADMSG when these are not as many. */
_must_check_ int worker_files_sort(const struct worker_file_names *names,
				   struct worker_files *passed, size_t n, struct worker_files *ret);
