/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/methods/submission.h"

#include <errno.h>

#include "daemon/archive/agents.h"
#include "daemon/archive/job-files.h"
#include "protocol/base/bytes.h"
#include "protocol/base/fd.h"
#include "protocol/base/strings.h"
#include "protocol/control/file-ref.h"
#include "protocol/control/limits.h"
#include "protocol/control/message.h"
#include "protocol/device/chips.h"

#define NAMELESS "unnamed" /* what a job calls a file that came without a name */

int submission_explain(int error, const char *field, uint64_t limit, struct problem *problem)
{
	char size[16];

	switch (error) {
	case -EINVAL:
	case -EISDIR:
		return problem_set(problem, field, "must be a regular file");
	case -EBADF:
		return problem_set(problem, field, "must be open for reading");
	case -ENODATA:
		return problem_set(problem, field, "is an empty file");
	case -EFBIG:
		return problem_set(problem, field, "is larger than %s", format_bytes(limit, size));
	default:
		return error;
	}
}

/* The named file, which is ours or came with the call; the caller closes it. */
static int open_named(struct call *call, const struct manager *manager, const char *field,
		      const char *reference, const char **ret_name, struct problem *problem)
{
	size_t index = 0;
	const char *name = NULL;
	int fd, r = file_ref_parse(reference, &index, &name);

	if (r < 0)
		return problem_set(problem, field,
				   "must be a file's name, or fd:N with N from 0 to 3");
	if (r > 0) {
		fd = call_take_fd(call, index);
		if (fd < 0)
			return problem_set(problem, field,
					   "names a descriptor that did not come with the call");
	} else {
		fd = streq(field, "da") ? agents_open_file(manager_agents(manager), name) : -ENOENT;
		if (fd == -ENOENT)
			return problem_set(problem, field, "the daemon keeps no file %s", name);
		if (fd < 0)
			return fd;
	}
	*ret_name = name ?: NAMELESS;
	return fd;
}

static int take_file(struct call *call, struct manager *manager, enum job_file kind,
		     const char *field, uint64_t limit, char **reference, struct problem *problem)
{
	_cleanup_free_ char *copy = NULL;
	_cleanup_close_ int fd = -1;
	const char *name = NAMELESS;
	int r;

	if (!*reference)
		return 0;
	fd = open_named(call, manager, field, *reference, &name, problem);
	if (fd < 0)
		return fd;
	copy = strdup(name);
	if (!copy)
		return -ENOMEM;
	r = job_files_stage(manager_job_files(manager), kind, fd);
	if (r < 0)
		return submission_explain(r, field, limit, problem);
	free(*reference);
	*reference = TAKE_PTR(copy);
	return 0;
}

/* A job whose slot is excluded later waits; one that could only wait from the start is refused. */
static int check_slot(const struct manager *manager, const char *name, struct problem *problem)
{
	return name && manager_slot_is_excluded(manager, name)
		       ? problem_set(
				 problem, "slot",
				 "slot %s is excluded; to use it again: mtkrbctl slot include %s",
				 name, name)
		       : 0;
}

/* As a watch's chip is called; a job for any other name would wait for ever. */
static int check_chip(const char *name, struct problem *problem)
{
	const struct chip *known;
	uint8_t hw_code[2];

	if (!name || chip_by_name(name))
		return 0;
	if (strncasecmp(name, "0x", 2) != 0 || hex_decode(name + 2, hw_code, sizeof(hw_code)) < 0)
		return problem_set(problem, "chip",
				   "must be a chip known here, as MT6261, or the hw_code of one "
				   "that is not, as 0x6299");
	known = chip_find(get_be16(hw_code), 0);
	return known ? problem_set(problem, "chip", "must be the name of chip %s: %s", name,
				   known->name)
		     : 0;
}

static int check_sense(const struct job_request *request, struct problem *problem)
{
	if (request->da_layout && !request->da)
		return problem_set(problem, "da_layout", "is of no use without da");
	if (request->da && request->method == METHOD_BROM)
		return problem_set(problem, "da", "is of no use with the method brom");
	return check_chip(request->chip, problem);
}

int submission_take_files(struct call *call, struct manager *manager, struct job_request *request,
			  struct problem *problem)
{
	int r = check_sense(request, problem);

	if (r >= 0)
		r = check_slot(manager, request->slot, problem);
	if (r >= 0)
		r = take_file(call, manager, JOB_FILE_DA, "da", LIMIT_AGENT_BYTES, &request->da,
			      problem);
	if (r >= 0)
		r = take_file(call, manager, JOB_FILE_SCATTER, "scatter", LIMIT_SCATTER_BYTES,
			      &request->scatter, problem);
	if (r < 0)
		job_files_discard(manager_job_files(manager));
	return r;
}
