/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/integration/worker-rig.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "protocol/base/fd.h"
#include "protocol/base/strings.h"
#include "protocol/base/time.h"
#include "protocol/control/limits.h"
#include "protocol/control/manifest.h"
#include "protocol/control/message.h"
#include "protocol/control/worker-message.h"

#define WAIT_SECONDS 60

static const char *program(const char *name)
{
	static char path[512];
	const char *folder = getenv("MTKRB_BIN_DIR");

	snprintf(path, sizeof(path), "%s/%s", folder ? folder : "build/release/bin", name);
	return path;
}

/* Makes the flash that all watches of a test have. */
static void make_image(const struct worker_rig *rig)
{
	_cleanup_free_ char *command = NULL;

	command = str_format("%s --flash=new:%u --dump=%s", program("mtkrb-watch"), FLASH_BYTES,
			     rig->image);
	assert_non_null(command);
	assert_int_equal(system(command), 0);
}

int worker_rig_set_up(void **state)
{
	struct worker_rig *rig = calloc(1, sizeof(*rig));

	assert_non_null(rig);
	snprintf(rig->folder, sizeof(rig->folder), "/tmp/test-worker.XXXXXX");
	assert_non_null(mkdtemp(rig->folder));
	snprintf(rig->link, sizeof(rig->link), "%s/watch", rig->folder);
	snprintf(rig->image, sizeof(rig->image), "%s/image", rig->folder);
	snprintf(rig->staging, sizeof(rig->staging), "%s/staging", rig->folder);
	assert_int_equal(mkdir(rig->staging, 0750), 0);
	make_image(rig);
	rig->socket = -1;
	*state = rig;
	return 0;
}

void worker_rig_stop_process(pid_t *pid)
{
	if (*pid > 0) {
		kill(*pid, SIGKILL);
		waitpid(*pid, NULL, 0);
	}
	*pid = 0;
}

void worker_rig_stop_watch(struct worker_rig *rig)
{
	worker_rig_stop_process(&rig->watch);
	unlink(rig->link);
}

void worker_rig_empty(const char *path)
{
	DIR *stream = opendir(path);
	struct dirent *entry;

	while (stream && (entry = readdir(stream))) {
		_cleanup_free_ char *below = str_format("%s/%s", path, entry->d_name);

		if (entry->d_name[0] == '.' || unlinkat(dirfd(stream), entry->d_name, 0) >= 0 ||
		    errno != EISDIR)
			continue;
		worker_rig_empty(below);
		rmdir(below);
	}
	if (stream)
		closedir(stream);
}

int worker_rig_tear_down(void **state)
{
	struct worker_rig *rig = *state;

	worker_rig_stop_watch(rig);
	worker_rig_stop_process(&rig->worker);
	fd_close(rig->socket);
	worker_rig_empty(rig->staging);
	rmdir(rig->staging);
	worker_rig_empty(rig->folder);
	rmdir(rig->folder);
	free(rig);
	return 0;
}

/* Starts a watch and waits until its device is there; NULL ends the options. */
void worker_rig_start_watch(struct worker_rig *rig, ...)
{
	char *argv[24] = { NULL };
	_cleanup_free_ char *flash = str_format("--flash=%s", rig->image);
	_cleanup_free_ char *link = str_format("--link=%s", rig->link);
	va_list options;
	int n = 0, pipes[2];
	char line[256];
	FILE *out;

	argv[n++] = (char *)"mtkrb-watch";
	argv[n++] = flash;
	argv[n++] = link;
	va_start(options, rig);
	while (n < 23 && (argv[n] = va_arg(options, char *)))
		n++;
	va_end(options);
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	rig->watch = fork();
	if (rig->watch == 0) {
		dup2(pipes[1], STDOUT_FILENO);
		execv(program("mtkrb-watch"), argv);
		_exit(127);
	}
	close(pipes[1]);
	out = fdopen(pipes[0], "r");
	assert_non_null(fgets(line, sizeof(line), out));
	fclose(out);
}

