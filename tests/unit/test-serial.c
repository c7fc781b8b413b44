/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "protocol/base/fd.h"
#include "protocol/base/time.h"
#include "protocol/device/serial.h"

/* A pty as the kernel makes it: echoing, line by line, not at all raw. */
static void open_pty(int *ret_master, char name[PATH_MAX])
{
	int slave;

	assert_return_code(openpty(ret_master, &slave, name, NULL, NULL), errno);
	close(slave);
}

static void test_raw(void **state)
{
	_cleanup_(transport_freep) struct transport *transport = NULL;
	_cleanup_close_ int master = -1;
	char name[PATH_MAX];
	struct termios termios;
	uint8_t every[256], back[256];

	(void)state;
	open_pty(&master, name);
	assert_int_equal(serial_open(name, -1, &transport), 0);
	assert_int_equal(transport_kind(transport), LINE_USB);
	/* The master shows its slave's settings. */
	assert_return_code(tcgetattr(master, &termios), errno);
	assert_int_equal(termios.c_lflag & (ECHO | ECHONL | ICANON | ISIG | IEXTEN), 0);
	assert_int_equal(termios.c_iflag & (IXON | IXOFF | IXANY | ICRNL | INLCR | IGNCR | ISTRIP),
			 0);
	assert_int_equal(termios.c_oflag & OPOST, 0);
	assert_int_equal(termios.c_cflag & (CSIZE | CSTOPB | PARENB | CRTSCTS), CS8);
	assert_int_equal(termios.c_cflag & (CLOCAL | CREAD), CLOCAL | CREAD);
	assert_int_equal(cfgetospeed(&termios), B115200);

	for (size_t i = 0; i < sizeof(every); i++)
		every[i] = (uint8_t)i;
	assert_int_equal(write(master, every, sizeof(every)), sizeof(every));
	assert_int_equal(transport_read(transport, back, sizeof(back), USEC_PER_SEC, NULL), 0);
	assert_memory_equal(back, every, sizeof(every));
	assert_int_equal(transport_write(transport, every, sizeof(every), USEC_PER_SEC), 0);
	assert_int_equal(read(master, back, sizeof(back)), sizeof(back));
	assert_memory_equal(back, every, sizeof(every));
}

/* What came before the port was opened is no answer to anything. */
static void test_flushes_input(void **state)
{
	_cleanup_(transport_freep) struct transport *transport = NULL;
	_cleanup_close_ int master = -1, slave = -1;
	char name[PATH_MAX];
	uint8_t data[8];

	(void)state;
	assert_return_code(openpty(&master, &slave, name, NULL, NULL), errno);
	assert_int_equal(write(master, "READY\n", 6), 6);
	assert_int_equal(serial_open(name, -1, &transport), 0);
	assert_int_equal(transport_read_some(transport, data, sizeof(data), 50 * USEC_PER_MSEC),
			 -ETIMEDOUT);
}

static void test_exclusive(void **state)
{
	_cleanup_(transport_freep) struct transport *first = NULL;
	_cleanup_close_ int master = -1;
	struct transport *second = NULL;
	char name[PATH_MAX];

	(void)state;
	open_pty(&master, name);
	assert_int_equal(serial_open(name, -1, &first), 0);
	assert_int_equal(serial_open(name, -1, &second), -EBUSY);
	assert_null(second);
	/* The refused one must not have changed the line of the first. */
	assert_int_equal(transport_write(first, "\n", 1, USEC_PER_SEC), 0);
	transport_free(first);
	first = NULL;
	assert_int_equal(serial_open(name, -1, &first), 0);
}

static void test_through_link(void **state)
{
	_cleanup_(transport_freep) struct transport *transport = NULL;
	char folder[] = "/tmp/test-serial-XXXXXX", link[PATH_MAX], name[PATH_MAX];
	_cleanup_close_ int master = -1;
	int r;

	(void)state;
	open_pty(&master, name);
	assert_non_null(mkdtemp(folder));
	(void)snprintf(link, sizeof(link), "%s/port", folder);
	assert_return_code(symlink(name, link), errno);
	r = serial_open(link, -1, &transport);
	unlink(link);
	rmdir(folder);
	assert_int_equal(r, 0);
}

static void test_refusals(void **state)
{
	struct transport *transport = NULL;
	char file[] = "/tmp/test-serial-XXXXXX", name[PATH_MAX];
	int fd = mkstemp(file), master;

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(serial_open(file, -1, &transport), -ENOTTY);
	unlink(file);
	assert_int_equal(serial_open(file, -1, &transport), -ENOENT);
	assert_int_equal(serial_open("/dev/null", -1, &transport), -ENOTTY);
	assert_int_equal(serial_open("/tmp", -1, &transport), -ENOTTY);
	assert_int_equal(serial_open("", -1, &transport), -ENOENT);
	open_pty(&master, name);
	close(master);
	assert_int_equal(serial_open(name, -1, &transport), -ENOENT);
	assert_null(transport);
}

static void test_closed_on_exec(void **state)
{
	_cleanup_(transport_freep) struct transport *transport = NULL;
	_cleanup_close_ int master = -1, probe = -1;
	char name[PATH_MAX];

	(void)state;
	open_pty(&master, name);
	probe = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_int_equal(serial_open(name, -1, &transport), 0);
	/* The port took one of the next numbers; every tty among them closes on exec. */
	for (int fd = probe + 1; fd < probe + 8; fd++) {
		if (isatty(fd))
			assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_raw),       cmocka_unit_test(test_flushes_input),
		cmocka_unit_test(test_exclusive), cmocka_unit_test(test_through_link),
		cmocka_unit_test(test_refusals),  cmocka_unit_test(test_closed_on_exec),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
