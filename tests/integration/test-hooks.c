/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Programs that run after a job: what they are told, what is made of how they end. */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "protocol/base/fd.h"
#include "protocol/base/strings.h"
#include "tests/integration/rig.h"

struct shop {
	struct rig rig;
	char hooks[96]; /* the directory of the programs */
};

static int set_up_with(void **state, const char *timeout)
{
	struct shop *shop = calloc(1, sizeof(*shop));
	_cleanup_free_ char *config = NULL;

	assert_non_null(shop);
	rig_set_up(&shop->rig, NULL);
	(void)snprintf(shop->hooks, sizeof(shop->hooks), "%s/hooks.d", shop->rig.directory);
	assert_int_equal(mkdir(shop->hooks, 0755), 0);
	config = str_format("[automatic]\nenabled=no\n[hooks]\ntimeout=%s\n", timeout);
	assert_int_equal(fd_replace_file(AT_FDCWD, shop->rig.config, config, strlen(config), 0600),
			 0);
	/* What the daemon is started with is none of the programs' business. */
	assert_int_equal(setenv("SECRET_OF_THE_DAEMON", "1", 1), 0);
	rig_start(&shop->rig);
	*state = shop;
	return 0;
}

static int set_up(void **state)
{
	return set_up_with(state, "60s");
}

static int set_up_impatient(void **state)
{
	return set_up_with(state, "1s");
}

static int tear_down(void **state)
{
	struct shop *shop = *state;

	rig_tear_down(&shop->rig);
	free(shop);
	return 0;
}

static void add_hook(const struct shop *shop, const char *name, mode_t mode, const char *script)
{
	_cleanup_free_ char *path = str_format("%s/%s", shop->hooks, name);
	_cleanup_free_ char *text = str_format("#!/bin/sh\n"
					       "D='%s'\n%s\n",
					       shop->rig.directory, script);

	assert_int_equal(fd_replace_file(AT_FDCWD, path, text, strlen(text), 0700), 0);
	assert_int_equal(chmod(path, mode), 0);
}

/* The content of a file of the rig, which the caller frees; NULL when it is not there. */
static char *content(const struct shop *shop, const char *name)
{
	_cleanup_free_ char *path = str_format("%s/%s", shop->rig.directory, name);
	char *text = NULL;
	int r = fd_read_file(AT_FDCWD, path, 1 << 20, &text, NULL);

	if (r == -ENOENT)
		return NULL;
	assert_int_equal(r, 0);
	return text;
}

/* Waits until the job's n hooks are through; the job, which the caller clears. */
static struct job wait_for_hooks(const struct shop *shop, int64_t id, size_t n)
{
	for (int i = 0; i < 400; i++) {
		struct job job = rig_job(&shop->rig, id);

		if (job.n_hooks == n)
			return job;
		assert_true(job.n_hooks == 0);
		job_clear(&job);
		sleep_ms(50);
	}
	fail_msg("no hooks ran after job %d", (int)id);
	return (struct job){ 0 };
}

/* A job that has a backup to show for it. */
static int64_t do_job(const struct shop *shop)
{
	struct watch watch;
	struct job job;
	int64_t id = rig_submit(&shop->rig, "{\"labels\":{\"ticket\":\"4711\"}}");

	watch_plug(&shop->rig, &watch, "watch", "--flash=new:1M", NULL);
	rig_attach(&shop->rig, watch.link, "left");
	job = rig_wait(&shop->rig, id, JOB_DONE, 60);
	job_clear(&job);
	watch_unplug(&watch);
	return id;
}

/* A job that fails: no watch comes for it. */
static int64_t fail_job(const struct shop *shop)
{
	int64_t id = rig_submit(&shop->rig, "{\"slot\":\"nowhere\",\"timeout\":0.1}");
	struct job job = rig_wait(&shop->rig, id, JOB_FAILED, 30);

	job_clear(&job);
	return id;
}