void worker_rig_start_worker(struct worker_rig *rig)
{
	int sockets[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets), 0);
	rig->worker = fork();
	if (rig->worker == 0) {
		if (sockets[1] == WORKER_FD)
			fcntl(WORKER_FD, F_SETFD, 0);
		else
			dup2(sockets[1], WORKER_FD);
		execl(program("mtkrbd-worker"), "mtkrbd-worker", (char *)NULL);
		_exit(127);
	}
	close(sockets[1]);
	rig->socket = sockets[0];
}

void worker_rig_receive(struct worker_rig *rig, struct worker_message *ret)
{
	struct pollfd pfd = { .fd = rig->socket, .events = POLLIN };
	int passed;

	assert_int_equal(poll(&pfd, 1, WAIT_SECONDS * 1000), 1);
	assert_int_equal(worker_message_receive(rig->socket, ret, &passed), 1);
	assert_int_equal(passed, -1);
}

static int open_directory(const char *path)
{
	int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(dir >= 0);
	return dir;
}

static void send_open(struct worker_rig *rig)
{
	struct worker_message open = {
		.type = WORKER_OPEN,
		.open = { .device = rig->link,
			  .mode = (char *)"auto",
			  .handshake_timeout_usb = 3,
			  .handshake_timeout_uart = 3 },
	};
	struct worker_files files = WORKER_FILES_NONE;

	/* A test keeps its agents beside the staging. */
	files.fds[WORKER_FILE_DIRECTORY] = open_directory(rig->staging);
	files.fds[WORKER_FILE_AGENTS] = open_directory(rig->folder);
	assert_int_equal(worker_message_send_files(rig->socket, &open, &files), 0);
	worker_files_close(&files);
}

struct worker_read worker_rig_new_read(void)
{
	struct worker_read read = { .job = 7, .created = 1795444270ULL * USEC_PER_SEC };

	assert_int_equal(job_request_init(&read.request), 0);
	read.request.after = AFTER_STAY;
	read.slot = strdup("bench 1/left");
	return read;
}

void worker_rig_send_read(struct worker_rig *rig, const struct worker_read *read)
{
	struct worker_message message = { .type = WORKER_READ, .read = *read };
	int dir = open_directory(rig->staging);

	assert_int_equal(worker_message_send(rig->socket, &message, dir), 0);
	close(dir);
}

static void load_manifest(struct worker_rig *rig, struct outcome *outcome)
{
	_cleanup_free_ char *path = str_format("%s/%s", rig->staging, MANIFEST_FILE);
	_cleanup_free_ char *text = NULL;
	struct problem problem = { 0 };

	assert_int_equal(fd_read_file(AT_FDCWD, path, LIMIT_MANIFEST_BYTES, &text, NULL), 0);
	if (manifest_from_text(text, &outcome->manifest, &problem) < 0)
		fail_msg("manifest.json: %s: %s", problem.field, problem.reason);
}

static void note_progress(struct outcome *outcome, const struct progress *progress)
{
	outcome->n_progress++;
	outcome->last_done = progress->done;
	outcome->last_total = progress->total;
	if (progress->total > 0)
		assert_true(progress->done <= progress->total);
}

/* Listens to the worker until it ends. */
struct outcome worker_rig_finish(struct worker_rig *rig)
{
	struct outcome outcome = { 0 };
	struct worker_message message;
	int status;

	for (;;) {
		worker_rig_receive(rig, &message);
		if (message.type == WORKER_PROGRESS)
			note_progress(&outcome, &message.progress);
		if (message.type == WORKER_DONE || message.type == WORKER_FAILED)
			break;
		worker_message_clear(&message);
	}
	outcome.type = message.type;
	if (message.type == WORKER_FAILED)
		assert_int_equal(failure_copy(&message.failure, &outcome.failure), 0);
	worker_message_clear(&message);
	assert_int_equal(waitpid(rig->worker, &status, 0), rig->worker);
	rig->worker = 0;
	assert_true(WIFEXITED(status));
	outcome.status = WEXITSTATUS(status);
	assert_int_equal(outcome.status, outcome.type == WORKER_DONE ? 0 : 1);
	rig->socket = fd_close(rig->socket);
	return outcome;
}

