/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/integration/faults/faults.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "protocol/base/fd.h"
#include "protocol/base/strings.h"
#include "protocol/base/time.h"
#include "tests/da-image.h"

#define CAPTURE    MTKRB_TEST_DATA "/captures/mt6261-flashtool.txt"
#define ANSWER_MAX (2U << 20)

uint64_t faults_random(struct faults *faults, uint64_t limit)
{
	uint64_t high = (uint64_t)rand_r(&faults->seed), low = (uint64_t)rand_r(&faults->seed);

	return (high << 24 ^ low) % limit;
}

void faults_open(struct faults *faults, const char *config)
{
	rig_set_up(&faults->rig, config);
	faults->number = 0;
}

void faults_close(struct faults *faults)
{
	rig_tear_down(&faults->rig);
}

void faults_add_agent(const struct faults *faults)
{
	struct da_image image = { .hw_code = 0x6261, .first_size = 1076, .second_size = 111784 };
	_cleanup_free_ char *path = str_format("%s/da/agent.bin", faults->rig.state);
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);

	assert_true(fd >= 0);
	assert_int_equal(da_image_add_rows(&image, CAPTURE), 18);
	assert_int_equal(da_image_write(&image, fd), 0);
}

void faults_plug(struct faults *faults, struct watch *watch, const char *image, const char *fault,
		 const char *meid)
{
	_cleanup_free_ char *name = str_format("watch%u", faults->number++);

	/* A NULL ends the arguments: what comes first is there in every case. */
	if (fault && meid)
		watch_plug(&faults->rig, watch, name, "--flash", image, "--fault", fault, "--meid",
			   meid, NULL);
	else if (fault)
		watch_plug(&faults->rig, watch, name, "--flash", image, "--fault", fault, NULL);
	else if (meid)
		watch_plug(&faults->rig, watch, name, "--flash", image, "--meid", meid, NULL);
	else
		watch_plug(&faults->rig, watch, name, "--flash", image, NULL);
}

void faults_unplug(struct faults *faults, struct watch *watch, bool agent)
{
	watch_unplug(watch);
	writes_count(&faults->writes, watch->log, agent);
	assert_int_equal(unlink(watch->log), 0);
}

static int open_socket(const char *path)
{
	const struct timeval limit = { .tv_sec = 20 };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), 0);
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return fd_close(fd);
	return fd;
}

/* -1 when the daemon went before its answer was whole. */
static ssize_t read_answer(int fd, char *answer)
{
	size_t size = 0;

	do {
		ssize_t n = read(fd, answer + size, ANSWER_MAX - size);

		if (n < 0 && errno == EAGAIN)
			fail_msg("the daemon does not answer within 20 s");
		if (n <= 0)
			return -1;
		size += (size_t)n;
	} while (answer[size - 1] != '\0');
	return (ssize_t)size - 1;
}

struct json_object *faults_call(const struct rig *rig, const char *method, const char *parameters)
{
	_cleanup_free_ char *call = str_format(
		"{\"method\":\"io.mtkrbd.Control.%s\",\"parameters\":%s}", method, parameters);
	_cleanup_close_ int fd = open_socket(rig->socket);
	_cleanup_free_ char *answer = malloc(ANSWER_MAX);
	struct json_object *object = NULL;
	ssize_t size;

	assert_non_null(call);
	assert_non_null(answer);
	if (fd < 0 || send(fd, call, strlen(call) + 1, MSG_NOSIGNAL) < 0)
		return NULL;
	size = read_answer(fd, answer);
	if (size < 0)
		return NULL;
	assert_int_equal(message_parse(answer, (size_t)size, &object), 0);
	return object;
}

bool faults_ok(struct json_object *answer)
{
	return answer && !message_member(answer, "error");
}

struct job faults_settle(const struct rig *rig, int64_t id, double seconds)
{
	uint64_t end = time_now() + (uint64_t)(seconds * 1e6);

	for (;;) {
		struct job job = rig_job(rig, id);

		if (job.state != JOB_RUNNING && job.state != JOB_QUEUED)
			return job;
		if (time_now() > end)
			fail_msg("job %" PRId64 " is %s for more than %g s (log: %s)", id,
				 job_state_to_string(job.state), seconds, rig->log);
		job_clear(&job);
		sleep_ms(5);
	}
}

uint64_t faults_lost(const struct rig *rig, int64_t id, const char *image)
{
	_cleanup_free_ char *read = NULL, *made = NULL, *path = NULL;
	size_t read_size, made_size;
	char directory[512];
	uint64_t lost;

	rig_backup_path(rig, id, directory);
	path = str_format("%s/ROM_0", directory);
	assert_int_equal(fd_read_file(AT_FDCWD, path, 64U << 20, &read, &read_size), 0);
	assert_int_equal(fd_read_file(AT_FDCWD, image, 64U << 20, &made, &made_size), 0);
	lost = MAX_OF(read_size, made_size) - MIN_OF(read_size, made_size);
	for (size_t i = 0; i < MIN_OF(read_size, made_size); i++)
		lost += read[i] != made[i];
	return lost;
}
