/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/integration/rig.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "protocol/base/fd.h"
#include "protocol/base/strings.h"
#include "protocol/base/time.h"
#include "protocol/control/varlink.h"

#define ARGUMENTS_MAX 40
#define OUTPUT_MAX    (4U << 20)

void sleep_ms(unsigned int ms)
{
	struct timespec ts = { ms / 1000, (long)(ms % 1000) * 1000000L };

	(void)nanosleep(&ts, NULL);
}

/* ---- processes ---- */

static char *program_path(const char *program)
{
	const char *directory = getenv("MTKRB_BIN_DIR");
	char *path;

	assert_non_null(directory);
	path = str_format("%s/%s", directory, program);
	assert_non_null(path);
	return path;
}

static pid_t start(const char *program, const char *const *arguments, int out, int err)
{
	_cleanup_free_ char *path = program_path(program);
	pid_t parent = getpid(), pid = fork();

	assert_true(pid >= 0);
	if (pid > 0)
		return pid;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent || dup2(out, STDOUT_FILENO) < 0 || dup2(err, STDERR_FILENO) < 0)
		_exit(127);
	execv(path, (char *const *)arguments);
	_exit(127);
}

static int wait_for(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		assert_int_equal(errno, EINTR);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int open_log(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	return fd;
}

static bool file_has(const char *path, const char *text)
{
	_cleanup_free_ char *data = NULL;

	return fd_read_file(AT_FDCWD, path, OUTPUT_MAX, &data, NULL) >= 0 && strstr(data, text);
}

/* ---- the daemon ---- */

void rig_set_up(struct rig *rig, const char *config_text)
{
	int fd;

	*rig = (struct rig){ .directory = "/tmp/mtkrb-test-XXXXXX" };
	assert_non_null(mkdtemp(rig->directory));
	(void)snprintf(rig->socket, sizeof(rig->socket), "%s/socket", rig->directory);
	(void)snprintf(rig->state, sizeof(rig->state), "%s/state", rig->directory);
	(void)snprintf(rig->config, sizeof(rig->config), "%s/mtkrbd.conf", rig->directory);
	(void)snprintf(rig->log, sizeof(rig->log), "%s/log", rig->directory);
	if (!config_text)
		config_text = "[automatic]\nenabled=no\n";
	fd = open_log(rig->config);
	assert_int_equal(fd_write_all(fd, config_text, strlen(config_text)), 0);
	fd_close(fd);
}

static int remove_one(const char *path, _unused_ const struct stat *st, _unused_ int type,
		      _unused_ struct FTW *ftw)
{
	return remove(path);
}

void rig_tear_down(struct rig *rig)
{
	/* One that died meanwhile, or that a sanitizer complains about, must not go unnoticed. */
	int status = rig->daemon ? rig_stop(rig, SIGTERM) : 0;

	if (status != 0)
		fail_msg("the daemon ended with %d, see %s", status, rig->log);
	(void)nftw(rig->directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static pid_t launch(const struct rig *rig, const char *const *more)
{
	const char *arguments[ARGUMENTS_MAX] = { "mtkrbd",    "--config",
						 rig->config, "--state-directory",
						 rig->state,  "--socket",
						 rig->socket, "--log-level=debug" };
	_cleanup_close_ int log = open_log(rig->log);
	size_t n = 8;

	for (; more && *more; more++)
		arguments[n++] = *more;
	return start("mtkrbd", arguments, log, log);
}

static int connect_to(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return fd_close(fd);
	return fd;
}

static void start_with(struct rig *rig, const char *const *more)
{
	rig->daemon = launch(rig, more);
	for (int i = 0; i < 1000; i++) {
		int fd = connect_to(rig->socket);
		int status;

		if (fd >= 0) {
			fd_close(fd);
			return;
		}
		if (waitpid(rig->daemon, &status, WNOHANG) == rig->daemon)
			fail_msg("the daemon ended with status %x, see %s", status, rig->log);
		sleep_ms(10);
	}
	fail_msg("the daemon does not answer");
}

void rig_start(struct rig *rig)
{
	static const char *const more[] = { "--no-udev", NULL };

	start_with(rig, more);
}

void rig_start_with_udev(struct rig *rig)
{
	start_with(rig, NULL);
}

int rig_start_refused(struct rig *rig, const char *const *more)
{
	return wait_for(launch(rig, more));
}

int rig_stop(struct rig *rig, int signal)
{
	pid_t pid = rig->daemon;

	rig->daemon = 0;
	assert_int_equal(kill(pid, signal), 0);
	return wait_for(pid);
}

bool rig_log_has(const struct rig *rig, const char *text)
{
	return file_has(rig->log, text);
}

int rig_test_set_up(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	rig_set_up(rig, NULL);
	rig_start(rig);
	*state = rig;
	return 0;
}

int rig_test_tear_down(void **state)
{
	rig_tear_down(*state);
	free(*state);
	return 0;
}

/* ---- programs ---- */

void output_clear(struct output *output)
{
	free(output->out);
	free(output->err);
}

/* Reads both pipes to their ends. */
static void gather(int out, int err, struct output *ret)
{
	struct pollfd fds[] = { { .fd = out, .events = POLLIN }, { .fd = err, .events = POLLIN } };
	char *text[2] = { calloc(1, OUTPUT_MAX), calloc(1, OUTPUT_MAX) };
	size_t size[2] = { 0 };

	while (fds[0].fd >= 0 || fds[1].fd >= 0) {
		assert_true(poll(fds, 2, -1) > 0);
		for (int i = 0; i < 2; i++) {
			ssize_t n;

			if (fds[i].fd < 0 || !fds[i].revents)
				continue;
			n = read(fds[i].fd, text[i] + size[i], OUTPUT_MAX - size[i] - 1);
			if (n <= 0)
				fds[i].fd = -1;
			else
				size[i] += (size_t)n;
		}
	}
	ret->out = text[0];
	ret->err = text[1];
}

struct output rig_run(_unused_ const struct rig *rig, const char *program, ...)
{
	const char *arguments[ARGUMENTS_MAX] = { program };
	struct output output = { 0 };
	int out[2], err[2];
	size_t n = 1;
	va_list ap;
	pid_t pid;

	va_start(ap, program);
	while ((arguments[n] = va_arg(ap, const char *)))
		assert_true(++n < ARGUMENTS_MAX);
	va_end(ap);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	assert_int_equal(pipe2(err, O_CLOEXEC), 0);
	pid = start(program, arguments, out[1], err[1]);
	fd_close(out[1]);
	fd_close(err[1]);
	gather(out[0], err[0], &output);
	fd_close(out[0]);
	fd_close(err[0]);
	output.status = wait_for(pid);
	return output;
}

/* ---- virtual watches ---- */

void watch_plug(const struct rig *rig, struct watch *watch, const char *name, ...)
{
	const char *arguments[ARGUMENTS_MAX] = { "mtkrb-watch", "--link", watch->link, "--log",
						 watch->log };
	_cleanup_close_ int err = open_log(rig->log);
	char line[256];
	int out[2];
	size_t n = 5;
	va_list ap;

	(void)snprintf(watch->link, sizeof(watch->link), "%s/%s", rig->directory, name);
	(void)snprintf(watch->log, sizeof(watch->log), "%s/%s.log", rig->directory, name);
	va_start(ap, name);
	while ((arguments[n] = va_arg(ap, const char *)))
		assert_true(++n < ARGUMENTS_MAX);
	va_end(ap);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	watch->pid = start("mtkrb-watch", arguments, out[1], err);
	fd_close(out[1]);
	/* Its first line says that it is ready. */
	assert_true(read(out[0], line, sizeof(line)) > 0);
	/* Left open: a watch that comes back prints its new path. */
	assert_true(fcntl(out[0], F_SETFD, FD_CLOEXEC) >= 0);
}

void watch_unplug(struct watch *watch)
{
	if (watch->pid <= 0)
		return;
	(void)kill(watch->pid, SIGTERM);
	(void)wait_for(watch->pid);
	watch->pid = 0;
}

bool watch_log_has(const struct watch *watch, const char *text)
{
	return file_has(watch->log, text);
}

uint64_t watch_bytes_read(const struct watch *watch)
{
	_cleanup_free_ char *data = NULL;
	uint64_t words = 0;

	assert_int_equal(fd_read_file(AT_FDCWD, watch->log, OUTPUT_MAX, &data, NULL), 0);
	for (const char *line = strstr(data, "read32 "); line; line = strstr(line + 1, "read32 ")) {
		unsigned int address, count;

		if (sscanf(line, "read32 %x %x", &address, &count) == 2 && address < 0x10000000)
			words += count;
	}
	return words * 4;
}

void rig_make_image(const struct rig *rig, const char *name, const char *size, char path[128])
{
	_cleanup_free_ char *flash = str_format("new:%s", size);
	struct output output;

	(void)snprintf(path, 128, "%s/%s", rig->directory, name);
	output = rig_run(rig, "mtkrb-watch", "--flash", flash, "--dump", path, NULL);
	assert_int_equal(output.status, 0);
	output_clear(&output);
}

/* ---- the socket ---- */

static char *converse(const struct rig *rig, const char *text, size_t *ret_size)
{
	_cleanup_close_ int fd = connect_to(rig->socket);
	char *reply = malloc(OUTPUT_MAX);
	size_t size = 0;

	assert_true(fd >= 0);
	assert_non_null(reply);
	assert_int_equal(fd_write_all(fd, text, strlen(text) + 1), 0);
	do {
		ssize_t n = read(fd, reply + size, OUTPUT_MAX - size);

		assert_true(n > 0);
		size += (size_t)n;
	} while (reply[size - 1] != '\0');
	*ret_size = size - 1;
	return reply;
}

struct json_object *rig_call(const struct rig *rig, const char *method, const char *parameters,
			     const char *error)
{
	_cleanup_free_ char *call = str_format(
		"{\"method\":\"io.mtkrbd.Control.%s\",\"parameters\":%s}", method, parameters);
	_cleanup_free_ char *text = NULL;
	struct varlink_reply reply = { 0 };
	struct json_object *result;
	size_t size;

	text = converse(rig, call, &size);
	assert_int_equal(varlink_reply_from_text(text, size, &reply), 0);
	if (!streq_ptr(reply.error, error))
		fail_msg("%s: unexpected answer %s", method, text);
	result = message_ref(reply.parameters);
	varlink_reply_clear(&reply);
	return result;
}

int64_t rig_submit(const struct rig *rig, const char *request)
{
	_cleanup_free_ char *parameters = str_format("{\"request\":%s}", request);
	_cleanup_message_ struct json_object *reply = rig_call(rig, "Submit", parameters, NULL);
	int64_t id;

	assert_int_equal(message_int(message_at(message_member(reply, "jobs"), 0), &id), 0);
	return id;
}

void rig_attach(const struct rig *rig, const char *device, const char *slot)
{
	_cleanup_free_ char *parameters =
		str_format("{\"device\":\"%s\",\"slot\":\"%s\"}", device, slot);

	message_unref(rig_call(rig, "Attach", parameters, NULL));
}

struct job rig_job(const struct rig *rig, int64_t id)
{
	_cleanup_free_ char *parameters = str_format("{\"id\":%" PRId64 "}", id);
	_cleanup_message_ struct json_object *reply = rig_call(rig, "GetJob", parameters, NULL);
	struct problem problem;
	struct job job = { 0 };

	if (job_from_json(message_member(reply, "job"), &job, &problem) < 0)
		fail_msg("job %" PRId64 ": %s: %s", id, problem.field, problem.reason);
	return job;
}

struct job rig_wait(const struct rig *rig, int64_t id, enum job_state state, double seconds)
{
	uint64_t end = time_now() + (uint64_t)(seconds * 1e6);
	struct job job;

	for (;;) {
		job = rig_job(rig, id);
		if (job.state == state)
			return job;
		if (job_state_is_final(job.state) || time_now() > end)
			fail_msg("job %" PRId64 " is %s instead of %s: %s (log: %s)", id,
				 job_state_to_string(job.state), job_state_to_string(state),
				 job.failure.message ?: "no failure", rig->log);
		job_clear(&job);
		sleep_ms(10);
	}
}

int64_t rig_newest_job(const struct rig *rig)
{
	_cleanup_message_ struct json_object *reply =
		rig_call(rig, "ListJobs", "{\"limit\":1}", NULL);
	struct json_object *jobs = message_member(reply, "jobs");
	int64_t id = 0;

	if (message_length(jobs) > 0)
		assert_int_equal(message_int(message_member(message_at(jobs, 0), "id"), &id), 0);
	return id;
}

/* ---- files ---- */

uint64_t rig_saved(const struct rig *rig, int64_t job)
{
	_cleanup_free_ char *path = str_format("%s/staging/%" PRId64 "/ROM_0.map", rig->state, job);
	_cleanup_free_ char *map = NULL;
	const char *piece;
	unsigned int length;
	char status;

	if (fd_read_file(AT_FDCWD, path, OUTPUT_MAX, &map, NULL) < 0)
		return 0;
	piece = strstr(map, "\n0x00000000  0x");
	if (!piece || sscanf(piece, "%*x %x %c", &length, &status) != 2 || status != '+')
		return 0;
	return length;
}

void rig_backup_path(const struct rig *rig, int64_t id, char path[512])
{
	struct job job = rig_job(rig, id);

	assert_non_null(job.backup);
	(void)snprintf(path, 512, "%s/backups/%.4s/%.2s/%s", rig->state, job.backup, job.backup + 4,
		       job.backup);
	job_clear(&job);
}

bool same_content(const char *a, const char *b)
{
	static char left[65536], right[65536];
	_cleanup_close_ int x = open(a, O_RDONLY | O_CLOEXEC), y = open(b, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	assert_true(x >= 0 && y >= 0);
	do {
		n = read(x, left, sizeof(left));
		if (read(y, right, sizeof(right)) != n)
			return false;
		if (n > 0 && memcmp(left, right, (size_t)n) != 0)
			return false;
	} while (n > 0);
	return n == 0;
}

bool file_exists(const char *path)
{
	return access(path, F_OK) >= 0;
}

uint64_t file_size(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return (uint64_t)st.st_size;
}
