/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The daemon with real uevents, of a bus that is made for it (mock-bus.h).
 */

#include "tests/integration/rig.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "protocol/base/fd.h"
#include "protocol/base/strings.h"
#include "protocol/control/error.h"
#include "tests/integration/mock-bus.h"

/* Carries bytes between the tty that umockdev made and the virtual watch's pty. */
struct cable {
	pthread_t thread;
	int ends[2];
	int cut; /* write end of a pipe: closing it ends the thread */
	int wake;
};

struct bench {
	struct rig rig;
	struct mock_bus bus;
};

#define MEID_A "000102030405060708090a0b0c0d0e0f"
#define MEID_B "101112131415161718191a1b1c1d1e1f"

static void carry(int from, int to)
{
	char data[4096];
	ssize_t n = read(from, data, sizeof(data));

	if (n > 0)
		(void)!fd_write_all(to, data, (size_t)n);
}

static void *run_cable(void *userdata)
{
	struct cable *cable = userdata;
	struct pollfd fds[] = { { .fd = cable->ends[0], .events = POLLIN },
				{ .fd = cable->ends[1], .events = POLLIN },
				{ .fd = cable->wake, .events = POLLIN } };

	while (poll(fds, 3, -1) > 0 && !fds[2].revents) {
		if (fds[0].revents & POLLIN)
			carry(cable->ends[0], cable->ends[1]);
		if (fds[1].revents & POLLIN)
			carry(cable->ends[1], cable->ends[0]);
		if ((fds[0].revents | fds[1].revents) & (POLLHUP | POLLERR))
			sleep_ms(1);
	}
	return NULL;
}