void worker_rig_clear(struct outcome *outcome)
{
	failure_clear(&outcome->failure);
	manifest_clear(&outcome->manifest);
}

/* Up to the identity; false when it failed before, with *ret set. */
bool worker_rig_identify(struct worker_rig *rig, char chip[32], struct outcome *ret)
{
	struct worker_message message;

	worker_rig_start_worker(rig);
	send_open(rig);
	for (;;) {
		worker_rig_receive(rig, &message);
		if (message.type != WORKER_PROGRESS)
			break;
		worker_message_clear(&message);
	}
	if (message.type == WORKER_FAILED) {
		*ret = (struct outcome){ .type = WORKER_FAILED };
		assert_int_equal(failure_copy(&message.failure, &ret->failure), 0);
		worker_message_clear(&message);
		waitpid(rig->worker, &ret->status, 0);
		rig->worker = 0;
		rig->socket = fd_close(rig->socket);
		return false;
	}
	assert_int_equal(message.type, WORKER_IDENTITY);
	snprintf(chip, 32, "%s", message.identity.chip);
	worker_message_clear(&message);
	return true;
}

static struct outcome run_worker(struct worker_rig *rig, const struct worker_read *read)
{
	struct outcome outcome;
	char chip[32];

	if (!worker_rig_identify(rig, chip, &outcome))
		return outcome;
	worker_rig_send_read(rig, read);
	outcome = worker_rig_finish(rig);
	snprintf(outcome.chip, sizeof(outcome.chip), "%s", chip);
	if (outcome.type == WORKER_DONE)
		load_manifest(rig, &outcome);
	return outcome;
}

/* Takes read. */
struct outcome worker_rig_run(struct worker_rig *rig, struct worker_read read)
{
	struct worker_message message = { .type = WORKER_READ, .read = read };
	struct outcome outcome = run_worker(rig, &read);

	worker_message_clear(&message);
	return outcome;
}

struct worker_read worker_rig_new_explicit(uint64_t start, uint64_t length)
{
	struct worker_read read = worker_rig_new_read();

	read.request.ranges[0].start = start;
	read.request.ranges[0].length = length;
	return read;
}

/* The file in the staging is what the flash has from start on. */
void worker_rig_assert_image(struct worker_rig *rig, const char *name, uint64_t start,
			     uint64_t length)
{
	_cleanup_free_ char *path = str_format("%s/%s", rig->staging, name);
	_cleanup_free_ char *flash = NULL, *image = NULL;
	size_t flash_size, size;

	assert_int_equal(fd_read_file(AT_FDCWD, rig->image, 1U << 26, &flash, &flash_size), 0);
	assert_int_equal(fd_read_file(AT_FDCWD, path, 1U << 26, &image, &size), 0);
	assert_int_equal(size, length);
	for (size_t at = 0; at < size; at++)
		if (image[at] != flash[(start + at) % flash_size])
			fail_msg("%s: differs at 0x%zx", name, at);
}

void worker_rig_assert_done(const struct outcome *outcome)
{
	if (outcome->type != WORKER_DONE)
		fail_msg("%s: %s", failure_code_to_string(outcome->failure.code),
			 outcome->failure.message);
}

void worker_rig_assert_failed(const struct outcome *outcome, enum failure_code code)
{
	if (outcome->type != WORKER_FAILED)
		fail_msg("it was done instead of failed");
	if (outcome->failure.code != code)
		fail_msg("%s: %s", failure_code_to_string(outcome->failure.code),
			 outcome->failure.message);
}

unsigned int worker_rig_count_files(const char *path)
{
	DIR *stream = opendir(path);
	struct dirent *entry;
	unsigned int n = 0;

	assert_non_null(stream);
	while ((entry = readdir(stream)))
		n += entry->d_name[0] != '.';
	closedir(stream);
	return n;
}

bool worker_rig_sums_agree(struct worker_rig *rig)
{
	_cleanup_free_ char *command = NULL;

	command = str_format("cd %s && sha256sum --strict --status -c SHA256SUMS", rig->staging);
	return system(command) == 0;
}
