/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The doctor with a root of our own: a tree of the files that it looks at. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "client/doctor/doctor.h"
#include "protocol/base/fd.h"
#include "protocol/base/strings.h"

struct place {
	char root[32];
	char socket[64];
	int listener;
	struct doctor_report report;
};

static void make_folders(const char *path)
{
	_cleanup_free_ char *copy = strdup(path);

	for (char *s = strchr(copy + 1, '/'); s; s = strchr(s + 1, '/')) {
		*s = '\0';
		(void)mkdir(copy, 0755);
		*s = '/';
	}
}

static void put(const struct place *place, const char *path, const char *text)
{
	_cleanup_free_ char *full = str_format("%s%s", place->root, path);
	_cleanup_close_ int fd = -1;

	make_folders(full);
	fd = open(full, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
}

static void put_link(const struct place *place, const char *path, const char *target)
{
	_cleanup_free_ char *full = str_format("%s%s", place->root, path);

	make_folders(full);
	assert_int_equal(symlink(target, full), 0);
}

static void put_device(const struct place *place, const char *name, const char *vendor,
		       const char *product)
{
	static const char *const always[][2] = { { "bNumConfigurations", "1\n" },
						 { "devnum", "5\n" },
						 { "authorized", "1\n" },
						 { "power/control", "on\n" } };

	for (size_t i = 0; i < ARRAY_SIZE(always); i++) {
		_cleanup_free_ char *path =
			str_format("/sys/bus/usb/devices/%s/%s", name, always[i][0]);

		put(place, path, always[i][1]);
	}
	_cleanup_free_ char *path = str_format("/sys/bus/usb/devices/%s/idVendor", name);
	put(place, path, vendor);
	_cleanup_free_ char *other = str_format("/sys/bus/usb/devices/%s/idProduct", name);
	put(place, other, product);
}

/* A boot ROM at 1-2 with its port, as it should be. */
static void put_watch(const struct place *place)
{
	put_device(place, "1-2", "0e8d\n", "0003\n");
	put_link(place, "/sys/class/tty/ttyACM0",
		 "../../devices/pci0000:00/0000:00:14.0/usb1/1-2/1-2:1.1/tty/ttyACM0");
	put(place, "/sys/devices/pci0000:00/0000:00:14.0/usb1/1-2/1-2:1.1/tty/ttyACM0/dev",
	    "166:0\n");
	put(place, "/run/udev/data/c166:0",
	    "S:mtkrb/x\nE:ID_MM_DEVICE_IGNORE=1\nE:MTKRB_MODE=brom\nG:mtkrb\n");
	put(place, "/dev/ttyACM0", "");
}

static void put_process(const struct place *place, int pid, const char *name, const char *file)
{
	_cleanup_free_ char *comm = str_format("/proc/%d/comm", pid);
	_cleanup_free_ char *fd = str_format("/proc/%d/fd/7", pid);

	put(place, comm, name);
	put_link(place, fd, file);
}

static int set_up(void **state)
{
	struct place *place = calloc(1, sizeof(*place));
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	strcpy(place->root, "/tmp/test-doctor-XXXXXX");
	assert_non_null(mkdtemp(place->root));
	(void)snprintf(place->socket, sizeof(place->socket), "%s/socket", place->root);
	strcpy(address.sun_path, place->socket);
	place->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(place->listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(place->listener, 8), 0);
	put(place, "/etc/udev/rules.d/65-mtkrbd.rules", "");
	*state = place;
	return 0;
}

static int remove_one(const char *path, const struct stat *status _unused_, int flag _unused_,
		      struct FTW *ftw _unused_)
{
	return remove(path);
}

static int tear_down(void **state)
{
	struct place *place = *state;

	doctor_report_clear(&place->report);
	fd_close(place->listener);
	(void)nftw(place->root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(place);
	return 0;
}

/* Exactly these causes, in this order; words of the first. */
static void expect(struct place *place, const char *causes, const char *words)
{
	const struct doctor_options options = { .root = place->root, .socket_path = place->socket };
	char found[256] = "";

	doctor_report_clear(&place->report);
	assert_int_equal(doctor_examine(&options, &place->report), 0);
	for (size_t i = 0; i < place->report.n_findings; i++) {
		strcat(found, i > 0 ? " " : "");
		strcat(found, doctor_cause_to_string(place->report.findings[i].cause));
		assert_non_null(place->report.findings[i].advice);
	}
	if (!streq(found, causes))
		fail_msg("found: %s", found);
	if (words && !strstr(place->report.findings[0].what, words))
		fail_msg("%s", place->report.findings[0].what);
}

static void test_healthy(void **state)
{
	put_watch(*state);
	expect(*state, "", NULL);
	assert_int_equal(((struct place *)*state)->report.n_ports, 1);
}

static void test_daemon_down(void **state)
{
	struct place *place = *state;

	put_watch(place);
	place->listener = fd_close(place->listener);
	expect(place, "daemon-down", place->socket);
	assert_int_equal(unlink(place->socket), 0);
	expect(place, "daemon-down", place->socket);
}

static void test_no_device(void **state)
{
	put_device(*state, "1-1", "1234\n", "0003\n");
	expect(*state, "no-device", NULL);
}

static void test_rules(void **state)
{
	struct place *place = *state;
	_cleanup_free_ char *rules = str_format("%s/etc/udev/rules.d/65-mtkrbd.rules", place->root);

	put_watch(place);
	put(place, "/run/udev/data/c166:0", "E:ID_MM_DEVICE_IGNORE=1\n");
	expect(place, "rules-not-applied", "/dev/ttyACM0");
	assert_int_equal(unlink(rules), 0);
	expect(place, "rules-missing", NULL);
	/* Marked all the same: the rules are somewhere else. */
	put(place, "/run/udev/data/c166:0", "E:ID_MM_DEVICE_IGNORE=1\nE:MTKRB_MODE=brom\n");
	expect(place, "", NULL);
	put(place, "/run/udev/data/c166:0", "E:ID_MM_DEVICE_IGNORE=1\nE:MTKRB_MODEL=brom\n");
	expect(place, "rules-missing", NULL);
}

static void test_usb(void **state)
{
	struct place *place = *state;

	put_device(place, "1-2", "0e8d\n", "0003\n");
	expect(place, "no-driver", "cdc_acm");
	put_link(place, "/sys/bus/usb/devices/1-2:1.0/driver", "../../bus/usb/drivers/usbfs");
	expect(place, "no-driver", "another program");
	put(place, "/sys/bus/usb/devices/1-2/authorized", "0\n");
	expect(place, "usb-unauthorized", "1-2");
	put_watch(place);
	put(place, "/sys/bus/usb/devices/1-2/power/control", "auto\n");
	expect(place, "autosuspend", "1-2");
}

static void test_modes(void **state)
{
	struct place *place = *state;

	put_device(place, "1-2", "0e8d\n", "0002\n");
	expect(place, "mass-storage", "1-2");
	put_device(place, "1-2", "0e8d\n", "0003\n");
	put(place, "/sys/bus/usb/devices/1-2/bNumConfigurations", "3\n");
	put(place, "/sys/bus/usb/devices/1-2/product", "Some Phone\n");
	expect(place, "com-mode", "1-2");
	put_device(place, "1-2", "0e8d\n", "0023\n");
	expect(place, "other-mode", "0023");
}

static void test_holders(void **state)
{
	struct place *place = *state;

	put_watch(place);
	put_process(place, 41, "bash\n", "/dev/pts/0");
	put_process(place, 42, "mtkrbd-worker\n", "/dev/ttyACM0");
	expect(place, "", NULL);
	put_process(place, 43, "minicom\n", "/dev/ttyACM0");
	expect(place, "port-held", "minicom (process 43) has /dev/ttyACM0");
	put_process(place, 44, "ModemManager\n", "/dev/ttyACM0");
	expect(place, "modemmanager-holds port-held", "process 44");
	put_process(place, 45, "brltty\n", "/dev/ttyACM0");
	expect(place, "modemmanager-holds brltty-holds port-held", NULL);
}

static void test_modem_manager_probes(void **state)
{
	struct place *place = *state;

	put_watch(place);
	put_process(place, 44, "ModemManager\n", "/dev/null");
	expect(place, "", NULL);
	put(place, "/run/udev/data/c166:0", "E:MTKRB_MODE=brom\nE:ID_MM_DEVICE_IGNORE=0\n");
	expect(place, "modemmanager-probes", "44");
	/* A phone that runs is left to it on purpose. */
	put(place, "/run/udev/data/c166:0", "E:MTKRB_MODE=com\n");
	expect(place, "", NULL);
}

static void test_brltty_and_adapter(void **state)
{
	struct place *place = *state;

	put_watch(place);
	put_device(place, "1-3", "1a86\n", "7523\n");
	put_process(place, 45, "brltty\n", "/dev/null");
	expect(place, "", NULL);
	put_link(place, "/sys/bus/usb/devices/1-3:1.0/driver", "../../bus/usb/drivers/usbfs");
	expect(place, "brltty-holds", "1-3");
}

static void test_rights(void **state)
{
	struct place *place = *state;
	_cleanup_free_ char *tty = str_format("%s/dev/ttyACM0", place->root);
	struct stat status;

	put_watch(place);
	assert_int_equal(stat(tty, &status), 0);
	put(place, "/proc/50/comm", "mtkrbd\n");
	put(place, "/proc/50/status",
	    "Name:\tmtkrbd\nUid:\t4711\t4711\t4711\t4711\nGid:\t4711\t4711\t4711\t4711\n"
	    "Groups:\t20 4712 \n");
	assert_int_equal(chmod(tty, 0640), 0);
	expect(place, "port-denied", "the daemon may not open /dev/ttyACM0");
	assert_int_equal(chmod(tty, 0666), 0);
	expect(place, "", NULL);
	if (geteuid() == 0) {
		assert_int_equal(chown(tty, 0, 4712), 0);
		assert_int_equal(chmod(tty, 0660), 0);
		expect(place, "", NULL);
		/* The group's rights count for a member, not everybody's. */
		assert_int_equal(chmod(tty, 0606), 0);
		expect(place, "port-denied", NULL);
	}
}

#define PLUG(usec)    \
	"6,100," usec \
	",-;usb 1-2: New USB device found, idVendor=0e8d, idProduct=0003, bcdDevice=1\n"

static void test_kernel_log(void **state)
{
	struct place *place = *state;

	put_watch(place);
	put(place, "/dev/kmsg", PLUG("5000000") "6,2,900000000,-;something else\n");
	expect(place, "", NULL);
	/* Long ago is no news. */
	put(place, "/dev/kmsg", PLUG("5000000") PLUG("8000000") "6,2,900000000,-;something else\n");
	expect(place, "", NULL);
	put(place, "/dev/kmsg", PLUG("5000000") PLUG("8000000") PLUG("11000000"));
	expect(place, "window-missed", "3 times");
}

/* The order is that of the cure, whatever was found first. */
static void test_order(void **state)
{
	struct place *place = *state;

	put_device(place, "1-2", "0e8d\n", "0003\n");
	put(place, "/sys/bus/usb/devices/1-2/power/control", "auto\n");
	put(place, "/dev/kmsg", PLUG("5000000") PLUG("8000000"));
	place->listener = fd_close(place->listener);
	expect(place, "daemon-down no-driver window-missed autosuspend", NULL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_healthy),
		TEST(test_daemon_down),
		TEST(test_no_device),
		TEST(test_rules),
		TEST(test_usb),
		TEST(test_modes),
		TEST(test_holders),
		TEST(test_modem_manager_probes),
		TEST(test_brltty_and_adapter),
		TEST(test_rights),
		TEST(test_kernel_log),
		TEST(test_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
