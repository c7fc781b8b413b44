/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The machine's sleep: a bus of our own, and on it a logind that notes who holds it awake and that
 * says when it would sleep.
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "protocol/base/fd.h"
#include "protocol/base/strings.h"
#include "tests/integration/rig.h"

#define PATH      "/org/freedesktop/login1"
#define INTERFACE "org.freedesktop.login1.Manager"

struct place {
	struct rig rig;
	char address[128]; /* of the bus */
	char notes[128];   /* what logind noted */
	pid_t bus, logind;
};

/* ---- logind, a process of its own ---- */

struct logind {
	sd_event *event;
	sd_bus *bus;
	int notes;
	bool may_block;
};

static void note(const struct logind *logind, const char *what)
{
	(void)dprintf(logind->notes, "%s\n", what);
}

static int on_released(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct logind *logind = userdata;

	(void)events;
	note(logind, "released");
	fd_close(fd);
	sd_event_source_disable_unref(source);
	return 0;
}

static int on_inhibit(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	struct logind *logind = userdata;
	const char *what, *who, *why, *mode;
	sd_event_source *source;
	char line[128];
	int ends[2];

	if (sd_bus_message_read(message, "ssss", &what, &who, &why, &mode) < 0)
		return -EINVAL;
	(void)snprintf(line, sizeof(line), "%s %s %s", mode, what, who);
	note(logind, line);
	/* As systemd 252: more than one at once is asked of polkit as the switch of the lid. */
	if (strchr(what, ':'))
		return sd_bus_error_set(error, SD_BUS_ERROR_ACCESS_DENIED, "Permission denied");
	if (streq(mode, "block") && !logind->may_block)
		return sd_bus_error_set(error, SD_BUS_ERROR_ACCESS_DENIED, "polkit says no");
	if (pipe2(ends, O_CLOEXEC) < 0 ||
	    sd_event_add_io(logind->event, &source, ends[0], 0, on_released, logind) < 0)
		return -EIO;
	(void)sd_bus_reply_method_return(message, "h", ends[1]);
	fd_close(ends[1]);
	return 1;
}

static int emit(struct logind *logind, const char *signal, int going)
{
	return sd_bus_emit_signal(logind->bus, PATH, INTERFACE, signal, "b", going);
}

static int on_sleep(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
	(void)source;
	return emit(userdata, "PrepareForSleep", info->ssi_signo == SIGUSR1);
}

