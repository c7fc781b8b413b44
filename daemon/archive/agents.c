/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/archive/agents.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "protocol/base/fd.h"
#include "protocol/base/strings.h"
#include "protocol/control/file-ref.h"
#include "protocol/control/limits.h"

#define DIRECTORY      "da"
#define DIRECTORY_MODE 0750
#define FILE_MODE      0640
#define INCOMING       ".incoming" /* no name that a file may have */

/* The digest of a file that was read once, as long as the file is the same. */
struct known {
	struct timespec changed;
	ino_t inode;
	off_t size;
	char sha256[DIGEST_HEX_SIZE];
};

struct agents {
	int directory;
	struct known known[LIMIT_AGENTS];
	size_t next; /* the place that is used again next */
};

int agents_open(const char *state_directory, struct agents **ret)
{
	_cleanup_(agents_closep) struct agents *agents = calloc(1, sizeof(*agents));

	if (!agents)
		return -ENOMEM;
	agents->directory = fd_open_folder(state_directory, DIRECTORY, DIRECTORY_MODE);
	if (agents->directory < 0)
		return agents->directory;
	(void)unlinkat(agents->directory, INCOMING, 0);
	(void)unlinkat(agents->directory, INCOMING ".tmp", 0);
	*ret = TAKE_PTR(agents);
	return 0;
}

void agents_close(struct agents *agents)
{
	if (!agents)
		return;
	fd_close(agents->directory);
	free(agents);
}

int agents_directory(const struct agents *agents)
{
	return agents->directory;
}

/* O_NONBLOCK: what lies in the directory may be a pipe, which is refused and not waited for. */
static int open_file(const struct agents *agents, const char *name, struct stat *ret)
{
	_cleanup_close_ int fd =
		openat(agents->directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return errno == ELOOP ? -ENOENT : -errno;
	if (fstat(fd, ret) < 0)
		return -errno;
	if (!S_ISREG(ret->st_mode) || ret->st_size > (off_t)LIMIT_AGENT_BYTES)
		return -ENOENT;
	return TAKE_FD(fd);
}

int agents_open_file(const struct agents *agents, const char *name)
{
	struct stat st;

	return file_name_is_valid(name) ? open_file(agents, name, &st) : -ENOENT;
}

static bool is_same_file(const struct known *known, const struct stat *st)
{
	return known->sha256[0] != '\0' && known->inode == st->st_ino &&
	       known->size == st->st_size && known->changed.tv_sec == st->st_ctim.tv_sec &&
	       known->changed.tv_nsec == st->st_ctim.tv_nsec;
}

static int digest(struct agents *agents, int fd, const struct stat *st,
		  char ret_sha256[DIGEST_HEX_SIZE])
{
	struct known known = {
		.changed = st->st_ctim,
		.inode = st->st_ino,
		.size = st->st_size,
	};
	int r;

	for (size_t i = 0; i < LIMIT_AGENTS; i++)
		if (is_same_file(&agents->known[i], st)) {
			memcpy(ret_sha256, agents->known[i].sha256, DIGEST_HEX_SIZE);
			return 0;
		}
	r = digest_file(fd, 0, (uint64_t)st->st_size, known.sha256);
	if (r < 0)
		return r;
	agents->known[agents->next++ % LIMIT_AGENTS] = known;
	memcpy(ret_sha256, known.sha256, DIGEST_HEX_SIZE);
	return 0;
}

/* Fills *ret, whose name is borrowed; -ENOENT for what is none of ours. */
static int describe(struct agents *agents, const char *name, struct agent *ret)
{
	struct agent agent = { .name = name };
	struct stat st = { 0 };
	_cleanup_close_ int fd = open_file(agents, name, &st);
	int r;

	if (fd < 0)
		return fd;
	agent.size = (uint64_t)st.st_size;
	r = digest(agents, fd, &st, agent.sha256);
	if (r < 0)
		return r;
	*ret = agent;
	return 0;
}

/* Puts the whole, checked copy into its place. */
static int settle(struct agents *agents, const char *name)
{
	struct agent incoming, present;
	int r = describe(agents, INCOMING, &incoming);

	if (r < 0)
		return r;
	if (incoming.size == 0)
		return -ENODATA;
	/* linkat, unlike a rename, replaces nothing. */
	if (linkat(agents->directory, INCOMING, agents->directory, name, 0) == 0)
		return fd_sync(agents->directory);
	if (errno != EEXIST)
		return -errno;
	r = describe(agents, name, &present);
	if (r < 0)
		return r == -ENOENT ? -EEXIST : r;
	return streq(present.sha256, incoming.sha256) ? 0 : -EEXIST;
}

static int count(const struct agent *agent _unused_, void *userdata)
{
	size_t *n = userdata;

	(*n)++;
	return 0;
}

int agents_add(struct agents *agents, const char *name, int fd)
{
	size_t n = 0;
	int r;

	if (!file_name_is_valid(name))
		return -EINVAL;
	r = agents_list(agents, count, &n);
	if (r >= 0 && n >= LIMIT_AGENTS)
		r = -EDQUOT;
	if (r >= 0)
		r = fd_copy_file(fd, agents->directory, INCOMING, LIMIT_AGENT_BYTES, FILE_MODE);
	if (r < 0)
		return r;
	r = settle(agents, name);
	(void)unlinkat(agents->directory, INCOMING, 0);
	return r;
}

int agents_remove(struct agents *agents, const char *name)
{
	if (!file_name_is_valid(name))
		return -ENOENT;
	if (unlinkat(agents->directory, name, 0) < 0)
		return errno == EISDIR ? -ENOENT : -errno;
	return fd_sync(agents->directory);
}

static int is_candidate(const struct dirent *entry)
{
	return file_name_is_valid(entry->d_name);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

int agents_list(struct agents *agents, int (*found)(const struct agent *agent, void *userdata),
		void *userdata)
{
	struct dirent **entries;
	int n = scandirat(agents->directory, ".", &entries, is_candidate, by_name), r = 0;
	unsigned int told = 0;

	if (n < 0)
		return -errno;
	for (int i = 0; i < n; i++) {
		struct agent agent;

		/* Somebody may have put more there by hand. */
		if (r >= 0 && told < LIMIT_AGENTS) {
			r = describe(agents, entries[i]->d_name, &agent);
			if (r >= 0) {
				r = found(&agent, userdata);
				told++;
			} else if (r == -ENOENT || r == -EACCES) {
				r = 0;
			}
		}
		free(entries[i]);
	}
	free(entries);
	return MIN_OF(r, 0);
}