static void cable_connect(struct bench *bench, struct cable *cable, const char *tty,
			  const struct watch *watch)
{
	int wake[2];

	assert_int_equal(pipe2(wake, O_CLOEXEC), 0);
	cable->wake = wake[0];
	cable->cut = wake[1];
	cable->ends[0] = mock_bus_far_end(&bench->bus, tty);
	assert_true(cable->ends[0] >= 0);
	cable->ends[1] = open(watch->link, O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(cable->ends[1] >= 0);
	assert_int_equal(pthread_create(&cable->thread, NULL, run_cable, cable), 0);
}

static void cable_cut(struct cable *cable)
{
	fd_close(cable->cut);
	assert_int_equal(pthread_join(cable->thread, NULL), 0);
	fd_close(cable->ends[1]);
	fd_close(cable->wake);
}

#define READ_AND_SLOTS                        \
	"[read]\nhandshake-timeout-usb=20s\n" \
	"[slots]\nleft=pci-0000:00:14.0-usb-0:2\n"

static int set_up_with(void **state, const char *config)
{
	struct bench *bench = calloc(1, sizeof(*bench));

	mock_bus_open(&bench->bus);
	rig_set_up(&bench->rig, config);
	*state = bench;
	return 0;
}

static int set_up(void **state)
{
	return set_up_with(
		state, "[automatic]\nenabled=yes\nverify=none\nrepeat-after=1s\n" READ_AND_SLOTS);
}

static int set_up_by_hand(void **state)
{
	return set_up_with(state, "[automatic]\nenabled=no\n" READ_AND_SLOTS);
}

/* As it is shipped: what was backed up just now is not again. */
static int set_up_as_shipped(void **state)
{
	return set_up_with(state, READ_AND_SLOTS);
}

static int tear_down(void **state)
{
	struct bench *bench = *state;

	rig_tear_down(&bench->rig);
	mock_bus_close(&bench->bus);
	free(bench);
	return 0;
}

/* A watch's tty; a second one of the same watch finds its USB device there (attributes NULL). */
static void plug(struct bench *bench, const char *port, const char *tty, const char *mode,
		 const char *attributes)
{
	if (attributes)
		mock_bus_add_device(&bench->bus, port, attributes);
	mock_bus_add_tty(&bench->bus, port, tty, mode);
}

static void send_uevent(struct bench *bench, const char *port, const char *tty, const char *action)
{
	mock_bus_uevent(&bench->bus, port, tty, action);
}

static void unplug(struct bench *bench, const char *port, const char *tty)
{
	mock_bus_unplug(&bench->bus, port, tty);
}

static size_t count_ports(const struct rig *rig)
{
	_cleanup_message_ struct json_object *reply = rig_call(rig, "ListPorts", "{}", NULL);

	return message_length(message_member(reply, "ports"));
}

static void wait_for_ports(const struct rig *rig, size_t n)
{
	for (int i = 0; i < 500 && count_ports(rig) != n; i++)
		sleep_ms(10);
	assert_int_equal(count_ports(rig), n);
}

static int64_t wait_for_job_after(const struct rig *rig, int64_t before)
{
	for (int i = 0; i < 1000; i++) {
		int64_t id = rig_newest_job(rig);

		if (id > before)
			return id;
		sleep_ms(10);
	}
	fail_msg("no automatic job came (log: %s)", rig->log);
	return 0;
}

static void expect_backup(struct rig *rig, int64_t id, const char *slot, const char *image)
{
	char directory[512];
	_cleanup_free_ char *file = NULL;
	struct job job = rig_wait(rig, id, JOB_DONE, 60);

	assert_string_equal(job.port.slot, slot);
	job_clear(&job);
	rig_backup_path(rig, id, directory);
	file = str_format("%s/ROM_0", directory);
	assert_true(same_content(file, image));
}

static void plugged_after_start(struct bench *bench, const char *size)
{
	struct rig *rig = &bench->rig;
	struct cable cable;
	struct watch watch;
	char image[128];

	rig_make_image(rig, "image", size, image);
	rig_start_with_udev(rig);
	assert_int_equal(count_ports(rig), 0);
	watch_plug(rig, &watch, "watch", "--flash", image, NULL);
	plug(bench, "2", "ttyACM0", "brom", "");
	cable_connect(bench, &cable, "ttyACM0", &watch);
	send_uevent(bench, "2", "ttyACM0", "add");
	expect_backup(rig, wait_for_job_after(rig, 0), "left", image);
	cable_cut(&cable);
	watch_unplug(&watch);
	unplug(bench, "2", "ttyACM0");
	wait_for_ports(rig, 0);
}

static void test_4_mib(void **state)
{
	plugged_after_start(*state, "4M");
}

static void test_8_mib(void **state)
{
	plugged_after_start(*state, "8M");
}

static void test_16_mib(void **state)
{
	plugged_after_start(*state, "16M");
}

static void test_there_before_start(void **state)
{
	struct bench *bench = *state;
	struct rig *rig = &bench->rig;
	struct cable cable;
	struct watch watch;
	char image[128];

	rig_make_image(rig, "image", "1M", image);
	watch_plug(rig, &watch, "watch", "--flash", image, NULL);
	plug(bench, "3", "ttyUSB0", "brom", "");
	cable_connect(bench, &cable, "ttyUSB0", &watch);
	rig_start_with_udev(rig);
	expect_backup(rig, wait_for_job_after(rig, 0), "pci-0000:00:14.0-usb-0:3", image);
	cable_cut(&cable);
	watch_unplug(&watch);
}

/* The same watch: ttyACM once, ttyUSB the next time, the same slot. */
static void test_comes_back_as_another_tty(void **state)
{
	struct bench *bench = *state;
	struct rig *rig = &bench->rig;
	struct cable cable;
	struct watch watch;
	char image[128];
	int64_t first;

	rig_make_image(rig, "image", "1M", image);
	rig_start_with_udev(rig);
	watch_plug(rig, &watch, "watch", "--flash", image, NULL);
	plug(bench, "2", "ttyACM0", "brom", "");
	cable_connect(bench, &cable, "ttyACM0", &watch);
	send_uevent(bench, "2", "ttyACM0", "add");
	first = wait_for_job_after(rig, 0);
	expect_backup(rig, first, "left", image);
	cable_cut(&cable);
	watch_unplug(&watch);
	unplug(bench, "2", "ttyACM0");
	wait_for_ports(rig, 0);
	sleep_ms(3200); /* longer than a restart after the reset takes */
	watch_plug(rig, &watch, "again", "--flash", image, NULL);
	plug(bench, "2", "ttyUSB0", "brom", "");
	cable_connect(bench, &cable, "ttyUSB0", &watch);
	send_uevent(bench, "2", "ttyUSB0", "add");
	expect_backup(rig, wait_for_job_after(rig, first), "left", image);
	cable_cut(&cable);
	watch_unplug(&watch);
}

/* A watch in the left slot. */
struct visit {
	struct watch watch;
	struct cable cable;
	const char *tty;
};

static void come(struct bench *bench, struct visit *visit, const char *tty, const char *image,
		 const char *meid)
{
	visit->tty = tty;
	watch_plug(&bench->rig, &visit->watch, tty, "--flash", image, "--meid", meid, NULL);
	plug(bench, "2", tty, "brom", "");
	cable_connect(bench, &visit->cable, tty, &visit->watch);
	send_uevent(bench, "2", tty, "add");
	wait_for_ports(&bench->rig, 1);
}

static void go(struct bench *bench, struct visit *visit)
{
	cable_cut(&visit->cable);
	watch_unplug(&visit->watch);
	unplug(bench, "2", visit->tty);
	wait_for_ports(&bench->rig, 0);
}

/* The only port's watch has said who it is. */
static void expect_known(struct rig *rig, const char *meid)
{
	for (int i = 0; i < 1000; i++) {
		_cleanup_message_ struct json_object *reply =
			rig_call(rig, "ListPorts", "{}", NULL);
		const char *known = message_string(
			message_member(message_at(message_member(reply, "ports"), 0), "meid"));

		if (streq_ptr(known, meid))
			return;
		sleep_ms(10);
	}
	fail_msg("nobody asked who is there");
}

static void expect_watch_of(struct rig *rig, int64_t id, const char *meid)
{
	struct job job = rig_job(rig, id);

	assert_string_equal(job.port.meid, meid);
	job_clear(&job);
}

/* The watch that was read already is asked who it is, and the job goes on waiting. */
static void come_in_vain(struct bench *bench, const char *tty, const char *image, int64_t id)
{
	struct visit visit;
	struct job job;

	come(bench, &visit, tty, image, MEID_A);
	expect_known(&bench->rig, MEID_A);
	sleep_ms(500);
	job = rig_job(&bench->rig, id);
	assert_int_equal(job.state, JOB_QUEUED);
	job_clear(&job);
	go(bench, &visit);
}

/* Without its battery a watch that was reset stays in its boot ROM, and comes back there. */
static void test_two_jobs_are_for_two_watches(void **state)
{
	struct bench *bench = *state;
	struct rig *rig = &bench->rig;
	struct visit visit;
	char image[128];
	int64_t first;

	rig_make_image(rig, "image", "1M", image);
	rig_start_with_udev(rig);
	first = rig_submit(rig, "{\"count\":2,\"verify\":\"none\"}");
	come(bench, &visit, "ttyACM0", image, MEID_A);
	expect_backup(rig, first, "left", image);
	go(bench, &visit);
	sleep_ms(3200); /* longer than a restart after the reset takes */
	come_in_vain(bench, "ttyUSB0", image, first + 1);
	assert_int_equal(rig_stop(rig, SIGTERM), 0);
	rig_start_with_udev(rig);
	come_in_vain(bench, "ttyUSB1", image, first + 1);
	come(bench, &visit, "ttyACM1", image, MEID_B);
	expect_backup(rig, first + 1, "left", image);
	expect_watch_of(rig, first + 1, MEID_B);
	go(bench, &visit);
}

/* What comes at once in the slot of a watch just read is most likely that one, but not for sure. */
static void test_another_watch_at_once(void **state)
{
	struct bench *bench = *state;
	struct rig *rig = &bench->rig;
	struct visit visit;
	char image[128];
	int64_t first;

	rig_make_image(rig, "image", "1M", image);
	rig_start_with_udev(rig);
	come(bench, &visit, "ttyACM0", image, MEID_A);
	first = wait_for_job_after(rig, 0);
	expect_backup(rig, first, "left", image);
	go(bench, &visit);
	come(bench, &visit, "ttyUSB0", image, MEID_B);
	expect_backup(rig, wait_for_job_after(rig, first), "left", image);
	expect_watch_of(rig, first + 1, MEID_B);
	go(bench, &visit);
	come(bench, &visit, "ttyACM1", image, MEID_B);
	expect_known(rig, MEID_B);
	sleep_ms(500);
	assert_int_equal(rig_newest_job(rig), first + 1);
	go(bench, &visit);
}

static void test_two_nodes_of_one_watch(void **state)
{
	struct bench *bench = *state;
	struct rig *rig = &bench->rig;

	rig_start_with_udev(rig);
	plug(bench, "4", "ttyACM0", "brom", "");
	send_uevent(bench, "4", "ttyACM0", "add");
	wait_for_ports(rig, 1);
	plug(bench, "4", "ttyUSB0", "brom", NULL);
	send_uevent(bench, "4", "ttyUSB0", "add");
	for (int i = 0; i < 300 && !rig_log_has(rig, "is the same watch"); i++)
		sleep_ms(10);
	assert_true(rig_log_has(rig, "is the same watch"));
	assert_int_equal(count_ports(rig), 1);
}

/* By hand or by udev, and by whatever name: one tty is one port. */
static void test_attached_and_found(void **state)
{
	struct bench *bench = *state;
	struct rig *rig = &bench->rig;

	rig_start_with_udev(rig);
	plug(bench, "4", "ttyACM0", "brom", "");
	wait_for_ports(rig, 1);
	/* The nodes of this bus all have one device number: as a link to the other would. */
	plug(bench, "4", "ttyAlias", NULL, NULL);
	message_unref(rig_call(rig, "Attach", "{\"device\":\"/dev/ttyAlias\",\"slot\":\"A1\"}",
			       ERROR_INVALID_REQUEST));
	mock_bus_remove_tty(&bench->bus, "4", "ttyAlias");
	unplug(bench, "4", "ttyACM0");
	wait_for_ports(rig, 0);
	plug(bench, "4", "ttyUSB0", NULL, "");
	rig_attach(rig, "/dev/ttyUSB0", "A1");
	mock_bus_set_mode(&bench->bus, "4", "ttyUSB0", "brom");
	send_uevent(bench, "4", "ttyUSB0", "add");
	for (int i = 0; i < 300 && !rig_log_has(rig, "attached by hand"); i++)
		sleep_ms(10);
	assert_true(rig_log_has(rig, "/dev/ttyUSB0 is left alone: it was attached by hand"));
	assert_int_equal(count_ports(rig), 1);
}

/* An arrival in a slot whose old port is gone takes it over, also when the removal was lost. */
static void test_a_removal_that_was_not_heard(void **state)
{
	struct bench *bench = *state;
	struct rig *rig = &bench->rig;

	rig_start_with_udev(rig);
	plug(bench, "4", "ttyACM0", "brom", "");
	send_uevent(bench, "4", "ttyACM0", "add");
	wait_for_ports(rig, 1);
	mock_bus_remove_tty(&bench->bus, "4", "ttyACM0");
	plug(bench, "4", "ttyUSB0", "brom", NULL);
	send_uevent(bench, "4", "ttyUSB0", "add");
	for (int i = 0; i < 300 && !rig_log_has(rig, "ttyUSB0 arrived"); i++)
		sleep_ms(10);
	assert_true(rig_log_has(rig, "ttyACM0 left"));
	assert_true(rig_log_has(rig, "ttyUSB0 arrived"));
	assert_int_equal(count_ports(rig), 1);
}

/* The only port is shown as failed, in that mode, and stays so. */
static void expect_left_alone(struct rig *rig, const char *mode)
{
	_cleanup_message_ struct json_object *reply = NULL;
	struct json_object *port;

	sleep_ms(300);
	reply = rig_call(rig, "ListPorts", "{}", NULL);
	port = message_at(message_member(reply, "ports"), 0);
	assert_string_equal(message_string(message_member(port, "state")), "failed");
	assert_string_equal(message_string(message_member(port, "mode")), mode);
}

static void expect_state(struct rig *rig, const char *slot, const char *state)
{
	_cleanup_message_ struct json_object *reply = rig_call(rig, "ListPorts", "{}", NULL);
	struct json_object *port = message_at(message_member(reply, "ports"), 0);

	assert_string_equal(message_string(message_member(port, "slot")), slot);
	assert_string_equal(message_string(message_member(port, "state")), state);
}

/* Another MediaTek thing on the machine: known, shown, and not opened until its slot is included. */
static void test_an_excluded_slot(void **state)
{
	struct bench *bench = *state;
	struct rig *rig = &bench->rig;
	struct cable cable;
	struct watch watch;
	char image[128];

	rig_make_image(rig, "image", "1M", image);
	rig_start_with_udev(rig);
	message_unref(rig_call(rig, "SetSlot",
			       "{\"slot\":\"pci-0000:00:14.0-usb-0:6\",\"name\":\"modem\","
			       "\"excluded\":true}",
			       NULL));
	watch_plug(rig, &watch, "watch", "--flash", image, NULL);
	plug(bench, "6", "ttyACM0", "brom", "");
	cable_connect(bench, &cable, "ttyACM0", &watch);
	send_uevent(bench, "6", "ttyACM0", "add");
	wait_for_ports(rig, 1);
	expect_state(rig, "modem", "excluded");
	sleep_ms(500);
	expect_state(rig, "modem", "excluded");
	assert_int_equal(rig_newest_job(rig), 0);
	assert_false(watch_log_has(&watch, "handshake"));

	/* Over a restart of the daemon too, which finds it there; by its device it is meant as well. */
	assert_int_equal(rig_stop(rig, SIGTERM), 0);
	rig_start_with_udev(rig);
	expect_state(rig, "modem", "excluded");
	message_unref(
		rig_call(rig, "SetSlot", "{\"slot\":\"/dev/ttyACM0\",\"excluded\":false}", NULL));
	expect_backup(rig, wait_for_job_after(rig, 0), "modem", image);
	assert_true(watch_log_has(&watch, "handshake"));
	cable_cut(&cable);
	watch_unplug(&watch);
}

static void test_a_running_watch_is_left_alone(void **state)
{
	struct bench *bench = *state;
	struct rig *rig = &bench->rig;

	rig_start_with_udev(rig);
	plug(bench, "5", "ttyACM0", "com", "A: manufacturer=MediaTek\n");
	send_uevent(bench, "5", "ttyACM0", "add");
	wait_for_ports(rig, 1);
	expect_left_alone(rig, "com");
	assert_int_equal(rig_newest_job(rig), 0);
}

/* A job that any watch would do for is not spent on an agent of another tool. */
static void test_an_agent_of_others_is_left_alone(void **state)
{
	struct bench *bench = *state;
	struct rig *rig = &bench->rig;
	struct job job;

	rig_start_with_udev(rig);
	plug(bench, "5", "ttyACM0", "da", "");
	send_uevent(bench, "5", "ttyACM0", "add");
	wait_for_ports(rig, 1);
	expect_left_alone(rig, "da");
	job = rig_wait(rig, rig_submit(rig, "{}"), JOB_QUEUED, 5);
	job_clear(&job);
	expect_left_alone(rig, "da");
	job = rig_job(rig, rig_newest_job(rig));
	assert_int_equal(job.state, JOB_QUEUED);
	job_clear(&job);
}

/* Pulled out in the middle of the read, and in again: the job goes on, the image is whole. */
static void test_replugged_in_the_middle(void **state)
{
	struct bench *bench = *state;
	struct rig *rig = &bench->rig;
	struct cable cable;
	struct watch watch;
	struct job job;
	char image[128];
	int64_t id;

	rig_make_image(rig, "image", "4M", image);
	rig_start_with_udev(rig);
	watch_plug(rig, &watch, "watch", "--flash", image, "--rate", "3000000", NULL);
	plug(bench, "2", "ttyACM0", "brom", "");
	cable_connect(bench, &cable, "ttyACM0", &watch);
	send_uevent(bench, "2", "ttyACM0", "add");
	id = wait_for_job_after(rig, 0);
	sleep_ms(700);
	cable_cut(&cable);
	watch_unplug(&watch);
	unplug(bench, "2", "ttyACM0");
	job = rig_wait(rig, id, JOB_WAITING, 30);
	job_clear(&job);
	wait_for_ports(rig, 0);
	watch_plug(rig, &watch, "again", "--flash", image, NULL);
	plug(bench, "2", "ttyACM1", "brom", "");
	cable_connect(bench, &cable, "ttyACM1", &watch);
	send_uevent(bench, "2", "ttyACM1", "add");
	expect_backup(rig, id, "left", image);
	cable_cut(&cable);
	watch_unplug(&watch);
}

/*
 * One watch through its modes: the boot ROM leaves in the middle of the read, an agent that we do
 * not speak to comes and goes, a preloader follows. The job waits, and ends with the whole image.
 */
static void test_followed_through_its_modes(void **state)
{
	struct bench *bench = *state;
	struct rig *rig = &bench->rig;
	struct cable cable;
	struct watch watch;
	struct job job;
	char image[128];
	int64_t id;

	rig_make_image(rig, "image", "4M", image);
	rig_start_with_udev(rig);
	watch_plug(rig, &watch, "watch", "--flash", image, "--fault", "unplug@1M", NULL);
	plug(bench, "2", "ttyACM0", "brom", "");
	cable_connect(bench, &cable, "ttyACM0", &watch);
	send_uevent(bench, "2", "ttyACM0", "add");
	id = wait_for_job_after(rig, 0);
	job = rig_wait(rig, id, JOB_RUNNING, 30);
	job_clear(&job);
	for (int i = 0; i < 500 && !watch_log_has(&watch, "unplug"); i++)
		sleep_ms(10);
	cable_cut(&cable);
	watch_unplug(&watch);
	unplug(bench, "2", "ttyACM0");
	job = rig_wait(rig, id, JOB_WAITING, 30);
	job_clear(&job);

	wait_for_ports(rig, 0);
	plug(bench, "2", "ttyACM1", "da", "");
	send_uevent(bench, "2", "ttyACM1", "add");
	wait_for_ports(rig, 1);
	expect_left_alone(rig, "da");
	job = rig_wait(rig, id, JOB_WAITING, 1);
	job_clear(&job);
	unplug(bench, "2", "ttyACM1");
	wait_for_ports(rig, 0);

	watch_plug(rig, &watch, "again", "--flash", image, "--fault", "preloader", NULL);
	plug(bench, "2", "ttyACM2", "preloader", "");
	cable_connect(bench, &cable, "ttyACM2", &watch);
	send_uevent(bench, "2", "ttyACM2", "add");
	expect_backup(rig, id, "left", image);
	cable_cut(&cable);
	watch_unplug(&watch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_4_mib, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_8_mib, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_16_mib, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_there_before_start, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_comes_back_as_another_tty, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_two_jobs_are_for_two_watches, set_up_by_hand,
						tear_down),
		cmocka_unit_test_setup_teardown(test_another_watch_at_once, set_up_as_shipped,
						tear_down),
		cmocka_unit_test_setup_teardown(test_two_nodes_of_one_watch, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_attached_and_found, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_removal_that_was_not_heard, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_an_excluded_slot, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_running_watch_is_left_alone, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_an_agent_of_others_is_left_alone, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_replugged_in_the_middle, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_followed_through_its_modes, set_up, tear_down),
	};

	if (!getenv("LD_PRELOAD")) {
		fprintf(stderr, "run it under umockdev-wrapper\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