static void test_what_they_are_told(void **state)
{
	struct shop *shop = *state;
	_cleanup_free_ char *input = NULL, *environment = NULL, *place = NULL;
	_cleanup_message_ struct json_object *object = NULL;
	struct json_object *manifest;
	struct job job;
	int64_t id;

	add_hook(shop, "10-tell", 0755,
		 "cat >\"$D/input\"; env >\"$D/environment\"; pwd >\"$D/pwd\"");
	id = do_job(shop);
	job = wait_for_hooks(shop, id, 1);
	assert_string_equal(job.hooks[0].name, "10-tell");
	assert_int_equal(job.hooks[0].outcome, HOOK_OK);
	assert_null(job.hooks[0].message);

	input = content(shop, "input");
	assert_non_null(input);
	assert_int_equal(message_parse(input, strlen(input), &object), 0);
	assert_string_equal(message_string(message_member(object, "event")), "done");
	assert_string_equal(message_string(message_member(message_member(object, "job"), "backup")),
			    job.backup);
	assert_string_equal(message_string(message_member(message_member(object, "backup"), "id")),
			    job.backup);
	manifest = message_member(object, "manifest");
	assert_string_equal(message_string(message_member(manifest, "id")), job.backup);
	assert_true(message_is_array(message_member(message_member(manifest, "read"), "ranges")));

	environment = content(shop, "environment");
	assert_non_null(strstr(environment, "MTKRB_EVENT=done\n"));
	assert_non_null(strstr(environment, "MTKRB_JOB=1\n"));
	assert_non_null(strstr(environment, "MTKRB_SLOT=left\n"));
	assert_non_null(strstr(environment, "MTKRB_TICKET=4711\n"));
	assert_non_null(strstr(environment, job.backup));
	assert_null(strstr(environment, "SECRET_OF_THE_DAEMON"));
	place = content(shop, "pwd");
	assert_string_equal(place, "/\n");
	job_clear(&job);
}

static void test_how_they_end(void **state)
{
	struct shop *shop = *state;
	_cleanup_(output_clear) struct output shown = { 0 };
	_cleanup_free_ char *order = NULL, *refused = NULL;
	struct job job;
	int64_t id;

	add_hook(shop, "30-fail", 0755, "echo 3 >>\"$D/order\"; echo; echo no printer >&2; exit 3");
	add_hook(shop, "10-first", 0755,
		 "echo 1 >>\"$D/order\"; test \"$MTKRB_FAILURE\" = timeout");
	add_hook(shop, "20-die", 0755, "echo 2 >>\"$D/order\"; kill -KILL $$");
	add_hook(shop, "40-anybody", 0757, "touch \"$D/refused\"");
	add_hook(shop, "50-not-run", 0644, "touch \"$D/refused\"");
	add_hook(shop, ".60-hidden", 0755, "touch \"$D/refused\"");
	add_hook(shop, "70-old~", 0755, "touch \"$D/refused\"");
	id = fail_job(shop);
	job = wait_for_hooks(shop, id, 4);
	assert_int_equal(job.state, JOB_FAILED);
	assert_int_equal(job.failure.code, FAILURE_TIMEOUT);
	assert_string_equal(job.hooks[0].name, "10-first");
	assert_int_equal(job.hooks[0].outcome, HOOK_OK);
	assert_int_equal(job.hooks[1].outcome, HOOK_KILLED);
	assert_int_equal(job.hooks[1].status, SIGKILL);
	assert_int_equal(job.hooks[2].outcome, HOOK_FAILED);
	assert_int_equal(job.hooks[2].status, 3);
	assert_string_equal(job.hooks[2].message, "no printer");
	assert_string_equal(job.hooks[3].name, "40-anybody");
	assert_int_equal(job.hooks[3].outcome, HOOK_REFUSED);
	job_clear(&job);
	order = content(shop, "order");
	assert_string_equal(order, "1\n2\n3\n");
	refused = content(shop, "refused");
	assert_null(refused);

	shown = rig_ctl(&shop->rig, "show", "1", NULL);
	assert_int_equal(shown.status, 0);
	assert_non_null(strstr(shown.out, "30-fail failed (exit 3): no printer"));
	assert_true(rig_log_has(&shop->rig, "hook 30-fail: failed: no printer"));
}

