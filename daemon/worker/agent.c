/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/worker/agent.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "protocol/base/fd.h"
#include "protocol/device/da-select.h"

#define HINT_GIVE                                                                              \
	"give one with --da=FILE (often MTK_AllInOne_DA.bin of a flash tool), or keep one in " \
	"the daemon with mtkrbctl da add FILE"

bool agent_is_offered(const struct worker_files *files)
{
	return files->fds[WORKER_FILE_DA] >= 0 || files->fds[WORKER_FILE_AGENTS] >= 0;
}

void agent_close(struct agent *agent)
{
	da_file_free(agent->file);
	fd_close(agent->fd);
	*agent = (struct agent){ .fd = -1 };
}

static int open_file(int fd, const char *layout, const struct brom_identity *identity,
		     struct agent *agent, char why[DA_WHY_SIZE])
{
	const struct da_target target = {
		.hw_code = identity->hw_code,
		.hw_version = identity->hw_version,
		.sw_version = identity->sw_version,
	};
	int r = da_file_open(fd, layout, &agent->file, why);

	return r < 0 ? r : da_select(agent->file, &target, &agent->entry, why);
}

/* Takes the named file; the descriptor is a copy, so that either may be closed first. */
static int open_named(int fd, const struct job_request *request,
		      const struct brom_identity *identity, struct agent *ret,
		      struct failure *failure)
{
	struct agent agent = { .fd = fcntl(fd, F_DUPFD_CLOEXEC, 0) };
	char why[DA_WHY_SIZE] = "";
	int r = agent.fd < 0 ? -errno
			     : open_file(agent.fd, request->da_layout, identity, &agent, why);

	if (r >= 0) {
		*ret = agent;
		return 0;
	}
	agent_close(&agent);
	failure_set(failure, FAILURE_DA_MISSING, HINT_GIVE,
		    "%s has no download agent for this %s: %s",
		    request->da ? request->da : "the file", identity->chip->name,
		    why[0] ? why : strerror(-r));
	return -ENOENT;
}

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* A file that is broken or for other chips is passed over. */
static int try_file(int dir, const char *name, const struct brom_identity *identity,
		    struct agent *ret)
{
	struct agent agent = {
		.fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK),
	};
	char why[DA_WHY_SIZE];
	int r = agent.fd < 0 ? -errno : open_file(agent.fd, NULL, identity, &agent, why);

	if (r < 0)
		agent_close(&agent);
	else
		*ret = agent;
	return r;
}

static int look_through(int dir, const struct brom_identity *identity, struct agent *ret)
{
	struct dirent **names = NULL;
	int n = scandirat(dir, ".", &names, is_visible, alphasort), r = -ENOENT;

	for (int i = 0; i < n; i++) {
		if (r < 0)
			r = try_file(dir, names[i]->d_name, identity, ret);
		free(names[i]);
	}
	free(names);
	return r;
}

int agent_find(const struct worker_files *files, const struct job_request *request,
	       const struct brom_identity *identity, struct agent *ret, struct failure *failure)
{
	int r = -ENOENT;

	if (files->fds[WORKER_FILE_DA] >= 0)
		return open_named(files->fds[WORKER_FILE_DA], request, identity, ret, failure);
	if (files->fds[WORKER_FILE_AGENTS] >= 0)
		r = look_through(files->fds[WORKER_FILE_AGENTS], identity, ret);
	if (r >= 0)
		return 0;
	failure_set(failure, FAILURE_DA_MISSING, HINT_GIVE, "there is no download agent for an %s",
		    identity->chip->name);
	return -ENOENT;
}
