/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/control/worker-files.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "protocol/base/fd.h"
#include "protocol/control/message.h"

static const char *const file_words[_WORKER_FILE_MAX] = {
	[WORKER_FILE_DIRECTORY] = "directory", [WORKER_FILE_DA] = "da",
	[WORKER_FILE_SCATTER] = "scatter",     [WORKER_FILE_AGENTS] = "agents",
	[WORKER_FILE_TWIN] = "twin",
};

void worker_files_close(struct worker_files *files)
{
	for (size_t i = 0; i < _WORKER_FILE_MAX; i++)
		fd_close(files->fds[i]);
	*files = WORKER_FILES_NONE;
}

int worker_files_to_json(const struct worker_files *files, struct json_object **ret)
{
	_cleanup_message_ struct json_object *array = NULL;
	int r = 0;

	for (size_t i = 0; r >= 0 && i < _WORKER_FILE_MAX; i++) {
		if (files->fds[i] < 0)
			continue;
		r = array ? 0 : message_new_array(&array);
		if (r >= 0)
			r = message_append_string(array, file_words[i]);
	}
	if (r < 0)
		return r;
	*ret = TAKE_PTR(array);
	return 0;
}

int worker_file_names_read(struct json_object *value, void *target, struct problem *problem)
{
	struct worker_file_names *names = target;
	int last = -1;

	if (!message_is_array(value) || message_length(value) == 0)
		return problem_set(problem, "", "must be an array with an element at least");
	for (size_t i = 0; i < message_length(value); i++) {
		const char *word = message_string(message_at(value, i));
		int file = word ? word_find(file_words, ARRAY_SIZE(file_words), word) : -EINVAL;

		if (file <= last)
			return problem_set(problem, "", "must name files in their order");
		names->given[file] = true;
		last = file;
	}
	names->n = message_length(value);
	return 0;
}

void worker_files_attach(const struct worker_files *files, struct msghdr *header, char *control)
{
	struct cmsghdr *c = (struct cmsghdr *)control;
	size_t n = 0;

	for (size_t i = 0; i < _WORKER_FILE_MAX; i++) {
		if (files->fds[i] < 0)
			continue;
		memcpy(CMSG_DATA(c) + n * sizeof(int), &files->fds[i], sizeof(int));
		n++;
	}
	if (n == 0)
		return;
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(n * sizeof(int));
	header->msg_control = control;
	header->msg_controllen = CMSG_SPACE(n * sizeof(int));
}

size_t worker_files_detach(struct msghdr *header, struct worker_files *ret)
{
	size_t n = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = MIN_OF((c->cmsg_len - CMSG_LEN(0)) / sizeof(int), (size_t)_WORKER_FILE_MAX);
		memcpy(ret->fds, CMSG_DATA(c), n * sizeof(int));
	}
	return n;
}

int worker_files_sort(const struct worker_file_names *names, struct worker_files *passed, size_t n,
		      struct worker_files *ret)
{
	size_t next = 0;

	if (names->n != n)
		return -EBADMSG;
	for (size_t i = 0; i < _WORKER_FILE_MAX; i++) {
		ret->fds[i] = -1;
		if (names->given[i]) {
			ret->fds[i] = TAKE_FD(passed->fds[next]);
			next++;
		}
	}
	return 0;
}