/* A program may complain in any bytes; they are shown as text. */
static void test_bytes_that_are_no_text(void **state)
{
	struct shop *shop = *state;
	struct job job;

	add_hook(shop, "binary", 0755, "printf 'a\\0b\\377cdef\\n' >&2; exit 1");
	job = wait_for_hooks(shop, fail_job(shop), 1);
	assert_int_equal(job.hooks[0].outcome, HOOK_FAILED);
	assert_string_equal(job.hooks[0].message, "a?b?cdef");
	job_clear(&job);
}

/* True while a process of that number is there and no corpse. */
static bool is_alive(const char *pid)
{
	_cleanup_free_ char *path = str_format("/proc/%ld/stat", strtol(pid, NULL, 10));
	_cleanup_free_ char *text = NULL;

	if (fd_read_file(AT_FDCWD, path, 4096, &text, NULL) < 0)
		return false;
	return !strstr(text, ") Z ");
}

/* It takes too long, has a child that would outlive it, does not read, and talks without an end. */
static void test_out_of_time(void **state)
{
	struct shop *shop = *state;
	_cleanup_free_ char *child = NULL;
	struct job job;

	add_hook(shop, "slow", 0755,
		 "trap '' TERM\nsleep 1000 &\necho $! >\"$D/child\"\nyes talk >&2");
	job = wait_for_hooks(shop, fail_job(shop), 1);
	assert_int_equal(job.hooks[0].outcome, HOOK_TIMEOUT);
	assert_string_equal(job.hooks[0].message, "talk");
	job_clear(&job);
	child = content(shop, "child");
	assert_non_null(child);
	for (int i = 0; i < 100 && is_alive(child); i++)
		sleep_ms(50);
	assert_false(is_alive(child));
}

static size_t count_lines(const char *text)
{
	size_t n = 0;

	for (; (text = strchr(text, '\n')); text++)
		n++;
	return n;
}

/* The daemon is killed in the middle: the program with it, and it runs again after the restart. */
static void test_again_after_a_restart(void **state)
{
	struct shop *shop = *state;
	_cleanup_free_ char *first = NULL, *runs = NULL;
	struct job job;
	int64_t id;

	add_hook(shop, "label-print", 0755,
		 "echo $$ >>\"$D/runs\"\ntest -e \"$D/go\" || exec sleep 1000");
	id = fail_job(shop);
	for (int i = 0; i < 200 && !first; i++) {
		first = content(shop, "runs");
		sleep_ms(10);
	}
	assert_non_null(first);
	assert_int_equal(rig_stop(&shop->rig, SIGKILL), 128 + SIGKILL);
	for (int i = 0; i < 100 && is_alive(first); i++)
		sleep_ms(10);
	assert_false(is_alive(first));
	{
		_cleanup_free_ char *go = str_format("%s/go", shop->rig.directory);

		assert_int_equal(fd_replace_file(AT_FDCWD, go, "", 0, 0600), 0);
	}
	rig_start(&shop->rig);
	job = wait_for_hooks(shop, id, 1);
	assert_int_equal(job.hooks[0].outcome, HOOK_OK);
	job_clear(&job);
	runs = content(shop, "runs");
	assert_int_equal(count_lines(runs), 2);
}

/* What mtkrbd-hooks.socket does: one mtkrbd-hook for each connection. */
_noreturn_ static void serve_one(int listener, const char *directory)
{
	_cleanup_free_ char *program = str_format("%s/mtkrbd-hook", getenv("MTKRB_BIN_DIR"));
	_cleanup_free_ char *option = str_format("--directory=%s", directory);
	int fd = accept(listener, NULL, NULL);

	if (fd < 0 || !program || !option || dup2(fd, STDIN_FILENO) < 0)
		_exit(99);
	(void)setenv("HOME", "/of-the-service", 1);
	execl(program, program, option, NULL);
	_exit(98);
}

static int listen_for_hooks(const struct shop *shop)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/hooks.sock",
		       shop->rig.directory);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 4), 0);
	return fd;
}