static const sd_bus_vtable methods[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD("Inhibit", "ssss", "h", on_inhibit, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_VTABLE_END,
};

_noreturn_ static void logind_run(const struct place *place, bool may_block, int ready)
{
	struct logind logind = { .may_block = may_block };
	sigset_t signals;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigemptyset(&signals);
	sigaddset(&signals, SIGUSR1);
	sigaddset(&signals, SIGUSR2);
	(void)sigprocmask(SIG_BLOCK, &signals, NULL);
	logind.notes = open(place->notes, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (logind.notes < 0 || sd_event_new(&logind.event) < 0 ||
	    sd_event_add_signal(logind.event, NULL, SIGUSR1, on_sleep, &logind) < 0 ||
	    sd_event_add_signal(logind.event, NULL, SIGUSR2, on_sleep, &logind) < 0 ||
	    sd_bus_open_system(&logind.bus) < 0 ||
	    sd_bus_add_object_vtable(logind.bus, NULL, PATH, INTERFACE, methods, &logind) < 0 ||
	    sd_bus_request_name(logind.bus, "org.freedesktop.login1", 0) < 0 ||
	    sd_bus_attach_event(logind.bus, logind.event, 0) < 0 || write(ready, "r", 1) != 1)
		_exit(1);
	(void)sd_event_loop(logind.event);
	_exit(0);
}

static void start_logind(struct place *place, bool may_block)
{
	int ready[2];
	char byte;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	place->logind = fork();
	assert_true(place->logind >= 0);
	if (place->logind == 0)
		logind_run(place, may_block, ready[1]);
	fd_close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	fd_close(ready[0]);
}

static void end(pid_t *pid)
{
	if (*pid <= 0)
		return;
	(void)kill(*pid, SIGKILL);
	(void)waitpid(*pid, NULL, 0);
	*pid = 0;
}

/* What logind has noted so far, lines; the caller frees it. */
static char *noted(const struct place *place)
{
	char *text = NULL;

	assert_int_equal(fd_read_file(AT_FDCWD, place->notes, 65536, &text, NULL), 0);
	return text;
}

static void wait_for_notes(const struct place *place, const char *expected)
{
	for (int i = 0; i < 400; i++) {
		_cleanup_free_ char *text = noted(place);

		if (streq(text, expected))
			return;
		sleep_ms(25);
	}
	fail_msg("logind noted:\n%sinstead of:\n%s", noted(place), expected);
}

/* ---- the bus ---- */

static void start_bus(struct place *place)
{
	_cleanup_free_ char *config = str_format("%s/bus.conf", place->rig.directory);
	_cleanup_free_ char *option = str_format("--config-file=%s", config);
	_cleanup_free_ char *text = str_format(
		"<busconfig><type>system</type><listen>unix:path=%s/bus</listen>"
		"<policy context=\"default\"><allow send_destination=\"*\"/><allow own=\"*\"/>"
		"<allow receive_sender=\"*\"/><allow user=\"*\"/></policy></busconfig>\n",
		place->rig.directory);
	int out[2];
	char line[256];

	assert_int_equal(fd_replace_file(AT_FDCWD, config, text, strlen(text), 0600), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	place->bus = fork();
	assert_true(place->bus >= 0);
	if (place->bus == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)dup2(out[1], STDOUT_FILENO);
		execlp("dbus-daemon", "dbus-daemon", option, "--nofork", "--print-address", NULL);
		_exit(127);
	}
	fd_close(out[1]);
	/* Its address, when it is ready. */
	assert_true(read(out[0], line, sizeof(line)) > 0);
	fd_close(out[0]);
	(void)snprintf(place->address, sizeof(place->address), "unix:path=%s/bus",
		       place->rig.directory);
	assert_int_equal(setenv("DBUS_SYSTEM_BUS_ADDRESS", place->address, 1), 0);
}

static int set_up(void **state)
{
	struct place *place = calloc(1, sizeof(*place));

	assert_non_null(place);
	rig_set_up(&place->rig, NULL);
	(void)snprintf(place->notes, sizeof(place->notes), "%s/notes", place->rig.directory);
	start_bus(place);
	*state = place;
	return 0;
}

static int tear_down(void **state)
{
	struct place *place = *state;

	rig_tear_down(&place->rig);
	end(&place->logind);
	end(&place->bus);
	free(place);
	return 0;
}

/* ---- the tests ---- */

static int64_t begin_job(struct place *place, struct watch *watch)
{
	struct job job;
	int64_t id;

	watch_plug(&place->rig, watch, "watch", "--flash=new:1M", "--rate=400000", NULL);
	rig_attach(&place->rig, watch->link, "left");
	id = rig_submit(&place->rig, "{}");
	job = rig_wait(&place->rig, id, JOB_RUNNING, 30);
	job_clear(&job);
	return id;
}

/* The watch is known and some of it is read: from here a job waits for it. */
static void wait_until_reading(struct place *place, const struct watch *watch, int64_t id)
{
	do {
		struct job job = rig_job(&place->rig, id);

		assert_int_equal(job.state, JOB_RUNNING);
		job_clear(&job);
		sleep_ms(50);
	} while (watch_bytes_read(watch) < 100000);
}

static void test_awake_while_a_job_runs(void **state)
{
	struct place *place = *state;
	struct watch watch;
	struct job job;
	int64_t id;

	start_logind(place, true);
	rig_start(&place->rig);
	id = begin_job(place, &watch);
	wait_for_notes(place, "block sleep mtkrbd\nblock shutdown mtkrbd\n");
	job = rig_job(&place->rig, id);
	assert_int_equal(job.state, JOB_RUNNING);
	job_clear(&job);
	job = rig_wait(&place->rig, id, JOB_DONE, 60);
	job_clear(&job);
	wait_for_notes(place, "block sleep mtkrbd\nblock shutdown mtkrbd\nreleased\nreleased\n");
	watch_unplug(&watch);
}

/* Only a delay: readers stop in it, the machine sleeps, and the job goes on where it stopped. */
static void test_asleep_in_the_middle(void **state)
{
	struct place *place = *state;
	struct watch watch;
	struct job job;
	int64_t id;

	start_logind(place, false);
	rig_start(&place->rig);
	id = begin_job(place, &watch);
	wait_for_notes(place, "block sleep mtkrbd\ndelay sleep mtkrbd\ndelay shutdown mtkrbd\n");
	wait_until_reading(place, &watch, id);
	assert_int_equal(kill(place->logind, SIGUSR1), 0);
	job = rig_wait(&place->rig, id, JOB_WAITING, 30);
	assert_string_equal(job.failure.message,
			    "the machine went to sleep in the middle of the job");
	job_clear(&job);
	wait_for_notes(place, "block sleep mtkrbd\ndelay sleep mtkrbd\ndelay shutdown "
			      "mtkrbd\nreleased\nreleased\n");
	sleep_ms(300);
	job = rig_job(&place->rig, id);
	assert_int_equal(job.state, JOB_WAITING);
	job_clear(&job);

	assert_int_equal(kill(place->logind, SIGUSR2), 0);
	job = rig_wait(&place->rig, id, JOB_DONE, 60);
	assert_int_equal(job.attempts, 2);
	job_clear(&job);
	wait_for_notes(place, "block sleep mtkrbd\ndelay sleep mtkrbd\ndelay shutdown "
			      "mtkrbd\nreleased\nreleased\n"
			      "delay sleep mtkrbd\ndelay shutdown mtkrbd\nreleased\nreleased\n");
	watch_unplug(&watch);
}

static void assert_job_works(struct place *place)
{
	struct watch watch;
	struct job job;

	job = rig_wait(&place->rig, begin_job(place, &watch), JOB_DONE, 60);
	job_clear(&job);
	watch_unplug(&watch);
}

static void test_no_logind(void **state)
{
	struct place *place = *state;

	rig_start(&place->rig);
	assert_job_works(place);
}

static void test_the_bus_goes(void **state)
{
	struct place *place = *state;
	struct watch watch;
	struct job job;
	int64_t id;

	start_logind(place, false);
	rig_start(&place->rig);
	id = begin_job(place, &watch);
	wait_for_notes(place, "block sleep mtkrbd\ndelay sleep mtkrbd\ndelay shutdown mtkrbd\n");
	wait_until_reading(place, &watch, id);
	assert_int_equal(kill(place->logind, SIGUSR1), 0);
	job = rig_wait(&place->rig, id, JOB_WAITING, 30);
	job_clear(&job);
	/* Nobody will say that the machine is back: it is taken to be. */
	end(&place->bus);
	job = rig_wait(&place->rig, id, JOB_DONE, 60);
	job_clear(&job);
	watch_unplug(&watch);
}

static bool has_dbus_daemon(void)
{
	return system("command -v dbus-daemon >/dev/null") == 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_awake_while_a_job_runs, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_asleep_in_the_middle, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_logind, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_the_bus_goes, set_up, tear_down),
	};

	if (!has_dbus_daemon()) {
		puts("skipped: no dbus-daemon here");
		return 77;
	}
	return cmocka_run_group_tests_name("sleep", tests, NULL, NULL);
}
