/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A worker that a watch has taken over gets nowhere, and takes nobody with it. This program is such
 * a worker too: the real daemon starts it in the worker's place, it enters the worker's cage as the
 * worker does and then does the deed that its job names.
 */

#include "tests/integration/rig.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/landlock.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#include "daemon/worker/link.h"
#include "daemon/worker/sandbox.h"
#include "protocol/base/fd.h"
#include "protocol/base/strings.h"
#include "protocol/base/time.h"

#define MEID "00112233445566778899aabbccddeeff"

/* ---- The worker ---- */

static int errno_of(long r)
{
	return r < 0 ? -errno : 0;
}

static int close_result(int fd)
{
	int r = errno_of(fd);

	fd_close(fd);
	return r;
}

/* What every job does: that this works shows that a refusal below is one of the cage. */
static int work(int staging)
{
	struct stat status;
	int fd = openat(staging, "new", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	int r = errno_of(fd);

	if (r >= 0)
		r = fd_pwrite_all(fd, "data", 4, 0);
	if (r >= 0)
		r = fd_sync(fd);
	if (r >= 0)
		r = errno_of(ftruncate(fd, 2));
	fd_close(fd);
	if (r >= 0)
		r = errno_of(mkdirat(staging, "folder", 0750));
	if (r >= 0)
		r = errno_of(renameat(staging, "folder", staging, "other"));
	if (r >= 0)
		r = errno_of(unlinkat(staging, "other", AT_REMOVEDIR));
	if (r >= 0)
		r = fd_replace_file(staging, "new", "text", 4, 0640);
	if (r >= 0)
		r = errno_of(fstatat(staging, "new", &status, 0));
	if (r >= 0)
		r = errno_of(setpriority(PRIO_PROCESS, 0, SANDBOX_NICE));
	return r < 0 ? r : errno_of(unlinkat(staging, "new", 0));
}

static int read_a_file(_unused_ int staging)
{
	return close_result(openat(AT_FDCWD, "/etc/passwd", O_RDONLY | O_CLOEXEC));
}

static int list_a_directory(_unused_ int staging)
{
	return close_result(openat(AT_FDCWD, "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

/* Every job of this test but the first comes after another. */
static int another_job(int staging)
{
	return close_result(openat(staging, "../1", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

/* What came of another-job before the job was here: then the watch may have taken over already. */
static int reached_at_once;

static int another_job_at_once(_unused_ int staging)
{
	return reached_at_once;
}

static int the_database(int staging)
{
	return close_result(openat(staging, "../../mtkrbd.sqlite", O_RDWR | O_CLOEXEC));
}

static int leave_something(int staging)
{
	return close_result(openat(staging, "../left", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
}

static int move_out(int staging)
{
	close_result(openat(staging, "new", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	return errno_of(renameat(staging, "new", staging, "../new"));
}

static int a_link(int staging)
{
	return errno_of(syscall(SYS_symlinkat, "/etc/passwd", staging, "link"));
}

static int a_socket(_unused_ int staging)
{
	return close_result(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

/* The control socket, with a descriptor that it would have if it could. */
static int a_connection(_unused_ int staging)
{
	return errno_of(syscall(SYS_connect, WORKER_FD, NULL, 0));
}

static int a_program(_unused_ int staging)
{
	return errno_of(execl("/bin/true", "true", (char *)NULL));
}

static int a_process(_unused_ int staging)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return errno_of(pid);
}

static int a_signal(_unused_ int staging)
{
	return errno_of(kill(getppid(), SIGSTOP));
}

static int a_thread_signal(_unused_ int staging)
{
	return errno_of(syscall(SYS_tgkill, 1, 1, SIGTERM));
}

static int owner_of_a_signal(_unused_ int staging)
{
	return errno_of(fcntl(WORKER_FD, F_SETOWN, 1));
}

static int another_ones_priority(_unused_ int staging)
{
	return errno_of(setpriority(PRIO_PROCESS, (id_t)getppid(), SANDBOX_NICE));
}

static int ahead_of_others(_unused_ int staging)
{
	return errno_of(setpriority(PRIO_PROCESS, 0, -SANDBOX_NICE));
}

static int tracing(_unused_ int staging)
{
	return errno_of(ptrace(PTRACE_ATTACH, 1, NULL, NULL));
}

static int code_of_its_own(_unused_ int staging)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return page == MAP_FAILED ? -errno : errno_of(mprotect(page, 4096, PROT_READ | PROT_EXEC));
}

static int typing(_unused_ int staging)
{
	return errno_of(ioctl(WORKER_FD, TIOCSTI, "x"));
}

static int a_large_file(int staging)
{
	_cleanup_close_ int fd = openat(staging, "new", O_RDWR | O_CREAT | O_CLOEXEC, 0640);

	return fd < 0 ? -errno : errno_of(ftruncate(fd, (off_t)1 << 40));
}

/* What the C library does for them is not a crime. */
static int all_memory(_unused_ int staging)
{
	void *volatile memory = malloc((size_t)1 << 40);

	return memory ? 0 : -ENOMEM;
}

static int giving_up(_unused_ int staging)
{
	abort();
}

/* Hears nothing, not even stop. */
static int hanging(_unused_ int staging)
{
	const struct progress begun = { .phase = PHASE_READ, .done = 1, .total = 2, .eta = -1 };

	link_send_progress(WORKER_FD, &begun);
	while (true)
		sleep_ms(1000);
	return 0;
}

/* What the caged worker comes to: a refusal, or its death. */
static const struct deed {
	const char *name;
	int (*do_it)(int staging);
	int answer;
	int signal; /* that ends it; 0: none */
	bool by_landlock;
} deeds[] = {
	{ "work", work, 0, 0, false },
	{ "read-a-file", read_a_file, -EACCES, 0, true },
	{ "list-a-directory", list_a_directory, -EACCES, 0, true },
	{ "another-job", another_job, -EACCES, 0, true },
	{ "another-job-at-once", another_job_at_once, -EACCES, 0, true },
	{ "the-database", the_database, -EACCES, 0, true },
	{ "leave-something", leave_something, -EACCES, 0, true },
	{ "move-out", move_out, -EACCES, 0, true },
	{ "a-large-file", a_large_file, -EFBIG, 0, false },
	{ "all-memory", all_memory, -ENOMEM, 0, false },
	{ "giving-up", giving_up, 0, SIGABRT, false },
	{ "a-link", a_link, 0, SIGSYS, false },
	{ "a-socket", a_socket, 0, SIGSYS, false },
	{ "a-connection", a_connection, 0, SIGSYS, false },
	{ "a-program", a_program, 0, SIGSYS, false },
	{ "a-process", a_process, 0, SIGSYS, false },
	{ "a-signal", a_signal, 0, SIGSYS, false },
	{ "a-thread-signal", a_thread_signal, 0, SIGSYS, false },
	{ "owner-of-a-signal", owner_of_a_signal, 0, SIGSYS, false },
	{ "another-ones-priority", another_ones_priority, 0, SIGSYS, false },
	{ "ahead-of-others", ahead_of_others, 0, SIGSYS, false },
	{ "tracing", tracing, 0, SIGSYS, false },
	{ "code-of-its-own", code_of_its_own, 0, SIGSYS, false },
	{ "typing", typing, 0, SIGSYS, false },
	{ "hanging", hanging, 0, SIGSYS, false },
};

static int do_deed(const char *name, int staging)
{
	for (size_t i = 0; i < ARRAY_SIZE(deeds); i++)
		if (streq(deeds[i].name, name))
			return deeds[i].do_it(staging);
	return -EINVAL;
}

static struct sandbox_paths paths_of(const struct worker_files *files)
{
	return (struct sandbox_paths){
		.directory = files->fds[WORKER_FILE_DIRECTORY],
		.writable = true,
		.agents = files->fds[WORKER_FILE_AGENTS],
		.twin = -1,
	};
}

static int introduce(void)
{
	char chip[] = "MT6261", meid[] = MEID, mode[] = "brom";
	const struct worker_message identity = {
		.type = WORKER_IDENTITY,
		.identity = { .chip = chip, .meid = meid, .mode = mode, .hw_code = 0x6261 },
	};

	return link_send(WORKER_FD, &identity);
}

static int answer(int r)
{
	struct worker_message failed = { .type = WORKER_FAILED };

	if (failure_set(&failed.failure, FAILURE_PROTOCOL_ERROR, NULL, "answer %d", r) < 0)
		return EXIT_FAILURE;
	r = link_send(WORKER_FD, &failed);
	failure_clear(&failed.failure);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* The life of a worker, up to its job's deed. */
static int play_worker(void)
{
	struct worker_files all = WORKER_FILES_NONE, files = WORKER_FILES_NONE;
	struct worker_message message;
	struct sandbox_paths paths;
	unsigned int missing;
	int staging;

	if (link_receive_files(WORKER_FD, &message, &all) <= 0 || message.type != WORKER_OPEN)
		return EXIT_FAILURE;
	paths = paths_of(&all);
	if (sandbox_enter(&paths, &missing) < 0)
		return EXIT_FAILURE;
	reached_at_once = another_job(paths.directory);
	if (introduce() < 0)
		return EXIT_FAILURE;
	worker_files_close(&all);
	if (link_receive_files(WORKER_FD, &message, &files) <= 0 || message.type != WORKER_READ ||
	    message.read.request.n_labels != 1)
		return EXIT_FAILURE;
	paths = paths_of(&files);
	if (sandbox_narrow(&paths) < 0)
		return EXIT_FAILURE;
	staging = files.fds[WORKER_FILE_DIRECTORY];
	return answer(do_deed(message.read.request.labels[0].value, staging));
}

/* ---- The test ---- */

static char real_programs[PATH_MAX];

struct bench {
	struct rig rig;
	char programs[64]; /* the daemon beside this program as its worker */
};

static void run_command(const char *command)
{
	assert_int_equal(system(command), 0);
}

static int set_up(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));
	char self[PATH_MAX];
	_cleanup_free_ char *worker = NULL, *copy = NULL;
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	assert_non_null(bench);
	assert_true(n > 0);
	self[n] = '\0';
	(void)snprintf(bench->programs, sizeof(bench->programs), "/tmp/mtkrb-cage-XXXXXX");
	assert_non_null(mkdtemp(bench->programs));
	copy = str_format("cp '%s/mtkrbd' '%s'", real_programs, bench->programs);
	run_command(copy);
	worker = str_format("%s/mtkrbd-worker", bench->programs);
	assert_int_equal(symlink(self, worker), 0);
	assert_int_equal(setenv("MTKRB_BIN_DIR", bench->programs, 1), 0);
	rig_set_up(&bench->rig, NULL);
	rig_start(&bench->rig);
	*state = bench;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *bench = *state;
	_cleanup_free_ char *remove = str_format("rm -r '%s'", bench->programs);

	rig_tear_down(&bench->rig);
	run_command(remove);
	free(bench);
	return 0;
}

/* A port for the job alone, which is the name of its deed; *ret_port keeps it. */
static int64_t submit(struct rig *rig, const char *deed, int *ret_port)
{
	_cleanup_free_ char *request =
		str_format("{\"slot\":\"%s\",\"labels\":{\"deed\":\"%s\"}}", deed, deed);
	int64_t id = rig_submit(rig, request);
	int port = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

	assert_true(port >= 0);
	assert_int_equal(grantpt(port), 0);
	assert_int_equal(unlockpt(port), 0);
	rig_attach(rig, ptsname(port), deed);
	*ret_port = port;
	return id;
}

static bool has_landlock(void)
{
	return syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) >= 1;
}

static void check_deed(struct rig *rig, const struct deed *deed)
{
	_cleanup_close_ int port = -1;
	int64_t id = submit(rig, deed->name, &port);
	_cleanup_free_ char *expected = deed->signal ? str_format("signal %d (", deed->signal)
						     : str_format("answer %d", deed->answer);
	_cleanup_free_ char *detach = str_format("{\"device\":\"%s\"}", ptsname(port));
	struct job job = rig_wait(rig, id, JOB_FAILED, 10);

	if (!strstr(job.failure.message, expected))
		fail_msg("%s: %s", deed->name, job.failure.message);
	assert_int_equal(job.failure.code,
			 deed->signal ? FAILURE_WORKER_CRASHED : FAILURE_PROTOCOL_ERROR);
	job_clear(&job);
	/* The next pty has the same name. */
	message_unref(rig_call(rig, "Detach", detach, NULL));
}

static void test_deeds(void **state)
{
	struct bench *bench = *state;
	const bool landlock = has_landlock();

	for (size_t i = 0; i < ARRAY_SIZE(deeds); i++) {
		if (streq(deeds[i].name, "hanging"))
			continue;
		if (deeds[i].by_landlock && !landlock)
			print_message("%s: not tried, there is no Landlock\n", deeds[i].name);
		else
			check_deed(&bench->rig, &deeds[i]);
	}
	/* The same daemon all along, and it still works. */
	check_deed(&bench->rig, &deeds[0]);
}

/* The daemon's only child; 0: none. */
static pid_t worker_of(const struct rig *rig)
{
	_cleanup_free_ char *path =
		str_format("/proc/%d/task/%d/children", rig->daemon, rig->daemon);
	_cleanup_free_ char *children = NULL;

	assert_int_equal(fd_read_file(AT_FDCWD, path, 4096, &children, NULL), 0);
	return (pid_t)strtol(children, NULL, 10);
}

static void wait_for_progress(const struct rig *rig, int64_t id)
{
	uint64_t done = 0;

	for (int i = 0; i < 200 && done == 0; i++) {
		struct job job = rig_job(rig, id);

		done = job.progress.done;
		job_clear(&job);
		sleep_ms(50);
	}
	assert_int_equal(done, 1);
}

static void test_hanging(void **state)
{
	struct bench *bench = *state;
	_cleanup_close_ int port = -1, other = -1;
	int64_t id = submit(&bench->rig, "hanging", &port);
	_cleanup_free_ char *parameters = str_format("{\"id\":%" PRId64 "}", id);
	struct job job;
	uint64_t begun;

	wait_for_progress(&bench->rig, id);
	begun = time_now();
	message_unref(rig_call(&bench->rig, "Cancel", parameters, NULL));
	job = rig_wait(&bench->rig, id, JOB_CANCELLED, 10);
	job_clear(&job);
	/* It is asked to stop and given three seconds. */
	while (worker_of(&bench->rig) > 0) {
		assert_true(time_now() - begun < 8 * USEC_PER_SEC);
		sleep_ms(50);
	}
	assert_true(time_now() - begun >= 2 * USEC_PER_SEC);
	check_deed(&bench->rig, &deeds[0]);
}

static bool is_caged(pid_t pid)
{
	_cleanup_free_ char *path = str_format("/proc/%d/status", pid);
	_cleanup_free_ char *status = NULL;

	return pid > 0 && fd_read_file(AT_FDCWD, path, 65536, &status, NULL) >= 0 &&
	       strstr(status, "\nNoNewPrivs:\t1\n") && strstr(status, "\nSeccomp:\t2\n");
}

/* The real worker, in the middle of a read. */
static void test_real_worker(_unused_ void **state)
{
	struct watch watch;
	struct rig rig;
	bool caged = false;

	assert_int_equal(setenv("MTKRB_BIN_DIR", real_programs, 1), 0);
	rig_set_up(&rig, NULL);
	rig_start(&rig);
	watch_plug(&rig, &watch, "watch", "--flash=new:4M", "--rate=1000000", NULL);
	(void)rig_submit(&rig, "{}");
	rig_attach(&rig, watch.link, "A1");
	for (int i = 0; i < 200 && !caged; i++) {
		sleep_ms(50);
		caged = is_caged(worker_of(&rig));
	}
	assert_true(caged);
	rig_tear_down(&rig);
	watch_unplug(&watch);
}

int main(_unused_ int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_deeds, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_hanging, set_up, tear_down),
		cmocka_unit_test(test_real_worker),
	};
	const char *programs = getenv("MTKRB_BIN_DIR");

	if (strstr(argv[0], "mtkrbd-worker"))
		return play_worker();
#ifdef MTKRB_OPEN_CAGE
	print_message("a sanitizer, or counting coverage, needs what the cage takes away\n");
	return 77;
#endif
	(void)snprintf(real_programs, sizeof(real_programs), "%s", programs ? programs : "");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