static void test_in_the_service(void **state)
{
	struct shop *shop = *state;
	_cleanup_close_ int listener = listen_for_hooks(shop);
	_cleanup_free_ char *home = NULL;
	struct job job;
	pid_t service;
	int status;

	add_hook(shop, "where", 0755, "echo $HOME >\"$D/home\"");
	service = fork();
	assert_true(service >= 0);
	if (service == 0)
		serve_one(listener, shop->hooks);
	job = wait_for_hooks(shop, fail_job(shop), 1);
	assert_int_equal(job.hooks[0].outcome, HOOK_OK);
	job_clear(&job);
	assert_int_equal(waitpid(service, &status, 0), service);
	assert_int_equal(status, 0);
	home = content(shop, "home");
	assert_string_equal(home, "/of-the-service\n");
}

/* A service that hangs up without a word costs the hooks, not the job, and not the next one. */
static void test_a_broken_service(void **state)
{
	struct shop *shop = *state;
	int listener = listen_for_hooks(shop), fd;
	struct job job;
	int64_t id;

	add_hook(shop, "any", 0755, "exit 0");
	id = fail_job(shop);
	fd = accept(listener, NULL, NULL);
	assert_true(fd >= 0);
	fd_close(fd);
	job = wait_for_hooks(shop, id, 1);
	assert_int_equal(job.hooks[0].outcome, HOOK_BROKEN);
	assert_int_equal(job.state, JOB_FAILED);
	job_clear(&job);
	fd_close(listener);
	job = wait_for_hooks(shop, fail_job(shop), 1);
	assert_int_equal(job.hooks[0].outcome, HOOK_OK);
	job_clear(&job);
}

/* The examples that are installed, with programs that only say how they were called. */
static void run_example(const struct shop *shop, const char *name, const char *event)
{
	_cleanup_free_ char *command = str_format(
		"echo '{}' | env -i PATH='%s':/usr/bin:/bin SAID='%s/said' MTKRB_EVENT=%s"
		" MTKRB_TICKET=4711 MTKRB_CHIP=MT6261 MTKRB_BACKUP=the-id"
		" MTKRB_BACKUP_PATH=/backups/the-id sh '" MTKRB_TEST_DATA "/../systemd/hooks/%s'",
		shop->hooks, shop->rig.directory, event, name);

	assert_non_null(command);
	assert_int_equal(system(command), 0);
}

static void test_examples(void **state)
{
	struct shop *shop = *state;
	static const char *const programs[] = { "lp", "restic", "rclone", "mosquitto_pub" };
	static const char *const examples[] = { "label-print", "restic", "rclone", "mqtt" };
	_cleanup_free_ char *failed = NULL, *done = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(programs); i++)
		add_hook(shop, programs[i], 0755,
			 "echo \"${0##*/} $*\" >>\"$SAID\"; cat >>\"$SAID\"");
	for (size_t i = 0; i < ARRAY_SIZE(examples); i++)
		run_example(shop, examples[i], "failed");
	failed = content(shop, "said");
	assert_string_equal(failed,
			    "mosquitto_pub -h broker.example -q 1 -t bench/failed -s\n{}\n");

	for (size_t i = 0; i < ARRAY_SIZE(examples); i++)
		run_example(shop, examples[i], "done");
	done = content(shop, "said");
	assert_non_null(strstr(done, "\nlp -s -d label -t ticket 4711 -\nTicket 4711\nMT6261  no"));
	assert_non_null(
		strstr(done, "\nrestic --quiet backup --tag ticket-4711 /backups/the-id\n"));
	assert_non_null(strstr(done, "\nrclone copy /backups/the-id bench:watches/the-id\n"));
	assert_non_null(strstr(done, " -t bench/done -s\n{}\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_what_they_are_told, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_how_they_end, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_bytes_that_are_no_text, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_out_of_time, set_up_impatient, tear_down),
		cmocka_unit_test_setup_teardown(test_again_after_a_restart, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_in_the_service, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_broken_service, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_examples, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("hooks", tests, NULL, NULL);
}
